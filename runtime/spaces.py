"""The spaces of a file, for the commands that ask about spaces."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from atnas.dsl.elaborate.space import Worked
from atnas.dsl.errors import Findings, Unable
from atnas.dsl.findings.suggest import nearest
from atnas.dsl.net import Net
from atnas.runtime.checking import read_program
from atnas.runtime.program import Program
from atnas.runtime.project import inside
from atnas.runtime.sources import read_text, source

ASIDE: Final = " (`require` lines over metrics set aside)"
"""What is said beside a count that these lines do not narrow."""


@dataclass(frozen=True)
class Spaces:
    """A checked program, and those of its spaces that were asked for, by name."""

    program: Program
    worked: dict[str, Worked]

    @property
    def nets(self) -> dict[str, Net]:
        """The spaces with every name resolved."""
        return {name: worked.net for name, worked in self.worked.items() if worked.net is not None}


def spaces(file: str, name: str | None = None) -> Spaces:
    """The spaces of a file, or the one of this name; `-` is standard input.

    Raises `Findings` where the file has errors, `Unable` where it has no such space.
    """
    program = read_program(source(file), inside(file, read_text))
    if not program.good:
        raise Findings(program.findings)
    return of_program(program, file, name)


def of_program(program: Program, file: str, name: str | None = None) -> Spaces:
    """The same of a program that was read. Raises `Unable` where it has no such space."""
    found = Spaces(program, program.every_space())
    if name is None:
        return found
    if name not in found.nets:
        if not found.nets:
            raise none_stands(file)
        close = nearest(name, list(found.nets))
        cure = f"did you mean `{close}`?" if close else f"it has {', '.join(found.nets)}"
        raise Unable(f"{file} has no space `{name}`; {cure}")
    return Spaces(program, {name: found.worked[name]})


def none_stands(file: str) -> Unable:
    """That a file has no space that can be worked out without arguments."""
    return Unable(f"{file} declares no space that stands by itself: all its parameters need defaults")


def only_space(file: str, name: str | None) -> Spaces:
    """The same with exactly one space. Raises `Unable` where there is none, or several and no name."""
    found = spaces(file, name)
    if not found.nets:
        raise none_stands(file)
    if len(found.nets) > 1:
        raise Unable(f"{file} has several spaces; choose one with --space: {', '.join(found.nets)}")
    return found
