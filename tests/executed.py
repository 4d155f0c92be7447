"""Small cells run in NumPy, float64, and what tells their functions apart: an implementation beside the project's own.

A cell is a graph of numbered nodes, 0 its input and the last its output; a node is the sum of what comes along its
edges, and an edge is a row of steps. Layers with weights take theirs from a pool. Which of the pool's a layer takes is
nobody's affair, so the fingerprint of a cell is the smallest output over all ways to deal them out to the layers that
the output needs. Two cells are the same function but for the names of their weights where their fingerprints agree.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import permutations, product

import numpy as np
from numpy.typing import NDArray

Edge = tuple[int, int]
Steps = tuple[str, ...]
"""What an edge does: nothing at all (`none` alone), or one step after another; no step passes on."""

CHANNELS, SIZE = 6, 5
POOL = 6
NONE: Steps = ("none",)
WEIGHTED = ("conv1", "conv3", "unit1", "unit3")

Array = NDArray[np.float64]


def fingerprint(edges: Sequence[Edge], cell: Sequence[Steps]) -> tuple[float, ...]:
    """What a cell's function is, whatever its weights are called."""
    layers = _needed(edges, cell)
    kinds = {kind: [place for place in layers if cell[place[0]][place[1]] == kind] for kind in WEIGHTED}
    deals = product(*(permutations(range(len(places))) for places in kinds.values()))
    return min(_run(edges, cell, dict(_dealt(kinds, deal))) for deal in deals)


def _dealt(
    kinds: Mapping[str, Sequence[tuple[int, int]]], deal: Sequence[Sequence[int]]
) -> Iterator[tuple[tuple[int, int], int]]:
    for places, numbers in zip(kinds.values(), deal, strict=True):
        yield from zip(places, numbers, strict=True)


def _needed(edges: Sequence[Edge], cell: Sequence[Steps]) -> list[tuple[int, int]]:
    """The layers with weights that lie on a way to the output: which edge, which of its steps."""
    reached = {max(end for _, end in edges)}
    for (start, end), steps in sorted(zip(edges, cell, strict=True), key=lambda pair: -pair[0][1]):
        if end in reached and steps != NONE:
            reached.add(start)
    return [
        (i, j)
        for i, ((_, end), steps) in enumerate(zip(edges, cell, strict=True))
        if end in reached
        for j, step in enumerate(steps)
        if step in WEIGHTED
    ]


def _run(edges: Sequence[Edge], cell: Sequence[Steps], dealt: Mapping[tuple[int, int], int]) -> tuple[float, ...]:
    nodes = [np.zeros(CHANNELS * SIZE * SIZE) for _ in range(1 + max(end for _, end in edges))]
    nodes[0] = _given()
    for i, (start, end) in sorted(enumerate(edges), key=lambda pair: pair[1][1]):
        if cell[i] == NONE:
            continue
        x = nodes[start]
        for j, step in enumerate(cell[i]):
            x = _step(step, x, dealt.get((i, j)))
        nodes[end] = nodes[end] + x
    return tuple(np.round(nodes[-1], 7) + 0.0)


def _step(step: str, x: Array, number: int | None) -> Array:
    if step in WEIGHTED:
        if number is None:  # nothing needs it
            return 0 * x
        matrix, shift = _weights(step, number)
        return matrix @ (np.maximum(x, 0) if step.startswith("unit") else x) + shift
    return {"relu": lambda: np.maximum(x, 0), "tanh": lambda: np.tanh(x), "avg": lambda: _average() @ x}[step]()


@cache
def _given() -> Array:
    return np.random.default_rng(0).normal(size=CHANNELS * SIZE * SIZE)


@cache
def _weights(kind: str, number: int) -> tuple[Array, Array]:
    """A convolution with "same" padding as a matrix, and its shift at every place."""
    kernel = int(kind[-1])
    rng = np.random.default_rng([1, *map(ord, kind), number])
    weights = rng.normal(size=(CHANNELS, CHANNELS, kernel, kernel)) / CHANNELS
    matrix = np.zeros((CHANNELS, SIZE, SIZE, CHANNELS, SIZE, SIZE))
    for (y, x), (dy, dx) in product(product(range(SIZE), repeat=2), product(range(kernel), repeat=2)):
        near_y, near_x = y + dy - kernel // 2, x + dx - kernel // 2
        if 0 <= near_y < SIZE and 0 <= near_x < SIZE:
            matrix[:, y, x, :, near_y, near_x] = weights[:, :, dy, dx]
    return matrix.reshape(CHANNELS * SIZE * SIZE, -1), np.repeat(rng.normal(size=CHANNELS), SIZE * SIZE)


@cache
def _average() -> Array:
    """The mean of each window of three by three, padding not counted, as a matrix."""
    near = np.array([[float(max(abs(a - c), abs(b - d)) <= 1) for c, d in _places()] for a, b in _places()])
    return np.kron(np.eye(CHANNELS), near / near.sum(1, keepdims=True))


def _places() -> list[tuple[int, int]]:
    return list(product(range(SIZE), repeat=2))
