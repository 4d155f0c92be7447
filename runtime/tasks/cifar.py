"""CIFAR-100's images as few-shot tasks: CIFAR-FS and FC100."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from atnas.dsl.operator import Shape
from atnas.dsl.settings import setting
from atnas.runtime.tasks.cifar_split import CIFAR_FS, FC100
from atnas.runtime.tasks.distribution import Pool, Scale, TaskSource

if TYPE_CHECKING:
    from atnas.runtime.tasks.task import Split


# Colour: of the 50,000 training images, as everywhere in the field. Grey: of 30,000 of the 60,000 images.
SCALES = {3: Scale((0.5071, 0.4865, 0.4409), (0.2673, 0.2564, 0.2762)), 1: Scale((0.4874,), (0.2508,))}


class _Cifar(TaskSource):
    """100 classes of colour images, 32 x 32, less the mean and over the standard deviation of CIFAR-100."""

    splits: ClassVar[dict[str, Split]]

    size: int = setting(32, ge=4, le=512, doc="height and width in pixels")
    channels: Literal[1, 3] = setting(3, doc="3 for colour, 1 for grey")
    root: str | None = setting(None, doc="the folder of data, else ATNAS_DATA, else ~/.cache/atnas")

    @property
    def shape(self) -> Shape:
        return (self.channels, self.size, self.size)

    @property
    def scale(self) -> Scale:
        return SCALES[self.channels]

    def open(self, split: Split) -> Pool:
        from atnas.runtime.tasks.cifar_images import load

        names = [name for name, its_split in self.splits.items() if its_split == split]
        return load(names, self.size, self.channels, self.root, self.scale)


class CifarFS(_Cifar):
    """CIFAR-FS: 64, 16 and 20 classes of CIFAR-100, at random (Bertinetto et al., 2019)."""

    splits: ClassVar[dict[str, Split]] = CIFAR_FS


class FewShotCifar100(_Cifar):
    """FC100: 60, 20 and 20 classes of CIFAR-100, along its superclasses (Oreshkin et al., 2018)."""

    splits: ClassVar[dict[str, Split]] = FC100
