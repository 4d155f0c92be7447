"""The decisions under which something breaks: as few as can be, for all small programs, and found without trying any.

What breaks is found by running every architecture of a program in torch: architectures.py.
"""

from __future__ import annotations

from itertools import combinations, product

import pytest
from causes import assert_smallest, every, places_of, told
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from interpreted import BROKEN, Text
from pages import Case as Program
from small_spaces import small_spaces
from tried import Tried, spaces

from atnas.compiler.space import compile
from atnas.dsl.cases import FALSE, NEVER, TRUE, Case, Cases, split
from atnas.dsl.elaborate.cause import STEPS_OF_CAUSES, cause
from atnas.dsl.findings.diagnostics import Diagnostic
from atnas.dsl.meter import Meter

MANY = settings(deadline=None, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])


def findings(text: str) -> list[Diagnostic]:
    return Program(1, text, {}).program().findings


# Of tables

TABLE = [(0, 2), (1, 3), (2, 2), (3, 2)]
"""Decisions and how many options they have."""
ROWS = list(product(*(range(options) for _, options in TABLE)))


def diagram(rows: dict[tuple[int, ...], Cases[bool]], before: tuple[int, ...] = ()) -> Cases[bool]:
    if len(before) == len(TABLE):
        return rows[before]
    decision, options = TABLE[len(before)]
    return split(decision, [diagram(rows, (*before, option)) for option in range(options)])


def partial(size: int) -> list[Case]:
    """Every assignment of so many decisions."""
    several = (combinations(TABLE, size)) if size else [()]
    return [
        dict(zip((decision for decision, _ in some), chosen, strict=True))
        for some in several
        for chosen in product(*(range(options) for _, options in some))
    ]


def is_cause(case: Case, rows: dict[tuple[int, ...], Cases[bool]]) -> bool:
    left = {rows[row] for row in ROWS if all(row[decision] == option for decision, option in case.items())}
    return TRUE in left and FALSE not in left


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from([TRUE, TRUE, FALSE, NEVER]), min_size=len(ROWS), max_size=len(ROWS)))
def test_a_cause_is_the_smallest_assignment_under_which_a_table_is_true(values: list[Cases[bool]]) -> None:
    rows = dict(zip(ROWS, values, strict=True))
    found = cause(diagram(rows), Meter(STEPS_OF_CAUSES))
    smallest = next((size for size in range(5) if any(is_cause(case, rows) for case in partial(size))), None)
    assert (found is None) == (smallest is None)
    if found is not None:
        assert is_cause(found.smallest, rows) and len(found.smallest) == smallest
        assert found.smallest.items() <= found.case.items()
        assert rows[tuple(found.case.get(decision, 0) for decision, _ in TABLE)] is TRUE


def test_where_there_is_too_much_to_search_a_cause_is_shown_that_may_be_larger() -> None:
    rows = {row: TRUE if row[3] or (row[0] and row[1]) else FALSE for row in ROWS}
    assert cause(diagram(rows), Meter(STEPS_OF_CAUSES)).smallest == {3: 1}  # type: ignore[union-attr]
    found = cause(diagram(rows), Meter(0))
    assert found is not None and found.smallest.items() >= {3: 1}.items() and is_cause(found.smallest, rows)


# Of programs


def assert_judged(text: str, most: int) -> None:
    """That what is said of a program is what comes of running it: that it breaks, where, and under which decisions."""
    architectures = every(Text(text), most)
    assume(architectures is not None)
    found = findings(text)
    assume(not any(finding.code == "W202" for finding in found))  # an alternative that is written twice has no name
    errors = [finding for finding in found if finding.severity == "error"]
    allowed = [architecture for architecture in architectures or [] if architecture.allowed]
    assume(allowed)
    assert bool(errors) == any(architecture.breaks for architecture in allowed), text
    names = {name for architecture in allowed for name in architecture.decided}
    places = {place for architecture in allowed for place in architecture.places}
    broken = {place[-1] for a in allowed for place, status in a.places.items() if status == BROKEN}
    for finding in errors:
        uses = places_of(finding, places)
        assert uses[0][-1] in broken, (text, finding)
        assert_smallest(told(finding, names), uses, allowed)


