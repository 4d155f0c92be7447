"""What a trainer is: the inner loop that adapts weights to a task, and the meta-gradient of it.

T: tasks that go along one path together; S, Q: support and query rows of each.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal, Protocol, TypeAlias

from atnas.dsl.settings import Settings

if TYPE_CHECKING:
    from torch import Tensor

    from atnas.runtime.learn.model import Model
    from atnas.runtime.tasks.stack import Stack

Weights: TypeAlias = "dict[str, Tensor]"
"""A network's parameters by name; with a leading dimension T where each task has its own."""

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

    @property
    def head(self) -> frozenset[str]:
        """The names of the weights that no other weights come after: those of the last layer."""

    @property
    def ends_in_head(self) -> bool:
        """Whether the outputs are what the last layer gives, as it gives it."""

    @property
    def norms(self) -> frozenset[str]:
        """The names of the weights of batch norms."""

    def weights(self) -> Weights:
        """Detached views of the supernet's parameters, sliced to this architecture's sizes."""

    def __call__(self, weights: Weights, x: Tensor, statistics: Statistics = "batch") -> Tensor:
        """Outputs [N, outputs] of rows [N, *shape]; twice differentiable. Images may come channels-last."""


def _unknown_layer() -> tuple[str, str]:
    raise ValueError("nothing is known of the last layer")


@dataclass(frozen=True)
class Ground:
    """What a trainer may learn something beside: the supernet's parameters, and the names of those of batch norms.

    `last_layer` gives the names of the weight and bias of the last layer, `classes` the names of all training classes,
    none where they are not known; both are worked out when they are asked for. `seed` is the run's.
    """

    parameters: Mapping[str, Tensor]
    norms: frozenset[str] = frozenset()
    last_layer: Callable[[], tuple[str, str]] = _unknown_layer
    classes: Callable[[], tuple[str, ...]] = tuple
    seed: int = 0


@dataclass(frozen=True)
class MetaGradient:
    """What tasks say about the weights. Tensors, so that nothing waits for the device.

    losses: [T]; accuracies: [T], the shares of right answers, None in regression.
    gradients: summed over the tasks, one for each weight that took part, shaped as the path's weight; also of what is
    learned beside the weights, by its own names.
    """

    losses: Tensor
    accuracies: Tensor | None
    gradients: Weights


class Trainer(Settings, ABC):
    """Base of all trainers. Subclasses are final; their fields are their parameters in the language."""

    learns_head: ClassVar[bool] = True
    """False where every task gets a last layer of its own, and that of the supernet stays as it began."""

    @property
    def passes(self) -> int | None:
        """How often a meta-gradient goes through the network, where each time may take another path; else None."""
        return None

    @property
    def through(self) -> bool:
        """Whether a meta-gradient goes through the inner steps, and not to the query rows' pass alone."""
        return True

    @property
    def phases(self) -> tuple[float, ...]:
        """Shares of training from which on it may hold more in memory than before."""
        return (0.0,)

    def beside(self, ground: Ground) -> Weights:
        """What is learned beside the supernet's parameters, as it begins: learning rates, say.

        A name that ends in `:` or `@` and a parameter's name belongs to the paths that use this parameter. After `:` a
        path has the part of it that it has of the parameter, in dimensions in which both are as large.
        """
        del ground
        return {}

    @abstractmethod
    def gradient(self, model: Model, tasks: Stack, progress: float = 1.0) -> MetaGradient:
        """The meta-gradient at the model's weights. `progress`: the share of meta-training that is done."""

    @abstractmethod
    def adapt(self, model: Model, tasks: Stack, steps: int | None = None) -> Weights:
        """The weights adapted to the support rows of each task [T, ...], detached; the supernet is left as it was.

        `steps`: how many inner steps, None for the trainer's own number at test time.
        """
