"""Puts numbers in the place of counts, while every node is still there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from operator import add

from atnas.compiler.activity import Activity, activity
from atnas.compiler.graph import Graph
from atnas.dsl.cases import Cases, apply, both, choose, leaf
from atnas.dsl.net import Compare, Condition, Constraint, Count, Members, Pick, Read, number


def count(graph: Graph) -> Graph:
    """Before: constraints with `count(op)` and `count(list)`. After: the same with numbers read off the activity."""
    found = tuple(_counted(constraint, graph) for constraint in graph.constraints)
    return graph if found == graph.constraints else replace(graph, constraints=found)


def _counted(constraint: Constraint, graph: Graph) -> Constraint:
    def go(condition: Condition) -> Condition:
        match condition:
            case Compare(op, left, right):
                return Compare(op, go(left), go(right))
            case Count() | Members():
                return _number(condition, activity(graph))
            case _:
                return condition

    guard = None if constraint.guard is None else go(constraint.guard)
    return replace(constraint, condition=go(constraint.condition), guard=guard)


def _number(counted: Count | Members, where: Activity) -> Read:
    if isinstance(counted, Members):
        size = number(Pick(counted.decision, counted.sizes))
        return Read(choose(where.decisions[counted.decision], (True, False), (size, leaf(0))))  # type: ignore[arg-type]
    return Read(_sum([apply(int, both(come_to, where.nodes[n])) for n, come_to in counted.uses]))


def _sum(parts: Sequence[Cases[int]]) -> Cases[int]:
    """Of halves, which are of few decisions each: one part after another would walk all of the sum for each."""
    if len(parts) < 2:
        return parts[0] if parts else leaf(0)
    half = len(parts) // 2
    plus: Callable[..., int] = add
    return apply(plus, _sum(parts[:half]), _sum(parts[half:]))
