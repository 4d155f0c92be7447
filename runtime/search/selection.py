"""Who survives and who has children: Pareto rank and crowding distance, by DEAP.

One goal ranks by its value. Several rank by non-dominated fronts and, within a front, by crowding distance
(Deb et al., A fast and elitist multiobjective genetic algorithm: NSGA-II, 2002).
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from deap import base, tools
from deap.tools.emo import assignCrowdingDist

from atnas.runtime.search.searcher import Goal, Trial, scores


class Fitness(base.Fitness):  # type: ignore[misc]
    """A trial's scores; more is better in each."""

    def __init__(self, values: tuple[float, ...]) -> None:
        self.weights = (1.0,) * len(values)
        super().__init__(values)


class Individual:
    """A trial as DEAP selects it. Tournaments compare `rank`: (front, crowding distance), more is better."""

    def __init__(self, trial: Trial, goals: Sequence[Goal]) -> None:
        self.trial = trial
        self.fitness = Fitness(scores(trial, goals))
        self.rank = (0.0, 0.0)


@contextmanager
def lend(rng: random.Random) -> Iterator[None]:
    """DEAP draws from Python's global generator: inside, that one goes on where `rng` is, and takes it along.

    `rng` itself must not be used inside. The global generator is left as it was.
    """
    outside = random.getstate()
    random.setstate(rng.getstate())
    try:
        yield
    finally:
        rng.setstate(random.getstate())
        random.setstate(outside)


def keep(trials: Sequence[Trial], goals: Sequence[Goal], k: int) -> list[Trial]:
    """The best `k` trials, best first."""
    if not trials:
        return []
    individuals = [Individual(trial, goals) for trial in trials]
    # The fast sort needs two goals; with one, every value is a front of its own.
    kept = tools.selBest(individuals, k) if len(goals) == 1 else tools.selNSGA2(individuals, k, nd="log")
    return [individual.trial for individual in kept]


def ranked(trials: Sequence[Trial], goals: Sequence[Goal]) -> list[Individual]:
    """The trials with their ranks among each other."""
    individuals = [Individual(trial, goals) for trial in trials]
    if len(goals) == 1:
        for individual in individuals:
            individual.rank = (individual.fitness.wvalues[0], 0.0)
        return individuals
    for number, members in enumerate(tools.sortLogNondominated(individuals, len(individuals))):
        assignCrowdingDist(members)
        for individual in members:
            individual.rank = (-float(number), individual.fitness.crowding_dist)
    return individuals


def tournament(parents: Sequence[Individual], size: int, rng: random.Random) -> Trial:
    """The best ranked of `size` drawn with replacement."""
    with lend(rng):
        winner: Individual = tools.selTournament(parents, 1, size, fit_attr="rank")[0]
    return winner.trial
