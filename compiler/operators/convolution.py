"""Convolutions: dense, depthwise, separable, dilated and crossed.

All pad "same": a map of size n becomes ceil(n / stride), whatever the kernel and dilation, so that an elastic
kernel keeps the shape. They are 1-d on (c, l) and 2-d on (c, h, w).
"""

# mypy: disable-error-code="override"
# An operator that takes one tensor says so in its signature; the checker calls it with one.

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING

from atnas.compiler.operators import counts
from atnas.compiler.operators.shapes import feature_map, odd, strided, written
from atnas.dsl.operator import Cost, Operator, Shape, ShapeError, param

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class Conv(Operator):
    """A convolution; without bias by default, as before a normalisation (torch.nn.Conv2d).

    A size n becomes ceil(n / stride), so at stride 1 it is kept: there is no `padding` to give.
    """

    channels: int = param(elastic=True, low=1, doc="output channels")
    kernel: int = param(3, elastic=True, low=1, doc="window, an odd number")
    stride: int = param(1, low=1, doc="step between windows")
    dilation: int = param(1, low=1, doc="step inside a window")
    groups: int = param(1, low=1, doc="groups of channels that do not see each other")
    bias: bool = param(False, doc="add a number to each output channel")

    def shape(self, x: Shape) -> Shape:
        c, size = feature_map("conv", x)
        odd("conv", self.kernel, x)
        if c % self.groups or self.channels % self.groups:
            raise ShapeError(
                f"conv cannot split the {c} channels of {written(x)} and its own {self.channels} "
                f"into {self.groups} groups: take a number of groups that divides both"
            )
        return (self.channels, *strided(size, self.stride))

    def cost(self, x: Shape) -> Cost:
        out = self.shape(x)
        return counts.conv(x[0], self.channels, self.kernel, out[1:], groups=self.groups, bias=self.bias)

    def layers(self, *inputs: Shape) -> int:
        del inputs
        return 1

    def is_uniform(self, of_zeros: bool) -> bool:
        return of_zeros or self.kernel == 1

    def build(self, x: Shape) -> nn.Module:
        from atnas.compiler.operators import modules

        return modules.conv(
            len(x) - 1,
            x[0],
            self.channels,
            self.kernel,
            stride=self.stride,
            dilation=self.dilation,
            groups=self.groups,
            bias=self.bias,
        )


@dataclass(frozen=True)
class DepthwiseConv(Operator):
    """A convolution of each channel by itself (Sifre, 2014; MobileNet, arXiv 1704.04861)."""

    kernel: int = param(3, elastic=True, low=1, doc="window, an odd number")
    stride: int = param(1, low=1, doc="step between windows")
    dilation: int = param(1, low=1, doc="step inside a window")
    bias: bool = param(False, doc="add a number to each channel")

    def shape(self, x: Shape) -> Shape:
        c, size = feature_map("dw_conv", x)
        odd("dw_conv", self.kernel, x)
        return (c, *strided(size, self.stride))

    def cost(self, x: Shape) -> Cost:
        return counts.depthwise(x[0], self.kernel, self.shape(x)[1:], bias=self.bias)

    def layers(self, *inputs: Shape) -> int:
        del inputs
        return 1

    def is_uniform(self, of_zeros: bool) -> bool:
        return of_zeros or self.kernel == 1

    def build(self, x: Shape) -> nn.Module:
        from atnas.compiler.operators import modules

        return modules.conv(
            len(x) - 1,
            x[0],
            x[0],
            self.kernel,
            stride=self.stride,
            dilation=self.dilation,
            groups=x[0],
            bias=self.bias,
        )


@dataclass(frozen=True)
class SeparableConv(Operator):
    """Twice relu, depthwise, pointwise, batch norm; the first strides (DARTS, arXiv 1806.09055).

    The first half keeps the input's channels, the second goes to `channels`.
    """

    channels: int = param(elastic=True, low=1, doc="output channels")
    kernel: int = param(3, elastic=True, low=1, doc="window of both depthwise convolutions, an odd number")
    stride: int = param(1, low=1, doc="step of the first depthwise convolution")

    def shape(self, x: Shape) -> Shape:
        _, size = feature_map("sep_conv", x)
        odd("sep_conv", self.kernel, x)
        return (self.channels, *strided(size, self.stride))

    def cost(self, x: Shape) -> Cost:
        size = self.shape(x)[1:]
        return _separable(x[0], x[0], self.kernel, size) + _separable(x[0], self.channels, self.kernel, size)

    def layers(self, *inputs: Shape) -> int:
        del inputs
        return 4

    def build(self, x: Shape) -> nn.Module:
        from torch import nn

        from atnas.compiler.operators import modules

        dims, c = len(x) - 1, x[0]
        return nn.Sequential(
            modules.separable(dims, c, c, self.kernel, stride=self.stride),
            modules.separable(dims, c, self.channels, self.kernel),
        )


@dataclass(frozen=True)
class DilatedConv(Operator):
    """Relu, dilated depthwise, pointwise, batch norm (DARTS, arXiv 1806.09055)."""

    channels: int = param(elastic=True, low=1, doc="output channels")
    kernel: int = param(3, elastic=True, low=1, doc="window of the depthwise convolution, an odd number")
    stride: int = param(1, low=1, doc="step of the depthwise convolution")
    dilation: int = param(2, low=1, doc="step inside its window")

    def shape(self, x: Shape) -> Shape:
        _, size = feature_map("dil_conv", x)
        odd("dil_conv", self.kernel, x)
        return (self.channels, *strided(size, self.stride))

    def cost(self, x: Shape) -> Cost:
        return _separable(x[0], self.channels, self.kernel, self.shape(x)[1:])

    def layers(self, *inputs: Shape) -> int:
        del inputs
        return 2

    def build(self, x: Shape) -> nn.Module:
        from atnas.compiler.operators import modules

        return modules.separable(
            len(x) - 1, x[0], self.channels, self.kernel, stride=self.stride, dilation=self.dilation
        )


@dataclass(frozen=True)
class CrossedConv(Operator):
    """Relu, 1 x k, k x 1, batch norm: a large window from two thin ones (NASNet, arXiv 1707.07012).

    The first strides. On images (c, h, w) only.
    """

    channels: int = param(elastic=True, low=1, doc="output channels of both convolutions")
    kernel: int = param(5, elastic=True, low=1, doc="length k of both windows, an odd number")
    stride: int = param(1, low=1, doc="step of the first convolution")

    def shape(self, x: Shape) -> Shape:
        if len(x) != 3:
            raise ShapeError(f"crossed_conv takes an image (c, h, w), not {written(x)}: take conv for (c, l)")
        odd("crossed_conv", self.kernel, x)
        return (self.channels, *strided(x[1:], self.stride))

    def cost(self, x: Shape) -> Cost:
        c, places = self.channels, prod(self.shape(x)[1:])
        weights = (x[0] + c) * c * self.kernel
        return Cost(weights, weights * places, 2 * c * places) + counts.norm(c)

    def layers(self, *inputs: Shape) -> int:
        del inputs
        return 2

    def build(self, x: Shape) -> nn.Module:
        from atnas.compiler.operators import modules

        return modules.crossed(x[0], self.channels, self.kernel, stride=self.stride)


def _separable(c_in: int, c_out: int, kernel: int, size: Shape) -> Cost:
    """Depthwise, pointwise and batch norm."""
    return counts.depthwise(c_in, kernel, size) + counts.conv(c_in, c_out, 1, size) + counts.norm(c_out)
