"""A distribution over tasks that draws each from one of several others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING

from atnas.dsl.operator import Shape
from atnas.runtime.tasks.distribution import Tasks

if TYPE_CHECKING:
    from atnas.runtime.tasks.task import Loss, Split, Task


@dataclass(frozen=True)
class Mixture:
    """Tasks by name, each with a weight more than 0: how often it is drawn, beside the others.

    All agree in the shape of an example, in the loss and, in regression, in the number of targets.
    """

    parts: tuple[tuple[str, float, Tasks], ...]

    @property
    def shape(self) -> Shape:
        """The shape of one example."""
        return self.parts[0][2].shape

    @property
    def loss(self) -> Loss:
        """`cross_entropy` or `mse`."""
        return self.parts[0][2].loss

    @property
    def outputs(self) -> int:
        """How many numbers a network for these tasks puts out: enough for the largest way of any part."""
        return max(tasks.outputs for _, _, tasks in self.parts)

    def open(self) -> None:
        """Opens every split of every part. Raises `Unable`."""
        for _, _, tasks in self.parts:
            tasks.open()

    def classes(self) -> tuple[str, ...]:
        """The names of all training classes of all parts; none where those of a part are not known. Raises `Unable`."""
        parts = [tasks.classes() for _, _, tasks in self.parts]
        return tuple(dict.fromkeys(name for part in parts for name in part)) if all(parts) else ()

    def task(self, split: Split, seed: int, index: int) -> Task:
        """Task number `index` of a split, of the part that chance gives it. Raises `Unable`."""
        from atnas.runtime.seeds import stream

        *bounds, whole = accumulate(weight for _, weight, _ in self.parts)
        drawn = stream(seed, f"{split} part", index).random() * whole
        which = sum(bound <= drawn for bound in bounds)
        return self.parts[which][2].task(split, seed, index)


Distribution = Tasks | Mixture


def disagreement(names: Sequence[str], parts: Sequence[Tasks]) -> tuple[int, str] | None:
    """The first part that cannot be mixed with the first of all, and why; None where all can."""
    first = parts[0]
    for i, (name, other) in enumerate(zip(names, parts, strict=True)):
        if other.loss != first.loss:
            return i, f"`{names[0]}` is {_kind(first)} and `{name}` is {_kind(other)}"
        if other.shape != first.shape:
            return i, f"`{names[0]}` gives {_written(first.shape)} and `{name}` gives {_written(other.shape)}"
        if first.loss == "mse" and other.outputs != first.outputs:
            return i, f"`{names[0]}` has {first.outputs} targets and `{name}` has {other.outputs}"
    return None


def _kind(tasks: Tasks) -> str:
    return "regression" if tasks.loss == "mse" else "classification"


def _written(shape: Shape) -> str:
    return f"({', '.join(map(str, shape))})"
