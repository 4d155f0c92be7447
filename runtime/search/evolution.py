"""Evolution: the best of what was tried have children, and only the best of all live on."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from atnas.dsl.settings import setting
from atnas.runtime.search.searcher import Goal, Searcher, Trial, latest

if TYPE_CHECKING:
    import random

    from atnas.compiler.encoding import Genotype
    from atnas.runtime.search.domain import SearchDomain

RETRIES = 10
"""Children bred for each one wanted, as those already tried or not allowed are dropped."""


class Genetic(Searcher, ABC):
    """A (mu + lambda) evolution. It keeps no state: the population is replayed from the history.

    The first generation is drawn uniformly; so is whatever breeding leaves open.
    """

    population: int = setting(50, ge=1, doc="architectures in a generation, and how many survive it")
    generations: int = setting(20, ge=1, doc="generations, the first drawn at random")
    mutate: float | None = setting(None, gt=0, le=1, doc="chance that an active gene changes; 1 / their number")
    crossover: float = setting(0.5, ge=0, le=1, doc="share of children with two parents; the rest are mutants")

    @property
    def budget(self) -> int:
        return self.generations

    @property
    @abstractmethod
    def rivals(self) -> int:
        """How many are drawn to find one parent."""

    @property
    @abstractmethod
    def span(self) -> int:
        """How many generations an architecture may live."""

    def ask(
        self, history: Sequence[Trial], space: SearchDomain, goals: Sequence[Goal], rng: random.Random
    ) -> list[Genotype]:
        seen = {trial.genotype for trial in history}
        children = self._breed(self.survivors(history, goals), seen, space, goals, rng)
        return children + space.fresh(self.population - len(children), seen.union(children), rng)

    def survivors(self, history: Sequence[Trial], goals: Sequence[Goal]) -> list[Trial]:
        from atnas.runtime.search.selection import keep

        alive: list[Trial] = []
        ordered = sorted(history, key=lambda trial: (trial.generation, trial.number))
        for generation, born in groupby(ordered, key=lambda trial: trial.generation):
            young = [trial for trial in alive if generation - trial.generation < self.span]
            alive = keep(latest([*young, *born], goals), goals, self.population)
        return alive

    def _breed(
        self,
        parents: Sequence[Trial],
        seen: Collection[Genotype],
        space: SearchDomain,
        goals: Sequence[Goal],
        rng: random.Random,
    ) -> list[Genotype]:
        """Up to `population` new, distinct, allowed children."""
        from atnas.runtime.search.operators import mate, mutate
        from atnas.runtime.search.selection import ranked, tournament

        if not parents:
            return []
        individuals = ranked(parents, goals)
        children: dict[Genotype, None] = {}
        for _ in range(RETRIES * self.population):
            if len(children) == self.population:
                break
            child = tournament(individuals, self.rivals, rng).genotype
            if rng.random() < self.crossover:
                child = mate(child, tournament(individuals, self.rivals, rng).genotype, space.encoding, rng)
            if child in seen or child in children:
                child = mutate(child, space.encoding, self.mutate, rng)
            if child not in seen and space.allowed(child):
                children[child] = None
        return list(children)


class Evolution(Genetic):
    """Tournament selection of parents, survival of the best (single-path one-shot search, arXiv 1904.00420).

    With a `lifetime` even the best must go in time, so that one lucky measurement does not rule for ever
    (ageing, as in arXiv 1802.01548). Several goals are ranked as `nsga2` ranks them.
    """

    tournament: int = setting(10, ge=1, doc="how many are drawn to find one parent")
    lifetime: int | None = setting(None, ge=1, doc="generations an architecture may live; no limit by default")

    @property
    def rivals(self) -> int:
        return self.tournament

    @property
    def span(self) -> int:
        return self.generations if self.lifetime is None else self.lifetime


class Nsga2(Genetic):
    """NSGA-II: Pareto rank, then crowding distance, in survival and tournaments of two (Deb et al., 2002)."""

    @property
    def rivals(self) -> int:
        return 2

    @property
    def span(self) -> int:
        return self.generations
