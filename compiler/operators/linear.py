"""Fully connected layers."""

# mypy: disable-error-code="override"
# An operator that takes one tensor says so in its signature; the checker calls it with one.

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING

from atnas.compiler.operators import counts
from atnas.compiler.operators.shapes import written
from atnas.dsl.operator import Cost, Operator, Shape, ShapeError, param

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class Linear(Operator):
    """y = W x + b on a vector (D), or on each token of (L, D) (torch.nn.Linear)."""

    features: int = param(elastic=True, low=1, doc="numbers in the output")
    bias: bool = param(True, doc="add b")

    def shape(self, x: Shape) -> Shape:
        if len(x) not in (1, 2):
            raise ShapeError(
                f"linear takes a vector (D) or tokens (L, D), not {written(x)}: "
                "put flatten or global_avg_pool before it"
            )
        return (*x[:-1], self.features)

    def cost(self, x: Shape) -> Cost:
        self.shape(x)
        return counts.linear(x[-1], self.features, rows=prod(x[:-1]), bias=self.bias)

    def layers(self, *inputs: Shape) -> int:
        del inputs
        return 1

    def build(self, x: Shape) -> nn.Module:
        from torch import nn

        return nn.Linear(x[-1], self.features, bias=self.bias)
