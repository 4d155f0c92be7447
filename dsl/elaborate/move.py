"""What was worked out by itself, as it is where it is used: of other decisions, on other nodes, at another place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar, cast

from atnas.dsl.cases import LEAF, Cases, both, renamed
from atnas.dsl.elaborate.values import ListOf, Tensor, Value
from atnas.dsl.net import (
    Arith,
    Asked,
    ChoiceNode,
    Compare,
    Condition,
    Count,
    Edge,
    Guard,
    InputNode,
    LayerNode,
    Members,
    Metric,
    NetNode,
    Num,
    Pick,
    Read,
)

T = TypeVar("T")

ALONE = "\0"
"""The way to what is worked out by itself, and its place: no name that is written begins so."""


class Move:
    """From there to here. Decision i is `decisions[i]` here, and the first nodes, its inputs, are `inputs`.

    All other nodes follow one another from `first` on; what is used there is used here where `guard` holds, and `place`
    takes the place of `ALONE`.
    """

    def __init__(
        self, decisions: Mapping[int, int], inputs: tuple[int, ...], first: int, guard: Cases[bool], place: str
    ) -> None:
        self.decisions = decisions
        self.inputs = inputs
        self.first = first
        self.guard = guard
        self.place = place
        self._shift = first - len(inputs)
        self._done: dict[int, tuple[object, object]] = {}

    def node(self, node: int) -> int:
        """The number of a node."""
        return node + self._shift if node >= len(self.inputs) else self.inputs[node]

    def cases(self, cases: Cases[T]) -> Cases[T]:
        """A value for every architecture."""
        if cases.decision == LEAF:
            return cases
        return self._once(cases, lambda: renamed(cases, self.decisions))

    def come(self, guard: Cases[bool]) -> Cases[bool]:
        """Where something is come to at all."""
        return both(self.guard, self.cases(guard))

    def number(self, num: Num) -> Num:
        """A number."""
        match num:
            case Pick(decision, options):
                return self._once(num, lambda: Pick(self.decisions[decision], tuple(map(self.number, options))))
            case Arith(op, left, right):
                return self._once(num, lambda: Arith(op, self.number(left), self.number(right)))
            case Read(cases):
                return Read(self.cases(cases))
            case _:
                return num

    def condition(self, condition: Condition) -> Condition:
        """What a `require` line asks."""
        match condition:
            case Compare(op, left, right):
                return Compare(op, self.condition(left), self.condition(right))
            case Metric(name, (start, end)):
                return Metric(name, (start + self._shift, end + self._shift))
            case Count(uses):
                return Count(tuple((self.node(node), self.come(guard)) for node, guard in uses))
            case Members(decision, sizes):
                return Members(self.decisions[decision], sizes)
            case _:
                return self.number(cast(Num, condition))

    def asked(self, asked: Asked) -> Asked:
        """A `require` line at one use."""
        rest = tuple(map(self.condition, asked.guards))
        return Asked(self.condition(asked.condition), self.come(asked.come), rest, asked.span)

    def value(self, value: Value) -> Value:
        """What a use puts out."""
        if isinstance(value, ListOf):
            return ListOf(tuple(map(self.value, value.items)))
        assert isinstance(value, Tensor)
        return Tensor(self.node(value.node))

    def layer(self, node: NetNode) -> NetNode:
        """A layer or a choice."""
        if isinstance(node, LayerNode):
            arguments = node.arguments
            if any(isinstance(value, Pick | Arith | Read) for _, value in arguments):
                arguments = tuple((name, self.number(value)) for name, value in arguments)
            place = self.place + node.place[len(ALONE) :]
            edges = tuple(map(self._edge, node.edges))
            return LayerNode(node.operator, arguments, edges, place, self.cases(node.shape), node.span)
        assert not isinstance(node, InputNode)
        sources = tuple(map(self.node, node.sources))
        return ChoiceNode(self.number(node.selector), node.keys, sources, self.cases(node.shape), node.span)

    def _edge(self, edge: Edge) -> Edge:
        guard = edge.guard
        if guard is not None:
            guard = Guard(self.decisions[guard.decision], guard.allowed)
        return Edge(self.node(edge.node), guard)

    def _once(self, old: T, make: Callable[[], T]) -> T:
        """The new for the old: what is one object there is one here."""
        if id(old) not in self._done:
            self._done[id(old)] = old, make()
        return cast(T, self._done[id(old)][1])
