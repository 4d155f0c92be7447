"""The canonical form of a piece: equal for two pieces just where they differ in the labels of their weights alone.

Layers with weights that are used once need no label. Those used more often are told apart by what they are made of and
then by what is made of them; where both are the same, every order of them is tried, and the smallest form counts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterator, Mapping
from itertools import chain, permutations, product
from math import factorial, prod
from typing import Final

from atnas.compiler.same.pieces import Piece, parts_over
from atnas.compiler.same.terms import ORDERLESS, Terms

MOST: Final = 5_040
"""Orders of layers that are tried. Of more only the first counts, and two equal pieces may be taken for different."""

Parts = Mapping[int, tuple[int, ...]]
"""What each term of a piece is made of, every term after its parts."""

Names = Mapping[Hashable, Hashable]
"""What stands in the place of what a term is."""

UNCHANGED: Final[Names] = {}

GIVEN: Final = ("given",)


class Forms:
    """Forms as numbers: equal forms have one."""

    def __init__(self) -> None:
        self._numbers: dict[Hashable, int] = {}
        self._first: dict[int, tuple[Terms, Piece]] = {}
        self._made_of: dict[int, set[Hashable]] = {}

    def __call__(self, form: Hashable) -> int:
        return self._numbers.setdefault(form, len(self._numbers))

    def of(self, terms: Terms, piece: Piece, names: Names = UNCHANGED) -> int:
        """The form of a piece; of the same piece of other layers, where they have other names."""
        parts = _parts(terms, piece)
        bare = self._downwards(terms, piece, parts, {}, names)
        shared = [n for n, count in _ways(parts, piece).items() if count > 1 and terms.all[n].kind == "own"]
        if shared:
            orders = self._orders(terms, parts, bare, shared)
            found = min(self(("form", self._downwards(terms, piece, parts, o, names)[piece.term])) for o in orders)
        else:
            found = self(("form", bare[piece.term]))
        self._first.setdefault(found, (terms, piece))
        return found

    def made_of(self, form: int) -> set[Hashable]:
        """What the terms are in a form that `of` found."""
        if form not in self._made_of:
            terms, piece = self._first[form]
            self._made_of[form] = {terms.all[n].what for n in _parts(terms, piece) if n != piece.given}
        return self._made_of[form]

    def renamed(self, form: int, names: Names) -> int:
        """The form of the same piece of other layers."""
        return self.of(*self._first[form], names)

    def _orders(
        self, terms: Terms, parts: Parts, bare: Mapping[int, int], shared: list[int]
    ) -> Iterator[dict[int, int]]:
        """Places for the shared layers, among those that nothing else tells apart."""
        above = self._upwards(terms, parts, bare)
        alike: dict[tuple[int, int], list[int]] = defaultdict(list)
        for number in shared:
            alike[bare[number], above[number]].append(number)
        groups = [alike[key] for key in sorted(alike)]
        if prod(factorial(len(group)) for group in groups) > MOST:
            yield {number: i for i, number in enumerate(chain(*groups))}
            return
        for ordered in product(*(permutations(group) for group in groups)):
            yield {number: i for i, number in enumerate(chain(*ordered))}

    def _downwards(
        self, terms: Terms, piece: Piece, parts: Parts, order: Mapping[int, int], names: Names
    ) -> dict[int, int]:
        """The form of each term of a piece; that of a shared layer has its place in the order."""
        found: dict[int, int] = {}
        for number in parts:
            term = terms.all[number]
            if number == piece.given or term.kind == "input":
                found[number] = self((*GIVEN, None if number == piece.given else term.what))
                continue
            of = [found[part] for part in parts[number]]
            of = sorted(of) if term.kind in ORDERLESS else of
            found[number] = self((term.kind, names.get(term.what, term.what), tuple(of), order.get(number)))
        return found

    def _upwards(self, terms: Terms, parts: Parts, bare: Mapping[int, int]) -> dict[int, int]:
        """The form of what is made of each term, up to the whole piece."""
        users: dict[int, list[tuple[int, int, int]]] = defaultdict(list)
        found: dict[int, int] = {}
        for number in reversed(list(parts)):
            found[number] = self(("above", tuple(sorted(users[number]))))
            ordered = terms.all[number].kind not in ORDERLESS
            for place, part in enumerate(parts[number]):
                users[part].append((bare[number], place if ordered else 0, found[number]))
        return found


def _parts(terms: Terms, piece: Piece) -> Parts:
    """What each term of a piece is made of, every term after its parts."""
    found: dict[int, tuple[int, ...]] = {}
    todo = [piece.term]
    while todo:
        number = todo.pop()
        if number not in found:
            found[number] = () if number == piece.given else parts_over(terms, number, piece.given)
            todo += found[number]
    return dict(_after_parts(found, piece.term))


def _after_parts(parts: Parts, root: int) -> Iterator[tuple[int, tuple[int, ...]]]:
    done: set[int] = set()
    todo = [root]
    while todo:
        number = todo[-1]
        waiting = [part for part in parts[number] if part not in done]
        if waiting:
            todo += waiting
            continue
        todo.pop()
        if number not in done:
            done.add(number)
            yield number, parts[number]


def _ways(parts: Parts, piece: Piece) -> dict[int, int]:
    """On how many ways the piece's term comes to each of its parts."""
    found = dict.fromkeys(parts, 0)
    found[piece.term] = 1
    for number in reversed(list(parts)):
        for part in parts[number]:
            found[part] += found[number]
    return found
