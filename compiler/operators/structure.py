"""Wiring: what passes on, drops, reshapes and merges tensors."""

# mypy: disable-error-code="override"
# An operator that takes one tensor says so in its signature; the checker calls it with one.

from __future__ import annotations

import operator
from dataclasses import dataclass, replace
from math import prod
from typing import TYPE_CHECKING, ClassVar, Self

from atnas.compiler.operators import counts
from atnas.compiler.operators.activation import Elementwise
from atnas.compiler.operators.shapes import feature_map, strided, written
from atnas.dsl.operator import Cost, Law, Operator, Shape, ShapeError, param

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class Skip(Operator):
    """The input itself; with `stride = 2` DARTS's factorised reduction (arXiv 1806.09055).

    That is relu, two 1x1 convolutions of stride 2 side by side, the second one place further on, and batch norm.
    Where `channels` are given and not the input's, a 1x1 convolution and batch norm (NATS-Bench, arXiv 2009.00437).
    """

    stride: int = param(1, low=1, high=2, doc="2 halves the size")
    channels: int | None = param(None, elastic=True, low=1, doc="output channels; the input's by default")

    def shape(self, x: Shape) -> Shape:
        if self._passes(x):
            return x
        given = [f"stride = {self.stride}"] * (self.stride > 1) + [f"channels = {self.channels}"] * bool(self.channels)
        _, size = feature_map(f"skip({', '.join(given)})", x)
        return (self._width(x), *strided(size, self.stride))

    def cost(self, x: Shape) -> Cost:
        if self._passes(x):
            return Cost()
        width = self._width(x)
        return counts.conv(x[0], width, 1, self.shape(x)[1:]) + counts.norm(width)

    def law(self, x: Shape) -> Law:
        return "passes" if self._passes(x) else "own"

    def settled(self, *inputs: Shape) -> Self:
        return replace(self, channels=self._width(*inputs))

    def layers(self, *inputs: Shape) -> int:
        return int(not self._passes(*inputs))

    def build(self, x: Shape) -> nn.Module:
        from torch import nn

        from atnas.compiler.operators import modules

        if self._passes(x):
            return nn.Identity()
        if self.stride == 2:
            return modules.FactorizedReduce(len(x) - 1, x[0], self._width(x))
        return modules.projection(len(x) - 1, x[0], self._width(x))

    def _passes(self, x: Shape) -> bool:
        return self.stride == 1 and self._width(x) == x[0]

    def _width(self, x: Shape) -> int:
        return x[0] if self.channels is None else self.channels


@dataclass(frozen=True)
class Zero(Operator):
    """Zeros of the input's shape: no connection (DARTS, arXiv 1806.09055)."""

    stride: int = param(1, low=1, doc="divides the size, rounding up")

    def shape(self, x: Shape) -> Shape:
        return x if self.stride == 1 else _strided("none", x, self.stride)

    def law(self, x: Shape) -> Law:
        del x
        return "nothing"

    def build(self, x: Shape) -> nn.Module:
        from atnas.compiler.operators import modules

        return modules.Zero(len(x) - 1, self.stride)


@dataclass(frozen=True)
class Dropout(Elementwise):
    """Each number is zero with probability p in training, else scaled by 1 / (1 - p) (arXiv 1207.0580)."""

    weightless: ClassVar[bool] = False
    keeps_zero: ClassVar[bool] = False

    p: float = param(0.5, low=0, high=1, doc="probability of zero")

    def law(self, x: Shape) -> Law:
        del x
        return "own" if self.p else "passes"

    def is_uniform(self, of_zeros: bool) -> bool:
        return of_zeros

    def build(self, x: Shape) -> nn.Module:
        from torch import nn

        del x
        return nn.Dropout(self.p)


@dataclass(frozen=True)
class Flatten(Operator):
    """All numbers as one vector, channel by channel (torch.nn.Flatten)."""

    weightless: ClassVar[bool] = True
    keeps_zero: ClassVar[bool] = True
    linear: ClassVar[bool] = True

    def shape(self, x: Shape) -> Shape:
        return (prod(x),)

    def build(self, x: Shape) -> nn.Module:
        from torch import nn

        del x
        return nn.Flatten()


@dataclass(frozen=True)
class Transpose(Operator):
    """The two sizes swapped: a signal (c, l) to tokens (L, D), and back (torch.transpose)."""

    weightless: ClassVar[bool] = True
    keeps_zero: ClassVar[bool] = True
    linear: ClassVar[bool] = True

    def shape(self, x: Shape) -> Shape:
        if len(x) != 2:
            cure = "tokens makes tokens of an image" if len(x) == 3 else "put it before flatten or global_avg_pool"
            raise ShapeError(f"transpose takes (c, l) or (L, D), not {written(x)}: {cure}")
        return (x[1], x[0])

    def build(self, x: Shape) -> nn.Module:
        from atnas.compiler.operators import modules

        del x
        return modules.Transpose()


@dataclass(frozen=True)
class Concat(Operator):
    """Tensors joined along their first dimension: channels, numbers of vectors, tokens (torch.cat)."""

    variadic: ClassVar[bool] = True

    def shape(self, *inputs: Shape) -> Shape:
        first = _first("concat", inputs)
        for other in inputs[1:]:
            if other[1:] != first[1:] or len(other) != len(first):
                raise ShapeError(
                    f"concat cannot join {written(first)} and {written(other)}: "
                    "they may differ in their first number only, so give both branches the same stride"
                )
        return (sum(x[0] for x in inputs), *first[1:])

    def law(self, *inputs: Shape) -> Law:
        del inputs
        return "join"

    def build(self, *inputs: Shape) -> nn.Module:
        from atnas.compiler.operators import modules

        del inputs
        return modules.Concat()


@dataclass(frozen=True)
class Add(Operator):
    """The sum of tensors of one shape (residual connections, arXiv 1512.03385)."""

    variadic: ClassVar[bool] = True
    has_zero: ClassVar[bool] = True

    def shape(self, *inputs: Shape) -> Shape:
        return _alike("add", "sum", inputs)

    def law(self, *inputs: Shape) -> Law:
        del inputs
        return "sum"

    def build(self, *inputs: Shape) -> nn.Module:
        from atnas.compiler.operators import modules

        return modules.Fold(operator.add, len(inputs))


@dataclass(frozen=True)
class Mul(Operator):
    """The product of tensors of one shape, number by number, as in gates (GLU, arXiv 1612.08083, eq. 1)."""

    variadic: ClassVar[bool] = True

    def shape(self, *inputs: Shape) -> Shape:
        return _alike("mul", "multiply", inputs)

    def law(self, *inputs: Shape) -> Law:
        del inputs
        return "product"

    def build(self, *inputs: Shape) -> nn.Module:
        from atnas.compiler.operators import modules

        return modules.Fold(operator.mul, len(inputs))


def _alike(word: str, verb: str, inputs: tuple[Shape, ...]) -> Shape:
    """The one shape of all inputs. Raises ShapeError where there is another."""
    first = _first(word, inputs)
    for other in inputs[1:]:
        if other != first:
            raise ShapeError(
                f"{word} cannot {verb} {written(first)} and {written(other)}: "
                "give both branches the same stride and channels, or join them with concat"
            )
    return first


def _first(word: str, inputs: tuple[Shape, ...]) -> Shape:
    if not inputs:
        raise ShapeError(f"{word} of nothing has no shape: give it at least one tensor")
    return inputs[0]


def _strided(word: str, x: Shape, stride: int) -> Shape:
    c, size = feature_map(f"{word}(stride = {stride})", x)
    return (c, *strided(size, stride))
