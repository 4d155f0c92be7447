"""The compiler's graph: the layers and choices of a space, and which takes whose tensor."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import networkx as nx

from atnas.dsl.cases import values
from atnas.dsl.net import (
    Arith,
    ChoiceNode,
    Constraint,
    Decision,
    Edge,
    InputNode,
    LayerNode,
    Net,
    NetNode,
    Num,
    Pick,
    Read,
)


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
        return {number: node for number, node in sorted(self.dag.nodes(data="node")) if node is not None}

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


def numbers(node: NetNode) -> list[Num]:
    """The numbers that a node depends on: a layer's arguments, what a choice is selected by."""
    match node:
        case LayerNode(arguments=arguments):
            return [num for _, num in arguments]
        case ChoiceNode(selector=selector):
            return [selector]
        case InputNode():
            return []


def picks(num: Num) -> Iterator[Pick]:
    """The picks in a number, the outer before the inner."""
    match num:
        case Pick(_, options):
            yield num
            for option in options:
                yield from picks(option)
        case Arith(_, left, right):
            yield from picks(left)
            yield from picks(right)


def lower(net: Net) -> Graph:
    """The graph of a resolved space, node for node."""
    nodes = dict(enumerate(net.nodes))
    return Graph(net.name, net.inputs, net.outputs, net.decisions, net.constraints, _dag(nodes))


def text(graph: Graph) -> str:
    """The graph to read, a line for each node: its number, what it is, whose tensors it takes, its shapes."""
    lines = [f"space {graph.name}"]
    lines += [f"  %{n} = {_node(graph, node)} : {_shapes(node)}" for n, node in graph.nodes.items()]
    lines += [f"  {name} = %{n}" for name, n in graph.outputs]
    return "\n".join(lines)


def _node(graph: Graph, node: NetNode) -> str:
    match node:
        case InputNode(name=name):
            return f"input {name}"
        case LayerNode(operator=operator, arguments=arguments, edges=edges):
            settings = ", ".join(f"{name} = {_num(graph, num)}" for name, num in arguments)
            return f"{operator}({settings}) [{', '.join(_edge(graph, edge) for edge in edges)}]"
        case ChoiceNode(selector=selector, keys=keys, sources=among):
            ways = ", ".join(f"{key}: %{source}" for key, source in zip(keys, among, strict=True))
            return f"choose {_num(graph, selector)} [{ways}]"


def _edge(graph: Graph, edge: Edge) -> str:
    if edge.guard is None:
        return f"%{edge.node}"
    decision = graph.decisions[edge.guard.decision]
    return f"%{edge.node} if {decision.name} in {[decision.options[o] for o in sorted(edge.guard.allowed)]}"


def _num(graph: Graph, num: Num) -> str:
    match num:
        case Pick(decision, options):
            return f"{graph.decisions[decision].name}({' | '.join(_num(graph, o) for o in options)})"
        case Arith(op, left, right):
            return f"({_num(graph, left)} {op} {_num(graph, right)})"
        case Read(cases):
            return " | ".join(map(str, values(cases)))
        case _:
            return str(num)


def _shapes(node: NetNode) -> str:
    shapes = [node.shape] if isinstance(node, InputNode) else values(node.shape)
    return " | ".join(f"({', '.join(map(str, shape))})" for shape in shapes)


def _dag(nodes: Mapping[int, NetNode]) -> nx.DiGraph[Any]:
    dag: nx.DiGraph[Any] = nx.DiGraph()
    dag.add_nodes_from((number, {"node": node}) for number, node in nodes.items())
    dag.add_edges_from((source, number) for number, node in nodes.items() for source in sources(node))
    return nx.freeze(dag)


def passed(flow: nx.DiGraph, start: int, end: int) -> list[int]:
    """What every way from one node to another passes, both included, in order: the dominators of the end (Lengauer and
    Tarjan, "A fast algorithm for finding dominators in a flowgraph", 1979).
    """
    above = nx.immediate_dominators(flow, start)
    found = [end]
    while found[-1] != start:
        found.append(above[found[-1]])
    return found[::-1]
