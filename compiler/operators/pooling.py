"""Pooling over windows and over whole maps, and the way back to larger ones.

A window of k pads p = (k - 1) // 2 on each side, so a map of size n becomes floor((n + 2p - k) / stride) + 1:
an odd window gives ceil(n / stride), as in DARTS and NAS-Bench-201; a window of 2 pads nothing and halves,
rounding down. With `ceil` the quotient rounds up, and the last window may hang over the edge.
"""

# mypy: disable-error-code="override"
# An operator that takes one tensor says so in its signature; the checker calls it with one.

from __future__ import annotations

from abc import ABC
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Literal, Self

from atnas.compiler.operators.shapes import feature_map, written
from atnas.dsl.operator import Law, Operator, Shape, ShapeError, param

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class Pool(Operator, ABC):
    """What both pools have in common; `word` is the operator's in the language."""

    weightless: ClassVar[bool] = True
    keeps_zero: ClassVar[bool] = True
    word: ClassVar[str]

    kernel: int = param(2, low=1, doc="window")
    stride: int | None = param(None, low=1, doc="step between windows; the window by default")
    ceil: bool = param(False, doc="round the size up, not down")

    def shape(self, x: Shape) -> Shape:
        return _pooled(self.word, x, self.kernel, self.step, self.ceil)

    def law(self, x: Shape) -> Law:
        del x
        return "pool"

    def settled(self, *inputs: Shape) -> Self:
        del inputs
        return replace(self, stride=self.step)

    def is_uniform(self, of_zeros: bool) -> bool:
        del of_zeros
        return True

    @property
    def step(self) -> int:
        """How far one window is from the next."""
        return self.stride or self.kernel


@dataclass(frozen=True)
class MaxPool(Pool):
    """The largest number in each window (torch.nn.MaxPool2d)."""

    word: ClassVar[str] = "max_pool"

    def build(self, x: Shape) -> nn.Module:
        from atnas.compiler.operators import modules

        return modules.max_pool(len(x) - 1, self.kernel, self.step, self.ceil)


@dataclass(frozen=True)
class AvgPool(Pool):
    """The mean of each window, padding not counted (torch.nn.AvgPool2d; DARTS, arXiv 1806.09055)."""

    linear: ClassVar[bool] = True
    word: ClassVar[str] = "avg_pool"

    def build(self, x: Shape) -> nn.Module:
        from atnas.compiler.operators import modules

        return modules.avg_pool(len(x) - 1, self.kernel, self.step, self.ceil)


@dataclass(frozen=True)
class Upsample(Operator):
    """Makes a map larger: each of its sizes times a whole number (torch.nn.Upsample).

    `nearest` repeats each number; `bilinear` draws lines between the middles of places, as torch does with
    `align_corners=False`, along the one size of (c, l) and both of (c, h, w).
    """

    weightless: ClassVar[bool] = True
    keeps_zero: ClassVar[bool] = True
    linear: ClassVar[bool] = True

    by: int = param(2, low=1, doc="what each size is multiplied by")
    mode: Literal["nearest", "bilinear"] = param("nearest", doc="how the places between are filled")

    def shape(self, x: Shape) -> Shape:
        c, size = feature_map("upsample", x)
        return (c, *(n * self.by for n in size))

    def build(self, x: Shape) -> nn.Module:
        from atnas.compiler.operators import modules

        return modules.upsample(len(x) - 1, self.by, self.mode)


@dataclass(frozen=True)
class GlobalAvgPool(Operator):
    """The mean of each channel: (c, l) or (c, h, w) to (c) (Network in Network, arXiv 1312.4400)."""

    weightless: ClassVar[bool] = True
    keeps_zero: ClassVar[bool] = True
    linear: ClassVar[bool] = True

    def shape(self, x: Shape) -> Shape:
        c, _ = feature_map("global_avg_pool", x)
        return (c,)

    def build(self, x: Shape) -> nn.Module:
        from torch import nn

        from atnas.compiler.operators import modules

        return nn.Sequential(modules.mean(len(x) - 1), nn.Flatten())


def _pooled(operator: str, x: Shape, kernel: int, stride: int, ceil: bool) -> Shape:
    c, size = feature_map(operator, x)
    pooled = tuple(_places(n, kernel, stride, ceil) for n in size)
    if min(pooled) < 1:
        raise ShapeError(
            f"{operator}({kernel}) has a window larger than its input {written(x)}: "
            "take a smaller window, or fewer strides before it"
        )
    return (c, *pooled)


def _places(n: int, kernel: int, stride: int, ceil: bool) -> int:
    """Windows along n places. One that would begin beyond them is left out, as torch does."""
    pad = (kernel - 1) // 2
    if not ceil:
        return (n + 2 * pad - kernel) // stride + 1
    return min(-((kernel - n - 2 * pad) // stride) + 1, (n + pad - 1) // stride + 1)