@settings(MANY, max_examples=120)
@given(spaces())
def test_each_finding_has_the_smallest_assignment_that_breaks_it(tried: Tried) -> None:
    assert_judged(tried.text, most=120)


@settings(MANY, max_examples=100)
@given(small_spaces())
def test_and_so_it_has_with_ports_conditions_and_ties(text: str) -> None:
    assert_judged(text, most=200)


HALF = "op half [x: (8, h, w)] -> y { y = x -> conv(8, 3) }\n"
WHEN = {
    "a decision on the way that does not matter is left out": (
        "space s [x: (16, 8, 8)] -> y { y = x + x -> (skip | conv(16 | 32)) + x -> conv(16 | 32) }",
        [("E301", "y.channels[1] = 32")],
    ),
    "what is broken before it does not count": (
        "space s [x: (8, 8, 8)] -> y { y = x -> max_pool(2) * 1..5 -> linear(3) }",
        [("E302", "y.depth = 4"), ("E302", None)],
    ),
    "what conditions leave out does not count": (
        "space s [x: (8, 8, 8)] -> y {\n  a = 1..3\n  b = 1..3\n  c = 8 | 16\n"
        "  y = x -> conv(8 * a) + x -> conv(c * b)\n  require a == b\n}",
        [("E301", "c = 16")],
    ),
    "a port belongs to its use, which is one of several": (
        HALF + "space s [x: (16, 8, 8)] -> y { y = x -> (skip | half) }",
        [("E303", "y = half")],
    ),
    "what does not fit a port is not worked out further": (
        HALF + "space s [x: (16, 8, 8)] -> y { y = x + x -> half }",
        [("E303", None)],
    ),
    "an argument too": (
        "space s [x: (16, 8, 8)] -> y {\n  w = 2 | 3\n  y = x -> (skip | conv(w / 2))\n}",
        [("E201", "w = 3, y = conv(w / 2)")],
    ),
    "a member of a subset is come to where it is chosen": (
        "space s [x: (16, 8, 8)] -> y { y = add(1..2 of [x -> conv(16), x -> linear(16)]) }",
        [("E302", "y = [1]")],
    ),
    "a turn of a repeat is come to where it is deep enough": (
        "space s [x: (16, 8, 8)] -> y {\n  w = 2 | 3\n  y = x -> conv(w / 2) * 0..1\n}",
        [("E201", "w = 3, y.depth = 1")],
    ),
    "the first member may be broken, and two others not go together": (
        "space s [x: (8, 8, 8)] -> y { y = add(1..2 of [x -> linear(4), x -> relu, x -> flatten]) }",
        [("E301", "y = [1, 2]"), ("E302", "y = [0]")],
    ),
    "a condition that reads a size asks nothing where there is no tensor": (
        "op f [x: (c, h, w)] -> y {\n  y = x -> conv(c)\n  require c <= 16\n}\n"
        "space s [x: (8, 8, 8)] -> y { y = x -> conv(8 | 12 | 16) -> gn(8) -> f }",
        [("E302", "y.channels = 12")],
    ),
    "not even where there is one size only": (
        "op f [x: (c, h, w)] -> y {\n  y = x -> conv(8) -> conv(c / 4)\n  require c <= 8\n}\n"
        "space s [x: (4, 4, 4)] -> y {\n  w = 4 | 8\n  y = x -> conv(w) -> (conv(2 * w, groups = 4) -> f) * 0..2\n}",
        [("E302", "y.depth = 2")],
    ),
    "a condition asks nothing where a decision that it names is not needed": (
        "space s [x: (8, 8, 8)] -> y {\n  w = 2 | 4\n  k = 1 | 3\n  a = x -> conv(8, k)\n  b = x -> conv(w, 3)\n"
        "  t = a | b\n  y = t -> gn(4)\n  require k == 5 if w == 2\n}",
        [("E302", "w = 2, t = b")],
    ),
    "a repeat counts by a size that is not there": (
        "op f [x: (c, h, w)] -> y { y = x -> conv(c) * c }\n"
        "space s [x: (8, 8, 8)] -> y { y = x -> conv(10) -> gn(8) -> f }",
        [("E302", None)],
    ),
    "a division by zero": (
        "space s [x: (8, 8, 8)] -> y {\n  n = 0..2\n  y = x -> (relu | conv(8 / n))\n}",
        [("E211", "n = 0, y = conv(8 / n)")],
    ),
    "an element that is not there": (
        "space s [x: (8, 8, 8)] -> y {\n  n = 0..2\n  y = x -> (relu | [relu, gelu][n])\n}",
        [("E210", "n = 2, y = [relu, gelu][n]")],
    ),
    "a count below zero": (
        "space s [x: (8, 8, 8)] -> y {\n  n = 0..2\n  y = x -> (relu | gelu * (n - 1))\n}",
        [("E201", "n = 0, y = gelu * (n - 1)")],
    ),
}


