"""Costs of architectures, and the extremes of a space, on the standard operators and published numbers."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import nets
import pytest
from nets import Builder, span
from test_conditions import compiled

from atnas.compiler.costs import Costs
from atnas.compiler.graph import lower
from atnas.compiler.space import Compiled, compile
from atnas.compiler.sweep import Sweep
from atnas.dsl.cases import FALSE, TRUE, leaf, split
from atnas.dsl.net import Arith, Compare, Constraint, Metric, Net, Pick


@pytest.fixture(scope="module")
def nas_bench_201() -> Compiled:
    return compile(nets.nas_bench_201())


def cell(space: Compiled, op: str) -> dict[str, int]:
    """The costs of the cell that has the same operator on every edge."""
    return space.costs.of([nets.OPS_201.index(op)] * 6)


def test_nas_bench_201_has_the_published_parameter_counts(nas_bench_201: Compiled) -> None:
    # The benchmark's own tables (arXiv 2001.00326): 1.531546 M for six 3x3 convolutions, 0.073306 M for none.
    assert cell(nas_bench_201, "unit(c, 3)")["params"] == 1_531_546
    assert cell(nas_bench_201, "skip")["params"] == 73_306
    assert nas_bench_201.costs.extreme("params", largest=True) == (1_531_546, (3,) * 6)
    assert nas_bench_201.costs.extreme("params", largest=False)[0] == 73_306


def test_depth_is_the_longest_chain_of_weighted_layers(nas_bench_201: Compiled) -> None:
    # Stem, two residual blocks of two convolutions, the head; three more in each of the 15 cells.
    assert cell(nas_bench_201, "skip")["depth"] == 6
    assert cell(nas_bench_201, "unit(c, 1)")["depth"] == 6 + 3 * 15
    assert nas_bench_201.costs.extreme("depth", largest=True)[0] == 6 + 3 * 15


def test_flops_are_two_for_each_multiply_accumulate(nas_bench_201: Compiled) -> None:
    costs = cell(nas_bench_201, "unit(c, 3)")
    assert costs["flops"] == 2 * costs["macs"] > 0
    assert nas_bench_201.costs.extreme("flops", largest=True)[0] == costs["flops"]


def test_extremes_of_a_space_too_large_to_walk_bound_what_is_drawn() -> None:
    space = compile(nets.darts(channels=8, cells=2))
    rng = Random(0)
    drawn = [space.costs.of(space.encoding.sample(rng)) for _ in range(50)]
    for metric in ("params", "macs", "activations", "depth"):
        smallest, cheapest = space.costs.extreme(metric, largest=False)
        largest, dearest = space.costs.extreme(metric, largest=True)
        assert smallest < min(c[metric] for c in drawn)
        assert max(c[metric] for c in drawn) < largest
        assert space.costs.of(cheapest)[metric] == smallest
        assert space.costs.of(dearest)[metric] == largest


def test_the_largest_once_for_all_network_has_every_block_kernel_and_expansion() -> None:
    space = compile(nets.once_for_all())
    _, genotype = space.costs.extreme("macs", largest=True)
    assert genotype == tuple(len(d.options) - 1 for d in space.net.decisions)
    _, smallest = space.costs.extreme("params", largest=False)
    assert not any(smallest)


def chosen(*sizes: int) -> Net:
    b = Builder()
    x = b.input(10)
    way = b.decide("way", [f"linear({s})" for s in sizes], "layer")
    return b.net(b.either(way, *(b.layer("linear", x, features=s) for s in sizes)))


def test_a_layer_that_is_not_taken_costs_nothing() -> None:
    costs = Costs(lower(chosen(5, 7)))
    assert [costs.of((i,))["params"] for i in (0, 1)] == [5 * 11, 7 * 11]
    assert [costs.of((i,))["macs"] for i in (0, 1)] == [50, 70]


def test_a_tie_of_extremes_goes_to_the_first_option() -> None:
    assert Costs(lower(chosen(5, 7, 5, 7))).extreme("params", largest=False) == (55, (0,))
    assert Costs(lower(chosen(5, 7, 5, 7))).extreme("params", largest=True) == (77, (1,))


def test_sizes_that_follow_a_decision_are_counted_with_it() -> None:
    b = Builder()
    width = b.decide("width", [4, 8])
    x = b.layer("linear", b.input(10), features=Arith("*", 2, b.pick(width, [4, 8])))
    costs = Costs(lower(b.net(b.layer("linear", x, features=3))))
    assert [costs.of((i,))["params"] for i in (0, 1)] == [8 * 11 + 3 * 9, 16 * 11 + 3 * 17]


def test_a_layer_used_twice_is_paid_once() -> None:
    b = Builder()
    x = b.layer("linear", b.input(10), features=10)
    costs = Costs(lower(b.net(b.layer("add", x, x))))
    assert costs.of(())["params"] == 110


def test_a_merge_of_nothing_costs_nothing() -> None:
    b = Builder()
    inputs = b.decide("inputs", [[], [0]], "subset")
    x = b.layer("linear", b.input(10), features=10)
    costs = Costs(lower(b.net(b.layer("add", *b.subset(inputs, [x])))))
    assert costs.of((0,)) == {"params": 0, "macs": 0, "flops": 0, "activations": 0, "depth": 0}
    assert costs.of((1,)) == {"params": 110, "macs": 100, "flops": 200, "activations": 10, "depth": 1}


def test_extremes_found_at_once_are_exact_however_large() -> None:
    large = 2**60
    terms = [split(0, [leaf((large,)), leaf((large + 1,))]), split(1, [leaf((3,)), leaf((large,))])]
    differ = split(0, [split(1, [FALSE, TRUE]), split(1, [TRUE, FALSE])])
    sweep = Sweep(terms, [differ], [2, 2])
    assert sweep.extreme(0, largest=False) == (large + 4, (1, 0))
    assert sweep.extreme(0, largest=True) == (2 * large, (0, 1))


def test_a_skip_that_passes_its_input_on_has_no_depth() -> None:
    text = "space s [x: (8, 4, 4)] -> y {\n  w = 8 | 16\n  y = x -> skip(channels = w) -> skip(channels = w)\n}\n"
    costs = compiled(text).costs
    assert [costs.of((width,))["depth"] for width in (0, 1)] == [0, 1]
    assert [costs.extreme("depth", largest)[0] for largest in (False, True)] == [0, 1]


def test_the_depth_of_a_long_chain_under_a_count_is_found_without_trying_its_architectures() -> None:
    space = compiled(
        "space s [image: (3, 8, 8)] -> logits: (5) {\n"
        "  logits = image -> conv(4, 1) -> (conv(4, 3) | conv(4, 5) -> conv(4, 3) | skip) * 30"
        " -> global_avg_pool -> linear(5)\n"
        "  require 10 <= count(conv)\n  require count(conv) <= 20\n}\n"
    )
    convolutions = (10, 20)
    assert tuple(space.costs.extreme("depth", largest)[0] - 1 for largest in (False, True)) == convolutions


def test_choices_tied_against_each_other_have_no_depth_that_neither_has() -> None:
    b = Builder()
    first = b.decide("first", [1, 2, 3], "depth")
    x = b.input(4)
    for count in (b.pick(first, [1, 2, 3]), Arith("-", 4, b.pick(first, [1, 2, 3]))):
        turns = [x]
        for _ in range(3):
            turns.append(b.layer("linear", turns[-1], features=4))
        x = b.choice(count, turns[1:], keys=[1, 2, 3])
    costs = Costs(lower(b.net(x)))
    assert costs.extreme("depth", largest=True)[0] == costs.extreme("depth", largest=False)[0] == 4


def test_extremes_respect_constraints_on_decisions() -> None:
    small = Constraint(Compare("<=", Pick(0, (5, 7, 9)), 7), None, span("require width <= 7"))
    costs = Costs(lower(replace(chosen(5, 7, 9), constraints=(small,))))
    assert costs.extreme("params", largest=True) == (77, (1,))


def test_extremes_do_not_respect_constraints_on_metrics() -> None:
    few = Constraint(Compare("<=", Metric("params"), 80), None, span("require params <= 80"))
    costs = Costs(lower(replace(chosen(5, 7, 9), constraints=(few,))))
    assert costs.extreme("params", largest=True) == (99, (2,))
