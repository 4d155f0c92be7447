"""What the layers of a graph are in one architecture, and which decisions that takes."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import Any, NamedTuple

from atnas.compiler.activity import Genotype
from atnas.compiler.graph import Graph, sources
from atnas.dsl.cases import Cases, at, leaf, support
from atnas.dsl.extern import layer_class
from atnas.dsl.net import InputNode, LayerNode, NetNode, evaluate, number
from atnas.dsl.operator import Law, Operator, Shape


class Layer(NamedTuple):
    """An operator with its arguments and input shapes, what is known of its function, and its output's shape.

    `uniform` says whether a map that is the same at every place stays so: where it is zeros, and where it is not.
    """

    law: Law
    keeps_zero: bool
    linear: bool
    uniform: tuple[bool, bool]
    what: tuple[Operator, tuple[Shape, ...]]
    shape: Shape

    @property
    def known(self) -> Hashable:
        """What is known of its function, whatever its size."""
        return self.law, self.keeps_zero, self.linear, self.uniform, self.keeps_shape

    @property
    def shapes(self) -> tuple[Shape, ...]:
        """Those of its inputs and of its output."""
        return (*self.what[1], self.shape)

    @property
    def keeps_shape(self) -> bool:
        """Whether all its inputs have the shape of its output."""
        return all(shape == self.shape for shape in self.what[1])


class Layers:
    """The layers of a graph by the number of their node, each worked out once for what it depends on."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._decisions: dict[int, frozenset[int]] = {}
        self._sized: dict[int, tuple[int, ...]] = {}
        self._known: dict[tuple[int, tuple[int, ...]], Layer] = {}

    def decisions(self, n: int) -> frozenset[int]:
        """The decisions that a node depends on: what it is, and which tensors it takes."""
        if n not in self._decisions:
            node = self._graph.nodes[n]
            chosen = set() if not isinstance(node, LayerNode) else {e.guard.decision for e in node.edges if e.guard}
            selected = set() if isinstance(node, LayerNode | InputNode) else support(number(node.selector))
            self._decisions[n] = frozenset({*chosen, *selected, *self._sizes(n)})
        return self._decisions[n]

    def of(self, n: int, genotype: Genotype) -> Layer:
        """A layer in one architecture."""
        key = n, tuple(genotype[d] for d in self._sizes(n))
        if key not in self._known:
            self._known[key] = self._made(n, genotype)
        return self._known[key]

    def fixed(self, n: int) -> Layer | None:
        """A layer where it depends on no decision; which of its tensors it takes may."""
        return None if self._sizes(n) else self.of(n, ())

    def shape(self, n: int) -> Cases[Shape]:
        """A tensor's shape for every architecture."""
        node = self._graph.nodes[n]
        return leaf(node.shape) if isinstance(node, InputNode) else node.shape

    def written(self, n: int) -> Hashable:
        """A node's operator and arguments as they stand, and the shape of its output."""
        node = self._graph.nodes[n]
        return (node.operator, node.arguments, node.shape) if isinstance(node, LayerNode) else self.shape(n)

    def _sizes(self, n: int) -> tuple[int, ...]:
        """The decisions that a layer's arguments and shapes depend on, those of the tensors that it may take too."""
        if n not in self._sized:
            self._sized[n] = tuple(sorted(set().union(*map(support, self._varying(self._graph.nodes[n])))))
        return self._sized[n]

    def _varying(self, node: NetNode) -> Iterator[Cases[Any]]:
        if isinstance(node, LayerNode):
            yield node.shape
            yield from (number(num) for _, num in node.arguments)
            yield from (self.shape(s) for s in sources(node))

    def _made(self, n: int, genotype: Genotype) -> Layer:
        node = self._graph.nodes[n]
        assert isinstance(node, LayerNode)
        inputs = tuple(at(self.shape(s), genotype) for s in sources(node))
        made = layer_class(node.operator)(**{name: evaluate(num, genotype) for name, num in node.arguments})
        uniform = made.is_uniform(of_zeros=True), made.is_uniform(of_zeros=False)
        what = made.settled(*inputs), inputs
        return Layer(made.law(*inputs), made.keeps_zero, made.linear, uniform, what, at(node.shape, genotype))
