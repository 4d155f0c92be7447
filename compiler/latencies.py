"""The latency of each layer of a space on a device, looked up in the device's table."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from atnas.compiler.activity import activity
from atnas.compiler.configuration import Configuration, configurations
from atnas.compiler.graph import Graph
from atnas.dsl.cases import FALSE, Cases, apply, values
from atnas.dsl.errors import Unable
from atnas.dsl.extern import Signature, written
from atnas.dsl.latency import Layer, Table, layer
from atnas.dsl.net import LayerNode

Layers = Mapping[int, Cases[Configuration | None]]
"""What each layer of a space is in every architecture, by node; None where it is not there."""


def layers(graph: Graph) -> Layers:
    """What each layer that can be active is in every architecture."""
    where = activity(graph).nodes
    return {
        n: configurations(graph, node, where[n])
        for n, node in graph.nodes.items()
        if isinstance(node, LayerNode) and where[n] is not FALSE
    }


def distinct(found: Layers) -> dict[Configuration, int]:
    """Every concrete layer that an architecture may have, each once, with the first node that can be it."""
    nodes: dict[Configuration, int] = {}
    for n, cases in found.items():
        for configuration in values(cases):
            if configuration is not None:
                nodes.setdefault(configuration, n)
    return nodes


def latencies(graph: Graph, table: Table) -> dict[int, Cases[int]]:
    """Nanoseconds of each layer for every architecture; 0 where it is not there.

    Raises `Unable` where the table lacks a layer that an architecture may have.
    """
    found = layers(graph)
    missing = {c: n for c, n in distinct(found).items() if key(c) not in table.layers}
    if missing:
        raise Unable(_lacking(graph, table, missing))
    return {n: apply(partial(_looked_up, table), cases) for n, cases in found.items()}


def key(configuration: Configuration) -> Layer:
    """What a concrete layer is looked up by."""
    operator = configuration.operator
    word = operator.target if isinstance(operator, Signature) else operator
    return layer(word, dict(configuration.arguments), configuration.inputs)


def told(configuration: Configuration) -> str:
    """A concrete layer for people: `conv(channels = 16, kernel = 3, ..) on (3, 32, 32)`."""
    arguments = ", ".join(f"{name} = {_word(value)}" for name, value in configuration.arguments)
    return f"{configuration.operator}({arguments}) on {', '.join(map(written, configuration.inputs))}"


def _word(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _looked_up(table: Table, configuration: Configuration | None) -> int:
    return 0 if configuration is None else table.layers[key(configuration)]


def _lacking(graph: Graph, table: Table, missing: Mapping[Configuration, int]) -> str:
    """The sentence on layers that a table lacks."""
    configuration, n = next(iter(missing.items()))
    node = graph.nodes[n]
    assert isinstance(node, LayerNode)
    more = len(missing) - 1
    others = f" and {more:,} more layer{'s' * (more > 1)}" if more else ""
    return (
        f"{table.file} lacks {told(configuration)}, which `{graph.name}` has at {node.place}{others}; "
        f"measure what is missing: atnas latency FILE --device {table.name}"
    )
