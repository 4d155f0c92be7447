"""New classes from old ones."""

from __future__ import annotations

from typing import ClassVar, Literal

from atnas.dsl.errors import Unable
from atnas.dsl.settings import rule, setting
from atnas.runtime.tasks.distribution import Augment, Pool, TaskSource

Angle = Literal[90, 180, 270]


class RotateClasses(Augment):
    """Each class, turned counter-clockwise by each angle, is a further class (Santoro et al., 2016)."""

    positional: ClassVar[tuple[str, ...]] = ("*angles",)
    angles: tuple[Angle, ...] = setting((90, 180, 270), doc="in degrees")

    @staticmethod
    @rule("angles")
    def _distinct(angles: tuple[Angle, ...]) -> None:
        if len(set(angles)) < len(angles):
            raise ValueError("each angle stands once")

    def check(self, source: TaskSource) -> None:
        if len(source.shape) != 3 or source.shape[1] != source.shape[2]:
            raise ValueError(f"only square images can be rotated, and these examples are {source.shape}")

    def apply(self, pool: Pool) -> Pool:
        from atnas.runtime.tasks.episodes import ImagePool

        if not isinstance(pool, ImagePool):
            raise Unable("rotate_classes needs a source whose pool is an ImagePool, and this one is of its own kind")
        return pool.turned(tuple(angle // 90 for angle in self.angles))
