"""Which architectures the tasks of a meta step go along."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Final

from atnas.dsl.errors import Unable
from atnas.runtime.experiment import FairPaths, Interleaved, PopulationPaths, SandwichPaths, Train, UniformPaths
from atnas.runtime.seeds import stream

if TYPE_CHECKING:
    from atnas.compiler.encoding import Genotype
    from atnas.compiler.space import Compiled
    from atnas.runtime.program import Plan
    from atnas.runtime.work import Route

TRIES: Final = 1_000
"""Draws in search of an architecture that meets the constraints, or of the largest that does."""

Draw = Callable[[random.Random], "Genotype"]


def is_shared(train: Train, space: Compiled) -> bool:
    """Whether all tasks of a meta step go along one path."""
    return train.paths.per == "batch" or not space.net.decisions


def may_share(plan: Plan, space: Compiled) -> bool:
    """Whether tasks of a meta step go along one path at any time of training: a search may leave one."""
    schedule = plan.search.schedule if plan.search else None
    narrowed = isinstance(schedule, Interleaved) and schedule.narrow and isinstance(plan.train.paths, PopulationPaths)
    return narrowed or is_shared(plan.train, space)


class Paths:
    """Draws as `train` says; every draw is a function of the seed, the step and the task's number in it."""

    def __init__(self, train: Train, space: Compiled, seed: int) -> None:
        self._train, self._space, self._seed = train, space, seed

    def of_step(self, step: int, population: Sequence[Genotype]) -> list[Route]:
        """The way of each task of a meta step; the same for all of them, or one that changes, where `train` says so."""
        paths, batch = self._train.paths, self._train.batch
        if isinstance(paths, SandwichPaths):
            return [(genotype,) for genotype in self._sandwich(step)]
        if isinstance(paths, FairPaths):
            return [(self._fair(step, i),) for i in range(batch)]
        draw = self.draw(population)
        if paths.per == "batch":
            return [(draw(stream(self._seed, "path", step, 0)),)] * batch
        if paths.per == "task":
            return [(draw(stream(self._seed, "path", step, i)),) for i in range(batch)]
        passes = range(self._train.learner.passes or 1)
        return [tuple(draw(stream(self._seed, "path", step, i, each)) for each in passes) for i in range(batch)]

    def draw(self, population: Sequence[Genotype]) -> Draw:
        """What draws one path: of the population where there is one, else of the space."""
        paths = self._train.paths
        if isinstance(paths, PopulationPaths) and population:
            return lambda rng: population[int(rng.random() * len(population))]
        if isinstance(paths, UniformPaths) and paths.over == "decisions":
            return self._by_decision
        return self._uniform

    def _uniform(self, rng: random.Random) -> Genotype:
        try:
            return self._space.encoding.sample(rng)
        except ValueError as error:
            raise Unable(str(error)) from error

    def _by_decision(self, rng: random.Random) -> Genotype:
        """Every decision takes each of its options as often, whatever hangs on them."""
        decisions = self._space.encoding.decisions
        drawn = (tuple(int(rng.random() * len(d.options)) for d in decisions) for _ in range(TRIES))
        return self._first_allowed(drawn) or self._uniform(rng)

    def _fair(self, step: int, task: int) -> Genotype:
        """As FairNAS (arXiv 1907.01845, algorithm 1): of as many tasks as a decision has options each takes another."""
        decisions = self._space.encoding.decisions

        def option(decision: int) -> int:
            count = len(decisions[decision].options)
            turn, place = divmod(step * self._train.batch + task, count)
            order = list(range(count))
            stream(self._seed, "fair path", decision, turn).shuffle(order)
            return order[place]

        genotype = tuple(map(option, range(len(decisions))))
        found = self._first_allowed(iter((genotype,)))
        return found or self._uniform(stream(self._seed, "path", step, task))

    def _sandwich(self, step: int) -> list[Genotype]:
        """As in slimmable networks (Yu and Huang, arXiv 1903.05134, section 3.1): the largest, the smallest, others."""
        batch = self._train.batch
        others = [self._uniform(stream(self._seed, "path", step, i)) for i in range(2, batch)]
        return [*self._ends, *others][:batch]

    @cached_property
    def _ends(self) -> list[Genotype]:
        """The largest and the smallest, by parameters; of many draws where limits on costs forbid these."""
        return [self._end(largest) for largest in (True, False)]

    def _end(self, largest: bool) -> Genotype:
        costs = self._space.costs
        end = costs.extreme("params", largest)[1]
        if self._space.encoding.allowed(end):
            return end
        drawn = [self._uniform(stream(self._seed, "sandwich", i)) for i in range(TRIES)]
        return (max if largest else min)(drawn, key=lambda genotype: costs.of(genotype)["params"])

    def _first_allowed(self, drawn: Iterable[Genotype]) -> Genotype | None:
        encoding = self._space.encoding
        return next((encoding.canonical(g) for g in drawn if encoding.allowed(encoding.canonical(g))), None)
