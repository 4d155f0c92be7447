"""Limits on costs: how many architectures are within them, draws from those, and limits that leave nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from math import sqrt
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from nets import span
from random_nets import Truth, spaces, toys, truths
from test_conditions import compiled

from atnas.compiler import budget
from atnas.compiler.budget import Budget, Range
from atnas.compiler.conflicts import conflict
from atnas.compiler.limits import limited
from atnas.compiler.space import Compiled, compile
from atnas.compiler.survey import survey
from atnas.dsl.net import Constraint, Metric, Net, speaks_of

ROOT = Path(__file__).resolve().parent.parent
ADDITIVE = ("params", "macs", "flops", "activations")


@pytest.fixture(scope="module", autouse=True)
def _toys() -> Iterator[None]:
    with toys():
        yield


def budgeted(space: Compiled, metric: str, within: Range) -> Budget:
    return Budget(space.costs.terms(Metric(metric)), space.encoding.factors, space.costs.options, within)


def architectures(net: Net) -> dict[tuple[int, ...], Truth]:
    """The feasible architectures by canonical genotype, each walked through."""
    encoding = compile(net).encoding
    return {encoding.canonical(g): true for g, true in truths(net).items() if true.feasible}


ends = st.one_of(st.none(), st.floats(0, 1))


@settings(max_examples=100, deadline=None)
@given(net=spaces(), metric=st.sampled_from(ADDITIVE), low=ends, high=ends, cells=st.sampled_from([3, 1000]))
def test_a_budget_holds_every_architecture_within_the_limits_and_no_other_where_its_grid_is_exact(
    net: Net, metric: str, low: float | None, high: float | None, cells: int
) -> None:
    assume(low is not None or high is not None)
    known = architectures(net)
    assume(known)
    costs = [true.costs[metric] for true in known.values()]
    least, most = min(costs), max(costs)
    within = Range(*(None if end is None else round(least + end * (most - least)) for end in (low, high)))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(budget, "CELLS", cells)
        counted = budgeted(compile(net), metric, within)
    inside = {g for g, true in known.items() if true.costs[metric] in within}
    assert counted.count >= len(inside)
    assert counted.count == len(inside) or not counted.grid.exact
    rng = Random(1)
    drawn = {counted.draw(rng) for _ in range(30)} if counted.count else set()
    assert drawn <= set(known)
    assert drawn <= inside or not counted.grid.exact


def test_each_architecture_within_the_limits_is_drawn_as_often_as_any_other(monkeypatch: pytest.MonkeyPatch) -> None:
    space = compiled(
        "space s [x: (3, 8, 8)] -> y {\n  a = 4 | 8 | 16\n"
        "  y = x -> conv(a, 3) -> (conv(a, 3) | conv(8, 1)) * 1..3 -> (conv(8, 3) | conv(4, 1))\n}\n"
    )
    costs = {g: space.costs.of(g)["params"] for g in map(space.encoding.unrank, range(space.encoding.count()))}
    limit = sorted(costs.values())[len(costs) // 2]
    inside = [g for g, cost in costs.items() if cost <= limit]
    monkeypatch.setattr(budget, "CELLS", 7)  # a coarse grid: some draws are beyond the limit, and turned away
    counted, rng, draws = budgeted(space, "params", Range(high=limit)), Random(0), 20_000
    found = Counter(g for g in (counted.draw(rng) for _ in range(draws)) if costs[g] <= limit)
    assert counted.count > len(inside)
    assert set(found) == set(inside)
    expected = draws / counted.count
    assert all(abs(times - expected) < 4.5 * sqrt(expected) for times in found.values())


def test_draws_under_a_limit_that_one_in_1e9_architectures_meets() -> None:
    text = (ROOT / "grammars" / "std" / "ofa_mobilenet_v3.atnas").read_text("utf-8")
    space = compiled(text.rstrip().removesuffix("}") + "  require macs <= 5M\n}\n")
    rng = Random(0)
    drawn = {space.encoding.sample(rng) for _ in range(20)}
    assert len(drawn) == 20
    assert all(space.costs.of(genotype)["macs"] <= 5_000_000 for genotype in drawn)
    assert space.encoding.acceptance > 0.5
    found = survey(space)
    assert found is not None
    (share,) = found.shares.values()
    assert 1e-10 < share.low < share.high < 1e-8


# Constraints that leave nothing


def is_told(constraint: Constraint) -> bool:
    """Whether a line speaks of decisions alone, or limits a cost that adds up."""
    if not speaks_of(constraint.condition, Metric):
        return True
    limit = limited(constraint)
    return limit is not None and limit[0].name in ADDITIVE


@settings(max_examples=150, deadline=None)
@given(net=spaces())
def test_only_constraints_that_leave_nothing_are_in_conflict_and_each_of_those_named_is_needed(net: Net) -> None:
    apart = tuple(replace(c, span=span("x" * i)) for i, c in enumerate(net.constraints, start=1))
    found = conflict(compile(replace(net, constraints=apart)))
    leaves_some = any(true.allowed for true in truths(net).values())
    if found is None:
        # Limits on costs and conditions on decisions are all told; lines with `if`, and depth beside others, are not.
        assert leaves_some or not all(map(is_told, net.constraints))
        return
    assert not leaves_some
    named = {found.span, *(label.span for label in found.labels)}
    for left_out in named:
        rest = tuple(c for c in apart if c.span in named and c.span != left_out)
        assert conflict(compile(replace(net, constraints=rest))) is None


SPACE = (
    "space s [x: (3, 8, 8)] -> y {{\n  a = 8 | 16 | 32\n  b = 8 | 16\n"
    "  y = x -> conv(a, 3) -> (conv(b, 3) | conv(b, 1)) * 1..3\n{}}}\n"
)


@pytest.mark.parametrize(
    ("lines", "named", "cure"),
    [
        (["params <= 100"], [0], "loosen it: `params` goes from 280 to 10,080"),
        (["params <= 3k", "macs >= 2M"], [1], "loosen it: `macs` goes from 17,920 to 645,120"),
        (["b == 16", "a == 32", "params <= 1k"], [1, 2], "loosen it: `params` goes from 1,120 to 10,080"),
        (["a < b", "a > 8"], [0, 1], "loosen one of them"),
        (["depth <= 1"], [0], "loosen it: `depth` goes from 2 to 4"),
        (["params >= 5k", "b == 8", "params <= 4k"], [0, 2], "loosen it: `params` goes from 280 to 10,080"),
        (["params <= 1k", "macs >= 100k"], [0, 1], "loosen one of them"),
        (["params >= 5k and params <= 4k"], [0], "loosen it: `params` goes from 280 to 10,080"),
        (["depth <= 2", "depth >= 3"], [0, 1], "loosen it: `depth` goes from 2 to 4"),
        (["params <= 3k", "a == 8"], [], ""),
        (["params <= 300", "macs <= 20k", "b == 8"], [], ""),
    ],
)
def test_a_conflict_names_the_lines_it_takes_and_no_other(lines: list[str], named: list[int], cure: str) -> None:
    space = compiled(SPACE.format("".join(f"  require {line}\n" for line in lines)))
    found = conflict(space)
    assert (found is not None) == bool(named)
    if found is not None:
        told = [span.text for span in (found.span, *(label.span for label in found.labels))]
        assert told == [f"require {lines[i]}" for i in named]
        assert (found.code, found.help) == ("E408", cure)


# What is told of a space


@pytest.mark.parametrize(
    ("line", "meets"),
    [
        ("params <= 2k", lambda at: at["params"] <= 2000),
        ("macs > 100k", lambda at: at["macs"] > 100_000),
        ("depth == 3", lambda at: at["depth"] == 3),
        ("a > b", lambda at: at["a"] > at["b"]),
        ("params <= 2k if a == 8", lambda at: at["a"] != 8 or at["params"] <= 2000),
    ],
)
def test_the_share_that_meets_a_line_is_told_exactly_where_every_architecture_is_looked_at(
    line: str, meets: Callable[[dict[str, Any]], bool]
) -> None:
    free = compiled(SPACE.format(""))
    every = [free.encoding.unrank(i) for i in range(free.encoding.count())]
    whole = [free.encoding.decode(g) | free.costs.of(g) for g in every]
    expected = sum(map(meets, whole)) / len(whole)
    found = survey(compiled(SPACE.format(f"  require {line}\n")))
    assert found is not None and found.every
    (share,) = found.shares.values()
    assert share.is_exact and share.value == expected


def test_a_histogram_counts_every_architecture_once() -> None:
    free = compiled(SPACE.format(""))
    found = survey(free)
    assert found is not None
    for metric in ("params", "macs", "flops", "activations", "depth"):
        low, high, counts = found.histogram(metric)
        assert sum(counts) == free.encoding.count()
        assert (low, high) == tuple(free.costs.extreme(metric, largest)[0] for largest in (False, True))


def test_a_rare_share_of_a_large_space_is_told_with_an_interval_that_holds_it() -> None:
    stages = "".join(f"  a{i} = 6 | 11 | 17 | 30\n" for i in range(8))
    layers = " -> ".join(f"conv(a{i}, 1)" for i in range(8))
    text = f"space s [x: (3, 4, 4)] -> y {{\n{stages}  y = x -> {layers}\n"
    found = survey(compiled(text + "  require params <= 380\n}\n"))
    assert found is not None and not found.every
    (share,) = found.shares.values()
    free = compiled(text + "}\n")
    every = (free.encoding.unrank(i) for i in range(free.encoding.count()))
    true = sum(free.costs.of(g)["params"] <= 380 for g in every) / free.encoding.count()
    assert 0 < true < 0.001
    assert share.low <= true <= share.high
