"""What a trainer learns beside the weights of a supernet: learning rates, statistics of a step, other heads."""

from __future__ import annotations

from atnas.compiler.supernet import Supernet
from atnas.runtime.learn.average import Regions
from atnas.runtime.learn.trainer import Ground, Path, Trainer, Weights

OF = ":"
"""Stands between what it is and the parameter that it is of."""


class Beside:
    """Tensors by name, as large as all paths need; see `Trainer.beside` for the names."""

    def __init__(self, trainer: Trainer, ground: Ground) -> None:
        self.tensors = trainer.beside(ground)
        self._sizes = {name: tuple(parameter.shape) for name, parameter in ground.parameters.items()}

    def regions(self, path: Path) -> Regions:
        """Which part of each tensor belongs to a path; those of parameters that the path lacks are left out."""
        found: dict[str, tuple[slice, ...] | None] = {}
        for name, tensor in self.tensors.items():
            _, is_of, parameter = name.partition(OF)
            if not is_of:
                found[name] = None
            elif parameter in path.regions:
                found[name] = _part(tuple(tensor.shape), self._sizes[parameter], path.regions[parameter])
        return found

    def of(self, path: Path) -> Weights:
        """Detached views of what belongs to a path."""
        parts = self.regions(path).items()
        return {name: self.tensors[name].detach()[... if part is None else part] for name, part in parts}


def ground(supernet: Supernet) -> Ground:
    """What there is to learn something beside."""
    return Ground(dict(supernet.named_parameters()), supernet.norms)


def _part(sizes: tuple[int, ...], of: tuple[int, ...], region: tuple[slice, ...] | None) -> tuple[slice, ...] | None:
    if region is None or len(sizes) != len(of):
        return None
    return tuple(part if a == b else slice(None) for a, b, part in zip(sizes, of, region, strict=True))
