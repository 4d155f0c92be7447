"""What a trainer is: the inner loop that adapts weights to a task, and the meta-gradient of it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

from atnas.dsl.settings import Settings

if TYPE_CHECKING:
    from torch import Tensor

    from atnas.runtime.tasks.task import Task

Weights: TypeAlias = "dict[str, Tensor]"
"""A network's parameters by name."""

Norm = Literal["transductive", "support", "running"]
"""Whose statistics batch norm uses for query rows. Adapting always uses those of the support rows at hand.

transductive: those of all query rows together, so that an answer depends on the other questions.
support: those of the support rows, which pass through the adapted network together with the queries.
running: averages gathered in meta-training, where query rows use their own statistics and update them.
"""

Statistics = Literal["batch", "track", "running"] | int
"""What batch norm normalises by. batch: statistics of all rows; track: the same, which the running averages
learn; running: the running averages; a number n: statistics of the first n rows."""


class Path(Protocol):
    """One architecture's way through a supernet, as a function of its weights."""

    @property
    def regions(self) -> Mapping[str, tuple[slice, ...] | None]:
        """For each weight, the part that it is of the supernet's parameter of that name; None = all of it."""

    def weights(self) -> Weights:
        """Detached views of the supernet's parameters, sliced to this architecture's sizes."""

    def __call__(self, weights: Weights, x: Tensor, statistics: Statistics = "batch") -> Tensor:
        """Outputs [N, outputs] of rows [N, *shape]; twice differentiable. Images may come channels-last."""


@dataclass(frozen=True)
class TaskGradient:
    """What one task says about the weights. Scalars are tensors, so that nothing waits for the device.

    gradients: one for each weight that took part, shaped as the path's weight; one that did not is absent.
    accuracy: the share of right answers, None in regression.
    """

    loss: Tensor
    accuracy: Tensor | None
    gradients: Weights


class Trainer(Settings, ABC):
    """Base of all trainers. Subclasses are final; their fields are their parameters in the language."""

    @abstractmethod
    def gradient(self, path: Path, task: Task, norm: Norm) -> TaskGradient:
        """The meta-gradient of one task at the path's weights."""

    @abstractmethod
    def adapt(self, path: Path, task: Task, steps: int | None = None) -> Weights:
        """The path's weights adapted to the support rows, detached; the supernet is left as it was.

        `steps`: how many inner steps, None for the trainer's own number at test time.
        """