@pytest.mark.parametrize(("text", "expected"), WHEN.values(), ids=list(WHEN))
def test_when(text: str, expected: list[tuple[str, str | None]]) -> None:
    errors = [finding for finding in findings(text) if finding.severity == "error"]
    assert sorted((f.code, f.when or "") for f in errors) == sorted((code, when or "") for code, when in expected)


def test_of_three_branches_those_two_are_shown_that_do_not_go_together() -> None:
    (finding,) = findings("space s [x: (8, 8, 8)] -> y { y = concat(x, x -> conv(4), x -> max_pool(2)) }")
    assert [finding.inner, *(label.message for label in finding.labels)] == ["(8, 8, 8)", "(8, 4, 4)"]


RIGHT = {
    "a port that fits where its use is chosen": HALF
    + "space s [x: (3, 8, 8)] -> y {\n  i = 0 | 1\n  y = x -> conv([8, 16][i]) -> [half, skip][i]\n}",
    "a port that does not fit in what conditions leave out": HALF
    + "space s [x: (3, 8, 8)] -> y {\n  w = 8 | 16\n  y = x -> conv(w) -> half\n  require w == 8\n}",
    "an argument that does not fit in what conditions leave out": "space s [x: (16, 24)] -> y {\n"
    "  d = 24 | 32\n  h = 3 | 4\n  y = x -> linear(d) -> attention(d, h, d / h)\n  require d % h == 0\n}",
    "a size read in what conditions leave out": "op f [x: (c, h, w)] -> y { y = x -> conv(c / 8) }\n"
    "space s [x: (3, 8, 8)] -> y {\n  e = skip | conv(12) -> f\n  y = x -> e\n  require e == skip\n}",
    "a condition on a size that is met by some": "op f [x: (c, h, w)] -> y {\n  y = x -> conv(c)\n  require c <= 8\n}\n"
    "space s [x: (3, 8, 8)] -> y { y = x -> conv(8 | 16) -> (skip | f) }",
}


@pytest.mark.parametrize("text", RIGHT.values(), ids=list(RIGHT))
def test_what_is_right_has_nothing_to_report(text: str) -> None:
    assert findings(text) == []


# Cost


def stages(count: int, last: str) -> str:
    """A network of so many stages of 3 x 2 x 3 x 4 architectures each."""
    lines = []
    for i in range(count):
        lines += [
            f"  w{i} = 8 | 16 | 32",
            f"  a{i} = y{i} -> conv(w{i}, 3 | 5) -> (relu | bn | skip)",
            f"  b{i} = a{i} + y{i} -> conv(w{i}, 1)",
            f"  y{i + 1} = b{i} -> unit(w{i}) * 0..3",
        ]
    head = ["op unit(c) = conv(c, 3) -> relu", "space s [y0: (3, 8, 8)] -> y {"]
    return "\n".join([*head, *lines, f"  y = {last}", "}"])


@pytest.mark.parametrize("last", ["y{n} -> relu", "y{n} -> gn(16)", "y{n} + y1"], ids=["right", "faulty", "tied"])
def test_work_grows_with_the_text_and_not_with_the_number_of_architectures(last: str) -> None:
    steps = {}
    for count in (4, 8, 16, 32):
        program = Program(1, stages(count, last.format(n=count)), {}).program()
        worked = program.spaces["s"]
        steps[count] = worked.steps
        if worked.net is not None:
            assert compile(worked.net).encoding.count() == (3 * 2 * 3 * 4) ** count
    more = [steps[8] - steps[4], (steps[16] - steps[8]) / 2, (steps[32] - steps[16]) / 4]
    assert max(more) < 1.1 * min(more), steps
