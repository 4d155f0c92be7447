"""A folder of the user's own: one folder of images for each class."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field, field_validator

from atnas.dsl.operator import Shape
from atnas.runtime.tasks.distribution import Pool, TaskSource
from atnas.runtime.tasks.task import Split


class ImageFolder(TaskSource):
    """Images in `<root>/<class>/` or, split by hand, in `<root>/train/<class>/`, `val` and `test`.

    Where they are not split by hand, classes go to the splits in shares of `fractions`, in the order of their
    names' hashes. Images are cut to the square in their middle and resized. Colour images are less the mean
    and over the standard deviation of ImageNet; grey ones are left between 0 and 1.
    """

    positional: ClassVar[tuple[str, ...]] = ("root",)
    root: str = Field(description="the folder; also looked for in ATNAS_DATA")
    size: int = Field(32, ge=4, le=512, description="height and width in pixels")
    channels: Literal[1, 3] = Field(3, description="3 for colour, 1 for grey")
    fractions: tuple[float, float, float] = Field(
        (0.64, 0.16, 0.2), description="shares of classes for train, val and test"
    )

    @field_validator("fractions")
    @classmethod
    def _shares(cls, fractions: tuple[float, float, float]) -> tuple[float, float, float]:
        if min(fractions) <= 0 or abs(sum(fractions) - 1) > 1e-6:
            raise ValueError(f"`fractions` are three shares above 0 that add up to 1, and not {list(fractions)}")
        return fractions

    @property
    def shape(self) -> Shape:
        return (self.channels, self.size, self.size)

    def open(self, split: Split) -> Pool:
        from atnas.runtime.tasks.folder_images import load

        return load(self.root, split, self.size, self.channels, self.fractions)
