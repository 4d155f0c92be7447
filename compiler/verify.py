"""What every graph must be. A failure is a mistake of the compiler, never of the user."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

import networkx as nx

from atnas.compiler.activity import activity
from atnas.compiler.graph import Graph, numbers, picks, sources
from atnas.dsl.cases import NEVER, TRUE, Cases, both, choose, leaf, nodes
from atnas.dsl.elaborate.limits import met
from atnas.dsl.extern import layer_class
from atnas.dsl.net import ChoiceNode, InputNode, LayerNode


def verify(graph: Graph, after: str) -> Graph:
    """The graph itself. Raises AssertionError with the name of the first invariant that it breaks."""
    for name, holds in INVARIANTS.items():
        if not holds(graph):
            raise AssertionError(f"after {after}: it is not so that {name}")
    return graph


def _earlier(graph: Graph) -> bool:
    return all(s in graph.nodes and s < n for n, node in graph.nodes.items() for s in sources(node))


def _edges(graph: Graph) -> bool:
    return set(graph.dag.edges) == {(s, n) for n, node in graph.nodes.items() for s in sources(node)}


def _ports(graph: Graph) -> bool:
    inputs = all(isinstance(graph.nodes.get(n), InputNode) for n in graph.inputs)
    return inputs and all(n in graph.nodes for _, n in graph.outputs)


def _names(graph: Graph) -> bool:
    return _distinct(d.name for d in graph.decisions)


def _places(graph: Graph) -> bool:
    return _distinct(node.place for node in graph.nodes.values() if isinstance(node, LayerNode))


def _keys(graph: Graph) -> bool:
    choices = [node for node in graph.nodes.values() if isinstance(node, ChoiceNode)]
    return all(_distinct(c.keys) and len(c.keys) == len(c.sources) > 0 for c in choices)


def _picks(graph: Graph) -> bool:
    found = [pick for node in graph.nodes.values() for num in numbers(node) for pick in picks(num)]
    return all(len(pick.options) == graph.options(pick.decision) for pick in found)


def _merges(graph: Graph) -> bool:
    layers = [node for node in graph.nodes.values() if isinstance(node, LayerNode)]
    plain = [n for n in layers if not layer_class(n.operator).variadic]
    return all(_takes(n, layer_class(n.operator).inputs) for n in plain)


def _takes(layer: LayerNode, inputs: int) -> bool:
    return len(layer.edges) == inputs and all(edge.guard is None for edge in layer.edges)


def _shapes(graph: Graph) -> bool:
    layers = {n: node for n, node in graph.nodes.items() if not isinstance(node, InputNode)}
    found = activity(graph).nodes
    bare = [n for n, node in layers.items() if _has_none(node, found[n])]
    allowed = met(graph.constraints) if bare else TRUE
    return not any(_has_none(layers[n], both(found[n], allowed)) for n in bare)


def _has_none(node: LayerNode | ChoiceNode, where: Cases[bool]) -> bool:
    """Whether a node has no shape in some of these cases."""
    shape: Cases[Any] = choose(where, (True, False), (node.shape, leaf(())))
    return any(case is NEVER for case in nodes(shape))


def _distinct(items: Iterable[object]) -> bool:
    found = list(items)
    return len(found) == len(set(found))


INVARIANTS: Final[dict[str, Callable[[Graph], bool]]] = {
    "the graph has no cycle": lambda graph: nx.is_directed_acyclic_graph(graph.dag),
    "every node refers to earlier nodes that are there": _earlier,
    "the edges of the graph are those of its nodes": _edges,
    "inputs and outputs are there": _ports,
    "no two decisions have the same name": _names,
    "no two layers have the same place": _places,
    "every choice has one source for each of its keys": _keys,
    "every pick has as many options as its decision": _picks,
    "only a merge takes more tensors than its operator says, or some of them at times": _merges,
    "every node has a shape wherever it is active in an architecture that the constraints on decisions allow": _shapes,
}
