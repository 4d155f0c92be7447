"""The last layer of a path, where it is one `linear(..)`, and what comes into it.

T: tasks; N: rows of each; F: features.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from atnas.dsl.errors import Unable
from atnas.runtime.learn.model import Model
from atnas.runtime.learn.trainer import Path, Statistics, Weights


def last_layer(model: Model) -> tuple[str, str]:
    """The names of its weight [outputs, F] and of its bias. Raises `Unable` where the path ends otherwise."""
    return linear(model.path, model.weights)


def linear(path: Path, weights: Mapping[str, Tensor]) -> tuple[str, str]:
    """The same for a path with such weights."""
    names = sorted(path.head, reverse=True)
    is_pair = len(names) == 2 and names[0].endswith(".weight") and names[1].endswith(".bias")
    if not is_pair or weights[names[0]].dim() != 2 or not path.ends_in_head:
        raise Unable("this learner needs a space all of whose architectures end in one `linear(..)`")
    return names[0], names[1]


def features(model: Model, weights: Weights, x: Tensor, statistics: Statistics) -> Tensor:
    """What comes into the last layer, [T, N, F]: the outputs with a last layer that passes everything on."""
    weight, bias = last_layer(model)
    of = weights[weight]
    tasks, _, size = of.shape
    same = torch.eye(size, dtype=of.dtype, device=of.device).expand(tasks, -1, -1)
    return model.forward(weights | {weight: same, bias: of.new_zeros(tasks, size)}, x, statistics)
