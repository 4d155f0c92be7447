"""How many inputs a group has, and which tensors they are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from atnas.compiler.export.groups import Piece
from atnas.compiler.export.wiring import Wiring


@dataclass(frozen=True)
class Ports:
    """The inputs of pieces. `takes` are the nodes that each takes, one for each of its inputs.

    `operands` are the same as the group around it sees them, whose own inputs are -1, -2, ..
    """

    takes: dict[Piece, tuple[int, ...]]
    operands: dict[Piece, tuple[int, ...]]


def ports(root: Piece, whole: Wiring) -> Ports:
    """How many inputs each piece has: as many as its op needs where it is used otherwise.

    A cell that is given the same tensor twice has two inputs where another of its kind is given two.
    """
    found = Ports({}, {})
    every = list(_every(root))
    for piece in every:
        if piece.node is not None:
            found.takes[piece] = whole.nodes[piece.node].takes
    for height in range(1, root.height + 1):
        kinds: dict[object, list[tuple[Piece, list[_Edge]]]] = defaultdict(list)
        for group in every:
            if group.height == height:
                edges = _edges(group, found)
                kinds[(group.use.word, tuple(edge.name for edge in edges))].append((group, edges))
        for alike in kinds.values():
            _join(alike, found)
    return found


@dataclass(frozen=True)
class _Edge:
    """A tensor that comes into a group: the piece that it goes to, as which of its inputs, and whose it is."""

    name: object
    piece: Piece
    index: int
    node: int


def _edges(group: Piece, found: Ports) -> list[_Edge]:
    inside = group.nodes
    edges: list[_Edge] = []
    for i, piece in enumerate(group.pieces):
        place = piece.use.place
        name = place.removeprefix(group.use.place) if place.startswith(group.use.place) else i
        taken = enumerate(found.takes[piece])
        edges += [_Edge((name, j), piece, j, node) for j, node in taken if node not in inside]
    return edges


def _join(alike: list[tuple[Piece, list[_Edge]]], found: Ports) -> None:
    """Gives groups of one kind their inputs: edges share one where they do in all of these groups."""
    columns = list(zip(*([edge.node for edge in edges] for _, edges in alike), strict=True))
    inputs = list(dict.fromkeys(columns))
    for i, (group, edges) in enumerate(alike):
        found.takes[group] = tuple(column[i] for column in inputs)
        outside = {(e.piece, e.index): -1 - inputs.index(column) for e, column in zip(edges, columns, strict=True)}
        for piece in group.pieces:
            taken = enumerate(found.takes[piece])
            found.operands[piece] = tuple(outside.get((piece, j), node) for j, node in taken)


def _every(piece: Piece) -> Iterator[Piece]:
    for inner in piece.pieces:
        yield from _every(inner)
    yield piece
