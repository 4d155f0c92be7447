"""The manual is the test suite: every program in tests/spec/*.md is checked, and gives exactly what stands below it.

A page holds fenced blocks. ```atnas is a program, and ```atnas blocks.atnas a file that the programs after it may use.
Blocks after a program say what comes of it: ```findings (a line each), ```full (as a terminal shows them), ```decisions
(of its last space) and ```count (architectures of that space). A program without findings below it has none.

    ATNAS_UPDATE_SPEC=1 pytest tests/test_spec.py

writes what comes out today into the pages. Read it: what stands there is what users are promised.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from atnas.compiler.space import compile
from atnas.dsl.errors import Unable
from atnas.dsl.findings.render import concise, full
from atnas.dsl.source import Source
from atnas.runtime.program import Program, read_program

SPEC = Path(__file__).parent / "spec"
PAGES = sorted(SPEC.glob("*.md"))
DOCS = Path(__file__).parents[1] / "docs" / "language.md"
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
        if kind == "atnas":
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
}


def told(page: Path) -> list[Case]:
    return list(cases(page.read_text(encoding="utf-8")))


def write(page: Path) -> None:
    """Puts what comes out today into a page."""
    text = page.read_text(encoding="utf-8")
    blocks = [(b, OUTCOMES[kind](case.program())) for case in told(page) for kind, b in case.expected.items()]
    for block, outcome in reversed(blocks):
        text = text[: block.start(3)] + (f"{outcome}\n" if outcome else "") + text[block.end(3) :]
    page.write_text(text, encoding="utf-8")


if os.environ.get("ATNAS_UPDATE_SPEC") == "1":
    for each in PAGES:
        write(each)

EVERY = [pytest.param(page, case, id=f"{page.stem}:{case.line}") for page in PAGES for case in told(page)]


@pytest.mark.parametrize(("page", "case"), EVERY)
def test_program_of_the_manual(page: Path, case: Case) -> None:
    program = case.program()
    for kind, block in case.expected.items():
        assert OUTCOMES[kind](program) == block[3].removesuffix("\n"), f"{page.name}:{case.line} ({kind})"
    if "findings" not in case.expected and "full" not in case.expected:
        assert concise(program.findings) == "", f"{page.name}:{case.line}"


def test_the_reference_links_every_page() -> None:
    linked = re.findall(r"\(\.\./tests/spec/([\w.]+\.md)\)", DOCS.read_text(encoding="utf-8"))
    assert linked == [page.name for page in PAGES]
