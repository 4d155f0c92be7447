"""The compiler's graph: the layers and choices of a space, and which takes whose tensor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import networkx as nx

from atnas.dsl.net import ChoiceNode, Constraint, Decision, InputNode, LayerNode, Net, NetNode


@dataclass(frozen=True, eq=False)
class Graph:
    """A space as a graph. Passes make new ones; nobody changes one.

    `dag` is frozen. Its nodes are numbers with the `NetNode` under the attribute `"node"`; a node refers only
    to nodes of smaller numbers. The order of a node's inputs, and inputs used twice, stand in the `NetNode`
    itself.
    """

    name: str
    inputs: tuple[int, ...]
    outputs: tuple[tuple[str, int], ...]
    decisions: tuple[Decision, ...]
    constraints: tuple[Constraint, ...]
    dag: nx.DiGraph[Any]

    @cached_property
    def nodes(self) -> dict[int, NetNode]:
        """The nodes by number, every node after those it refers to."""
        return {number: self.dag.nodes[number]["node"] for number in sorted(self.dag)}

    def options(self, decision: int) -> int:
        """How many options a decision has."""
        return len(self.decisions[decision].options)

    def rebuilt(self, nodes: Mapping[int, NetNode], outputs: tuple[tuple[str, int], ...]) -> Graph:
        """The same space with other nodes and outputs."""
        return replace(self, dag=_dag(nodes), outputs=outputs)


def sources(node: NetNode) -> tuple[int, ...]:
    """The nodes whose tensors a node may take, in its own order."""
    match node:
        case InputNode():
            return ()
        case LayerNode(edges=edges):
            return tuple(edge.node for edge in edges)
        case ChoiceNode(sources=among):
            return among


def lower(net: Net) -> Graph:
    """The graph of a resolved space, node for node."""
    nodes = dict(enumerate(net.nodes))
    return Graph(net.name, net.inputs, net.outputs, net.decisions, net.constraints, _dag(nodes))


def _dag(nodes: Mapping[int, NetNode]) -> nx.DiGraph[Any]:
    dag: nx.DiGraph[Any] = nx.DiGraph()
    dag.add_nodes_from((number, {"node": node}) for number, node in nodes.items())
    dag.add_edges_from((source, number) for number, node in nodes.items() for source in sources(node))
    return nx.freeze(dag)
