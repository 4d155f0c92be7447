"""Gradients averaged by how often each element of a parameter was used, not by the number of tasks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

Region = tuple[slice, ...] | Tensor | None
"""The part of a parameter that was used: slices; booleans of its shape; None = all of it."""

Regions = Mapping[str, Region]


@dataclass(frozen=True)
class Average:
    """The mean gradient of one parameter and, as booleans, which elements were used; None where all were."""

    gradient: Tensor
    used: Tensor | None


class GradientAverage:
    """Sums of gradients and counts of uses, over paths that share parameters in whole or in part."""

    def __init__(self, parameters: Mapping[str, Tensor]) -> None:
        self._parameters = parameters
        self._sums: dict[str, Tensor] = {}
        self._whole: dict[str, int] = {}
        self._partial: dict[str, Tensor] = {}

    def add(self, gradients: Mapping[str, Tensor], regions: Regions, uses: int = 1) -> None:
        """The sum of the gradients of so many uses: of `regions[name]` of a parameter. Where this is booleans, the
        gradient is of the whole parameter's shape, and zero where it was not used.
        """
        for name, gradient in gradients.items():
            region = regions[name]
            if region is None:
                self._sum(name).add_(gradient)
                self._whole[name] = self._whole.get(name, 0) + uses
            elif isinstance(region, Tensor):
                self._sum(name).add_(gradient)
                self._uses(name).add_(region, alpha=uses)
            else:
                self._sum(name)[region].add_(gradient)
                self._uses(name)[region].add_(uses)

    def averages(self) -> dict[str, Average]:
        """The mean over uses, for every parameter that was used at all."""
        return {name: self._average(name) for name in self._sums}

    def _average(self, name: str) -> Average:
        whole, partial = self._whole.get(name, 0), self._partial.get(name)
        if partial is None:
            return Average(self._sums[name] / whole, None)
        count = partial + whole
        used = count > 0
        return Average(self._sums[name] / count.clamp(min=1), None if bool(used.all()) else used)

    def _sum(self, name: str) -> Tensor:
        if name not in self._sums:
            self._sums[name] = torch.zeros_like(self._parameters[name])
        return self._sums[name]

    def _uses(self, name: str) -> Tensor:
        if name not in self._partial:
            self._partial[name] = torch.zeros_like(self._parameters[name], dtype=torch.int32)
        return self._partial[name]
