"""Sine waves: the regression tasks of the MAML paper."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from atnas.dsl.operator import Shape
from atnas.dsl.settings import Draw, Uniform, rule, setting
from atnas.runtime.tasks.distribution import Pool, TaskSource

if TYPE_CHECKING:
    import random

    from atnas.runtime.tasks.task import Loss, Split, Task


class Sinusoid(TaskSource):
    """y = amplitude * sin(x - phase), both drawn for each task (Finn et al., 2017, section 5.1).

    `shot` and `query` points have an x between `low` and `high`, uniformly. Splits differ by their draws
    alone.
    """

    positional: ClassVar[tuple[str, ...]] = ("amplitude", "phase")
    amplitude: float | Draw = setting(Uniform(first=0.1, last=5.0), doc="height of the wave")
    phase: float | Draw = setting(Uniform(first=0.0, last=math.pi), doc="shift to the right, in radians")
    low: float = setting(-5.0, finite=True, doc="smallest x")
    high: float = setting(5.0, finite=True, doc="largest x")

    @staticmethod
    @rule("high", "low")
    def _above_low(high: float, low: float) -> None:
        if low >= high:
            raise ValueError(f"`high` is above `low`, and here they are {high} and {low}")

    @property
    def shape(self) -> Shape:
        return (1,)

    @property
    def loss(self) -> Loss:
        return "mse"

    @property
    def outputs(self) -> int:
        return 1

    def open(self, split: Split) -> Pool:
        del split  # every task draws its wave from its own stream
        return _Waves(self)


@dataclass(frozen=True)
class _Waves:
    source: Sinusoid

    def check(self, way: int, shot: int, query: int) -> None:
        """Waves have points enough for everything."""

    def task(self, way: int, shot: int, query: int, rng: random.Random) -> Task:
        import torch

        from atnas.runtime.tasks.task import Task

        del way  # a wave has no classes
        amplitude, phase = _number(self.source.amplitude, rng), _number(self.source.phase, rng)
        width = self.source.high - self.source.low
        points = [self.source.low + width * rng.random() for _ in range(shot + query)]
        # Python's double-precision sine, rounded once: torch's differs between processors in the last bit.
        values = [amplitude * math.sin(x - phase) for x in points]
        x = torch.tensor(points, dtype=torch.float32).unsqueeze(1)
        y = torch.tensor(values, dtype=torch.float32).unsqueeze(1)
        name = f"{amplitude:.6g} sin(x - {phase:.6g})"
        return Task(x[:shot], y[:shot], x[shot:], y[shot:], way=0, loss="mse", classes=(name,))


def _number(number: float | Draw, rng: random.Random) -> float:
    return float(number.sample(rng.random())) if isinstance(number, Draw) else number
