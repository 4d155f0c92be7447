"""Nodes of a graph in ranks from top to bottom, so that few edges cross and most go straight.

After Sugiyama, Tagawa and Toda, "Methods for visual understanding of hierarchical system structures", 1981: ranks by
the longest path, an order in each rank by barycentres, then places, here by least squares.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import inf
from typing import Final

SWEEPS: Final = 12
MOST_SWEEPS: Final = 240
MOST_PLACES: Final = 200_000
"""How often all that is placed is placed again: often where there is little of it."""
THIN: Final = 3.0
"""What an edge that passes a rank needs to either side."""

Sides = tuple[float, float]
"""What something needs to the left and to the right of its center."""

Joint = tuple[int, int, int]
"""Where an edge passes a rank: source, target, rank."""


@dataclass(frozen=True)
class Layout:
    """The x of each node's center, its rank, and the x at which each edge passes the ranks between its ends."""

    centers: tuple[float, ...]
    ranks: tuple[int, ...]
    bends: Mapping[tuple[int, int], tuple[float, ...]]


def layered(sides: Sequence[Sides], edges: Sequence[tuple[int, int]], gap: float) -> Layout:
    """Places nodes that need so much room; edges go from smaller to larger numbers."""
    edges = sorted(set(edges))
    ranks = ranked(len(sides), edges)
    rows, near = _rows(ranks, edges)
    _order(rows, near)
    room = {key: (THIN, THIN) if isinstance(key, tuple) else sides[key] for row in rows for key in row}
    centers = _centers(rows, near, room, gap)
    bends = {(a, b): tuple(centers[a, b, rank] for rank in range(ranks[a] + 1, ranks[b])) for a, b in edges}
    return Layout(tuple(centers[i] for i in range(len(sides))), tuple(ranks), bends)


def ranked(count: int, edges: Sequence[tuple[int, int]]) -> list[int]:
    """The rank of each node: right above the first that takes from it; what takes from nothing likewise."""
    heights = [0] * count
    for a, b in sorted(edges, key=lambda edge: -edge[0]):
        heights[a] = max(heights[a], heights[b] + 1)
    return [max(heights, default=0) - height for height in heights]


Key = int | Joint
Near = dict[Key, list[Key]]


def _rows(ranks: Sequence[int], edges: Sequence[tuple[int, int]]) -> tuple[list[list[Key]], tuple[Near, Near]]:
    """The ranks with joints of long edges, and what is joined to each from above and from below."""
    rows: list[list[Key]] = [[] for _ in range(max(ranks, default=0) + 1)]
    for node, rank in enumerate(ranks):
        rows[rank].append(node)
    above: Near = defaultdict(list)
    below: Near = defaultdict(list)
    for a, b in edges:
        way: list[Key] = [a, *((a, b, rank) for rank in range(ranks[a] + 1, ranks[b])), b]
        for rank, joint in enumerate(way[1:-1], ranks[a] + 1):
            rows[rank].append(joint)
        for upper, lower in pairwise(way):
            above[lower].append(upper)
            below[upper].append(lower)
    return rows, (above, below)


def _order(rows: list[list[Key]], near: tuple[Near, Near]) -> None:
    """Sorts each rank by the mean place of what it is joined to, down and up again; keeps the best order met."""
    best, fewest = [list(row) for row in rows], _crossings(rows, near[1])
    for sweep in range(SWEEPS):
        down = sweep % 2 == 0
        for i in range(1, len(rows)) if down else range(len(rows) - 2, -1, -1):
            place = {key: j for j, key in enumerate(rows[i - 1] if down else rows[i + 1])}
            joined = near[0] if down else near[1]
            rank = {key: j for j, key in enumerate(rows[i])}
            rows[i].sort(key=lambda key: (_mean([place[k] for k in joined[key]], rank[key]), rank[key]))
        crossings = _crossings(rows, near[1])
        if crossings < fewest:
            best, fewest = [list(row) for row in rows], crossings
    rows[:] = best


def _mean(numbers: Sequence[float], otherwise: float) -> float:
    return sum(numbers) / len(numbers) if numbers else otherwise


def _crossings(rows: Sequence[Sequence[Key]], below: Near) -> int:
    """How many pairs of edges between neighbouring ranks cross: ends that come in the wrong order."""
    total = 0
    for upper, lower in pairwise(rows):
        place = {key: i for i, key in enumerate(lower)}
        before: list[int] = []
        for end in (place[k] for key in upper for k in sorted(below[key], key=place.__getitem__)):
            at = bisect_right(before, end)
            total += len(before) - at
            before.insert(at, end)
    return total


