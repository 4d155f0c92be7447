"""The inner loop that learners share: descent on the support rows of every task, from weights that all begin with.

T: tasks; S: support rows of each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Literal, TypeVar

import torch
from torch import Tensor

from atnas.runtime.learn.descent import Rule
from atnas.runtime.learn.model import Model, accuracies, leaves, losses, slopes
from atnas.runtime.learn.trainer import MetaGradient, Weights
from atnas.runtime.tasks.stack import Stack

T = TypeVar("T")


def moving(model: Model, part: Literal["all", "head", "body"], within: str | None = None) -> Callable[[str], bool]:
    """Whether the inner loop moves a weight. head: those of the last layer; body: all others; of these only those of
    layers whose place begins with `within`, and nothing where a path has none of them.
    """
    head = model.path.head
    of_part = frozenset(n for n in model.weights if part == "all" or (n in head) == (part == "head"))
    moves = of_part if within is None else frozenset(n for n in of_part if n.startswith(within))
    return moves.__contains__


def descended(
    model: Model,
    weights: Weights,
    tasks: Stack,
    rows: Iterator[Tensor | slice],
    rule: Rule,
    moves: Callable[[str], bool],
    order: int,
) -> Weights:
    """Weights [T, ...] after a step on each of the minibatches of support rows.

    Of order 2 the steps can be differentiated through; of order 1 their gradients count as constants, so that the
    derivative by the weights at the start is that by the weights at the end (Finn et al. 2017, section 5.2).
    """
    for step, some in enumerate(rows):
        free = {name: weight for name, weight in weights.items() if moves(name)}
        loss = model.at(step).support_loss(weights, tasks, some, twice=order == 2)
        gradients = slopes(loss.sum(), free, differentiable=order == 2)
        weights = weights | rule(weights, gradients)
    return weights


def meta_gradient(model: Model, tasks: Stack, weights: Weights, sources: Weights) -> MetaGradient:
    """What the query rows say about `sources`, of which the adapted weights were made.

    First about the adapted weights, some tasks at a time, then through the steps that made them.
    """
    found = [
        asked(model, tasks.part(some), {n: w[some] for n, w in weights.items()}) for some in model.portions(len(tasks))
    ]
    right = [each.accuracies for each in found if each.accuracies is not None]
    ends = {name: torch.cat([each.gradients[name] for each in found]) for name in found[0].gradients}
    gradients = pulled(weights, ends, sources)
    return MetaGradient(torch.cat([each.losses for each in found]), torch.cat(right) if right else None, gradients)


def asked(model: Model, tasks: Stack, weights: Weights) -> MetaGradient:
    """What the query rows say about the adapted weights [T, ...] themselves."""
    own = leaves(weights)
    logits = model.query_logits(own, tasks, training=True)
    loss = losses(tasks, logits, tasks.query_y)
    return MetaGradient(loss.detach(), accuracies(tasks, logits, tasks.query_y), slopes(loss.sum(), own))


def pulled(weights: Weights, gradients: Weights, sources: Weights) -> Weights:
    """The gradients by the sources, where those by the weights that were made of them are known."""
    made = {name: gradient for name, gradient in gradients.items() if weights[name].requires_grad}
    if not made or not sources:
        return {}
    ends = [weights[name] for name in made]
    found = torch.autograd.grad(ends, list(sources.values()), list(made.values()), allow_unused=True)
    return {name: gradient for name, gradient in zip(sources, found, strict=True) if gradient is not None}


def adapted(
    model: Model, tasks: Stack, rows: Iterator[Tensor | slice], rule: Rule, moves: Callable[[str], bool]
) -> Weights:
    """The weights of each task [T, ...] after descent on its support rows, detached."""

    def step(weights: Weights, some: Tensor | slice) -> Weights:
        return descended(model, weights, tasks, iter((some,)), rule, moves, order=1)

    return stepped(model.copies(len(tasks)), rows, step)


@torch.enable_grad()
def stepped(weights: Weights, each: Iterable[T], step: Callable[[Weights, T], Weights]) -> Weights:
    """Weights after a step for each of these; nothing is kept to differentiate through them."""
    for one in each:
        weights = {name: weight.detach() for name, weight in step(leaves(weights), one).items()}
    return weights


def whole(steps: int) -> Iterator[slice]:
    """All rows in each step."""
    return (slice(None) for _ in range(steps))


def minibatches(rows: int, size: int, count: int) -> Iterator[Tensor | slice]:
    """The rows of `count` minibatches, in order and round again; all of them where at most `size`."""
    for step in range(count):
        first = step * size % rows
        if size >= rows:
            yield slice(None)
        elif first + size <= rows:
            yield slice(first, first + size)
        else:
            yield torch.arange(first, first + size) % rows
