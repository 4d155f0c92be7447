"""Which decisions an output needs, and which nodes, for every architecture in one walk back from the outputs.

A node is active where one that takes its tensor is. A decision is active where an active node asks for it: a
choice for its selector, a merge for its guards, a layer for its arguments. Inside a number only what is
reached is asked for: the options of a `Pick` that are not taken stay unasked.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from operator import eq

from atnas.compiler.graph import Graph
from atnas.dsl.cases import FALSE, TRUE, Cases, apply, at, both, choose, either, member
from atnas.dsl.net import Arith, ChoiceNode, InputNode, LayerNode, NetNode, Num, Pick, number

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
    needed = dict.fromkeys(graph.nodes, FALSE)
    needed.update((n, TRUE) for _, n in graph.outputs)
    decided = [FALSE] * len(graph.decisions)
    for n, node in reversed(graph.nodes.items()):
        where = needed[n]
        if where is FALSE:
            continue
        for source, condition in takes(graph, node):
            needed[source] = either(needed[source], also(where, condition))
        for decision, condition in asks(node, where):
            decided[decision] = either(decided[decision], condition)
    return Activity(needed, tuple(decided))


def takes(graph: Graph, node: NetNode) -> Iterator[tuple[int, Cases[bool]]]:
    """The tensors a node takes, and where it does if it is active itself."""
    match node:
        case LayerNode(edges=edges):
            for edge in edges:
                if edge.guard is None:
                    yield edge.node, TRUE
                else:
                    decision, allowed = edge.guard.decision, edge.guard.allowed
                    yield edge.node, member(decision, graph.options(decision), allowed)
        case ChoiceNode(selector=selector, keys=keys, sources=among):
            by = number(selector)
            for key, source in zip(keys, among, strict=True):
                yield source, apply(partial(eq, key), by)
        case InputNode():
            return


def asks(node: NetNode, where: Cases[bool]) -> Iterator[tuple[int, Cases[bool]]]:
    """The decisions that a node, active in these cases, asks for, and where."""
    match node:
        case LayerNode(arguments=arguments, edges=edges):
            for decision in {edge.guard.decision for edge in edges if edge.guard is not None}:
                yield decision, where
            for _, argument in arguments:
                yield from demands(argument, where)
        case ChoiceNode(selector=selector):
            yield from demands(selector, where)
        case InputNode():
            return


def demands(num: Num, where: Cases[bool]) -> Iterator[tuple[int, Cases[bool]]]:
    """The decisions that a number, wanted in these cases, asks for, and where."""
    match num:
        case Pick(decision, options):
            yield decision, where
            for i, option in enumerate(options):
                if isinstance(option, Pick | Arith):
                    yield from demands(option, both(where, member(decision, len(options), frozenset({i}))))
        case Arith(_, left, right):
            yield from demands(left, where)
            yield from demands(right, where)


def also(where: Cases[bool], condition: Cases[bool]) -> Cases[bool]:
    """Both; the condition may be NEVER outside of `where`."""
    if where is TRUE or condition is TRUE:
        return condition if where is TRUE else where
    return choose(where, (True, False), (condition, FALSE))


def implies(where: Cases[bool], condition: Cases[bool]) -> Cases[bool]:
    """`condition` where `where` holds, true elsewhere."""
    return choose(where, (True, False), (condition, TRUE))


def true(num: Num) -> Cases[bool]:
    """Where a number counts as true."""
    return apply(bool, number(num))
