"""A cell that is used again in the same way adds the same nodes again: they are copied, not worked out anew."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from atnas.dsl.cases import Cases
from atnas.dsl.elaborate.values import Call, ListOf, Tensor, Undecided, Value
from atnas.dsl.modules import Declared
from atnas.dsl.net import ChoiceNode, Constraint, Count, Edge, LayerNode, Metric, NetNode, speaks_of
from atnas.dsl.syntax import ast

if TYPE_CHECKING:
    from atnas.dsl.elaborate.build import Builder


@dataclass(frozen=True)
class Recording:
    """One use of a cell: the nodes and the uses within it, from .. to, what it took and gave, and its place."""

    nodes: tuple[int, int]
    uses: tuple[int, int]
    given: tuple[int, ...]
    result: Value
    place: str

    def __len__(self) -> int:
        return self.nodes[1] - self.nodes[0]


def like(
    builder: Builder, call: Call, syntax: ast.Layer, tensors: Sequence[Value], guard: Cases[bool]
) -> Hashable | None:
    """What two uses of a cell share that add the same nodes; None for a use that cannot be copied.

    An op decides afresh at each use, and arguments that are layers have places of their own.
    """
    if syntax.keyword != "cell":
        return None
    nodes = numbers(tensors)
    given = [_given(value) for _, value in call.arguments]
    if len(nodes) < len(tensors) or None in given:
        return None
    shapes = tuple(builder.shapes[node] for node in nodes)
    return id(syntax), tuple(given), shapes, tuple(map(nodes.index, nodes)), guard


def _given(value: Value) -> Hashable | None:
    """What an argument is, in whichever use; None where that cannot be said."""
    match value:
        case int() | float() | str():
            return type(value), value
        case Undecided(name, Declared(syntax=syntax)):
            return name, id(syntax)
        case Undecided(name, target):
            return name, target
        case _:
            return None


def numbers(tensors: Sequence[Value]) -> tuple[int, ...]:
    """The nodes of tensors; what is none is left out."""
    return tuple(tensor.node for tensor in tensors if isinstance(tensor, Tensor))


def replay(builder: Builder, recording: Recording, tensors: Sequence[Value], place: str) -> Value:
    """Adds the nodes of a recording again, on other tensors and under another place."""
    moved = dict(zip(recording.given, numbers(tensors), strict=True))
    for old in range(*recording.nodes):
        copy = _copy(builder.nodes[old], moved, recording.place, place)
        moved[old] = builder.add(copy, builder.shapes[old])
    builder.uses += [(syntax, moved[node], guard) for syntax, node, guard in builder.uses[slice(*recording.uses)]]
    return _moved(recording.result, moved)


def is_within(builder: Builder, recording: Recording) -> bool:
    """Whether the nodes of a recording rest on nothing but each other and what it was given, and lie in its place."""
    known = {*recording.given, *range(*recording.nodes)}
    for node in builder.nodes[slice(*recording.nodes)]:
        if isinstance(node, LayerNode):
            if not node.place.startswith(recording.place + "/") or any(edge.node not in known for edge in node.edges):
                return False
        elif isinstance(node, ChoiceNode) and any(source not in known for source in node.sources):
            return False
    used = builder.uses[slice(*recording.uses)]
    return all(node in known for _, node, _ in used) and _is_known(recording.result, known)


def speaks_of_nodes(constraint: Constraint) -> bool:
    """Whether a constraint would be another at another use."""
    return any(speaks_of(part, Metric | Count) for part in (constraint.condition, constraint.guard))


def _is_known(value: Value, known: set[int]) -> bool:
    if isinstance(value, ListOf):
        return all(_is_known(item, known) for item in value.items)
    return isinstance(value, Tensor) and value.node in known


def _copy(node: NetNode, moved: dict[int, int], old: str, new: str) -> NetNode:
    if isinstance(node, LayerNode):
        edges = tuple(Edge(moved[edge.node], edge.guard) for edge in node.edges)
        place = new + node.place[len(old) :]
        return LayerNode(node.operator, node.arguments, edges, place, node.shape, node.span)
    assert isinstance(node, ChoiceNode)
    return ChoiceNode(node.selector, node.keys, tuple(moved[s] for s in node.sources), node.shape, node.span)


def _moved(value: Value, moved: dict[int, int]) -> Value:
    if isinstance(value, ListOf):
        return ListOf(tuple(_moved(item, moved) for item in value.items))
    assert isinstance(value, Tensor)
    return Tensor(moved[value.node])
