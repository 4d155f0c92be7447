"""The pages of tests/spec: their programs, and what the blocks below each say of it.

A page holds fenced blocks. ```atnas is a program; ```atnas blocks.atnas and ```json phone.latency.json are files that
the programs after them may use.
Blocks after a program say what comes of it: ```findings (a line each), ```full (as a terminal shows them), ```decisions
(of its last space), ```count (architectures of that space) and ```formatted (what `atnas fmt` makes of it). A program
without findings below it has none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from atnas.compiler.space import compile
from atnas.dsl.errors import Unable
from atnas.dsl.findings.render import concise, full
from atnas.dsl.source import Source
from atnas.dsl.syntax.format import formatted
from atnas.runtime.checking import read_program
from atnas.runtime.program import Program

SPEC = Path(__file__).parent / "spec"
MANUAL = sorted(SPEC.glob("*.md"))
"""The manual of the language."""
GUIDES = [SPEC.parent.parent / "docs" / "first_space.md"]
"""Guides with programs."""
CORPUS = sorted((SPEC / "broken").glob("*.md"))
"""Programs with a mistake, and what is said of it."""
FENCE = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass
class Case:
    """One program and the blocks that say what comes of it."""

    line: int
    text: str
    files: dict[str, str]
    expected: dict[str, re.Match[str]] = field(default_factory=dict)

    def program(self) -> Program:
        return read_program(Source("file.atnas", self.text), self.read)

    def read(self, path: str) -> str:
        if path not in self.files:
            raise Unable(f"{path} is not there")
        return self.files[path]


def cases(page: str) -> Iterator[Case]:
    files: dict[str, str] = {}
    case: Case | None = None
    for block in FENCE.finditer(page):
        kind, name, text = block.groups()
        if kind == "atnas" or (kind == "json" and name):
            if case is not None:
                yield case
            case = None if name else Case(page[: block.start()].count("\n") + 1, text, dict(files))
            if name:
                files[name] = text
        elif kind in OUTCOMES:
            assert case is not None, f"a block `{kind}` without a program above it"
            assert kind not in case.expected, f"two blocks `{kind}` for the program of line {case.line}"
            case.expected[kind] = block
    if case is not None:
        yield case


def told(page: Path) -> list[Case]:
    return list(cases(page.read_text(encoding="utf-8")))


def decisions(program: Program) -> str:
    return "\n".join(f"{d.name} = {' | '.join(map(str, d.options))}" for d in last_net(program).decisions)


def last_net(program: Program):
    nets = [worked.net for worked in program.every_space().values() if worked.net is not None]
    assert nets, concise(program.findings)
    return nets[-1]


OUTCOMES = {
    "findings": lambda program: concise(program.findings),
    "full": lambda program: full(program.findings),
    "decisions": decisions,
    "count": lambda program: f"{compile(last_net(program)).encoding.count():,}",
    "formatted": lambda program: formatted(program.module.program).removesuffix("\n"),
}
