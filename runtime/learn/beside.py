"""What a trainer learns beside the weights of a supernet: learning rates, statistics of a step, other heads."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from atnas.runtime.learn.average import Regions
from atnas.runtime.learn.trainer import Path, Trainer, Weights

OF = ":"
"""Stands between what it is and the parameter that it is of."""


class Beside:
    """Tensors by name, as large as all paths need; see `Trainer.beside` for the names."""

    def __init__(self, trainer: Trainer, parameters: Mapping[str, Tensor]) -> None:
        self.tensors = trainer.beside(parameters)
        self._shapes = {name: parameter.shape for name, parameter in parameters.items()}

    def regions(self, path: Path) -> Regions:
        """Which part of each tensor belongs to a path; those of parameters that the path lacks are left out."""
        found: dict[str, tuple[slice, ...] | None] = {}
        for name, tensor in self.tensors.items():
            _, is_of, parameter = name.partition(OF)
            if not is_of:
                found[name] = None
            elif parameter in path.regions:
                found[name] = path.regions[parameter] if tensor.shape == self._shapes[parameter] else None
        return found

    def of(self, path: Path) -> Weights:
        """Detached views of what belongs to a path."""
        parts = self.regions(path).items()
        return {name: self.tensors[name].detach()[... if part is None else part] for name, part in parts}
