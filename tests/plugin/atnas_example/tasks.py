"""A task source: settings that are its parameters in the language, and a pool that tasks are drawn from."""

from __future__ import annotations

import random
from dataclasses import dataclass

from atnas.dsl.operator import Shape
from atnas.dsl.settings import setting
from atnas.runtime.tasks.distribution import Pool, TaskSource
from atnas.runtime.tasks.task import Split, Task


class Blobs(TaskSource):
    """Points around centres that are drawn anew for each task; a class is a centre."""

    dimensions: int = setting(2, ge=1, doc="numbers in a point")
    spread: float = setting(0.2, gt=0, doc="how far points lie from their centre, at most")

    @property
    def shape(self) -> Shape:
        """Of one example."""
        return (self.dimensions,)

    def open(self, split: Split) -> Pool:
        """Data would be read here. Splits share no classes, since each draws its own."""
        del split
        return _Pool(self)


@dataclass(frozen=True)
class _Pool:
    source: Blobs

    def check(self, way: int, shot: int, query: int) -> None:
        """There are always enough centres and points; where there are not, `Unable` is raised."""

    def task(self, way: int, shot: int, query: int, rng: random.Random) -> Task:
        """A function of its arguments: the same task on every machine."""
        import torch

        centres = [[rng.random() for _ in range(self.source.dimensions)] for _ in range(way)]
        points = [[self._near(x, rng) for x in centre] for _ in range(shot + query) for centre in centres]
        x, y = torch.tensor(points), torch.arange(way).repeat(shot + query)
        rows = way * shot
        return Task(x[:rows], y[:rows], x[rows:], y[rows:], way, "cross_entropy")

    def _near(self, x: float, rng: random.Random) -> float:
        return x + self.source.spread * (2 * rng.random() - 1)
