"""The inner loops: gradient descent on one task, and the meta-gradients through it.

Shapes: N rows, S support rows, Q query rows.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

from atnas.runtime.learn.trainer import Norm, Path, Statistics, TaskGradient, Weights
from atnas.runtime.tasks.task import Task


def maml_gradient(path: Path, task: Task, norm: Norm, lr: float, steps: int, order: int) -> TaskGradient:
    """MAML, eq. 1: the gradient of the query loss at w' = w - lr * grad L_support(w), repeated `steps` times.

    Order 2 takes it with respect to w, order 1 with respect to w'.
    """
    start = weights = _leaves(path.weights())
    for _ in range(steps):
        loss = loss_of(task, forward(path, weights, task.support_x, "batch"), task.support_y)
        gradients = _gradients(loss, weights, differentiable=order == 2)
        weights = _descend(weights, gradients, lr)
        if order == 1:
            weights = _leaves(weights)
    logits = query_logits(path, weights, task, norm, training=True)
    loss = loss_of(task, logits, task.query_y)
    gradients = _gradients(loss, start if order == 2 else weights)
    return TaskGradient(loss.detach(), accuracy_of(task, logits, task.query_y), gradients)


def reptile_gradient(path: Path, task: Task, norm: Norm, lr: float, steps: int, batch: int) -> TaskGradient:
    """Reptile, algorithm 2: w - w' where w' is w after `steps` minibatches of the task's rows.

    Where `norm` is running, all of them update the running averages.
    """
    x, y = torch.cat([task.support_x, task.query_x]), torch.cat([task.support_y, task.query_y])
    statistics: Statistics = "track" if norm == "running" else "batch"
    start = weights = _leaves(path.weights())
    used: set[str] = set()
    losses, accuracies = [], []
    for rows in _minibatches(len(x), batch, steps):
        logits = forward(path, weights, x[rows], statistics)
        loss = loss_of(task, logits, y[rows])
        gradients = _gradients(loss, weights)
        weights = _leaves(_descend(weights, gradients, lr))
        used |= gradients.keys()
        losses.append(loss.detach())
        accuracies.append(accuracy_of(task, logits, y[rows]))
    moved = {name: (start[name] - weights[name]).detach() for name in start if name in used}
    known = [accuracy for accuracy in accuracies if accuracy is not None]
    return TaskGradient(torch.stack(losses).mean(), torch.stack(known).mean() if known else None, moved)


@torch.enable_grad()
def adapted(path: Path, task: Task, lr: float, steps: int, batch: int | None) -> Weights:
    """The weights, detached, after gradient descent on the support rows: `batch` in each step, or all."""
    rows_of_step = _minibatches(len(task.support_x), batch or len(task.support_x), steps)
    weights = _leaves(path.weights())
    for rows in rows_of_step:
        loss = loss_of(task, forward(path, weights, task.support_x[rows], "batch"), task.support_y[rows])
        weights = _leaves(_descend(weights, _gradients(loss, weights), lr))
    return {name: weight.detach() for name, weight in weights.items()}


def query_logits(path: Path, weights: Weights, task: Task, norm: Norm, training: bool) -> Tensor:
    """Answers [Q, outputs] to the query rows, with the batch-norm statistics that `norm` says."""
    if norm == "transductive":
        return forward(path, weights, task.query_x, "batch")
    if norm == "running":
        return forward(path, weights, task.query_x, "track" if training else "running")
    support = len(task.support_x)
    return forward(path, weights, torch.cat([task.support_x, task.query_x]), support)[support:]


def forward(path: Path, weights: Weights, x: Tensor, statistics: Statistics) -> Tensor:
    """The path's outputs [N, outputs]. Images go in channels-last, the layout that CPU kernels prefer."""
    return path(weights, _channels_last(x) if x.dim() == 4 else x, statistics)


def loss_of(task: Task, logits: Tensor, labels: Tensor) -> Tensor:
    """The mean loss over rows. Where the head has more outputs than the task has classes, the first count."""
    if task.loss == "mse":
        return F.mse_loss(logits, labels)
    return F.cross_entropy(logits[:, : task.way], labels)


def accuracy_of(task: Task, logits: Tensor, labels: Tensor) -> Tensor | None:
    """The share of rows whose largest logit is at the label; None in regression."""
    if task.loss == "mse":
        return None
    return (logits.detach()[:, : task.way].argmax(1) == labels).double().mean()


def _leaves(weights: Weights) -> Weights:
    return {name: weight.detach().requires_grad_() for name, weight in weights.items()}


def _gradients(loss: Tensor, weights: Weights, differentiable: bool = False) -> Weights:
    """The gradient of each weight that takes part; none where the architecture has no weights."""
    if not loss.requires_grad:
        return {}
    found = torch.autograd.grad(loss, list(weights.values()), create_graph=differentiable, allow_unused=True)
    return {name: gradient for name, gradient in zip(weights, found, strict=True) if gradient is not None}


def _descend(weights: Weights, gradients: Weights, lr: float) -> Weights:
    return weights | {name: weights[name] - lr * gradient for name, gradient in gradients.items()}


def _minibatches(rows: int, size: int, count: int) -> Iterator[Tensor | slice]:
    """The rows of `count` minibatches, in order and round again; all of them where at most `size`."""
    for step in range(count):
        first = step * size % rows
        if size >= rows:
            yield slice(None)
        elif first + size <= rows:
            yield slice(first, first + size)
        else:
            yield torch.arange(first, first + size) % rows


def _channels_last(x: Tensor) -> Tensor:
    """[N, C, H, W] with C innermost in memory. One channel fits both layouts; torch would take the other."""
    if x.shape[1] == 1 and x.is_contiguous():
        _, _, height, width = x.shape
        return x.as_strided(x.shape, (height * width, 1, width, 1))
    return x.contiguous(memory_format=torch.channels_last)
