"""Where a searcher looks: the encoded space, narrowed by hard constraints."""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Protocol

from atnas.dsl.net import Decision

if TYPE_CHECKING:
    from atnas.compiler.encoding import Genotype

TRIES = 100
"""Draws for each architecture wanted before the walk begins."""

REACH = 4096
"""Architectures a walk visits at most; a space no larger is searched through."""


class Encoding(Protocol):
    """What searching needs of the compiler's `Encoding`."""

    @property
    def decisions(self) -> tuple[Decision, ...]: ...
    def active(self, genotype: Genotype) -> tuple[bool, ...]: ...
    def canonical(self, genotype: Genotype) -> Genotype: ...
    def count(self) -> int: ...
    def sample(self, rng: random.Random) -> Genotype: ...


def everything(genotype: Genotype) -> bool:
    """No constraint."""
    del genotype
    return True


@dataclass(frozen=True)
class SearchDomain:
    """The architectures that may be proposed: canonical genotypes of `encoding` that are `allowed`.

    `allowed` holds the hard constraints; it costs no evaluation. `seeds` are architectures known to be
    allowed, such as the cheapest: where a constraint leaves so little that draws miss it, new ones are looked
    for near them.
    """

    encoding: Encoding
    allowed: Callable[[Genotype], bool] = everything
    seeds: tuple[Genotype, ...] = ()

    def fresh(self, n: int, seen: Collection[Genotype], rng: random.Random) -> list[Genotype]:
        """Up to `n` distinct architectures outside `seen`, drawn uniformly as long as draws find any.

        Fewer come back only where neither `TRIES` draws for each nor a walk through `REACH` architectures
        finds more: in a space of at most `REACH`, only where there are no more.
        """
        wanted = min(n, self.encoding.count() - len(seen))
        found: dict[Genotype, None] = {}
        for genotype in chain(self._draws(TRIES * wanted, rng), self._walk(rng)):
            if len(found) >= wanted:
                break
            if genotype not in seen and genotype not in found and self.allowed(genotype):
                found[genotype] = None
        return list(found)

    def _draws(self, most: int, rng: random.Random) -> Iterator[Genotype]:
        """Uniform draws, as long as the encoding finds any that meet its constraints."""
        for _ in range(most):
            try:
                yield self.encoding.sample(rng)
            except ValueError:
                return

    def _walk(self, rng: random.Random) -> Iterator[Genotype]:
        """Allowed architectures, each one gene from one before; goes on from allowed ones while it can."""
        starts = dict.fromkeys(self.seeds or self._draws(1, rng))
        visited = set(starts)
        inside = [g for g in starts if self.allowed(g)]
        outside = [g for g in starts if not self.allowed(g)]
        yield from inside
        while (inside or outside) and len(visited) < REACH:
            for genotype in self._neighbours(_take(inside or outside, rng)):
                if genotype in visited:
                    continue
                visited.add(genotype)
                if not self.allowed(genotype):
                    outside.append(genotype)
                    continue
                inside.append(genotype)
                yield genotype

    def _neighbours(self, genotype: Genotype) -> Iterator[Genotype]:
        for gene, active in enumerate(self.encoding.active(genotype)):
            if not active:
                continue
            for option in range(len(self.encoding.decisions[gene].options)):
                yield self.encoding.canonical((*genotype[:gene], option, *genotype[gene + 1 :]))


def _take(items: list[Genotype], rng: random.Random) -> Genotype:
    """Removes one of the items at random."""
    at = rng.randrange(len(items))
    items[at], items[-1] = items[-1], items[at]
    return items.pop()
