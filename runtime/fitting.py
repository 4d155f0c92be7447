"""What layers take on a device, found from what whole networks take there: least squares, for devices that run no layer
by itself.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from atnas.compiler.activity import Genotype
from atnas.compiler.configuration import Configuration
from atnas.compiler.encoding import Encoding
from atnas.compiler.graph import Graph
from atnas.compiler.latencies import distinct, layers
from atnas.dsl.cases import at
from atnas.dsl.errors import Unable
from atnas.dsl.latency import LONGEST, is_time

Matrix = NDArray[np.float64]

NEAR: Final = 1e-9
"""What counts as zero, as a share of the largest number there is."""


def read_networks(text: str, encoding: Encoding, path: str) -> list[tuple[Genotype, float]]:
    """Architectures and the seconds that they take, from lines `{"architecture": {..}, "seconds": 0.012}`.

    Raises `Unable` where a line is none.
    """
    found = [_network(line, encoding, f"line {at} of {path}") for at, line in enumerate(text.splitlines(), start=1)]
    if not found:
        raise Unable(f"{path} holds no measurement")
    return found


def _network(line: str, encoding: Encoding, where: str) -> tuple[Genotype, float]:
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        entry = None
    if not isinstance(entry, dict) or not isinstance(entry.get("architecture"), dict):
        raise Unable(f'{where} is no {{"architecture": {{..}}, "seconds": 0.012}}')
    if not is_time(entry.get("seconds")):
        raise Unable(f"{where} has `seconds` that are no number from 0 to {LONGEST:,}")
    try:
        return encoding.encode(entry["architecture"]), entry["seconds"]
    except ValueError as error:
        raise Unable(f"{where} has no architecture of this space: {error}") from error


def fitted(graph: Graph, measured: Sequence[tuple[Genotype, float]]) -> dict[Configuration, float]:
    """Seconds of each layer of a space, whose sums come nearest to the seconds that some of its networks take.

    None is below zero. Layers that these networks do not tell apart share evenly what they take together; those that
    none of them has are left out.
    """
    found = layers(graph)
    counts = [Counter(at(cases, genotype) for cases in found.values()) for genotype, _ in measured]
    kinds = [kind for kind in distinct(found) if any(kind in count for count in counts)]
    uses = np.array([[count[kind] for kind in kinds] for count in counts], dtype=np.float64)
    columns, group, sizes = np.unique(uses, axis=1, return_inverse=True, return_counts=True)
    seconds = nonnegative(columns, np.array([time for _, time in measured])) / sizes
    return dict(zip(kinds, seconds[group].tolist(), strict=True))


def nonnegative(a: Matrix, b: NDArray[Any]) -> Matrix:
    """The x >= 0 that makes |a x - b| least, a [n, d] (Lawson and Hanson, "Solving least squares problems", 1974,
    algorithm NNLS, section 23.3).
    """
    x = np.zeros(a.shape[1])
    free = np.zeros(a.shape[1], dtype=bool)
    least = NEAR * float(np.abs(a.T @ b).max(initial=0.0))
    for _ in range(3 * a.shape[1]):
        slope = np.where(free, -np.inf, a.T @ (b - a @ x))
        if slope.max(initial=-np.inf) <= least:
            break
        free[slope.argmax()] = True
        x = _descended(a, b, x, free)
    return x


def _descended(a: Matrix, b: NDArray[Any], x: Matrix, free: NDArray[np.bool_]) -> Matrix:
    """The best of those x whose other parts are zero; parts that would fall below zero are freed no longer."""
    while True:
        best = np.zeros_like(x)
        best[free] = np.linalg.lstsq(a[:, free], b, rcond=None)[0]
        below = free & (best <= 0)
        if not below.any():
            return best
        step = (x[below] / (x[below] - best[below])).min()
        x = x + step * (best - x)
        free &= x > NEAR * x.max()
