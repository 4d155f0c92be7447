"""The library's cells: as many as were published, and networks of the published sizes.

A docstring names the source of each figure.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from itertools import combinations, permutations
from math import comb
from pathlib import Path

import numpy as np
import pytest
from library import CIFAR, IMAGENET, Architecture, costs, millions, space

DATA = Path(os.environ.get("ATNAS_DATA") or Path(__file__).parents[2] / "shared" / "data")

# NAS-Bench-101


def test_nas_bench_101_has_as_many_cells_as_can_be_drawn_with_nine_edges() -> None:
    """Counted by following edges back from the output, with nothing of the compiler's."""
    drawn = sum(ways for edges, ways in cells_of_101() if edges <= 9)
    assert space("nas_bench_101").encoding.count() == drawn == 1_685_247


def cells_of_101() -> Iterator[tuple[int, int]]:
    """The number of edges of every graph of `nas_bench_101`, and in how many ways operations can be put on it."""

    def back(needed: frozenset[int], edges: int, ways: int) -> Iterator[tuple[int, int]]:
        if not needed:
            yield edges, ways
            return
        vertex = max(needed)
        for before in (chosen for n in range(1, vertex + 1) for chosen in combinations(range(vertex), n)):
            yield from back(needed - {vertex} | {v for v in before if v}, edges + len(before), ways * 3)

    for feeding in (chosen for n in range(4) for chosen in combinations(range(1, 5), n)):
        for direct in (0, 1):
            yield from back(frozenset({5, *feeding}), len(feeding) + 1 + direct, 1)


def test_with_nine_edges_and_merged_they_are_the_423_624_of_the_paper() -> None:
    """google-research/nasbench, README.md: "exactly 423,624 computationally unique modules". One of them has no vertex.

    Graphs are merged here that are one graph up to the order of their vertices, counted by Burnside's lemma.
    """
    assert sum(distinct_cells(vertices) for vertices in range(1, 6)) + 1 == 423_624


def distinct_cells(vertices: int) -> int:
    seen: set[frozenset[tuple[int, int]]] = set()
    total = 0
    for graph in graphs_of_101(vertices, ()):
        edges = frozenset((a, b) for b, before in enumerate(graph, 1) for a in before)
        if edges in seen:
            continue
        same = []
        for order in permutations(range(1, vertices + 1)):
            moved = (0, *order, vertices + 1)
            image = frozenset((moved[a], moved[b]) for a, b in edges)
            seen.add(image)
            if image == edges:
                same.append(moved)
        total += sum(3 ** cycles(moved, vertices) for moved in same) // len(same)
    return total


def graphs_of_101(vertices: int, before: tuple[tuple[int, ...], ...]) -> Iterator[tuple[tuple[int, ...], ...]]:
    """What feeds each vertex and the output, with at most nine edges, where every vertex feeds something."""
    at, left = len(before) + 1, 9 - sum(map(len, before))
    for chosen in (c for n in range(1, min(at, left) + 1) for c in combinations(range(at), n)):
        graph = (*before, chosen)
        if at <= vertices:
            yield from graphs_of_101(vertices, graph)
        elif {v for feeding in graph for v in feeding} >= set(range(1, vertices + 1)):
            yield graph


def cycles(moved: tuple[int, ...], vertices: int) -> int:
    left, count = set(range(1, vertices + 1)), 0
    while left:
        count, at = count + 1, left.pop()
        while moved[at] in left:
            at = moved[at]
            left.remove(at)
    return count


def test_the_inception_like_cell_of_nas_bench_101_has_its_published_size() -> None:
    """google-research/nasbench, NASBench.ipynb: trainable_parameters: 2694282."""
    cell: Architecture = {"module": "graph(c, 4)"}
    cell |= {
        f"module.graph[3].{name}": value
        for name, value in {
            "v1.vertex": "unit(c, 1)",
            "e1": [0],
            "e2": [0],
            "v2.vertex": "unit(c, 3)",
            "e3": [0],
            "v3.vertex": "unit(c, 3)",
            "e4": [3],
            "v4.vertex": "unit(c, 3)",
            "e5": [0],
            "v5.vertex": "max_pool(3, stride = 1)",
            "y": [0, 1, 3],
            "e6": [],
        }.items()
    }
    assert costs(space("nas_bench_101", ends=CIFAR), cell)["params"] == 2_694_282


