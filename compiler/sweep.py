"""The extremes of many costs at once, by one walk through the decisions in order.

What is left of every factor once the first decisions are made is a node of its diagram. Where the same is left of all,
the best that can follow is the same too, whatever was decided before; costs that are settled are added on the way, so
that they tell no two such situations apart. That suits costs of few decisions each under constraints on very many; it
does not suit diagrams whose decisions stand far from each other, and is given up there.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import reduce
from itertools import product
from math import prod
from typing import Any, Final, Generic, TypeVar

from atnas.compiler.activity import Genotype
from atnas.compiler.factors import lifted, summed_out
from atnas.dsl.cases import LEAF, Cases, apply, at, cofactor, support, values

T = TypeVar("T")

MOST: Final = 1_000_000
"""Ways from one situation to the next, of which more are too many."""

TRIED: Final = 1_000
"""Assignments of a term's own decisions that are tried."""

Costs = tuple[int, ...]

Extreme = tuple[int, Genotype]
"""A cost, and an assignment that has it."""

Situations = dict[tuple[int, int], int]
"""What is left of the costs and of the conditions, and the number of the two together."""

Ways = list[tuple[int, Costs, int]]
"""An option each, what it adds to the costs, and the number of the situation that follows."""


class Sweep:
    """The assignments that meet all conditions, as ways from situation to situation; `given_up` where too many.

    `terms` add up, of one or more costs each. Decisions that one term alone speaks of are decided within it.
    """

    def __init__(
        self, terms: Sequence[Cases[Costs]], conditions: Sequence[Cases[bool]], options: Sequence[int]
    ) -> None:
        self._options = options
        costs = len(values(terms[0])[0]) if terms else 0
        self._columns = [(cost, best) for cost in range(costs) for best in (min, max)]
        self._terms = [apply(lambda each: tuple(each[cost] for cost, _ in self._columns), term) for term in terms]
        self._own = _own(self._terms, conditions, options)
        decided = list(map(self._decided, self._terms, self._own))
        scopes = [*map(support, decided), *map(support, conditions)]
        self._order = sorted(set().union(*scopes))
        known = _Front(decided, (0,) * len(self._columns), _sum)
        met = _Front(conditions, True, all)
        self._settled = known.settled if met.settled else None
        self._layered = self._layers(known, met)
        self.given_up = self._layered is None
        self._ends = [self._best(column) for column in range(len(self._columns))]

    def extreme(self, cost: int, largest: bool) -> Extreme | None:
        """The least or the most of a cost, and an assignment that has it; None where there is none."""
        column = 2 * cost + largest
        ends = self._ends[column]
        if self._settled is None or not math.isfinite(ends[0][0]):
            return None
        genotype, where = [0] * len(self._options), 0
        for decision, layer, here, there in zip(self._order, self._layered or (), ends[:-1], ends[1:], strict=True):
            way = next(way for way in layer[where] if way[1][column] + there[way[2]] == here[where])
            genotype[decision], _, where = way
        for term, own in zip(self._terms, self._own, strict=True):
            self._decide(genotype, term, own, column)
        return self._settled[column] + int(ends[0][0]), tuple(genotype)

    def _decided(self, term: Cases[Costs], own: Sequence[int]) -> Cases[Costs]:
        """A term with the best of its own decisions, for each column."""
        bests = [best for _, best in self._columns]
        plus = lifted(lambda a, b: tuple(best(x, y) for best, x, y in zip(bests, a, b, strict=True)))
        return reduce(lambda left, d: summed_out(left, d, self._options[d], plus), own, term)

    def _decide(self, genotype: list[int], term: Cases[Costs], own: Sequence[int], column: int) -> None:
        """Takes the options of a term's own decisions that are best for a column."""

        def value(options: tuple[int, ...]) -> int:
            for decision, option in zip(own, options, strict=True):
                genotype[decision] = option
            return at(term, genotype)[column]

        value(self._columns[column][1](product(*(range(self._options[d]) for d in own)), key=value))

    def _layers(self, costs: _Front[Costs], conditions: _Front[bool]) -> list[list[Ways]] | None:
        """For each decision that is left the ways from every situation that can stand before it."""
        situations: Situations = {(0, 0): 0}
        layers: list[list[Ways]] = []
        count = 0
        for decision in self._order:
            options = self._options[decision]
            added, met = costs.step(decision, options), conditions.step(decision, options)
            after: Situations = {}
            layer = [_ways(added[before], met[held], after) for before, held in situations]
            count += sum(map(len, layer))
            if count > MOST:
                return None
            layers.append(layer)
            situations = after
        return layers

    def _best(self, column: int) -> list[list[float]]:
        """The best of a column from every situation on, a list for each decision and one after the last."""
        best = self._columns[column][1]
        none = math.inf if best is min else -math.inf
        ends: list[list[float]] = [[0]]  # whole numbers, however large; only what leads nowhere is infinite
        for layer in reversed(self._layered or []):
            there = ends[-1]
            ends.append([best([adds[column] + there[to] for _, adds, to in ways], default=none) for ways in layer])
        return ends[::-1]


