"""Sine waves: the regression tasks of the MAML paper."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from typing import ClassVar

from pydantic import Field, ValidationInfo, field_validator

from atnas.dsl.operator import Shape
from atnas.dsl.settings import Draw, Uniform
from atnas.runtime.tasks.distribution import Pool, TaskSource
from atnas.runtime.tasks.task import Loss, Split, Task


class Sinusoid(TaskSource):
    """y = amplitude * sin(x - phase), both drawn for each task (Finn et al., 2017, section 5.1).

    `shot` and `query` points have an x between `low` and `high`, uniformly. Splits differ by their draws
    alone.
    """

    positional: ClassVar[tuple[str, ...]] = ("amplitude", "phase")
    amplitude: float | Draw = Field(Uniform(first=0.1, last=5.0), description="height of the wave")
    phase: float | Draw = Field(Uniform(first=0.0, last=math.pi), description="shift to the right, in radians")
    low: float = Field(-5.0, allow_inf_nan=False, description="smallest x")
    high: float = Field(5.0, allow_inf_nan=False, description="largest x")

    @field_validator("high")
    @classmethod
    def _above_low(cls, high: float, info: ValidationInfo) -> float:
        low = info.data.get("low")
        if low is not None and low >= high:
            raise ValueError(f"`high` is above `low`, and here they are {high} and {low}")
        return high

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
