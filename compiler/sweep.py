"""The extremes of many costs at once, by one walk through the decisions in order.

What is left of every factor once the first decisions are made is a node of its diagram. Where the same is left of all,
the best that can follow is the same too, whatever was decided before; costs that are settled are added on the way, so
that they tell no two such situations apart. That suits costs of few decisions each under constraints on very many; it
does not suit diagrams whose decisions stand far from each other, and is given up there.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Final, Generic, TypeVar

from atnas.compiler.activity import Genotype
from atnas.dsl.cases import LEAF, Cases, cofactor

T = TypeVar("T")

MOST: Final = 1_000_000
"""Ways from one situation to the next, of which more are too many."""

Costs = tuple[int, ...]

Extreme = tuple[int, Genotype]
"""A cost, and an assignment that has it."""

Situations = dict[tuple[int, int], int]
"""What is left of the costs and of the conditions, and the number of the two together."""

Ways = list[tuple[int, Costs, int]]
"""An option each, what it adds to the costs, and the number of the situation that follows."""


class Sweep:
    """The assignments that meet all conditions, as ways from situation to situation; `given_up` where too many.

    `terms` add up to so many `costs`.
    """

    def __init__(
        self, terms: Iterable[Cases[Costs]], conditions: Iterable[Cases[bool]], options: Sequence[int], costs: int
    ) -> None:
        self._costs = range(costs)
        self._options = options
        added, met = _Front(terms, (0,) * costs, _sum), _Front(conditions, True, all)
        self._settled = added.settled if met.settled else None
        self._layered = self._layers(added, met)
        self.given_up = self._layered is None
        self._least = [self._ends(cost, min, math.inf) for cost in self._costs]
        self._most = [self._ends(cost, max, -math.inf) for cost in self._costs]

    def extreme(self, cost: int, largest: bool) -> Extreme | None:
        """The least or the most of a cost, and an assignment that has it; None where there is none."""
        ends = (self._most if largest else self._least)[cost]
        if self._settled is None or not math.isfinite(ends[0][0]):
            return None
        genotype, at = [], 0
        for layer, here, there in zip(self._layered or (), ends, ends[1:], strict=False):
            option, _, at = next(w for w in layer[at] if w[1][cost] + there[w[2]] == here[at])
            genotype.append(option)
        return self._settled[cost] + int(ends[0][0]), tuple(genotype)

    def _layers(self, costs: _Front[Costs], conditions: _Front[bool]) -> list[list[Ways]] | None:
        """For each decision the ways from every situation that can stand before it."""
        situations: Situations = {(0, 0): 0}
        layers: list[list[Ways]] = []
        count = 0
        for decision, options in enumerate(self._options):
            added, met = costs.step(decision, options), conditions.step(decision, options)
            after: Situations = {}
            layer = [_ways(added[before], met[held], after) for before, held in situations]
            count += sum(map(len, layer))
            if count > MOST:
                return None
            layers.append(layer)
            situations = after
        return layers

    def _ends(self, cost: int, best: Callable[..., float], none: float) -> list[list[float]]:
        """The best of a cost from every situation on, a list for each decision and one after the last."""
        ends = [[0.0]]
        for layer in reversed(self._layered or []):
            there = ends[-1]
            ends.append([best([adds[cost] + there[to] for _, adds, to in ways], default=none) for ways in layer])
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


def _ways(added: Sequence[tuple[Costs, int]], met: Sequence[tuple[bool, int]], after: Situations) -> Ways:
    """The ways from a situation; of options that do the same the first."""
    found: dict[tuple[Costs, int], int] = {}
    for option, ((adds, to), (holds, then)) in enumerate(zip(added, met, strict=True)):
        if holds:
            found.setdefault((adds, after.setdefault((to, then), len(after))), option)
    return [(option, *way) for way, option in found.items()]


def _sum(costs: list[Costs]) -> Costs:
    return costs[0] if len(costs) == 1 else tuple(map(sum, zip(*costs, strict=True)))
