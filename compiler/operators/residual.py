"""The residual block between the stages of NAS-Bench-201."""

# mypy: disable-error-code="override"
# An operator that takes one tensor says so in its signature; the checker calls it with one.

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from atnas.compiler.operators import counts
from atnas.compiler.operators.shapes import feature_map, strided
from atnas.dsl.operator import Cost, Operator, Shape, param

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class ResidualBlock(Operator):
    """Twice relu, conv 3x3, batch norm, and a shortcut added to it (NAS-Bench-201, arXiv 2001.00326).

    The shortcut is average pooling and a 1x1 convolution where stride is 2; relu, a 1x1 convolution and batch
    norm where only the channels change; otherwise the input.
    """

    channels: int = param(low=1, doc="output channels")
    stride: int = param(1, low=1, high=2, doc="2 halves the size")

    def shape(self, x: Shape) -> Shape:
        _, size = feature_map("res_block", x)
        return (self.channels, *strided(size, self.stride))

    def cost(self, x: Shape) -> Cost:
        size = self.shape(x)[1:]
        convs = counts.conv(x[0], self.channels, 3, size) + counts.conv(self.channels, self.channels, 3, size)
        return convs + counts.norm(2 * self.channels) + self._shortcut(x[0], size)

    def layers(self, *inputs: Shape) -> int:
        del inputs
        return 2

    def build(self, x: Shape) -> nn.Module:
        from atnas.compiler.operators import modules

        return modules.ResidualBlock(len(x) - 1, x[0], self.channels, self.stride)

    def _shortcut(self, c: int, size: Shape) -> Cost:
        if self.stride == 1 and c == self.channels:
            return Cost()
        project = counts.conv(c, self.channels, 1, size)
        return project if self.stride == 2 else project + counts.norm(self.channels)
