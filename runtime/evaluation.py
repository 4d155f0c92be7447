"""Scoring architectures: inherited weights adapted to tasks, and exact costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch

from atnas.runtime.learn.adapt import evaluate
from atnas.runtime.seeds import derive
from atnas.runtime.tasks.task import Task

if TYPE_CHECKING:
    from atnas.compiler.encoding import Genotype
    from atnas.compiler.space import Compiled
    from atnas.compiler.supernet import Path, Supernet
    from atnas.runtime.program import Plan
    from atnas.runtime.search.objectives import Measure


@dataclass
class Evaluation:
    """Scores with the supernet's weights as they are at the moment of asking."""

    plan: Plan
    space: Compiled
    supernet: Supernet
    device: torch.device
    _tasks: dict[int, Task] = field(default_factory=dict)

    @property
    def measure(self) -> Measure:
        """What these tasks are judged by."""
        return "loss" if self.plan.tasks.loss == "mse" else "accuracy"

    def better(self, one: float, other: float) -> bool:
        """Whether one score beats another."""
        return one < other if self.measure == "loss" else one > other

    def cost(self, genotype: Genotype) -> Mapping[str, int]:
        """params, macs, flops, activations, depth."""
        return self.space.costs.of(genotype)

    def adapted(self, genotype: Genotype, tasks: int, measure: Measure) -> Sequence[float]:
        """The score on each of the first `tasks` fitness tasks: the same for every architecture of a run."""
        return self.scores(self.supernet.path(genotype), [self._fitness(i) for i in range(tasks)], measure)

    def scores(self, path: Path, tasks: Sequence[Task], measure: Measure | None = None) -> list[float]:
        """Accuracy or loss of a path on each task, after adapting to its support."""
        found = evaluate(path, self.plan.train.learner, tasks, self.plan.train.norm)
        if (measure or self.measure) == "loss":
            return [s.loss for s in found]
        return [s.accuracy for s in found if s.accuracy is not None]

    def _fitness(self, index: int) -> Task:
        if index not in self._tasks:
            seed = derive(self.plan.settings.seed, "fitness")
            self._tasks[index] = self.plan.tasks.task("val", seed, index).to(self.device)
        return self._tasks[index]
