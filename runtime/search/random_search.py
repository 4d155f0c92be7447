"""Random search: the control that every other searcher has to beat."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from atnas.dsl.settings import setting
from atnas.runtime.search.searcher import Goal, Searcher, Trial, latest

if TYPE_CHECKING:
    import random

    from atnas.compiler.encoding import Genotype
    from atnas.runtime.search.domain import SearchDomain


class RandomSearch(Searcher):
    """Architectures drawn uniformly, without repeats (Li and Talwalkar, arXiv 1902.07638)."""

    population: int = setting(50, ge=1, doc="architectures in a generation")
    generations: int = setting(20, ge=1, doc="how often a new one is drawn")

    @property
    def budget(self) -> int:
        return self.generations

    def ask(
        self, history: Sequence[Trial], space: SearchDomain, goals: Sequence[Goal], rng: random.Random
    ) -> list[Genotype]:
        del goals
        return space.fresh(self.population, {trial.genotype for trial in history}, rng)

    def survivors(self, history: Sequence[Trial], goals: Sequence[Goal]) -> list[Trial]:
        from atnas.runtime.search.selection import keep

        return keep(latest(history, goals), goals, self.population)
