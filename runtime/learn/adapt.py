"""How well a path does on tasks once its weights are adapted to each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch

from atnas.runtime.learn.inner import accuracy_of, loss_of, query_logits
from atnas.runtime.learn.trainer import Norm, Path, Trainer, Weights
from atnas.runtime.tasks.task import Task


@dataclass(frozen=True)
class Score:
    """On the query rows of one task: mean loss, and the share of right answers, None in regression."""

    loss: float
    accuracy: float | None


def evaluate(path: Path, trainer: Trainer, tasks: Iterable[Task], norm: Norm, steps: int | None = None) -> list[Score]:
    """One score a task, in order. Each adaptation starts from the path's weights, which stay as they are.

    `steps`: inner steps, None for the trainer's own number at test time.
    """
    return [score(path, trainer.adapt(path, task, steps), task, norm) for task in tasks]


@torch.no_grad()
def score(path: Path, weights: Weights, task: Task, norm: Norm) -> Score:
    """The score of given weights on the query rows."""
    logits = query_logits(path, weights, task, norm, training=False)
    accuracy = accuracy_of(task, logits, task.query_y)
    return Score(float(loss_of(task, logits, task.query_y)), None if accuracy is None else float(accuracy))
