"""What a check knows of words: shapes, and numbers of architectures."""

from __future__ import annotations

from functools import cached_property
from typing import Final

from atnas.dsl.elaborate.space import work_out
from atnas.dsl.net import Net
from atnas.dsl.operator import Shape
from atnas.dsl.syntax import ast
from atnas.editor.counts import Counts, binding, options, use
from atnas.editor.index import Occurrence
from atnas.editor.meaning import Declaration, Local
from atnas.editor.shapes import Shapes
from atnas.runtime.program import Program, is_whole

LONGEST: Final = 60
"""Digits and commas of a number that is written out."""


class Known:
    """The facts of one checked program, worked out as they are asked for."""

    def __init__(self, program: Program, counts: Counts) -> None:
        self._program = program
        self._counts = counts
        self._said: dict[int, str | None] = {}

    @cached_property
    def nets(self) -> dict[str, Net]:
        """The net of each space: as the first experiment runs it, without one with its defaults."""
        nets = {name: worked.net for name, worked in self._program.spaces.items() if worked.net is not None}
        return nets | {plan.net.name: plan.net for plan in reversed(self._program.plans.values())}

    @cached_property
    def _shapes(self) -> Shapes:
        """Of a space that an experiment runs, the shapes are those that its tasks give."""
        run = {id(plan.net) for plan in self._program.plans.values()}
        names = {plan.net.name for plan in self._program.plans.values()}
        spaces = self._program.spaces.items()
        defaults = {id(worked) for name, worked in spaces if name in names and id(worked.net) not in run}
        return Shapes(worked for worked in self._program.worked if id(worked) not in defaults)

    @property
    def places(self) -> Shapes:
        """The shapes by place."""
        return self._shapes

    def shapes(self, occurrence: Occurrence) -> list[Shape]:
        """The shapes of the tensor that a word is, or of what the layer puts out that it is."""
        meaning = occurrence.meaning
        if isinstance(meaning, Local):
            if meaning.kind == "input":
                return self._shapes.input(meaning.owner.name, meaning.name.id)
            return [] if meaning.value is None else self._shapes.of(meaning.value)
        return [] if occurrence.node is None else self._shapes.of(occurrence.node)

    def count(self, occurrence: Occurrence) -> str | None:
        """How many architectures there are of what a word stands for, in words; None where that is not known."""
        found = occurrence.meaning
        if isinstance(found, Declaration) and isinstance(found.declared.syntax, ast.Layer):
            key = id(found.declared.syntax)
        elif isinstance(found, Local) and found.kind == "binding" and found.value is not None:
            key = id(found.value)
        else:
            return None
        if key not in self._said:
            self._said[key] = self._counted(occurrence)
        return self._said[key]

    def _counted(self, occurrence: Occurrence) -> str | None:
        found = occurrence.meaning
        if isinstance(found, Local):
            choices = None if found.value is None else options(found.value)
            return f"{choices:,} options" if choices else self._told(binding(found.name, found.owner), " up to here")
        assert isinstance(found, Declaration)
        if found.declared.syntax.keyword != "space":
            return self._told(use(found.declared), " of each use")
        net = self.nets.get(found.declared.name)
        if net is None and is_whole(found.declared):
            net = work_out(found.declared).net
        return self._told(net, "")

    def _told(self, net: Net | None, of: str) -> str | None:
        count = None if net is None else self._counts.of(net)
        return None if count is None else architectures(count) + of


def architectures(count: int) -> str:
    """`15,625 architectures`, `1 architecture`; of a very large number its power of ten."""
    digits = f"{count:,}"
    if len(digits) > LONGEST:
        power = len(str(count)) - 1
        digits = f"about {str(count)[0]}.{str(count)[1:3]}e{power}"
    return f"{digits} architecture{'s' * (count != 1)}"
