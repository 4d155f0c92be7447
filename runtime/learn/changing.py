"""Paths that change within a task: each inner step goes along an architecture of its own, the queries along the last.

T: tasks; N: rows of each.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from atnas.runtime.learn.average import Region
from atnas.runtime.learn.model import Forward, Model
from atnas.runtime.learn.trainer import Norm, Path, Statistics, Weights


def changing(paths: Sequence[Path], forwards: Sequence[Forward], parameters: Mapping[str, Tensor], norm: Norm) -> Model:
    """A model of several paths through the same parameters, one for each inner step and one for the queries.

    Its weights are all parameters that any of the paths uses, each whole; step i moves what path i uses of them.
    """
    names = {name: None for path in paths for name in path.regions}
    weights = {name: parameters[name].detach() for name in names}
    steps = tuple(_part(path, forward) for path, forward in zip(paths, forwards, strict=True))
    return Model(paths[-1], steps[-1], norm, weights, steps=steps)


def used(paths: Sequence[Path], parameters: Mapping[str, Tensor]) -> dict[str, Region]:
    """What any of the paths uses of each parameter: True where one does; None where that is all of it."""
    found: dict[str, Region] = {}
    for name, region in ((name, region) for path in paths for name, region in path.regions.items()):
        mask = found.setdefault(name, torch.zeros_like(parameters[name], dtype=torch.bool))
        if region is None or mask is None:
            found[name] = None
        elif isinstance(mask, Tensor):
            mask[region] = True
    return found


def _part(path: Path, forward: Forward) -> Forward:
    """A path's plan, for weights that are whole."""

    def along(weights: Weights, x: Tensor, statistics: Statistics, twice: bool = False) -> Tensor:
        parts = path.regions.items()
        own = {name: weights[name] if part is None else weights[name][:, *part] for name, part in parts}
        return forward(own, x, statistics, twice)

    return along
