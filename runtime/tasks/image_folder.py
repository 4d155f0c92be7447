"""A folder of the user's own: one folder of images for each class."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from atnas.dsl.operator import Shape
from atnas.dsl.settings import rule, setting
from atnas.runtime.tasks.distribution import Pool, Scale, TaskSource

if TYPE_CHECKING:
    from atnas.runtime.tasks.task import Split


# Of ImageNet, as everywhere in the field; grey images are not normalised.
SCALES = {3: Scale((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)), 1: Scale()}


class ImageFolder(TaskSource):
    """Images in `<root>/<class>/` or, split by hand, in `<root>/train/<class>/`, `val` and `test`.

    Where they are not split by hand, classes go to the splits in shares of `fractions`, in the order of their
    names' hashes. Images are cut to the square in their middle and resized. Colour images are less the mean
    and over the standard deviation of ImageNet; grey ones are left between 0 and 1.
    """

    positional: ClassVar[tuple[str, ...]] = ("root",)
    root: str = setting(doc="the folder; also looked for in ATNAS_DATA")
    size: int = setting(32, ge=4, le=512, doc="height and width in pixels")
    channels: Literal[1, 3] = setting(3, doc="3 for colour, 1 for grey")
    fractions: tuple[float, float, float] = setting((0.64, 0.16, 0.2), doc="shares of classes for train, val and test")

    @staticmethod
    @rule("fractions")
    def _shares(fractions: tuple[float, float, float]) -> None:
        if min(fractions) <= 0 or abs(sum(fractions) - 1) > 1e-6:
            raise ValueError(f"`fractions` are three shares above 0 that add up to 1, and not {list(fractions)}")

    @property
    def shape(self) -> Shape:
        return (self.channels, self.size, self.size)

    @property
    def scale(self) -> Scale:
        return SCALES[self.channels]

    def open(self, split: Split) -> Pool:
        from atnas.runtime.tasks.folder_images import load

        return load(self.root, split, self.size, self.channels, self.fractions, self.scale)
