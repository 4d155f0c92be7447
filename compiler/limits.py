"""`require` lines that hold a cost within fixed limits."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TypeGuard

from atnas.compiler.budget import Range
from atnas.compiler.costs import adds_up
from atnas.dsl.net import Compare, Condition, Constraint, Metric

TURNED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "=="}
"""The comparison with its sides exchanged."""

NOTHING = Range(1, 0)


def ranges(constraints: Iterable[Constraint]) -> dict[Metric, Range]:
    """What the constraints together leave of each cost that adds up, as far as they are limits."""
    return {metric: within for metric, within in limits(constraints).items() if adds_up(metric)}


def limits(constraints: Iterable[Constraint]) -> dict[Metric, Range]:
    """What the constraints together leave of each cost, as far as they are limits."""
    found: dict[Metric, Range] = {}
    for constraint in (each for c in constraints for each in _conjuncts(c)):
        limit = limited(constraint)
        if limit is not None:
            metric, within = limit
            found[metric] = found.get(metric, Range()) & within
    return found


def limited(constraint: Constraint) -> tuple[Metric, Range] | None:
    """A cost and its limits, where a constraint says just that: `params <= 6M`."""
    condition = constraint.condition
    if constraint.guard is not None or not isinstance(condition, Compare) or condition.op not in TURNED:
        return None
    for metric, op, bound in (
        (condition.left, condition.op, condition.right),
        (condition.right, TURNED[condition.op], condition.left),
    ):
        if isinstance(metric, Metric) and _is_number(bound):
            return metric, _range(op, bound)
    return None


def _conjuncts(constraint: Constraint) -> Iterator[Constraint]:
    """What a constraint says with `and` as several."""
    condition = constraint.condition
    if constraint.guard is None and isinstance(condition, Compare) and condition.op == "and":
        for side in (condition.left, condition.right):
            yield from _conjuncts(replace(constraint, condition=side))
    else:
        yield constraint


def _is_number(condition: Condition) -> TypeGuard[int | float]:
    return isinstance(condition, int | float) and not isinstance(condition, bool)


def _range(op: str, bound: float) -> Range:
    low, high = math.ceil(bound), math.floor(bound)
    match op:
        case "<=":
            return Range(high=high)
        case "<":
            return Range(high=low - 1)
        case ">=":
            return Range(low=low)
        case ">":
            return Range(low=high + 1)
        case _:
            return Range(low, high) if low == high else NOTHING
