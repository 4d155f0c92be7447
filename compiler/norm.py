"""Batch norm whose statistics are chosen at each call.

Ioffe and Szegedy, "Batch Normalization", arXiv 1502.03167: y = (x - mean) / sqrt(var + eps) * weight + bias,
the mean and the biased variance taken per channel over the rows and positions. Which rows is what differs
between few-shot methods (Bronskill et al., "TaskNorm", arXiv 2003.03284): all of them (transductive), the
support set's, or a running average.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple

from torch import Tensor, nn
from torch.nn import functional

Statistics = Literal["batch", "running", "track"] | int
"""Of all rows (batch), the same while averages learn (track), running averages, or of the first n rows."""

BatchNorm = nn.BatchNorm1d | nn.BatchNorm2d | nn.BatchNorm3d
BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
MOMENTUM = 0.1


class Averages(NamedTuple):
    """Running mean and unbiased variance, and how many batches each channel has seen: [C] each."""

    running_mean: Tensor
    running_var: Tensor
    num_batches_tracked: Tensor


@dataclass
class Mode:
    """What all the norms of a supernet normalise by in the call under way."""

    statistics: Statistics = "batch"


class Norm(nn.Module):
    """Batch norm over [N, C, ...] with the parameters of `plain` and statistics by `mode`.

    `averages` are lent for each call that needs them. Raises ValueError for statistics of no rows.
    """

    weight: Tensor | None
    bias: Tensor | None
    averages: Averages

    def __init__(self, plain: BatchNorm, mode: Mode) -> None:
        super().__init__()
        self.register_parameter("weight", plain.weight)
        self.register_parameter("bias", plain.bias)
        self.features = plain.num_features
        self.eps = plain.eps
        self.mode = mode

    def forward(self, x: Tensor) -> Tensor:
        statistics = self.mode.statistics
        if statistics == "batch":
            return self._by_batch(x)
        if statistics == "track":
            self.averages.num_batches_tracked.add_(1)
            return self._by_batch(x, self.averages.running_mean, self.averages.running_var)
        if statistics == "running":
            mean, var, _ = self.averages
            return functional.batch_norm(x, mean, var, self.weight, self.bias, False, MOMENTUM, self.eps)
        if statistics < 1:
            raise ValueError(f"batch norm needs at least one row for its statistics, not {statistics}")
        return self._by_batch(x) if statistics >= x.shape[0] else self._by_first(x, statistics)

    def _by_batch(self, x: Tensor, mean: Tensor | None = None, var: Tensor | None = None) -> Tensor:
        return functional.batch_norm(x, mean, var, self.weight, self.bias, True, MOMENTUM, self.eps)

    def _by_first(self, x: Tensor, rows: int) -> Tensor:
        over = [0, *range(2, x.dim())]
        mean = x[:rows].mean(over, keepdim=True)
        var = x[:rows].var(over, correction=0, keepdim=True)
        scale = (var + self.eps).rsqrt()
        if self.weight is None or self.bias is None:
            return (x - mean) * scale
        channels = (1, -1, *[1] * (x.dim() - 2))
        return (x - mean) * (scale * self.weight.view(channels)) + self.bias.view(channels)


def plain(norm: BatchNorm, track: bool) -> BatchNorm:
    """Torch's own layer of the same size, without numbers yet: by running averages in evaluation, or by the
    batch always.
    """
    return type(norm)(norm.num_features, norm.eps, MOMENTUM, norm.affine, track, device="meta")


def substitute(module: nn.Module, new: Callable[[BatchNorm], nn.Module]) -> nn.Module:
    """The module with every batch norm in it, or itself where it is one, replaced by a new one."""
    if isinstance(module, BATCH_NORMS):
        return new(module)
    for name, child in module.named_children():
        setattr(module, name, substitute(child, new))
    return module
