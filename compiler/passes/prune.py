"""Removes what no output can need."""

from __future__ import annotations

from dataclasses import replace

import networkx as nx

from atnas.compiler.activity import activity
from atnas.compiler.graph import Graph
from atnas.dsl.cases import FALSE, Cases, only, values
from atnas.dsl.net import ChoiceNode, NetNode, number


def prune(graph: Graph) -> Graph:
    """Before: alternatives that are never taken, and nodes that no output needs. After: none of them.

    The inputs stay: they are what the space is given.
    """
    needed = activity(graph).nodes
    nodes = {n: _trimmed(node, needed[n]) for n, node in graph.nodes.items()}
    trimmed = graph.rebuilt(nodes, graph.outputs)
    kept = {*graph.inputs, *(n for _, n in graph.outputs)}
    kept.update(*(nx.ancestors(trimmed.dag, n) for _, n in graph.outputs))
    if nodes == graph.nodes and len(kept) == len(nodes):
        return graph
    return trimmed.rebuilt({n: node for n, node in nodes.items() if n in kept}, graph.outputs)


def _trimmed(node: NetNode, where: Cases[bool]) -> NetNode:
    """A choice without the alternatives that are never taken while it is active."""
    if not isinstance(node, ChoiceNode) or where is FALSE:
        return node
    taken = set(values(only(where, number(node.selector))))
    pairs = [(key, source) for key, source in zip(node.keys, node.sources, strict=True) if key in taken]
    return replace(node, keys=tuple(k for k, _ in pairs), sources=tuple(s for _, s in pairs))
