"""The distributions that a number can be drawn from after `~`."""

from __future__ import annotations

from typing import ClassVar

from atnas.dsl.settings.draw import Draw
from atnas.dsl.settings.model import Settings


class OneOf(Settings, Draw):
    """`shot ~ 1 | 5`: each with equal chance."""

    options: tuple[int | float, ...]

    def sample(self, u: float) -> int | float:
        return self.options[int(u * len(self.options))]

    @property
    def low(self) -> int | float:
        return min(self.options)

    @property
    def high(self) -> int | float:
        return max(self.options)


class Between(Settings, Draw):
    """`way ~ 5..20 step 5`: a number of the range, both ends included, each with equal chance."""

    first: int
    last: int
    step: int = 1

    def sample(self, u: float) -> int:
        return self.first + self.step * int(u * ((self.last - self.first) // self.step + 1))

    @property
    def low(self) -> int:
        return self.first

    @property
    def high(self) -> int:
        return self.last - (self.last - self.first) % self.step


class Uniform(Settings, Draw):
    """`amplitude ~ uniform(0.1, 5)`: any number between the two."""

    positional: ClassVar[tuple[str, ...]] = ("first", "last")
    first: float
    last: float

    def sample(self, u: float) -> float:
        return self.first + (self.last - self.first) * u

    @property
    def low(self) -> float:
        return self.first

    @property
    def high(self) -> float:
        return self.last
