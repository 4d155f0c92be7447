"""A space, compiled: the graph with its encoding and its costs."""

from __future__ import annotations

from dataclasses import dataclass

from atnas.compiler.costs import Costs
from atnas.compiler.encoding import Encoding
from atnas.compiler.graph import Graph, lower
from atnas.compiler.passes import PASSES
from atnas.compiler.verify import verify
from atnas.dsl.net import Metric, Net


@dataclass(frozen=True, eq=False)
class Compiled:
    """What the compiler makes of one space. Building the supernet is left to who needs torch."""

    net: Net
    graph: Graph
    encoding: Encoding
    costs: Costs


def compile(net: Net) -> Compiled:
    """What the compiler makes of a space.

    Raises `Unable` where the table of a device that it is measured on lacks a layer.
    """
    graph = lowered(net)
    costs = Costs(graph, net.tables)
    for table in net.tables:
        costs.terms(Metric(table.metric))
    return Compiled(net, graph, Encoding(graph, costs), costs)


def lowered(net: Net) -> Graph:
    """Lowers a space, runs the passes and verifies the graph after each."""
    graph = verify(lower(net), "lowering")
    for run in PASSES:
        graph = verify(run(graph), run.__name__)
    return graph
