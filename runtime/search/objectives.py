"""How an architecture is scored: what it costs, and how well it does on new tasks once adapted."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, Protocol

from atnas.dsl.latency import NANOSECONDS, metric
from atnas.dsl.settings import Bare, Settings, setting

if TYPE_CHECKING:
    from atnas.compiler.encoding import Genotype
    from atnas.runtime.tasks.task import Loss

Measure = Literal["accuracy", "loss"]


class Evaluation(Protocol):
    """What there is to score an architecture with."""

    def cost(self, genotype: Genotype) -> Mapping[str, int]:
        """Its costs: params, macs, flops, activations, depth; `latency(phone)` and its like in nanoseconds."""

    def adapted(self, genotype: Genotype, tasks: int, measure: Measure) -> Sequence[float]:
        """Query accuracy (0 to 1) or mean query loss on each of `tasks` validation tasks, after adapting
        inherited weights to its support. Every architecture of a generation gets the same tasks."""


@dataclass(frozen=True)
class Measurement:
    """A score and its standard error, 0 where it is exact."""

    value: float
    standard_error: float = 0.0


class Objective(Settings, ABC):
    """Base of all objectives. The fields are its parameters; whether more is better is said by the goal."""

    name: ClassVar[str]
    """The key of its value in a trial."""

    losses: ClassVar[tuple[Loss, ...]] = ("cross_entropy", "mse")
    """The kinds of task that it can score."""

    @abstractmethod
    def evaluate(self, genotype: Genotype, evaluation: Evaluation) -> Measurement:
        """The score of one architecture."""


class CostObjective(Objective, ABC):
    """One exact cost of the whole architecture, by its name."""

    def evaluate(self, genotype: Genotype, evaluation: Evaluation) -> Measurement:
        return Measurement(evaluation.cost(genotype)[self.name])


class Params(CostObjective):
    """Trainable numbers."""

    name = "params"


class Macs(CostObjective):
    """Multiply-accumulates for one example."""

    name = "macs"


class Flops(CostObjective):
    """Floating-point operations for one example, two for each multiply-accumulate."""

    name = "flops"


class Activations(CostObjective):
    """Numbers in the outputs of convolutions, linear layers and attention products (arXiv 2103.06877)."""

    name = "activations"


class Depth(CostObjective):
    """Layers with weights on the longest way through."""

    name = "depth"


class Latency(CostObjective):
    """Seconds for one example, the sum over the layers in the table of a device, such as `phone.latency.json`."""

    positional = ("device",)

    device: Annotated[str, Bare("the name of a device")] = setting(doc="the table beside the program that is looked up")

    @property
    def name(self) -> str:  # type: ignore[override]
        return metric(self.device)

    def evaluate(self, genotype: Genotype, evaluation: Evaluation) -> Measurement:
        return Measurement(evaluation.cost(genotype)[self.name] / NANOSECONDS)


class AdaptedObjective(Objective, ABC):
    """A mean over validation tasks, with the standard error of that mean: s / sqrt(n)."""

    tasks: int = setting(50, ge=2, doc="validation tasks that every architecture is adapted to")
    measure: ClassVar[Measure]

    def evaluate(self, genotype: Genotype, evaluation: Evaluation) -> Measurement:
        from atnas.runtime.learn.interval import mean, standard_error

        scores = evaluation.adapted(genotype, self.tasks, self.measure)
        return Measurement(mean(scores), standard_error(scores))


class Accuracy(AdaptedObjective):
    """Query accuracy after adapting to the support of each of `tasks` validation tasks."""

    name = "accuracy"
    measure = "accuracy"
    losses = ("cross_entropy",)


class TaskLoss(AdaptedObjective):
    """Query loss after adapting to the support of each of `tasks` validation tasks."""

    name = "loss"
    measure = "loss"
