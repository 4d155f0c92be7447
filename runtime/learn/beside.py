"""What a trainer learns beside the weights of a supernet: learning rates, statistics of a step, other heads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from torch import Tensor

from atnas.compiler.supernet import Supernet
from atnas.runtime.learn.average import Regions
from atnas.runtime.learn.head import linear
from atnas.runtime.learn.trainer import Ground, Path, Trainer, Weights
from atnas.runtime.tasks.mixture import Distribution

OF = ":"
"""Stands between what it is and the parameter that it is of, and is cut like."""

WHOLE = "@"
"""The same for what is never cut."""


class Beside:
    """Tensors by name, as large as all paths need; see `Trainer.beside` for the names."""

    def __init__(self, tensors: Weights, parameters: Mapping[str, Tensor], classes: Sequence[str] = ()) -> None:
        self.tensors = tensors
        self.classes = {name: number for number, name in enumerate(classes)}
        self._sizes = {name: tuple(parameter.shape) for name, parameter in parameters.items()}

    @classmethod
    def begun(cls, trainer: Trainer, ground: Ground) -> Beside:
        """What the trainer begins with."""
        asked: list[str] = []

        def classes() -> tuple[str, ...]:
            asked[:] = ground.classes()
            return tuple(asked)

        tensors = trainer.beside(replace(ground, classes=classes))
        return cls(tensors, ground.parameters, asked)

    def regions(self, path: Path) -> Regions:
        """Which part of each tensor belongs to a path; those of parameters that the path lacks are left out."""
        found: dict[str, tuple[slice, ...] | None] = {}
        for name, tensor in self.tensors.items():
            _, is_cut, parameter = name.partition(OF)
            _, is_whole, holder = name.partition(WHOLE)
            if is_cut and parameter in path.regions:
                found[name] = _part(tuple(tensor.shape), self._sizes[parameter], path.regions[parameter])
            elif not is_cut and (not is_whole or holder in path.regions):
                found[name] = None
        return found

    def of(self, path: Path) -> Weights:
        """Detached views of what belongs to a path."""
        parts = self.regions(path).items()
        return {name: self.tensors[name].detach()[... if part is None else part] for name, part in parts}


def ground(supernet: Supernet, tasks: Distribution | None = None, seed: int = 0) -> Ground:
    """What there is to learn something beside."""
    parameters = dict(supernet.named_parameters())

    def last_layer() -> tuple[str, str]:
        genotype = supernet.encoding.canonical((0,) * len(supernet.net.decisions))
        return linear(supernet.path(genotype), parameters)

    return Ground(parameters, supernet.norms, last_layer, tuple if tasks is None else tasks.classes, seed)


def _part(sizes: tuple[int, ...], of: tuple[int, ...], region: tuple[slice, ...] | None) -> tuple[slice, ...] | None:
    if region is None or len(sizes) != len(of):
        return None
    return tuple(part if a == b else slice(None) for a, b, part in zip(sizes, of, region, strict=True))
