"""An operator: a frozen dataclass whose fields are its parameters in the language, as in `prelu(init = 0.1)`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from atnas.dsl.operator import Cost, Operator, Shape, ShapeError, param

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class PReLU(Operator):
    """max(x, 0) + a min(x, 0), with a learned slope a for each channel (arXiv 1502.01852)."""

    init: float = param(0.25, low=0, doc="the slope at the start")

    def shape(self, x: Shape) -> Shape:
        """The same; a `ShapeError` where the input does not fit becomes a finding at its place."""
        if not x:
            raise ShapeError("prelu needs channels")
        return x

    def cost(self, x: Shape) -> Cost:
        """What stands in tables: trainable numbers, multiply-accumulates, activations."""
        return Cost(params=x[0])

    def build(self, x: Shape) -> nn.Module:
        """Heavy imports stand here, so that `atnas check` stays light."""
        from torch import nn

        return nn.PReLU(x[0], self.init)