# NAS-Bench-201 and the size space of NATS-Bench

EDGES = ["dag.x1.edge", "dag.x2.edge[0]", "dag.x2.edge[1]", "dag.x3.edge[0]", "dag.x3.edge[1]", "dag.x3.edge[2]"]


def test_nas_bench_201_has_15_625_cells() -> None:
    """Dong and Yang, ICLR 2020; D-X-Y/NATS-Bench, README.md: "15,625 neural cell candidates"."""
    assert space("nas_bench_201").encoding.count() == 15_625


def test_the_residual_network_in_nas_bench_201_has_its_published_size() -> None:
    """D-X-Y/AutoDL-Projects, exps/NAS-Bench-201/visualize.py, number 11472: params 0.559, flops 78.56, in millions."""
    chosen = ["unit(c, 3)", "none", "unit(c, 3)", "skip", "none", "skip"]
    found = costs(space("nas_bench_201", ends=CIFAR), dict(zip(EDGES, chosen, strict=True)))
    assert (found["params"], found["macs"]) == (559_386, 78_561_920)


@pytest.mark.skipif(not (DATA / "nasbench201").is_dir(), reason=f"no nasbench201 in {DATA}: set ATNAS_DATA")
def test_every_cell_of_nas_bench_201_has_the_parameters_of_the_benchmark() -> None:
    """The benchmark's table of CIFAR-10; 204 of its rows average over runs of different networks."""
    table = np.load(DATA / "nasbench201" / "nasbench201.npz")
    words = {
        "none": "none",
        "skip_connect": "skip",
        "nor_conv_1x1": "unit(c, 1)",
        "nor_conv_3x3": "unit(c, 3)",
        "avg_pool_3x3": "avg_pool(3, stride = 1)",
    }
    of = space("nas_bench_201", ends=CIFAR)
    options = [words[name] for name in table["op_names"]]
    genes = [[d.options.index(o) for o in options] for d in of.net.decisions]
    assert [d.name for d in of.net.decisions] == EDGES
    # The table's edges are 0>1, 0>2, 1>2, 0>3, 1>3, 2>3, which is the order of ours.
    params = [of.costs.of(tuple(genes[e][o] for e, o in enumerate(row)))["params"] for row in table["ops"]]
    assert (abs(np.array(params) / 1e6 - table["params_m"][:, 0]) < 1e-6).sum() == 15_625 - 204


def test_the_size_space_of_nats_bench_has_32_768_networks() -> None:
    """D-X-Y/NATS-Bench, README.md: "32,768 for architecture size": eight widths for five layers."""
    assert space("nats_bench_size").encoding.count() == 32_768 == 8**5


def test_a_network_of_the_size_space_has_its_published_size() -> None:
    """D-X-Y/NATS-Bench, notebooks/create-query-sss.ipynb, number 12, 8:8:8:16:40: params 0.067378, flops 7.991706.

    In millions; its flops count the ten biases of the head.
    """
    chosen = {"cell1": 8, "block1": 8, "cell2": 8, "block2": 16, "cell3": 40}
    found = costs(space("nats_bench_size", ends=CIFAR), chosen)
    assert (found["params"], found["macs"] + 10) == (67_378, 7_991_706)


# DARTS and MetaNAS

Gene = list[tuple[str, int]]

DARTS_V2: dict[str, Gene] = {
    "normal": [("sep3", 0), ("sep3", 1), ("sep3", 0), ("sep3", 1), ("sep3", 1), ("skip", 0), ("skip", 0), ("dil3", 2)],
    "reduce": [("max", 0), ("max", 1), ("skip", 2), ("max", 1), ("max", 0), ("skip", 2), ("skip", 2), ("max", 1)],
}
"""quark0/darts, cnn/genotypes.py: two operations for each node in turn, each with the tensor that it takes."""

