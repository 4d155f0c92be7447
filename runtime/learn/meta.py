"""The outer step of meta-training: what a batch of tasks says about the weights, and the step along it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from atnas.dsl.errors import Unable
from atnas.runtime.learn.average import Average, GradientAverage, Regions
from atnas.runtime.learn.outer import OuterOptimizer
from atnas.runtime.learn.trainer import MetaGradient


@dataclass(frozen=True)
class StepResult:
    """Means over the batch. `accuracy` is None in regression; `gradient_norm` is the mean gradient's, L2."""

    loss: float
    accuracy: float | None
    gradient_norm: float


def outer_step(
    found: Sequence[MetaGradient], regions: Sequence[Regions], optimizer: OuterOptimizer, lr: float
) -> StepResult:
    """The step along the gradients of a batch of tasks, together where they share a path; `regions` are the paths'.

    The gradient of each element is averaged over the tasks whose paths use it. Raises `Unable` where a loss or a
    gradient is not finite; parameters and optimizer are then as before.
    """
    average = GradientAverage(optimizer.parameters)
    for one, where in zip(found, regions, strict=True):
        average.add(one.gradients, where, len(one.losses))
    losses = [one.losses for one in found]
    accuracies = [one.accuracies for one in found if one.accuracies is not None]
    averages = average.averages()
    result = StepResult(_mean(losses), _mean(accuracies) if accuracies else None, _norm(averages.values()))
    if not (math.isfinite(result.loss) and math.isfinite(result.gradient_norm)):
        raise Unable("meta-training diverged: the loss is not finite; lower the inner or the outer rate")
    optimizer.step(averages, lr)
    return result


def _mean(values: Sequence[Tensor]) -> float:
    return float(torch.cat(list(values)).mean())


def _norm(averages: Iterable[Average]) -> float:
    norms = [torch.linalg.vector_norm(average.gradient) for average in averages]
    return float(torch.linalg.vector_norm(torch.stack(norms))) if norms else 0.0
