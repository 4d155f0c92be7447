"""Conjugate gradients for many systems at once (Hestenes and Stiefel, J. Res. Nat. Bur. Stand. 49, 1952, p. 409)."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from atnas.runtime.learn.trainer import Weights


def conjugate_gradients(product: Callable[[Weights], Weights], right: Weights, steps: int) -> Weights:
    """x of A x = right for each task alone, after so many steps from x = right; `product` is A, symmetric.

    All tensors are [T, ...]. A system that is solved stays as it is.
    """
    if not steps or not right:
        return right
    found = right
    left = _plus(right, product(found), -1.0)
    way, size = left, dot(left, left)
    for _ in range(steps):
        turned = product(way)
        length = _share(size, dot(way, turned))
        found, left = _plus(found, way, length), _plus(left, turned, -length)
        before, size = size, dot(left, left)
        way = _plus(left, way, _share(size, before))
    return found


def dot(a: Weights, b: Weights) -> Tensor:
    """The inner product of each task, over the names of the first: [T]."""
    return torch.stack([(a[name] * b[name]).flatten(1).sum(1) for name in a]).sum(0)


def _plus(a: Weights, b: Weights, times: Tensor | float) -> Weights:
    """a + times * b, `times` a number or one for each task."""
    if isinstance(times, float):
        return {name: a[name] + times * b[name] for name in a}
    return {name: a[name] + times.view(-1, *[1] * (a[name].dim() - 1)) * b[name] for name in a}


def _share(a: Tensor, b: Tensor) -> Tensor:
    """a / b; 0 where b is 0."""
    return torch.where(b == 0, 0.0, a / torch.where(b == 0, 1.0, b))
