"""Scoring architectures: inherited weights adapted to tasks, and exact costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import nan
from typing import TYPE_CHECKING

from atnas.runtime.attempt import attempt
from atnas.runtime.failures import Failed
from atnas.runtime.tasks.task import Split
from atnas.runtime.work import ONE_BY_ONE, Grouping, Which, Workers, units

if TYPE_CHECKING:
    from atnas.compiler.encoding import Genotype
    from atnas.compiler.space import Compiled
    from atnas.runtime.program import Plan
    from atnas.runtime.search.objectives import Measure


@dataclass
class Evaluation:
    """Scores with the supernet's weights as they are at the moment of asking, tasks side by side as `grouping` says."""

    plan: Plan
    space: Compiled
    workers: Workers
    grouping: Grouping = ONE_BY_ONE

    @property
    def measure(self) -> Measure:
        """What these tasks are judged by."""
        return "loss" if self.plan.tasks.loss == "mse" else "accuracy"

    def better(self, one: float, other: float) -> bool:
        """Whether one score beats another."""
        return one < other if self.measure == "loss" else one > other

    def cost(self, genotype: Genotype) -> Mapping[str, int]:
        """params, macs, flops, activations, depth, and latencies in nanoseconds."""
        return self.space.costs.of(genotype)

    def adapted(self, genotype: Genotype, tasks: int, measure: Measure) -> Sequence[float]:
        """The score on each of the first `tasks` fitness tasks: the same for every architecture of a run."""
        return self.scores([genotype] * tasks, "val", "fitness", 0, measure)

    def tried(self, genotypes: Sequence[Genotype], split: Split, purpose: str, first: int = 0) -> list[float]:
        """As `scores`, but not a number where an architecture of several that the space has fails, on any task."""
        if not self.space.net.decisions:
            return self.scores(genotypes, split, purpose, first)
        seconds = self.plan.search.seconds if self.plan.search else None
        try:
            return attempt(lambda: self.scores(genotypes, split, purpose, first), seconds, self.workers)
        except Failed:
            if len(set(genotypes)) == 1:  # its mean is no number, whatever it has on other tasks
                return [nan] * len(genotypes)
            one_by_one = (self.tried([g], split, purpose, first + i) for i, g in enumerate(genotypes))
            return [score for one in one_by_one for score in one]

    def scores(
        self,
        genotypes: Sequence[Genotype],
        split: Split,
        purpose: str,
        first: int = 0,
        measure: Measure | None = None,
    ) -> list[float]:
        """Accuracy or loss of each architecture on a task of its own: numbers `first`, `first` + 1, .. of a purpose."""
        jobs = [((g,), Which(split, purpose, first + i)) for i, g in enumerate(genotypes)]
        found = self.workers.scores(units(jobs, self.grouping))
        if (measure or self.measure) == "loss":
            return [s.loss for s in found]
        return [s.accuracy for s in found if s.accuracy is not None]
