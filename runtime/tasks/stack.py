"""Tasks of one size side by side."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from atnas.runtime.tasks.task import Loss, Task


@dataclass(frozen=True)
class Stack:
    """The tensors of `Task`, each with a leading dimension T; all tasks have the same `way` and numbers of rows."""

    support_x: Tensor
    support_y: Tensor
    query_x: Tensor
    query_y: Tensor
    way: int
    loss: Loss
    classes: tuple[tuple[str, ...], ...]

    def __len__(self) -> int:
        return len(self.support_x)

    def part(self, which: slice) -> Stack:
        """Some of the tasks."""
        rows = (self.support_x[which], self.support_y[which], self.query_x[which], self.query_y[which])
        return Stack(*rows, self.way, self.loss, self.classes[which])


def stack(tasks: Sequence[Task]) -> Stack:
    """Tasks of one size together. Raises `RuntimeError` where sizes differ."""
    import torch

    first = tasks[0]
    return Stack(
        torch.stack([task.support_x for task in tasks]),
        torch.stack([task.support_y for task in tasks]),
        torch.stack([task.query_x for task in tasks]),
        torch.stack([task.query_y for task in tasks]),
        first.way,
        first.loss,
        tuple(task.classes for task in tasks),
    )


def size_of(task: Task) -> Hashable:
    """What tasks must agree in to be stacked."""
    return task.support_x.shape, task.query_x.shape, task.way, task.loss
