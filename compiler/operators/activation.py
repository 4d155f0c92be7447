"""Activations: the same function of every number, on tensors of any shape."""

# mypy: disable-error-code="override"
# An operator that takes one tensor says so in its signature; the checker calls it with one.

from __future__ import annotations

from abc import ABC
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from atnas.dsl.operator import Operator, Shape

if TYPE_CHECKING:
    from torch import nn


class Elementwise(Operator, ABC):
    """An operator that keeps the shape, whatever it is, and costs nothing."""

    weightless: ClassVar[bool] = True
    keeps_zero: ClassVar[bool] = True

    def shape(self, x: Shape) -> Shape:
        return x

    def is_uniform(self, of_zeros: bool) -> bool:
        del of_zeros
        return True


@dataclass(frozen=True)
class ReLU(Elementwise):
    """max(x, 0) (Nair and Hinton, ICML 2010)."""

    def build(self, x: Shape) -> nn.Module:
        from torch import nn

        del x
        return nn.ReLU()


@dataclass(frozen=True)
class ReLU6(Elementwise):
    """min(max(x, 0), 6) (MobileNet, arXiv 1704.04861)."""

    def build(self, x: Shape) -> nn.Module:
        from torch import nn

        del x
        return nn.ReLU6()


@dataclass(frozen=True)
class GELU(Elementwise):
    """x P(X <= x) for a standard normal X, exactly (arXiv 1606.08415)."""

    def build(self, x: Shape) -> nn.Module:
        from torch import nn

        del x
        return nn.GELU()


@dataclass(frozen=True)
class Hardswish(Elementwise):
    """x relu6(x + 3) / 6 (MobileNetV3, arXiv 1905.02244)."""

    def build(self, x: Shape) -> nn.Module:
        from torch import nn

        del x
        return nn.Hardswish()


@dataclass(frozen=True)
class Swish(Elementwise):
    """x sigmoid(x), also called SiLU (arXiv 1710.05941)."""

    def build(self, x: Shape) -> nn.Module:
        from torch import nn

        del x
        return nn.SiLU()


@dataclass(frozen=True)
class Sigmoid(Elementwise):
    """1 / (1 + exp(-x)) (torch.nn.Sigmoid)."""

    keeps_zero: ClassVar[bool] = False

    def build(self, x: Shape) -> nn.Module:
        from torch import nn

        del x
        return nn.Sigmoid()


@dataclass(frozen=True)
class Tanh(Elementwise):
    """The hyperbolic tangent (torch.nn.Tanh)."""

    def build(self, x: Shape) -> nn.Module:
        from torch import nn

        del x
        return nn.Tanh()
