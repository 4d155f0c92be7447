"""The outer step of meta-training: what a batch of tasks says about the weights, and the step along it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from atnas.dsl.errors import Unable
from atnas.runtime.learn.average import GradientAverage, Regions
from atnas.runtime.learn.outer import OuterOptimizer
from atnas.runtime.learn.trainer import MetaGradient


@dataclass(frozen=True)
class StepResult:
    """Means over the batch. `accuracy` is None in regression; `gradient_norm` is the mean gradient's, L2.

    `left_out`: how many of the meta-gradients were not finite.
    """

    loss: float
    accuracy: float | None
    gradient_norm: float
    left_out: int = 0


class Diverged(Unable):
    """No meta-gradient of a step is finite."""


def outer_step(
    found: Sequence[MetaGradient], regions: Sequence[Regions], optimizer: OuterOptimizer, lr: float
) -> StepResult:
    """The step along the gradients of a batch of tasks, together where they share a path; `regions` are the paths'.

    The gradient of each element is averaged over the tasks whose paths use it. Those that are not finite are left out.
    Raises `Diverged` where none is finite; parameters and optimizer are then as before.
    """
    whole = [(one, where) for one, where in zip(found, regions, strict=True) if _is_finite(one)]
    if not whole:
        raise Diverged("meta-training diverged: the loss is not finite; lower the inner or the outer rate")
    average = GradientAverage(optimizer.parameters)
    for one, where in whole:
        average.add(one.gradients, where, len(one.losses))
    losses = [one.losses for one, _ in whole]
    accuracies = [one.accuracies for one, _ in whole if one.accuracies is not None]
    averages = average.averages()
    norm = _norm(a.gradient for a in averages.values())
    if not math.isfinite(norm):
        raise Diverged("meta-training diverged: the gradient is not finite; lower the inner or the outer rate")
    optimizer.step(averages, lr)
    return StepResult(_mean(losses), _mean(accuracies) if accuracies else None, norm, len(found) - len(whole))


def _is_finite(one: MetaGradient) -> bool:
    return bool(one.losses.isfinite().all()) and math.isfinite(_norm(one.gradients.values()))


def _mean(values: Sequence[Tensor]) -> float:
    return float(torch.cat(list(values)).mean())


def _norm(tensors: Iterable[Tensor]) -> float:
    norms = [torch.linalg.vector_norm(tensor) for tensor in tensors]
    return float(torch.linalg.vector_norm(torch.stack(norms))) if norms else 0.0
