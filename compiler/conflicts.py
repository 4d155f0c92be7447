"""Constraints that no architecture meets together, and which of them it takes.

Whether limits on several costs can be met at once is found with fronts: the sums of costs of which no other is smaller
in all of them. They are a semiring as counts are (union and pairwise sum, each without what is dominated), so bucket
elimination works them out for the whole space.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from itertools import product
from random import Random
from typing import Final

from atnas.compiler.budget import Range
from atnas.compiler.costs import Costs
from atnas.compiler.factors import COUNT, Semiring, eliminate
from atnas.compiler.limits import limits, ranges
from atnas.compiler.space import Compiled
from atnas.dsl.cases import Cases, apply
from atnas.dsl.findings.diagnostics import Diagnostic, Label
from atnas.dsl.latency import shown
from atnas.dsl.net import Constraint, Metric
from atnas.dsl.source import Span

MOST: Final = 500
"""Points of a front; beyond them it is left open whether the limits can be met together."""

TRIED: Final = 200
"""Draws that are looked at first: where one meets the constraints there is no conflict."""

Point = tuple[int, ...]
Front = tuple[Point, ...]


class TooMany(Exception):
    """A front of more than `MOST` points."""


def conflict(space: Compiled) -> Diagnostic | None:
    """The finding on constraints that leave nothing of the space; None where they leave something.

    None too where that cannot be told: conditions on costs that hold only at times, or compare two costs, are not
    looked at.
    """
    clauses = [] if _is_met(space) else _clauses(space)
    if not clauses:
        return None
    first, *others = clauses
    message = "no architecture meets this" + (" together with what is marked" if others else "")
    labels = tuple(Label(span, "and this") for span in others)
    return Diagnostic("E408", first, message, _cure(space, clauses), labels=labels)


def _is_met(space: Compiled) -> bool:
    """Whether a few architectures drawn at random meet the constraints."""
    encoding, rng = space.encoding, Random(0)
    count = encoding.count()
    return count > 0 and any(encoding.allowed(encoding.unrank(rng.randrange(count))) for _ in range(TRIED))


def _cure(space: Compiled, clauses: Sequence[Span]) -> str:
    """What the one cost that the lines limit can be; else that one of them is to be loosened."""
    stated = [c for c in space.graph.constraints if c.span in clauses]
    limited = [metric for metric in limits(stated) if metric.nodes is None]
    if len(limited) != 1:
        return "loosen one of them" if len(clauses) > 1 else "loosen it"
    name = limited[0].name
    least, most = (space.costs.extreme(name, largest, stated)[0] for largest in (False, True))
    return f"loosen it: `{name}` goes from {shown(name, least)} to {shown(name, most)}"


def _clauses(space: Compiled) -> list[Span]:
    """The places of as few lines as leave nothing; none where the constraints leave something."""
    constraints = space.graph.constraints
    if _is_possible(space.costs, constraints):
        return []
    kept = list(dict.fromkeys(c.span for c in constraints))
    for span in list(kept):
        fewer = [s for s in kept if s != span]
        if not _is_possible(space.costs, [c for c in constraints if c.span in fewer]):
            kept = fewer
    return kept


def _is_possible(costs: Costs, constraints: Sequence[Constraint]) -> bool:
    """Whether some architecture meets the constraints, as far as it can be told; if not, it is so."""
    if not eliminate(costs.feasible(COUNT, constraints), costs.options, COUNT).total:
        return False
    within = limits(constraints)
    if not all(_reaches(costs, metric, limit, constraints) for metric, limit in within.items()):
        return False
    bounds, terms = _bounded(costs, constraints)
    semiring = Semiring(_union, _sums, (), ((0,) * len(bounds),))
    try:
        front = eliminate([*terms, *costs.feasible(semiring, constraints)], costs.options, semiring).total
    except TooMany:
        return True
    return any(all(map(operator.le, point, bounds)) for point in front)


def _reaches(costs: Costs, metric: Metric, within: Range, constraints: Sequence[Constraint]) -> bool:
    """Whether a cost gets into its range, as far as it can be told."""
    if within.low is not None and within.high is not None and within.low > within.high:
        return False
    if metric.nodes is not None:
        return True
    least, most = (costs.extreme(metric.name, largest, constraints)[0] for largest in (False, True))
    return (within.high is None or least <= within.high) and (within.low is None or most >= within.low)


def _bounded(costs: Costs, constraints: Sequence[Constraint]) -> tuple[list[int], list[Cases[Front]]]:
    """For each limit what a cost may be at most, lower limits by the cost's negative; and the costs as fronts."""
    limits: list[tuple[Metric, int, int]] = []
    for metric, within in ranges(constraints).items():
        limits += [(metric, 1, within.high)] if within.high is not None else []
        limits += [(metric, -1, -within.low)] if within.low is not None else []
    terms = [
        _front(term, sign, at, len(limits))
        for at, (metric, sign, _) in enumerate(limits)
        for term in costs.terms(metric)
    ]
    return [bound for _, _, bound in limits], terms


def _front(term: Cases[int], sign: int, at: int, size: int) -> Cases[Front]:
    """A cost as a front of one point, all of whose other coordinates are 0."""
    return apply(lambda cost: (tuple(sign * cost if i == at else 0 for i in range(size)),), term)


def _union(a: Front, b: Front) -> Front:
    return _undominated({*a, *b})


def _sums(a: Front, b: Front) -> Front:
    if len(a) * len(b) > 20 * MOST:
        raise TooMany
    return _undominated({tuple(map(operator.add, x, y)) for x, y in product(a, b)})


def _undominated(points: set[Point]) -> Front:
    """The points that no other is as small as in every coordinate. Raises `TooMany`."""
    kept: list[Point] = []
    for point in sorted(points):
        if not any(all(map(operator.le, other, point)) for other in kept):
            kept.append(point)
            if len(kept) > MOST:
                raise TooMany
    return tuple(kept)
