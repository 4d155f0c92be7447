"""Which decisions an output needs, and which nodes, for every architecture in one walk back from the outputs.

A node is active where one that takes its tensor is. A decision is active where an active node asks for it: a
choice for its selector, a merge for its guards, a layer for its arguments. Inside a number only what is
reached is asked for: the options of a `Pick` that are not taken stay unasked.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from atnas.compiler.graph import Graph
from atnas.dsl.cases import FALSE, TRUE, Cases, apply, at, both, choose, either
from atnas.dsl.elaborate import needed
from atnas.dsl.elaborate.needed import asks, demands
from atnas.dsl.net import NetNode, Num, number

__all__ = ["Activity", "Genotype", "activity", "asks", "demands", "implies", "takes", "true"]

Genotype = tuple[int, ...]
"""One option number for each decision, in the order of the space. Every gene is a valid option, active or
not.
"""


@dataclass(frozen=True, eq=False)
class Activity:
    """Where each node and each decision is needed."""

    nodes: dict[int, Cases[bool]]
    decisions: tuple[Cases[bool], ...]

    def of(self, genotype: Sequence[int]) -> tuple[bool, ...]:
        """Which decisions are active."""
        return tuple(at(cases, genotype) for cases in self.decisions)

    def canonical(self, genotype: Sequence[int]) -> Genotype:
        """The same architecture with 0 for every inactive decision."""
        return tuple(g if active else 0 for g, active in zip(genotype, self.of(genotype), strict=True))


@lru_cache(maxsize=4)
def activity(graph: Graph) -> Activity:
    """Where each node and each decision is needed by an output."""
    active = dict.fromkeys(graph.nodes, FALSE)
    active.update((n, TRUE) for _, n in graph.outputs)
    decided = [FALSE] * len(graph.decisions)
    for n, node in reversed(graph.nodes.items()):
        where = active[n]
        if where is FALSE:
            continue
        for source, condition in takes(graph, node):
            active[source] = either(active[source], both(where, condition))
        for decision, condition in asks(node, where):
            decided[decision] = either(decided[decision], condition)
    return Activity(active, tuple(decided))


def takes(graph: Graph, node: NetNode) -> Iterator[tuple[int, Cases[bool]]]:
    """The tensors a node takes, and where it does if it is active itself."""
    return needed.takes(node, graph.options)


def implies(where: Cases[bool], condition: Cases[bool]) -> Cases[bool]:
    """`condition` where `where` holds, true elsewhere."""
    return choose(where, (True, False), (condition, TRUE))


def true(num: Num) -> Cases[bool]:
    """Where a number counts as true."""
    return apply(bool, number(num))