def _centers(
    rows: Sequence[Sequence[Key]], near: tuple[Near, Near], sides: Mapping[Key, Sides], gap: float
) -> dict[Key, float]:
    """The x of each: as near to what it is joined to as the room allows, rank by rank, down and up again."""
    centers: dict[Key, float] = {}
    for row in rows:
        places = spread([0.0] * len(row), [1.0] * len(row), [sides[key] for key in row], gap)
        centers.update(zip(row, places, strict=True))
    for sweep in range(max(SWEEPS, min(MOST_SWEEPS, MOST_PLACES // len(centers)))):
        for row in rows if sweep % 2 == 0 else rows[::-1]:
            wanted, weights = zip(*(_wanted(key, near, centers) for key in row), strict=True)
            places = spread(wanted, weights, [sides[key] for key in row], gap)
            centers.update(zip(row, places, strict=True))
    _straightened(rows, near, centers, sides, gap)
    left = min((centers[key] - sides[key][0] for key in centers), default=0.0)
    return {key: x - left for key, x in centers.items()}


def _wanted(key: Key, near: tuple[Near, Near], centers: Mapping[Key, float]) -> tuple[float, float]:
    """Where something wants to be, and how much."""
    joined = [*near[0][key], *near[1][key]]
    pulls = [_pull(key, other, near) for other in joined]
    if not joined:
        return centers[key], 1.0
    return sum(centers[k] * p for k, p in zip(joined, pulls, strict=True)) / sum(pulls), sum(pulls)


def _pull(a: Key, b: Key, near: tuple[Near, Near]) -> float:
    """How much the two want to stand below each other: what only follows one another is to be straight."""
    if isinstance(a, tuple) and isinstance(b, tuple):
        return 24.0
    return 8.0 if _is_link(a, b, near) or _is_link(b, a, near) else 1.0


def _is_link(upper: Key, lower: Key, near: tuple[Near, Near]) -> bool:
    """Whether one is all that follows another, and follows nothing else."""
    return near[1][upper] == [lower] and near[0][lower] == [upper]


def _straightened(
    rows: Sequence[Sequence[Key]],
    near: tuple[Near, Near],
    centers: dict[Key, float],
    sides: Mapping[Key, Sides],
    gap: float,
) -> None:
    """Puts what follows one another right below each other, as far as the room between their neighbours allows."""
    beside: dict[Key, tuple[Key | None, Key | None]] = {}
    for row in rows:
        beside.update(
            {key: (left, right) for left, key, right in zip([None, *row], row, [*row[1:], None], strict=False)}
        )
    for chain in sorted(_chains(rows, near), key=len, reverse=True):
        run: list[Key] = []
        least, most = -inf, inf
        for key in chain:
            left, right = beside[key]
            low = -inf if left is None else centers[left] + sides[left][1] + sides[key][0] + gap
            high = inf if right is None else centers[right] - sides[right][0] - sides[key][1] - gap
            if run and max(least, low) > min(most, high):
                _line_up(run, least, most, centers)
                run, least, most = [], -inf, inf
            run.append(key)
            least, most = max(least, low), min(most, high)
        _line_up(run, least, most, centers)


def _chains(rows: Sequence[Sequence[Key]], near: tuple[Near, Near]) -> list[list[Key]]:
    """What follows one another and nothing else, in runs."""
    chains: dict[Key, list[Key]] = {}
    for row in rows:
        for key in row:
            above = near[0][key]
            if len(above) == 1 and _is_link(above[0], key, near):
                chains[key] = chains.pop(above[0])
            chains.setdefault(key, []).append(key)
    return list(chains.values())


def _line_up(run: Sequence[Key], least: float, most: float, centers: dict[Key, float]) -> None:
    x = min(max(sum(centers[key] for key in run) / len(run), least), most)
    centers.update(dict.fromkeys(run, x))


def spread(wanted: Sequence[float], weights: Sequence[float], sides: Sequence[Sides], gap: float) -> list[float]:
    """Centers of least squared distance from those that are wanted, in this order and `gap` apart.

    Isotonic regression by pooling adjacent violators (Barlow et al., 1972), once what must be between is taken off.
    """
    offsets, offset = [], 0.0
    for i, (left, _) in enumerate(sides):
        offset += sides[i - 1][1] + gap + left if i else 0.0
        offsets.append(offset)
    pools: list[tuple[float, float, int]] = []
    for want, weight, off in zip(wanted, weights, offsets, strict=True):
        pools.append((want - off, weight, 1))
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            (a, wa, na), (b, wb, nb) = pools[-2:]
            pools[-2:] = [((a * wa + b * wb) / (wa + wb), wa + wb, na + nb)]
    level = [value for value, _, count in pools for _ in range(count)]
    return [value + off for value, off in zip(level, offsets, strict=True)]
