"""Sixty right spaces and sixty with a mistake: what `check` says of them, judged by running their architectures.

The programs stand in tests/faults: each right one is followed by the same with a small change, and what is said of it.

    ATNAS_UPDATE_SPEC=1 pytest tests/test_faults.py

writes what comes out today into the pages.
"""

from __future__ import annotations

import os
from collections import Counter
from difflib import ndiff
from functools import cache
from itertools import chain
from pathlib import Path

import pytest
from architectures import Architecture, Place
from causes import Assignment, assert_smallest, breaks, drawn, every, places_of, told
from interpreted import BROKEN, FINE, Text
from pages import OUTCOMES, Case
from pages import told as cases

from atnas.dsl.findings.diagnostics import Diagnostic

PAGES = sorted((Path(__file__).parent / "faults").glob("*.md"))
FEW = 300
"""Up to so many architectures all are run; of more, samples."""
SAMPLE = 200


def write(page: Path) -> None:
    """Puts what comes out today into a page."""
    text = page.read_text(encoding="utf-8")
    for case in reversed(cases(page)):
        for block in case.expected.values():
            text = f"{text[: block.start(3)]}{OUTCOMES['full'](case.program())}\n{text[block.end(3) :]}"
    page.write_text(text, encoding="utf-8")


if os.environ.get("ATNAS_UPDATE_SPEC") == "1":
    for each in PAGES:
        write(each)

ALL = [(f"{page.stem}:{case.line}", case) for page in PAGES for case in cases(page)]
RIGHT = [pytest.param(case, id=name) for name, case in ALL[::2]]
FAULTY = [pytest.param(case, id=name) for name, case in ALL[1::2]]


def errors(case: Case) -> list[Diagnostic]:
    return [finding for finding in case.program().findings if finding.severity == "error"]


@cache
def ran(program: str) -> tuple[Text, list[Architecture], bool]:
    """A program, all its architectures or some of very many, and whether these are all."""
    text = Text(program)
    found = every(text, FEW)
    return text, found or list(drawn(text, SAMPLE, seed=0, assignment={})), found is not None


def assignment(case: Case, finding: Diagnostic) -> Assignment:
    """The decisions of a finding, by their names."""
    return told(finding, {name for architecture in ran(case.text)[1] for name in architecture.decided})


def places(case: Case, finding: Diagnostic) -> list[Place]:
    """Where a finding is: one place for each use of what stands there."""
    return places_of(finding, {place for architecture in ran(case.text)[1] for place in architecture.places})


def test_there_are_sixty_of_each_and_faults_of_one_two_and_three_decisions() -> None:
    assert len(RIGHT) == len(FAULTY) == 60
    sizes = Counter(max(len(assignment(case, finding)) for finding in errors(case)) for _, case in ALL[1::2])
    assert min(sizes[1], sizes[2]) >= 15 and sizes[3] >= 7, sizes


@pytest.mark.parametrize("case", RIGHT)
def test_a_right_space_has_nothing_to_report_and_runs(case: Case) -> None:
    assert not case.expected and not case.program().findings
    found = [architecture for architecture in ran(case.text)[1] if architecture.allowed]
    assert found and not any(architecture.breaks for architecture in found)


@pytest.mark.parametrize(("right", "faulty"), [(a.values[0], b.values[0]) for a, b in zip(RIGHT, FAULTY, strict=True)])
def test_a_fault_is_a_small_change(right: Case, faulty: Case) -> None:
    lines = list(ndiff(right.text.splitlines(), faulty.text.splitlines()))
    assert sum(line.startswith("- ") for line in lines) in (1, 2)
    assert sum(line.startswith("+ ") for line in lines) in (1, 2)


@pytest.mark.parametrize("case", FAULTY)
def test_a_fault_is_told(case: Case) -> None:
    (block,) = case.expected.values()
    assert OUTCOMES["full"](case.program()) == block[3].removesuffix("\n")
    assert errors(case)
    assert {finding.code for finding in errors(case)} <= {"E201", "E301", "E302", "E303"}


@pytest.mark.parametrize("case", FAULTY)
def test_every_place_that_breaks_is_told_and_no_other(case: Case) -> None:
    found = {place[-1] for finding in errors(case) for place in places(case, finding)}
    broken = {p[-1] for a in ran(case.text)[1] if a.allowed for p, status in a.places.items() if status == BROKEN}
    assert found >= broken
    assert found == broken or not ran(case.text)[2]


@pytest.mark.parametrize("case", FAULTY)
def test_its_assignment_breaks_every_architecture_and_no_smaller_one_does(case: Case) -> None:
    text, architectures, are_all = ran(case.text)
    for finding in errors(case):
        decided, uses = assignment(case, finding), places(case, finding)
        if are_all:
            assert_smallest(decided, uses, architectures)
        else:
            assert_small(text, decided, uses)


def assert_small(text: Text, decided: Assignment, uses: list[Place]) -> None:
    """That a sample of the architectures that extend an assignment break at one of these places, and that where one
    of its decisions is left open there are some that do not."""
    found = list(drawn(text, SAMPLE, seed=1, assignment=decided))
    assert all(architecture.breaks for architecture in found)
    broken = [use for use in uses if breaks(decided, use, found)]
    assert broken
    for left_open in decided:
        fewer = {name: word for name, word in decided.items() if name != left_open}
        others = drawn(text, 20 * SAMPLE, seed=2, assignment=fewer)
        assert any(all(architecture.at(use) == FINE for use in broken) for architecture in others), left_open


@pytest.mark.parametrize("case", FAULTY)
def test_both_shapes_are_told_where_two_tensors_disagree_and_the_one_where_a_layer_refuses(case: Case) -> None:
    text, architectures, _ = ran(case.text)
    for finding in errors(case):
        if finding.code == "E201":
            continue
        words = [finding.inner, *(label.message for label in finding.labels)] if finding.code == "E301" else []
        assert len(words) == 2 * (finding.code == "E301") and len(set(words)) == len(words)
        more = drawn(text, SAMPLE, seed=3, assignment=assignment(case, finding))
        refused = (a.refused.get(use, []) for a in chain(architectures, more) for use in places(case, finding))
        written = ({f"({', '.join(map(str, shape))})" for shape in shapes} for shapes in refused)
        assert any(set(words) <= found and (words or any(w in finding.message for w in found)) for found in written)
