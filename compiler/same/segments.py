"""A graph in segments: the parts of it between tensors that every way from an input to the outputs passes through."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Literal

import networkx as nx

from atnas.compiler.activity import Genotype
from atnas.compiler.graph import Graph, passed, sources
from atnas.compiler.same.form import Names
from atnas.compiler.same.layers import Layer, Layers
from atnas.compiler.same.terms import Term, Terms, places
from atnas.dsl.cases import at
from atnas.dsl.net import ChoiceNode, LayerNode, evaluate
from atnas.dsl.operator import Shape

Given = Literal["any", "uniform", "zeros"]
"""What is known of the tensor that a segment begins with."""

BEFORE, AFTER = -1, -2
"""What stands before all inputs and after all outputs."""


@dataclass(frozen=True, eq=False)
class Segment:
    """What the tensors `exits` take beyond `entries`: those nodes, by number, in order."""

    graph: Graph
    layers: Layers
    entries: tuple[int, ...]
    exits: tuple[int, ...]
    nodes: tuple[int, ...]

    @cached_property
    def decisions(self) -> tuple[int, ...]:
        """The decisions that anything in the segment depends on."""
        return tuple(sorted(set().union(*(self.layers.decisions(n) for n in self.nodes))))

    @cached_property
    def pattern(self) -> Hashable:
        """Equal for segments that are copies of each other."""
        given = tuple(self.layers.shape(n) for n in self.entries)
        return given, self._wiring, tuple(self.layers.written(n) for n in self.nodes)

    @cached_property
    def fixed(self) -> tuple[Layer, ...] | None:
        """Its layers in order, where none of them depends on decisions."""
        numbers = [n for n in self.nodes if isinstance(self.graph.nodes[n], LayerNode)]
        found = [self.layers.fixed(n) for n in numbers]
        return None if None in found else tuple(layer for layer in found if layer is not None)

    def is_twin(self, other: Segment) -> bool:
        """Whether two segments are copies but for the sizes of their layers, which are equal in both or in neither.

        Two architectures are then the same in the one where they are the same in the other.
        """
        mine, others = self.fixed, other.fixed
        if not mine or not others or self._wiring != other._wiring or len(mine) != len(others):
            return False
        pairs = set(zip(mine, others, strict=True))
        sizes = {sizes for mine, other in pairs for sizes in zip(mine.shapes, other.shapes, strict=True)}
        return all(a.known == b.known for a, b in pairs) and _is_one_to_one(pairs) and _is_one_to_one(sizes)

    def names(self, twin: Segment) -> Names:
        """What this segment's layers and shapes are in a twin."""
        pairs = list(zip(self.fixed or (), twin.fixed or (), strict=True))
        found: dict[Hashable, Hashable] = {mine.what: other.what for mine, other in pairs}
        for shape, size in (sizes for a, b in pairs for sizes in zip(a.shapes, b.shapes, strict=True)):
            found |= {shape: size, places(shape): places(size)}
        return found

    def sizes(self, genotype: Genotype) -> tuple[Shape, ...]:
        """The shapes of the entries in one architecture."""
        return tuple(at(self.layers.shape(n), genotype) for n in self.entries)

    def term(self, genotype: Genotype, terms: Terms, given: Given) -> int:
        """What the exits are of the entries in one architecture; labels are places in the segment."""
        found = {n: self._entry(n, i, genotype, terms, given) for i, n in enumerate(self.entries)}

        def go(n: int) -> int:
            if n not in found:
                found[n] = made(n)
            return found[n]

        def made(n: int) -> int:
            node = self.graph.nodes[n]
            if isinstance(node, ChoiceNode):
                return go(node.sources[node.keys.index(evaluate(node.selector, genotype))])
            assert isinstance(node, LayerNode)
            taken = [e.node for e in node.edges if e.guard is None or genotype[e.guard.decision] in e.guard.allowed]
            return terms.layer(self.layers.of(n, genotype), self._labels[n], [go(t) for t in taken])

        exits = [go(n) for n in self.exits]
        return exits[0] if len(exits) == 1 else terms.number(Term("join", "outputs", tuple(exits)))

    def _entry(self, n: int, index: int, genotype: Genotype, terms: Terms, given: Given) -> int:
        if given == "zeros":
            return terms.zeros(at(self.layers.shape(n), genotype))
        return terms.input(index, is_uniform=given == "uniform")

    @cached_property
    def _labels(self) -> Mapping[int, int]:
        return {n: i for i, n in enumerate((*self.entries, *self.nodes), start=1)}

    @cached_property
    def _wiring(self) -> Hashable:
        lines: list[Hashable] = []
        for n in self.nodes:
            node, taken = self.graph.nodes[n], tuple(self._labels[s] for s in sources(self.graph.nodes[n]))
            if isinstance(node, ChoiceNode):
                lines.append((taken, node.selector, node.keys))
            else:
                assert isinstance(node, LayerNode)
                lines.append((taken, tuple(e.guard for e in node.edges), None))
        return tuple(self._labels[n] for n in self.exits), tuple(lines)


def segments(graph: Graph) -> list[Segment]:
    """The segments of a graph from its inputs to its outputs."""
    outputs = tuple(n for _, n in graph.outputs)
    flow = nx.DiGraph(graph.dag)
    flow.add_edges_from((BEFORE, n) for n in graph.nodes if not sources(graph.nodes[n]))
    flow.add_edges_from((n, AFTER) for n in outputs)
    layers = Layers(graph)
    return [_segment(graph, layers, *ends) for ends in pairwise(passed(flow, BEFORE, AFTER))]


def _segment(graph: Graph, layers: Layers, start: int, end: int) -> Segment:
    entries = graph.inputs if start == BEFORE else (start,)
    exits = tuple(n for _, n in graph.outputs) if end == AFTER else (end,)
    return Segment(graph, layers, entries, exits, tuple(_between(graph, entries, exits)))


def _between(graph: Graph, entries: tuple[int, ...], exits: tuple[int, ...]) -> Iterator[int]:
    """The nodes that the exits take, beyond the entries."""
    seen = set(entries)
    todo = list(exits)
    while todo:
        n = todo.pop()
        if n not in seen:
            seen.add(n)
            todo += sources(graph.nodes[n])
    yield from sorted(seen - set(entries))


def _is_one_to_one(pairs: Collection[tuple[Hashable, Hashable]]) -> bool:
    return len(pairs) == len({a for a, _ in pairs}) == len({b for _, b in pairs})