class _Front(Generic[T]):
    """What is left of factors as decisions are made, one after another: few different things, which have numbers."""

    def __init__(self, factors: Iterable[Cases[T]], neutral: T, together: Callable[[list[T]], T]) -> None:
        self._opened: dict[int, list[Cases[T]]] = {}
        for factor in factors:
            self._opened.setdefault(factor.decision, []).append(factor)
        self.settled = together([neutral, *(factor.value for factor in self._opened.pop(LEAF, []))])
        self._neutral = neutral
        self._together = together
        self._left: dict[tuple[Cases[T], ...], int] = {(): 0}

    def step(self, decision: int, options: int) -> list[list[tuple[T, int]]]:
        """For everything that can be left before a decision, and each option: what that settles, and what is left."""
        opened = tuple(self._opened.get(decision, ()))
        after: dict[tuple[Cases[T], ...], int] = {}
        found = [[self._way((*left, *opened), decision, o, after) for o in range(options)] for left in self._left]
        self._left = after
        return found

    def _way(
        self, left: tuple[Cases[T], ...], decision: int, option: int, after: dict[tuple[Cases[T], ...], int]
    ) -> tuple[T, int]:
        children = [cofactor(node, decision, option) for node in left]
        settled = [child.value for child in children if child.decision == LEAF]
        rest = tuple([child for child in children if child.decision != LEAF])
        return self._together([self._neutral, *settled]), after.setdefault(rest, len(after))


def _own(
    terms: Sequence[Cases[Any]], conditions: Iterable[Cases[bool]], options: Sequence[int]
) -> list[tuple[int, ...]]:
    """For each term the decisions that nothing else speaks of; none where they are too many to try all."""
    scopes = [support(factor) for factor in (*terms, *conditions)]
    uses = Counter(decision for scope in scopes for decision in scope)
    found = [tuple(sorted(d for d in scope if uses[d] == 1)) for scope in scopes[: len(terms)]]
    return [own if prod(options[d] for d in own) <= TRIED else () for own in found]


def _ways(added: Sequence[tuple[Costs, int]], met: Sequence[tuple[bool, int]], after: Situations) -> Ways:
    """The ways from a situation; of options that do the same the first."""
    found: dict[tuple[Costs, int], int] = {}
    for option, ((adds, to), (holds, then)) in enumerate(zip(added, met, strict=True)):
        if holds:
            found.setdefault((adds, after.setdefault((to, then), len(after))), option)
    return [(option, *way) for way, option in found.items()]


def _sum(costs: Sequence[Costs]) -> Costs:
    return costs[0] if len(costs) == 1 else tuple(map(sum, zip(*costs, strict=True)))
