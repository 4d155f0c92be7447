"""Puts the source of a choice in its place where there is nothing to choose."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from functools import reduce

from atnas.compiler.activity import activity, asks
from atnas.compiler.graph import Graph
from atnas.dsl.cases import FALSE, TRUE, Cases, both, either
from atnas.dsl.net import ChoiceNode, Edge, InputNode, LayerNode, NetNode

Askers = dict[int, dict[int, Cases[bool]]]
"""For each decision, the nodes that ask for it, and where."""


def fold(graph: Graph) -> Graph:
    """Before: choices of one source. After: that source.

    A choice stays where it is the only one to ask for a decision: without it the decision would not be
    active.
    """
    askers = _askers(graph)
    instead: dict[int, int] = {}
    for n, node in graph.nodes.items():
        if not isinstance(node, ChoiceNode) or len(node.sources) > 1:
            continue
        asked = {decision for decision, _ in asks(node, TRUE)}
        if all(_asked_elsewhere(askers[decision], n) for decision in asked):
            instead[n] = instead.get(node.sources[0], node.sources[0])
            for decision in asked:
                del askers[decision][n]
    if not instead:
        return graph
    nodes = {n: _redirected(node, instead) for n, node in graph.nodes.items() if n not in instead}
    return graph.rebuilt(nodes, tuple((name, instead.get(n, n)) for name, n in graph.outputs))


def _askers(graph: Graph) -> Askers:
    needed = activity(graph).nodes
    found: Askers = defaultdict(dict)
    for n, node in graph.nodes.items():
        for decision, where in asks(node, needed[n]):
            found[decision][n] = either(found[decision].get(n, FALSE), where)
    return found


def _asked_elsewhere(where: dict[int, Cases[bool]], n: int) -> bool:
    """Whether other nodes ask for a decision wherever node `n` does."""
    others = {id(cases): cases for m, cases in where.items() if m != n}
    return both(where[n], reduce(either, others.values(), FALSE)) is where[n]


def _redirected(node: NetNode, instead: dict[int, int]) -> NetNode:
    match node:
        case InputNode():
            return node
        case LayerNode(edges=edges):
            return replace(node, edges=tuple(Edge(instead.get(e.node, e.node), e.guard) for e in edges))
        case ChoiceNode(sources=sources):
            return replace(node, sources=tuple(instead.get(s, s) for s in sources))
