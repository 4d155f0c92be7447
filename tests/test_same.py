"""Which architectures are one function: the classes that are derived, against running every architecture."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import product
from math import prod
from typing import Any

import numpy as np
import pytest
from executed import NONE, WEIGHTED, Edge, Steps, fingerprint
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from library import space
from test_conditions import compiled
from test_library_cells import DATA

from atnas.compiler.same import unique as module
from atnas.compiler.same.unique import Families, Unique, unique

NB201_EDGES: tuple[Edge, ...] = ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3))
NB201_STEPS: tuple[Steps, ...] = (NONE, (), ("unit1",), ("unit3",), ("avg",))

WORDS = {
    "conv1": "conv(6, 1, bias = true)",
    "conv3": "conv(6, 3, bias = true)",
    "unit1": "unit(1)",
    "unit3": "unit(3)",
    "relu": "relu",
    "tanh": "tanh",
    "avg": "avg_pool(3, stride = 1)",
}


def text(edges: Sequence[Edge], options: Sequence[Sequence[Steps]]) -> str:
    """A space of one cell."""
    lines = ["op unit(k) = relu -> conv(6, k) -> bn", "space s [n0: (6, 5, 5)] -> out {"]
    last = max(end for _, end in edges)
    for node in range(1, last + 1):
        into = [
            f"n{start} -> ({' | '.join(map(written, options[i]))})"
            for i, (start, end) in enumerate(edges)
            if end == node
        ]
        lines.append(f"  {'out' if node == last else f'n{node}'} = {' + '.join(into)}")
    return "\n".join([*lines, "}\n"])


def written(steps: Steps) -> str:
    return "none" if steps == NONE else " -> ".join(WORDS[step] for step in steps) or "skip"


def partitions(edges: Sequence[Edge], options: Sequence[Sequence[Steps]]) -> tuple[set[Any], set[Any]]:
    """The architectures in classes: as derived, and by running each."""
    space = compiled(text(edges, options))
    family = Families(space.graph)
    derived, executed = defaultdict(set), defaultdict(set)
    for genotype in product(*(range(len(each)) for each in options)):
        cell = [options[i][option] for i, option in enumerate(genotype)]
        decided = tuple(gene for gene, each in zip(genotype, options, strict=True) if len(each) > 1)
        derived[family(space.encoding.canonical(decided))].add(genotype)
        executed[fingerprint(edges, cell)].add(genotype)
    return {frozenset(c) for c in derived.values()}, {frozenset(c) for c in executed.values()}


def test_the_15625_cells_of_nas_bench_201_are_5554_functions_each_of_them_run() -> None:
    derived, executed = partitions(NB201_EDGES, [NB201_STEPS] * 6)
    assert len(executed) == 5_554
    assert derived == executed


def test_the_network_of_three_stages_of_such_cells_is_counted_without_running_anything() -> None:
    assert unique(space("nas_bench_201")) == Unique(every=True, looked_at=15_625, different=5_554)


@st.composite
def cells(draw: st.DrawFn) -> tuple[tuple[Edge, ...], list[list[Steps]]]:
    """Small graphs, all of whose nodes are reached, and what may stand on each edge."""
    last = draw(st.integers(1, 3))
    pairs = [(a, b) for b in range(1, last + 1) for a in range(b)]
    kept = [pair for pair in pairs if pair[0] == pair[1] - 1 or draw(st.booleans())]
    steps = st.lists(st.sampled_from(list(WORDS)), max_size=2).map(tuple) | st.just(NONE)
    options = [draw(st.lists(steps, min_size=1, max_size=4, unique=True)) for _ in kept]
    return tuple(kept), options


CHAIN: tuple[Edge, ...] = ((0, 1), (1, 2), (2, 3))
BYPASSED: tuple[Edge, ...] = ((0, 1), (0, 1), (1, 2), (1, 2), (2, 3))


@settings(max_examples=60, deadline=None)
@given(cell=cells())
@example(cell=(CHAIN, [[(), ("conv1",), ("conv1", "conv1")]] * 3))  # two layers in one step or in two
@example(cell=(BYPASSED, [[(), ("conv1",)]] * 4 + [[(), ("relu",)]]))  # twice and once more, or once and twice
@example(cell=(((0, 1), (0, 1), (1, 2), (1, 2)), [[(), ("conv3",), NONE]] * 4))  # a sum whose summands go on
@example(cell=(((0, 1), (0, 2), (1, 2), (1, 3), (2, 3)), [[("unit1",), ("avg",), NONE]] * 5))  # means of constants
def test_architectures_are_one_function_where_they_are_derived_to_be_and_nowhere_else(
    cell: tuple[tuple[Edge, ...], list[list[Steps]]],
) -> None:
    edges, options = cell
    assume(prod(map(len, options)) <= 400)
    assume(sum(max(sum(step in WEIGHTED for step in steps) for steps in each) for each in options) <= 6)
    derived, executed = partitions(edges, options)
    assert all(any(part <= whole for whole in executed) for part in derived)
    words = {step for each in options for steps in each for step in steps}
    # What only the numbers of a function tell: a relu of a relu, and a convolution of one place of a mean.
    if "relu" not in words and not {"conv1", "avg"} <= words:
        assert derived == executed


def test_layers_that_can_be_exchanged_are_exchanged_and_weights_used_twice_are_not_two() -> None:
    twins = (((0, 1), (0, 2), (1, 3), (2, 3)), [[("conv1",), ("conv3",)], [("conv1",), ("conv3",)], [()], [("tanh",)]])
    derived, executed = partitions(*twins)
    assert derived == executed
    assert len(derived) == 4  # which of the two is bent is not the same thing
    twice = (((0, 1), (1, 2), (1, 2), (0, 2)), [[("conv1",)], [("tanh",)], [()], [("conv1",), NONE]])
    assert len(partitions(*twice)[0]) == 2


LAYERS = ["skip", "none", "conv(w, 3)", "relu", "bn", "sigmoid", "avg_pool(3, stride = 1)", "max_pool(1)"]
STEPS = [*LAYERS, "none -> bn", "none -> sigmoid", "none -> conv(w, 1)", "none -> conv(w, 1) -> relu"]
BODIES = [
    "a = x -> {}\n  y = a -> {} + x -> {}",
    "a = x -> {}\n  b = x -> {}\n  y = mul(a, b) + x -> {}",
    "a = x -> {}\n  y = add(a, a -> {}) -> {}",
]


@settings(max_examples=100, deadline=None)
@given(
    body=st.sampled_from(BODIES),
    steps=st.lists(st.lists(st.sampled_from(STEPS), min_size=1, max_size=2, unique=True), min_size=3, max_size=3),
    before=st.sampled_from(["", "none -> ", "relu -> "]),
    shared=st.booleans(),
)
@example(
    body=BODIES[2], steps=[["sigmoid"], ["none", "skip"], ["skip", "none -> sigmoid"]], before="none -> ", shared=True
)
def test_a_body_of_another_width_is_told_apart_as_if_it_were_the_only_one(
    body: str, steps: list[list[str]], before: str, shared: bool
) -> None:
    """What is known of a body is used for its copies of other widths: that changes no count."""
    written_out = body.format(*(f"({' | '.join(each)})" for each in steps))
    space = compiled(
        f"{'cell' if shared else 'op'} f(w) [x] -> y {{\n  {written_out}\n}}\n"
        "space s [image: (3, 4, 4)] -> y {\n"
        f"  y = image -> conv(4, 3) -> f(4) -> conv(8, 3) -> {before}f(8)\n}}\n"
    )
    found = unique(space)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(module, "_twin", lambda *_: None)
        assert unique(space) == found


def test_a_default_that_is_written_out_makes_no_other_function() -> None:
    pools = compiled("space s [x: (3, 8, 8)] -> y {\n  y = x -> (max_pool(2) | max_pool(2, stride = 2))\n}\n")
    assert unique(pools) == Unique(every=True, looked_at=2, different=1)


def test_functions_of_different_inputs_are_different() -> None:
    text = "space s [a: (8, 4, 4), b: (8, 4, 4)] -> y {\n  y = (a -> relu | b -> relu)\n}\n"
    assert unique(compiled(text)) == Unique(every=True, looked_at=2, different=2)
    assert unique(compiled(text.replace(" -> relu", ""))).different == 2


def test_zeros_of_other_sizes_are_other_functions() -> None:
    text = "space s [x: (8, 4, 4)] -> y {\n  y = x -> (none | none(stride = 2) | none -> none)\n}\n"
    assert unique(compiled(text)) == Unique(every=True, looked_at=3, different=2)


def test_a_space_too_large_to_walk_is_told_by_a_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ALL", 1_000)
    found = unique(space("nas_bench_201"))
    assert not found.every
    assert 900 < found.looked_at <= module.SAMPLES  # a draw that comes twice counts once
    assert found.different < found.looked_at


# The relation of the literature


def to_unique_str(cell: Sequence[str]) -> str:
    """The string by which the benchmark tells cells apart (X. Dong, Y. Yang, ICLR 2020): a node is the sorted list of
    what comes into it, written out again wherever it is used; a zero is counted as `#`, a skip as what it skips."""
    nodes = ["0"]
    for first in (0, 1, 3):
        into = []
        for node, word in enumerate(cell[first : first + len(nodes)]):
            if word == "none" or nodes[node] == "#":
                into.append("#")
            else:
                into.append(nodes[node] if word == "skip_connect" else f"({nodes[node]})@{word}")
        nodes.append("+".join(sorted(into)))
    return nodes[-1]


@pytest.mark.skipif(not (DATA / "nasbench201").is_dir(), reason=f"no nasbench201 in {DATA}: set ATNAS_DATA")
def test_the_6466_classes_of_the_benchmark_are_those_of_its_strings_over_our_architectures() -> None:
    table = np.load(DATA / "nasbench201" / "nasbench201.npz")
    ours = ("none", "skip", "unit(c, 1)", "unit(c, 3)", "avg_pool(3, stride = 1)")
    words = dict(zip(ours, map(str, table["op_names"]), strict=True))
    of = space("nas_bench_201")
    numbers = {d.name: [list(words).index(o) for o in d.options] for d in of.net.decisions}
    strings = []
    for row in table["ops"].tolist():
        genotype = tuple(numbers[d.name].index(op) for d, op in zip(of.net.decisions, row, strict=True))
        decoded = of.encoding.decode(genotype)
        assert of.encoding.encode(decoded) == genotype
        strings.append(to_unique_str([words[str(decoded[d.name])] for d in of.net.decisions]))
    classes = table["isomorphism_class"].tolist()
    assert len(set(strings)) == len(set(classes)) == len(set(zip(strings, classes, strict=True))) == 6_466


def test_the_strings_of_the_literature_merge_what_differs_and_split_what_does_not() -> None:
    of = space("nas_bench_201")
    family, names = Families(of.graph), ["none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3"]
    strings, functions = defaultdict(set), defaultdict(set)
    for genotype in product(range(5), repeat=6):
        string = to_unique_str([names[gene] for gene in genotype])
        strings[string].add(family(genotype))
        functions[family(genotype)].add(string)
    merging = {string: found for string, found in strings.items() if len(found) > 1}
    splitting = {key: found for key, found in functions.items() if len(found) > 1}
    assert (len(strings), len(functions)) == (6_466, 5_554)
    assert (len(merging), len(splitting)) == (523, 948)
