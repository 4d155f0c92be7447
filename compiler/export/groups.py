"""Nodes grouped by the ops they stand in.

A group is a use of an op. What an op is given as an argument is written outside of it and used inside:

    level(8, block(16))        level/near, level/far/max_pool, block, level/far/conv, level/y

Such a group is moved into the one that it stands in the middle of, so that no path leaves a group and comes back.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from atnas.compiler.export.functions import Function
from atnas.compiler.export.places import Places, Use
from atnas.compiler.export.wiring import Node, Wiring

Bits = int
"""A set of nodes, a bit for each."""


@dataclass(frozen=True, eq=False)
class Piece:
    """One node, or a group: pieces in an order in which they can be worked out."""

    use: Use
    node: int | None = None
    pieces: tuple[Piece, ...] = ()

    @cached_property
    def nodes(self) -> frozenset[int]:
        """Those that it stands for."""
        if self.node is not None:
            return frozenset((self.node,))
        return frozenset().union(*(piece.nodes for piece in self.pieces))

    @cached_property
    def height(self) -> int:
        """How deep groups nest in it."""
        return 1 + max((piece.height for piece in self.pieces), default=-1)


def grouped(whole: Wiring, places: Places) -> Piece:
    """The whole architecture as one group."""
    found = _Groups(whole.nodes, places)
    root = Piece(Use("", "", "", ""), None, found.pieces(found.below(range(1, len(whole.nodes)), 0)))
    words = [group.use.word for group in _groups(root)]
    return _opened(root, frozenset(word for word in words if words.count(word) == 1))


def _groups(piece: Piece) -> Iterator[Piece]:
    for inner in piece.pieces:
        if inner.pieces:
            yield inner
            yield from _groups(inner)


def _opened(group: Piece, alone: frozenset[str]) -> Piece:
    """A group in which one that stands alone, in the group and by its word, is opened: it would say nothing more."""
    pieces = [_opened(p, alone) if p.pieces else p for p in group.pieces]
    within = [p for p in pieces if p.pieces]
    if len(within) == 1 and within[0].use.word in alone:
        at = pieces.index(within[0])
        name = within[0].use.binding
        pieces[at : at + 1] = [replace(p, use=replace(p.use, binding=p.use.binding or name)) for p in within[0].pieces]
    return replace(group, pieces=tuple(pieces))


@dataclass(eq=False)
class _Unit:
    """The use of an op: the nodes of its own, `depth` uses deep, and units from elsewhere that stand among them."""

    use: Use
    own: list[int]
    depth: int
    guests: tuple[_Unit, ...] = ()

    @cached_property
    def nodes(self) -> Bits:
        """All of them, those of guests too."""
        return _joined(1 << n for n in self.own) | _joined(guest.nodes for guest in self.guests)

    def hosting(self, guests: Iterable[_Unit]) -> _Unit:
        """The same with more units in it."""
        return _Unit(self.use, self.own, self.depth, (*self.guests, *guests))


class _Groups:
    """`before` are for each node those that it depends on, `takes` and `takers` its neighbours."""

    def __init__(self, nodes: Sequence[Node], places: Places) -> None:
        self.uses = [places.uses(node.place) if node.place else () for node in nodes]
        self.takes = [_joined(1 << taken for taken in node.takes) for node in nodes]
        self.takers: list[Bits] = [0] * len(nodes)
        self.before: list[Bits] = [0] * len(nodes)
        for number, node in enumerate(nodes):
            for taken in node.takes:
                self.takers[taken] |= 1 << number
                self.before[number] |= self.before[taken] | 1 << taken

    def below(self, nodes: Iterable[int], depth: int) -> list[_Unit]:
        """Nodes by the use that they stand in at a depth; those that are a use themselves one by one."""
        found: dict[object, tuple[Use, list[int]]] = {}
        for number in nodes:
            use = self.uses[number][depth]
            is_last = len(self.uses[number]) == depth + 1
            found.setdefault(number if is_last else use.place, (use, []))[1].append(number)
        return [_Unit(use, own, depth) for use, own in found.values()]

    def pieces(self, units: list[_Unit]) -> tuple[Piece, ...]:
        """The pieces that units become, in order."""
        return tuple(self._piece(unit) for unit in self._in_order(self._settled(units)))

    def _piece(self, unit: _Unit) -> Piece:
        number = unit.own[0]
        if len(self.uses[number]) == unit.depth + 1:
            return Piece(unit.use, number)
        pieces = self.pieces(self._loosened(unit))
        if len(pieces) == 1:
            (only,) = pieces
            return replace(only, use=replace(unit.use, word=only.use.word))
        return Piece(unit.use, None, pieces)

    def _loosened(self, unit: _Unit) -> list[_Unit]:
        """The units within a unit."""
        return [*self.below(unit.own, unit.depth + 1), *unit.guests]

    def _settled(self, units: list[_Unit]) -> list[_Unit]:
        """Units that no path leaves and comes back to."""
        scope = _joined(unit.nodes for unit in units)
        for unit in units:
            between = self._between(unit, scope)
            if not between:
                continue
            among = [other for other in units if other is not unit and other.nodes & between]
            if any(self._between(other, scope) & unit.nodes for other in among):  # neither can be in the other
                return self._settled([*self._loosened(unit), *(other for other in units if other is not unit)])
            return self._settled(_moved(unit, among, units))
        return self._fed(units)

    def _between(self, unit: _Unit, scope: Bits) -> Bits:
        """The nodes of other units that lie on a way from this unit to itself."""
        if unit.nodes.bit_count() == 1:
            return 0
        before = _joined(self.before[number] for number in _numbers(unit.nodes))
        others = _numbers(before & scope & ~unit.nodes)
        return _joined(1 << number for number in others if self.before[number] & unit.nodes)

    def _fed(self, units: list[_Unit]) -> list[_Unit]:
        """Units with those moved in that feed them alone, where that leaves them with one input."""
        for unit in units:
            if unit.nodes.bit_count() == 1:
                continue
            feeding = [other for other in units if other is not unit and self._feeds(other, unit)]
            inside = unit.nodes | _joined(other.nodes for other in feeding)
            if feeding and self._taken(inside).bit_count() == 1:
                return self._settled(_moved(unit, feeding, units))
        return units

    def _feeds(self, other: _Unit, unit: _Unit) -> bool:
        """Whether nobody else takes from a unit, and it takes what that one takes too."""
        takers = _joined(self.takers[number] for number in _numbers(other.nodes)) & ~other.nodes
        return takers != 0 and not takers & ~unit.nodes and not self._taken(other.nodes) & ~self._taken(unit.nodes)

    def _taken(self, nodes: Bits) -> Bits:
        """The nodes outside whose tensors these take."""
        return _joined(self.takes[number] for number in _numbers(nodes)) & ~nodes

    def _in_order(self, units: list[_Unit]) -> list[_Unit]:
        """Each after those that it takes from; else as they stand in the space."""
        left = sorted(units, key=lambda unit: min(_numbers(unit.nodes)))
        order: list[_Unit] = []
        while left:
            waiting = _joined(unit.nodes for unit in left)
            ready = next(unit for unit in left if not self._taken(unit.nodes) & waiting)
            order.append(ready)
            left.remove(ready)
        return order


def _moved(unit: _Unit, guests: Sequence[_Unit], units: Sequence[_Unit]) -> list[_Unit]:
    """Units with some of them moved into one."""
    rest = [other for other in units if other not in guests]
    return [other.hosting(guests) if other is unit else other for other in rest]


def _joined(sets: Iterable[Bits]) -> Bits:
    whole = 0
    for bits in sets:
        whole |= bits
    return whole


def _numbers(bits: Bits) -> Iterator[int]:
    while bits:
        lowest = bits & -bits
        yield lowest.bit_length() - 1
        bits ^= lowest


def gives(piece: Piece, whole: Wiring) -> tuple[int, ...]:
    """The nodes of a piece whose tensors are wanted outside of it."""
    inside = piece.nodes
    wanted = {t for n, node in enumerate(whole.nodes) if n not in inside for t in node.takes} | {whole.output}
    return tuple(sorted(inside & wanted))


def is_function(piece: Piece, whole: Wiring) -> bool:
    """Whether a piece is a function of tensors, not a module."""
    return piece.node is not None and isinstance(whole.nodes[piece.node].does, Function)