DARTS_WORDS = {
    "sep3": "sep_conv(c, 3, s)",
    "skip": "skip(stride = s)",
    "max": "max_pool(3, s)",
    "dil3": "dil_conv(c, 3, s)",
}


def cells(genotype: Mapping[str, Gene], words: Mapping[str, str]) -> Architecture:
    """A pair of cells in the style of DARTS as an architecture of ours."""
    found: Architecture = {}
    for cell, gene in genotype.items():
        for node in range(len(gene) // 2):
            pair = sorted(gene[2 * node : 2 * node + 2], key=lambda edge: edge[1])
            if node > 0:  # the first adds both of the two tensors that there are
                found[f"{cell}.n{node}"] = [source for _, source in pair]
            found |= {f"{cell}.n{node}.edge[{source}]": words[kind] for kind, source in pair}
    return found


@pytest.mark.parametrize("name", ["darts", "darts_imagenet"])
def test_darts_has_the_pairs_of_cells_of_the_paper(name: str) -> None:
    """Liu et al., ICLR 2019: for each cell, of two, three, four and five tensors two, and 7^8 operations."""
    pairs = comb(2, 2) * comb(3, 2) * comb(4, 2) * comb(5, 2)
    assert space("darts", name).encoding.count() == (pairs * 7**8) ** 2 == 1_076_746_950_455_072_400


def test_the_network_of_darts_for_cifar_10_has_its_published_size() -> None:
    """quark0/darts, README.md: "3.3M model params". The auxiliary head, used in training only, is not counted there."""
    found = costs(space("darts", ends=CIFAR), cells(DARTS_V2, DARTS_WORDS))
    assert found["params"] == 3_349_342
    assert millions(found["params"]) == 3.3


def test_the_network_of_darts_for_imagenet_has_its_published_size() -> None:
    """osmr/imgclsmob, pytorch/README.md, DARTS from quark0/darts: 4,718,752 params; quark0/darts, README.md: 4.7M."""
    found = costs(space("darts", "darts_imagenet", IMAGENET), cells(DARTS_V2, DARTS_WORDS))
    assert found["params"] == 4_718_752


METANAS: dict[str, Gene] = {
    "normal": [("cross", 0), ("conv3", 1), ("conv3", 0), ("sep3", 2), ("dil3", 1), ("cross", 3)],
    "reduce": [("sep3", 0), ("conv3", 1), ("conv3", 0), ("sep3", 2), ("conv3", 0), ("dil3", 1)],
}
"""boschresearch/metanas, metanas/utils/genotypes.py: genotype_metanas_in_v2."""


def test_the_few_shot_cells_are_4_484_577_053_124_pairs() -> None:
    """boschresearch/metanas: three nodes, seven operations (PRIMITIVES_FEWSHOT), two inputs for each node."""
    assert space("darts_fewshot").encoding.count() == (comb(3, 2) * comb(4, 2) * 7**6) ** 2 == 4_484_577_053_124


def test_a_network_of_few_shot_cells_has_the_size_that_its_layers_have() -> None:
    """No figure for a network of four cells was found; this one is worked out from metanas/models/ops.py."""
    c = 28
    size = {
        "cross": 2 * 5 * c * c + 2 * c,
        "conv3": 9 * c + c * c + 2 * c,
        "dil3": 9 * c + c * c + 2 * c,
        "sep3": 2 * (9 * c + c * c + 2 * c),
    }
    stem, head = 9 * 3 * 3 * c + 2 * 3 * c, 3 * c * 5 + 5
    # Each cell takes the outputs of the two before it, of 3 c channels, by a 1x1 convolution each.
    inputs = 4 * 2 * (3 * c * c + 2 * c)
    inside = 2 * sum(size[kind] for gene in METANAS.values() for kind, _ in gene)
    words = {
        "cross": "crossed_conv(c, 5, s)",
        "conv3": "dil_conv(c, 3, s, dilation = 1)",
        "sep3": "sep_conv(c, 3, s)",
        "dil3": "dil_conv(c, 3, s)",
    }
    found = costs(space("darts_fewshot", ends=((3, 84, 84), 5)), cells(METANAS, words))
    assert found["params"] == stem + inputs + inside + head
