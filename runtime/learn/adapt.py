"""How well a path does on tasks once its weights are adapted to each."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from atnas.runtime.learn.model import Model, accuracies, losses
from atnas.runtime.learn.trainer import Trainer, Weights
from atnas.runtime.tasks.stack import Stack


@dataclass(frozen=True)
class Score:
    """On the query rows of one task: mean loss, and the share of right answers, None in regression."""

    loss: float
    accuracy: float | None


def evaluate(model: Model, trainer: Trainer, tasks: Stack, steps: int | None = None) -> list[Score]:
    """One score a task, in order. Each adaptation starts from the model's weights, which stay as they are.

    `steps`: inner steps, None for the trainer's own number at test time.
    """
    return scores(model, trainer.adapt(model, tasks, steps), tasks)


@torch.no_grad()
def scores(model: Model, weights: Weights, tasks: Stack) -> list[Score]:
    """The scores of given weights [T, ...] on the query rows."""
    found: list[Score] = []
    for some in model.portions(len(tasks)):
        part = tasks.part(some)
        logits = model.query_logits({name: w[some] for name, w in weights.items()}, part, training=False)
        loss, right = losses(part, logits, part.query_y).tolist(), accuracies(part, logits, part.query_y)
        found += map(Score, loss, [None] * len(loss) if right is None else right.tolist())
    return found
