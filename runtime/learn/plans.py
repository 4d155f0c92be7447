"""How tasks go along a path: the plans by which a learner's formulas can be carried out. All give the same numbers.

T: tasks; N: rows of each.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from atnas.compiler.grouped import Grouped
from atnas.compiler.path import Path as SupernetPath
from atnas.runtime.learn.model import Forward
from atnas.runtime.learn.trainer import Path, Statistics, Weights


def looped(path: Path) -> Forward:
    """One task after another: the reference."""

    def forward(weights: Weights, x: Tensor, statistics: Statistics, twice: bool = False) -> Tensor:
        del twice
        if len(x) == 1:  # views, whose gradients cost nothing
            return path({n: w.squeeze(0) for n, w in weights.items()}, _laid(x.squeeze(0)), statistics).unsqueeze(0)
        apart = {name: weight.unbind() for name, weight in weights.items()}
        each = [{name: weight[t] for name, weight in apart.items()} for t in range(len(x))]
        return torch.stack([path(own, _laid(rows), statistics) for own, rows in zip(each, x.unbind(), strict=True)])

    return forward


def grouped(path: SupernetPath) -> Forward:
    """All tasks side by side, as groups of one network, whose second derivatives are written out; a task that goes by
    running averages still runs in a loop, and one alone whose gradients are not differentiated.
    """
    loop = looped(path)
    together = Grouped(path)

    def forward(weights: Weights, x: Tensor, statistics: Statistics, twice: bool = False) -> Tensor:
        alone = (len(x) == 1 and not twice) or statistics in ("track", "running")
        return loop(weights, x, statistics) if alone else together(weights, x, statistics, twice)

    return forward


def draws(path: SupernetPath) -> bool:
    """Whether layers of a path may draw numbers while training: dropout, and whatever is not known here."""
    return any(module.training and not _is_plain(module) for module in path.module.modules())


def _is_plain(module: nn.Module) -> bool:
    """Whether it is a layer of torch's or ours, and none that draws."""
    drawing = isinstance(module, nn.modules.dropout._DropoutNd)
    return not drawing and type(module).__module__.startswith(("torch.nn.", "atnas."))


def _laid(x: Tensor) -> Tensor:
    """Images [N, C, H, W] with C innermost in memory, as CPU kernels prefer them. One channel fits both layouts; torch
    would take the other.
    """
    if x.dim() != 4:
        return x
    if x.shape[1] == 1 and x.is_contiguous():
        _, _, height, width = x.shape
        return x.as_strided(x.shape, (height * width, 1, width, 1))
    return x.contiguous(memory_format=torch.channels_last)
