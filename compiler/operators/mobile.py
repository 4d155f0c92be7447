"""The inverted residual block of the MobileNets."""

# mypy: disable-error-code="override"
# An operator that takes one tensor says so in its signature; the checker calls it with one.

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from atnas.compiler.operators import counts
from atnas.compiler.operators.shapes import feature_map, odd, strided, written
from atnas.dsl.operator import Cost, Operator, Shape, ShapeError, param

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class InvertedResidual(Operator):
    """Expand 1x1, depthwise, squeeze-excite, project 1x1 (MobileNetV2, arXiv 1801.04381; V3, 1905.02244).

    The expanded width is `expand` times the input's channels, rounded to a whole number, a half to the even one.
    No expansion where `expand = 1`; the input is added where stride is 1 and the channels are equal.
    Squeeze-excite is once-for-all's (arXiv 1908.09791): a quarter of the expanded width, rounded to a
    multiple of 8, and a hard sigmoid. Its two convolutions have biases, the others have none.
    """

    channels: int = param(elastic=True, low=1, doc="output channels")
    kernel: int = param(3, elastic=True, low=1, doc="window of the depthwise convolution, an odd number")
    expand: float = param(6, elastic=True, low=1, high=1000, doc="inner width as a multiple of the input's channels")
    stride: int = param(1, low=1, doc="step of the depthwise convolution")
    act: Literal["relu", "relu6", "hswish", "gelu", "swish"] = param(
        "relu6", doc="activation after the first two convolutions"
    )
    se: bool = param(False, doc="squeeze and excite the inner channels")
    groups: int = param(1, low=1, doc="groups of the 1x1 convolutions (FBNet, arXiv 1812.03443, without its shuffle)")

    def shape(self, x: Shape) -> Shape:
        _, size = feature_map("mbconv", x)
        odd("mbconv", self.kernel, x)
        if any(c % self.groups for c in (x[0], self._width(x), self.channels)):
            raise ShapeError(
                f"mbconv cannot split {written(x)}, {self._width(x)} channels inside and its own {self.channels} "
                f"into {self.groups} groups: take a number of groups that divides them"
            )
        return (self.channels, *strided(size, self.stride))

    def cost(self, x: Shape) -> Cost:
        size, width = self.shape(x)[1:], self._width(x)
        return (
            (self._conv_bn(x[0], width, x[1:]) if self._expands else Cost())
            + counts.depthwise(width, self.kernel, size)
            + counts.norm(width)
            + (_squeeze_excite(width, len(size)) if self.se else Cost())
            + self._conv_bn(width, self.channels, size)
        )

    def layers(self, *inputs: Shape) -> int:
        del inputs
        return 2 + self._expands + 2 * self.se

    def build(self, x: Shape) -> nn.Module:
        from atnas.compiler.operators import modules

        return modules.InvertedResidual(
            len(x) - 1,
            x[0],
            self.channels,
            self.kernel,
            width=self._width(x),
            expands=self._expands,
            stride=self.stride,
            act=self.act,
            squeezed=squeezed(self._width(x)) if self.se else None,
            groups=self.groups,
        )

    @property
    def _expands(self) -> bool:
        return self.expand != 1

    def _width(self, x: Shape) -> int:
        return round(x[0] * self.expand)

    def _conv_bn(self, c_in: int, c_out: int, size: Shape) -> Cost:
        return counts.conv(c_in, c_out, 1, size, groups=self.groups) + counts.norm(c_out)


def squeezed(width: int) -> int:
    """A quarter of the width as a multiple of 8, at least 8 and at least nine tenths of that quarter."""
    quarter = width // 4
    rounded = max(8, (quarter + 4) // 8 * 8)
    return rounded if rounded >= 0.9 * quarter else rounded + 8


def _squeeze_excite(width: int, dims: int) -> Cost:
    pooled = (1,) * dims
    inner = squeezed(width)
    return counts.conv(width, inner, 1, pooled, bias=True) + counts.conv(inner, width, 1, pooled, bias=True)
