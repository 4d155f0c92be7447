"""Whether every architecture of one space is one of another, as a network, whatever its decisions are called there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeGuard

from atnas.compiler.configuration import Configuration, configurations
from atnas.compiler.identity import network_digest, operator_form
from atnas.compiler.space import Compiled
from atnas.dsl.cases import values
from atnas.dsl.net import Arith, ChoiceNode, Edge, InputNode, LayerNode, Net, Num, Pick, Read

WORK: Final = 500_000
"""Nodes that are looked at, architectures times their nodes, where all networks of two spaces are compared."""

STEPS: Final = 100_000
"""Pairs of nodes that are tried at most."""

Match = tuple[int, tuple[int, ...]] | int
"""What a decision of the larger space follows: a decision of the smaller and for each of its options one of its own; or
nothing, and always takes one option.
"""


def contains(larger: Compiled, smaller: Compiled) -> bool | None:
    """Whether it does; None where that cannot be told.

    Small spaces are compared network by network. In large ones the smaller graph is laid over the larger: where it fits
    everywhere, layer for layer, and nothing is required of the larger, it contains the smaller. It does not
    where a layer of the smaller is of a kind or size that it does not have.
    """
    if _work(larger) + _work(smaller) <= WORK:
        return _networks(smaller) <= _networks(larger)
    if not smaller.net.constraints and not _layers(smaller) <= _layers(larger):
        return False
    return None if larger.net.constraints or overlay(larger.net, smaller.net) is None else True


def overlay(larger: Net, smaller: Net) -> set[tuple[int, int]] | None:
    """The nodes of a smaller space with those of a larger that they lie on, where it fits everywhere; else None."""
    return _Overlay(larger, smaller).laid()


def _work(space: Compiled) -> int:
    return space.encoding.count() * len(space.net.nodes)


def _layers(space: Compiled) -> set[str]:
    """What the layers of a space can be, whatever an `extern op` is called."""
    active = space.costs.activity.nodes
    layers = ((n, node) for n, node in space.graph.nodes.items() if isinstance(node, LayerNode))
    found = (values(configurations(space.graph, node, active[n])) for n, node in layers)
    return {_kind(layer) for each in found for layer in each if layer is not None}


def _kind(layer: Configuration) -> str:
    return repr((operator_form(layer.operator), layer.arguments, layer.inputs))


def _networks(space: Compiled) -> set[str]:
    genotypes = map(space.encoding.unrank, range(space.encoding.count()))
    return {network_digest(space.net, genotype) for genotype in genotypes if space.encoding.allowed(genotype)}


class _Overlay:
    """Lays the smaller graph over the larger from the outputs on; of several ways each is tried until one fits."""

    def __init__(self, larger: Net, smaller: Net) -> None:
        self.larger = larger
        self.smaller = smaller

    def laid(self) -> set[tuple[int, int]] | None:
        """The pairs of nodes of the first way that fits."""
        mine, theirs = ([n for _, n in net.outputs] for net in (self.smaller, self.larger))
        ways = [_Way(list(zip(mine, theirs, strict=True)), {}, set())] if len(mine) == len(theirs) else []
        for _ in range(STEPS):
            if not ways:
                return None
            way = ways.pop()
            if not way.todo:
                return way.laid
            pair = way.todo.pop()
            if pair in way.laid:
                ways.append(way)
                continue
            way.laid.add(pair)
            ways += reversed(list(self._over(*pair, way)))
        return None

    def _over(self, small: int, large: int, way: _Way) -> Iterator[_Way]:
        """The ways to lay one node over another."""
        mine, theirs = self.smaller.nodes[small], self.larger.nodes[large]
        if isinstance(theirs, ChoiceNode):
            if isinstance(mine, ChoiceNode):
                yield from self._choice(mine, theirs, way.copy())
            yield from self._one_of(small, theirs, way)
        elif isinstance(mine, LayerNode) and isinstance(theirs, LayerNode):
            yield from self._layer(mine, theirs, way)
        elif isinstance(mine, InputNode) and isinstance(theirs, InputNode):
            places = self.smaller.inputs.index(small), self.larger.inputs.index(large)
            if mine.shape == theirs.shape and places[0] == places[1]:
                yield way

    def _layer(self, mine: LayerNode, theirs: LayerNode, way: _Way) -> Iterator[_Way]:
        if operator_form(mine.operator) != operator_form(theirs.operator) or len(mine.edges) != len(theirs.edges):
            return
        if way.places.setdefault(mine.place, theirs.place) != theirs.place:
            return  # one layer on two: they would share weights in one space alone
        if way.covered.setdefault(theirs.place, mine.place) != mine.place:
            return
        numbers = [(a, b) for (_, a), (_, b) in zip(mine.arguments, theirs.arguments, strict=True)]
        if not all(self._number(a, b, way) for a, b in numbers):
            return
        if all(self._guard(a, b, way) for a, b in zip(mine.edges, theirs.edges, strict=True)):
            way.todo += [(a.node, b.node) for a, b in zip(mine.edges, theirs.edges, strict=True)]
            yield way

    def _guard(self, mine: Edge, theirs: Edge, way: _Way) -> bool:
        if mine.guard is None or theirs.guard is None:
            return mine.guard is theirs.guard
        options = self._followed(mine.guard.decision, theirs.guard.decision, way)
        held = theirs.guard.allowed
        return options is not None and {i for i, o in enumerate(options) if o in held} == mine.guard.allowed

    def _choice(self, mine: ChoiceNode, theirs: ChoiceNode, way: _Way) -> Iterator[_Way]:
        """A choice over one that takes the same sources at the same options."""
        if not _is_plain(mine.selector) or not _is_plain(theirs.selector):
            return
        options = self._followed(mine.selector.decision, theirs.selector.decision, way)
        if options is not None:
            small, large = _by_key(mine), _by_key(theirs)
            keys = [(mine.selector.options[i], theirs.selector.options[j]) for i, j in enumerate(options)]
            pairs = [(small.get(a), large.get(b)) for a, b in keys]
            if all((a is None) == (b is None) for a, b in pairs):  # an option that no source stands for is never taken
                way.todo += [(a, b) for a, b in pairs if a is not None and b is not None]
                yield way

    def _one_of(self, small: int, theirs: ChoiceNode, way: _Way) -> Iterator[_Way]:
        """A node that the larger space chooses among others, always the same way."""
        if _is_plain(theirs.selector):
            large = _by_key(theirs)
            for option, key in enumerate(theirs.selector.options):
                new = way.copy()
                source = large.get(key)
                if source is not None and new.matches.setdefault(theirs.selector.decision, option) == option:
                    new.todo.append((small, source))
                    yield new

    def _number(self, mine: Num, theirs: Num, way: _Way) -> bool:
        match mine, theirs:
            case Pick(a, values), Pick(b, others):
                options = self._followed(a, b, way)
                return options is not None and all(
                    self._number(value, others[j], way) for value, j in zip(values, options, strict=True)
                )
            case Arith(), Arith():
                sides = self._number(mine.left, theirs.left, way) and self._number(mine.right, theirs.right, way)
                return mine.op == theirs.op and sides
            case _, Pick(decision, others) if not isinstance(mine, Pick | Arith | Read):
                return mine in others and way.matches.setdefault(decision, others.index(mine)) == others.index(mine)
            case _:
                return mine == theirs

    def _followed(self, small: int, large: int, way: _Way) -> tuple[int, ...] | None:
        """For each option of a decision the other's that is written the same; None where they cannot agree."""
        if large not in way.matches:
            options = _positions(self.smaller.decisions[small].words, self.larger.decisions[large].words)
            if options is None:
                return None
            way.matches[large] = small, options
        known = way.matches[large]
        return known[1] if isinstance(known, tuple) and known[0] == small else None


@dataclass
class _Way:
    """Pairs of nodes that are still to be laid over each other, what decisions follow, and what is laid."""

    todo: list[tuple[int, int]]
    matches: dict[int, Match]
    laid: set[tuple[int, int]]
    places: dict[str, str] = field(default_factory=dict)
    covered: dict[str, str] = field(default_factory=dict)

    def copy(self) -> _Way:
        return _Way(list(self.todo), dict(self.matches), set(self.laid), dict(self.places), dict(self.covered))


def _by_key(node: ChoiceNode) -> dict[Num, int]:
    """The source that stands for each value of the selector."""
    return dict(zip(node.keys, node.sources, strict=True))


def _is_plain(num: Num) -> TypeGuard[Pick]:
    return isinstance(num, Pick) and num.is_plain


def _positions(words: Sequence[str], others: Sequence[str]) -> tuple[int, ...] | None:
    """The place of each word among the others, of one that stands several times the next; None where one is missing."""
    places: dict[str, list[int]] = {}
    for i, word in enumerate(others):
        places.setdefault(word, []).append(i)
    found = [places[word].pop(0) if places.get(word) else None for word in words]
    return None if None in found else tuple(place for place in found if place is not None)
