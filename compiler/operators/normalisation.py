"""Normalisations, each with a learned scale and shift."""

# mypy: disable-error-code="override"
# An operator that takes one tensor says so in its signature; the checker calls it with one.

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from atnas.compiler.operators import counts
from atnas.compiler.operators.shapes import channels, written
from atnas.dsl.operator import Cost, Operator, Shape, ShapeError, param

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class BatchNorm(Operator):
    """Each channel of (c), (c, l) or (c, h, w) by the mean and variance of its batch (arXiv 1502.03167)."""

    def shape(self, x: Shape) -> Shape:
        channels("bn", x)
        return x

    def cost(self, x: Shape) -> Cost:
        return counts.norm(channels("bn", x))

    def is_uniform(self, of_zeros: bool) -> bool:
        del of_zeros
        return True

    def build(self, x: Shape) -> nn.Module:
        from atnas.compiler.operators import modules

        return modules.batch_norm(len(x) - 1, x[0])


@dataclass(frozen=True)
class LayerNorm(Operator):
    """A vector (D) or each token of (L, D) by its own mean and variance (arXiv 1607.06450).

    On an image (c, h, w) the channels at each place are normalised, as in ConvNeXt (arXiv 2201.03545).
    """

    def shape(self, x: Shape) -> Shape:
        if len(x) not in (1, 2, 3):
            raise ShapeError(f"ln takes (D), (L, D) or (c, h, w), not {written(x)}: put flatten before it")
        return x

    def cost(self, x: Shape) -> Cost:
        self.shape(x)
        return counts.norm(x[0] if len(x) == 3 else x[-1])

    def build(self, x: Shape) -> nn.Module:
        from torch import nn

        from atnas.compiler.operators import modules

        return modules.ChannelNorm(x[0]) if len(x) == 3 else nn.LayerNorm(x[-1])


@dataclass(frozen=True)
class GroupNorm(Operator):
    """Each group of channels of (c), (c, l) or (c, h, w) by its own mean and variance (arXiv 1803.08494)."""

    groups: int = param(8, low=1, doc="groups of channels; it must divide their number")

    def shape(self, x: Shape) -> Shape:
        c = channels("gn", x)
        if c % self.groups:
            raise ShapeError(
                f"gn cannot split the {c} channels of {written(x)} into {self.groups} groups: "
                f"take a number of groups that divides {c}"
            )
        return x

    def cost(self, x: Shape) -> Cost:
        return counts.norm(self.shape(x)[0])

    def build(self, x: Shape) -> nn.Module:
        from torch import nn

        return nn.GroupNorm(self.groups, x[0])
