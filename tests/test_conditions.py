"""Constraints on choices, counts and the costs of a body, against enumeration by hand-written rules."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atnas.compiler.space import Compiled, compile
from atnas.dsl.errors import Unable
from atnas.dsl.source import Source
from atnas.runtime.checking import read_program
from atnas.runtime.program import Program

EDGES = ("none", "skip", "unit(c, 1)", "unit(c, 3)")


def program(text: str) -> Program:
    def nothing(path: str) -> str:
        raise Unable(f"{path} is not there")

    return read_program(Source("file.atnas", text), nothing)


def compiled(text: str) -> Compiled:
    found = program(text)
    assert found.good, found.findings
    (worked,) = found.spaces.values()
    assert worked.net is not None
    return compile(worked.net)


def cells(lines: str) -> str:
    return (
        "op unit(c, k) = conv(c, k) -> bn\n"
        f"op edge(c) = {' | '.join(EDGES)}\n"
        "space s [x: (8, 8, 8)] -> y {\n"
        "  first = edge(8)\n  second = edge(8)\n  third = edge(8)\n"
        "  a = x -> first\n  b = x -> second + a -> third\n  y = b -> relu\n"
        f"{lines}}}\n"
    )


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(["unit", "skip", "none", "conv"]),
    st.sampled_from(["==", "!=", "<=", ">="]),
    st.integers(0, 3),
    st.sampled_from(["first", "second", "third"]),
    st.sampled_from(EDGES),
)
def test_counts_and_choices_are_counted_exactly(op: str, sign: str, bound: int, name: str, edge: str) -> None:
    lines = f"  require count({op}) {sign} {bound} if {name} == {edge}\n"
    word = "unit" if op == "conv" else op
    compare = {"==": int.__eq__, "!=": int.__ne__, "<=": int.__le__, ">=": int.__ge__}[sign]

    def meets(edges: tuple[str, ...]) -> bool:
        guard = dict(zip(("first", "second", "third"), edges, strict=True))[name] == edge
        return not guard or compare(sum(e.startswith(word) for e in edges), bound)

    expected = sum(meets(edges) for edges in product(EDGES, repeat=3))
    if expected in (0, 64):
        return
    assert compiled(cells(lines)).encoding.count() == expected


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 4), st.integers(0, 4))
def test_members_of_a_subset_are_counted_where_it_is_active(most: int, bound: int) -> None:
    """Inactive, a subset has no members: `y = x` always meets an upper bound."""
    text = (
        "space s [x: (8, 8, 8)] -> y {\n"
        f"  some = 1..{most} of [x -> conv(8, k) for k in [1, 3, 5, 7]]\n"
        "  z = add(some)\n  y = z | x\n"
        f"  require count(some) <= {bound}\n}}\n"
    )
    sizes = [sum(mask) for mask in product((0, 1), repeat=4) if 1 <= sum(mask) <= most]
    assert compiled(text).encoding.count() == sum(size <= bound for size in sizes) + 1


def test_a_count_in_an_op_speaks_of_each_use_alone() -> None:
    text = (
        "op pair(c) [x] -> y {\n  y = x -> (skip | conv(c, 3)) -> (skip | conv(c, 5))\n  require count(conv) == 1\n}\n"
        "space s [x: (8, 8, 8)] -> y { y = x -> pair(8) -> (skip | pair(8)) }\n"
    )
    assert compiled(text).encoding.count() == 2 * (1 + 2)


def test_costs_in_an_op_speak_of_each_use_alone() -> None:
    """conv(8, 3) of 8 channels has 576 parameters, conv(8, 5) 1,600."""
    text = (
        "op f(c) [x] -> y {\n  y = x -> conv(c, 3 | 5)\n  require params <= 600\n}\n"
        "space s [x: (8, 8, 8)] -> y { y = x -> f(8) -> f(8) -> (skip | f(8)) }\n"
    )
    space = compiled(text)
    allowed = [g for g in map(space.encoding.unrank, range(space.encoding.count())) if space.encoding.allowed(g)]
    assert len(allowed) == 2
    assert {space.costs.of(g)["params"] for g in allowed} == {2 * 576, 3 * 576}


def test_a_cell_asks_the_same_at_every_use() -> None:
    text = (
        "cell f(c) [x] -> y {\n  k = 1 | 3 | 5\n  y = x -> conv(c, k)\n  require k <= 3\n}\n"
        "space s [x: (8, 8, 8)] -> y { y = x -> f(8) -> f(16) }\n"
    )
    space = compiled(text)
    assert space.encoding.count() == 2
    assert len(space.graph.constraints) == 1


def test_what_constraints_rule_out_need_not_fit() -> None:
    text = (
        "space s [x: (16, 24)] -> y {\n  heads = 2 | 3 | 5\n"
        "  y = x -> attention(24, heads = heads) -> linear(4)\n  require 24 % heads == 0\n}\n"
    )
    space = compiled(text)
    assert space.encoding.count() == 2
    assert space.costs.extreme("params", largest=True)[0] == 4 * (24 * 24 + 24) + 24 * 4 + 4


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("require first == unit(c, 5)", "E404"),
        ("require first == 3", "E404"),
        ("require first <= 3", "E404"),
        ("require first in skip", "E404"),
        ("require count(first) == 1", "E404"),
        ("require count(unit(8, 3)) == 1", "E404"),
        ("require count(unnit) == 1", "E101"),
        ("require count() == 1", "E204"),
        ("require latency(cpu) <= 3ms", "E409"),
    ],
)
def test_conditions_that_cannot_be_are_findings(line: str, code: str) -> None:
    assert [f.code for f in program(cells(f"  {line}\n")).findings] == [code]


def test_a_condition_that_never_holds_hides_no_shape() -> None:
    text = (
        "space s [x: (16, 24)] -> y {\n  heads = 3 | 5\n"
        "  y = x -> attention(24, heads = heads)\n  require heads > 9\n}\n"
    )
    assert [f.code for f in program(text).findings] == ["E302"]
