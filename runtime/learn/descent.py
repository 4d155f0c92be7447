"""The optimizers of inner loops, as functions: what they give can be differentiated through."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import torch
from torch import Tensor

from atnas.runtime.learn.settings import Descent, InnerAdam
from atnas.runtime.learn.trainer import Weights


class Rule(Protocol):
    """One optimizer over one adaptation: it remembers the steps before."""

    def __call__(self, weights: Mapping[str, Tensor], gradients: Mapping[str, Tensor]) -> Weights:
        """The weights after a step along the gradients; those without one are left out."""


def rule(inner: Descent | InnerAdam) -> Rule:
    """A fresh optimizer."""
    return Adaptive(inner) if isinstance(inner, InnerAdam) else Plain(inner)


class Plain:
    """w - lr * v, v = momentum * v + gradient, as `torch.optim.SGD` has it."""

    def __init__(self, inner: Descent) -> None:
        self._inner = inner
        self._buffers: Weights = {}

    def __call__(self, weights: Mapping[str, Tensor], gradients: Mapping[str, Tensor]) -> Weights:
        if not self._inner.momentum:
            return {name: weights[name] - self._inner.lr * gradient for name, gradient in gradients.items()}
        for name, gradient in gradients.items():
            before = self._buffers.get(name)
            self._buffers[name] = gradient if before is None else self._inner.momentum * before + gradient
        return {name: weights[name] - self._inner.lr * self._buffers[name] for name in gradients}


class Adaptive:
    """Adam (Kingma and Ba 2015, algorithm 1), as `torch.optim.Adam` has it."""

    def __init__(self, inner: InnerAdam) -> None:
        self._inner = inner
        self._means: Weights = {}
        self._squares: Weights = {}
        self._steps = 0

    def __call__(self, weights: Mapping[str, Tensor], gradients: Mapping[str, Tensor]) -> Weights:
        self._steps += 1
        first, second = self._inner.betas
        found = {}
        for name, gradient in gradients.items():
            mean = self._means[name] = first * self._means.get(name, 0.0) + (1 - first) * gradient
            square = self._squares[name] = second * self._squares.get(name, 0.0) + (1 - second) * gradient * gradient
            root = _root(square / (1 - second**self._steps))
            found[name] = weights[name] - self._inner.lr / (1 - first**self._steps) * mean / (root + self._inner.eps)
        return found


def _root(square: Tensor) -> Tensor:
    """The square root, whose slope at 0 is taken to be 0: a gradient that is 0 moves nothing."""
    positive = square > 0
    return torch.where(positive, torch.where(positive, square, 1.0).sqrt(), 0.0)
