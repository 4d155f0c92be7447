"""An architecture as learners see it: a function of weights of which every task has its own.

T: tasks; N: rows of each; S, Q: support and query rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from atnas.runtime.learn.trainer import Norm, Path, Statistics, Weights
from atnas.runtime.tasks.stack import Stack


class Forward(Protocol):
    """How the tasks go along a path: one after another, or side by side."""

    def __call__(self, weights: Weights, x: Tensor, statistics: Statistics, twice: bool = False) -> Tensor:
        """Outputs [T, N, outputs] of rows [T, N, *shape] with weights [T, ...] each.

        `twice`: gradients of the outputs will be differentiated again; a plan may then take another way.
        """


@dataclass(frozen=True)
class Model:
    """A path's weights to start from, shared by all tasks and detached, and what is learned beside them.

    `classes` are the numbers of all training classes by name, where the trainer asked for them. `steps` are how tasks
    go in each inner step and for the queries, where that differs. `apart`: queries of tasks go one after another, even
    where their inner steps go side by side. The functions below take weights [T, ...] of the same names.
    """

    path: Path
    forward: Forward
    norm: Norm
    weights: Weights
    beside: Weights = field(default_factory=dict)
    classes: Mapping[str, int] = field(default_factory=dict)
    steps: tuple[Forward, ...] = ()
    apart: bool = False

    def at(self, step: int) -> Model:
        """As it is in an inner step."""
        return replace(self, forward=self.steps[step]) if self.steps else self

    def portions(self, tasks: int) -> list[slice]:
        """The tasks whose queries go together."""
        return [slice(i, i + 1) for i in range(tasks)] if self.apart else [slice(None)]

    def support_loss(
        self, weights: Weights, tasks: Stack, rows: Tensor | slice = slice(None), twice: bool = False
    ) -> Tensor:
        """The mean loss of each task over its support rows, or some of them: [T]. `twice`: as of `Forward`."""
        logits = self.forward(weights, tasks.support_x[:, rows], "batch", twice)
        return losses(tasks, logits, tasks.support_y[:, rows])

    def query_logits(self, weights: Weights, tasks: Stack, training: bool, learns: bool = True) -> Tensor:
        """Answers [T, Q, outputs] to the query rows, with the batch-norm statistics that `norm` says.

        In training the running averages learn from these, where `learns`.
        """
        if self.norm == "transductive":
            return self.forward(weights, tasks.query_x, "batch")
        if self.norm == "running":
            trains: Statistics = "track" if learns else "batch"
            return self.forward(weights, tasks.query_x, trains if training else "running")
        support = tasks.support_x.shape[1]
        return self.forward(weights, torch.cat([tasks.support_x, tasks.query_x], 1), support)[:, support:]

    def copies(self, tasks: int, weights: Weights | None = None) -> Weights:
        """The weights for so many tasks [T, ...], views of one memory."""
        return {name: w.expand(tasks, *w.shape) for name, w in (self.weights if weights is None else weights).items()}


def losses(tasks: Stack, logits: Tensor, labels: Tensor) -> Tensor:
    """The mean loss of each task over its rows, [T]. Where the head has more outputs than the tasks have classes, the
    first count.
    """
    if tasks.loss == "mse":
        return F.mse_loss(logits, labels, reduction="none").flatten(1).mean(1)
    each = F.cross_entropy(logits[..., : tasks.way].flatten(0, 1), labels.flatten(), reduction="none")
    return each.view(labels.shape).mean(1)


def accuracies(tasks: Stack, logits: Tensor, labels: Tensor) -> Tensor | None:
    """The share of rows of each task whose largest logit is at the label, [T]; None in regression."""
    if tasks.loss == "mse":
        return None
    return (logits.detach()[..., : tasks.way].argmax(-1) == labels).double().mean(1)


def leaves(weights: Mapping[str, Tensor]) -> Weights:
    """The same numbers, from which gradients are counted."""
    return {name: weight.detach().requires_grad_() for name, weight in weights.items()}


def slopes(loss: Tensor, weights: Mapping[str, Tensor], differentiable: bool = False, again: bool = False) -> Weights:
    """The gradient of each weight that takes part; none where the architecture has no weights.

    `again`: the loss will be asked once more.
    """
    if not loss.requires_grad or not weights:
        return {}
    keeps = differentiable or again
    found = torch.autograd.grad(
        loss, list(weights.values()), create_graph=differentiable, retain_graph=keeps, allow_unused=True
    )
    return {name: gradient for name, gradient in zip(weights, found, strict=True) if gradient is not None}
