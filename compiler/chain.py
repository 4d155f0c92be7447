"""Depth as a sum along a chain, so that bucket elimination finds its extremes under any constraints.

A chain leads from the inputs to the outputs through every step that all ways pass. A link of it adds its longest way
through, and the depth is the sum of those after the last link that nothing goes through.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, NamedTuple

import networkx as nx

from atnas.compiler.activity import Genotype
from atnas.compiler.factors import LARGEST, SMALLEST, Semiring, eliminate
from atnas.compiler.graph import passed
from atnas.dsl.cases import Cases, apply, choose, leaf, values
from atnas.dsl.meter import Meter, TooLarge, metered

Ways = tuple[tuple[int, int], ...]
"""The steps that a step's depth rests on, and how many layers follow each; none where there is nothing to merge."""

STEPS: Final = 20_000
"""Work on diagrams that one link may take."""

BEGINNING: Final = -1
END: Final = -2


class Reach(NamedTuple):
    """The longest way from a link's beginning, and the longest that begins within it; None where there is none."""

    through: int | None
    within: int | None


@dataclass(frozen=True)
class Chain:
    """The links in order, each as a function of its decisions. Nothing goes through the first."""

    links: tuple[Cases[Reach], ...]

    @property
    def terms(self) -> list[Cases[int]] | None:
        """The links as depths that add up, where something goes through all that follow the first."""
        first, *rest = self.links
        if any(reach.through is None for link in rest for reach in values(link)):
            return None
        return [apply(lambda reach: reach.within, first), *(apply(lambda reach: reach.through, link) for link in rest)]

    def extreme(
        self, largest: bool, feasible: Sequence[Cases[int | float]], options: Sequence[int]
    ) -> tuple[int, Genotype] | None:
        """The smallest or largest depth and an assignment that has it; None where `feasible` leaves none.

        `feasible` are factors of (min, +) or (max, +).
        """
        semiring = LARGEST if largest else SMALLEST
        best: tuple[int, Genotype] | None = None
        for start, link in enumerate(self.links):
            if any(reach.through is None for reach in values(link)):
                factors = [*self._beginning(start, semiring), *feasible]
                found = eliminate(factors, options, semiring)
                if found.total != semiring.zero and (best is None or semiring.plus(found.total, best[0]) != best[0]):
                    best = found.total, found.best()
        return best

    def _beginning(self, start: int, semiring: Semiring) -> Iterator[Cases[int | float]]:
        """The depths of architectures in which nothing goes through a link, and something through all that follow."""
        yield apply(lambda reach: semiring.zero if reach.through is not None else reach.within, self.links[start])
        for link in self.links[start + 1 :]:
            yield apply(lambda reach: semiring.zero if reach.through is None else reach.through, link)


def chain(steps: Mapping[int, Cases[Ways]], ends: Ways) -> Chain | None:
    """The chain to the longest of the ends. Every step stands after those it rests on.

    None where a link is too entangled, or a way that begins within it can be longer than those through it.
    """
    whole = {**steps, END: leaf(ends)}
    taken = {n: {source for ways in values(step) for source, _ in ways} for n, step in whole.items()}
    try:
        links = tuple(_link(whole, taken, *posts) for posts in pairwise(_posts(taken)))
    except TooLarge:
        return None
    return None if any(map(_begins_within, links)) else Chain(links)


def _posts(taken: Mapping[int, set[int]]) -> list[int]:
    """What all ways pass, from the beginning to the end."""
    flow = nx.DiGraph()
    for n, sources in taken.items():
        flow.add_edges_from((source, n) for source in sources or {BEGINNING})
    return passed(flow, BEGINNING, END)


def _link(steps: Mapping[int, Cases[Ways]], taken: Mapping[int, set[int]], start: int, end: int) -> Cases[Reach]:
    between = {end}
    todo = [end]
    while todo:
        for source in taken[todo.pop()] - between - {start}:
            between.add(source)
            todo.append(source)
    reaches = {start: leaf(Reach(0, None))}
    with metered(Meter(STEPS)):
        for n in (n for n in steps if n in between):
            reaches[n] = _reach(steps[n], reaches)
    return reaches[end]


def _reach(step: Cases[Ways], reaches: Mapping[int, Cases[Reach]]) -> Cases[Reach]:
    found = values(step)
    return choose(step, found, [_longest(ways, [reaches[source] for source, _ in ways]) for ways in found])


def _longest(ways: Ways, reaches: Sequence[Cases[Reach]]) -> Cases[Reach]:
    """The longest of several ways, each to its source and the layers that follow it."""
    behind = [layers for _, layers in ways]

    def longest(*each: Reach) -> Reach:
        through = [r.through + n for r, n in zip(each, behind, strict=True) if r.through is not None]
        within = [r.within + n for r, n in zip(each, behind, strict=True) if r.within is not None]
        return Reach(max(through, default=None), max(within, default=None if ways else 0))

    return apply(longest, *reaches)


def _begins_within(link: Cases[Reach]) -> bool:
    return any(r.through is not None and r.within is not None and r.within > r.through for r in values(link))
