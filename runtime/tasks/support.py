"""A support set of the user's own: a folder with a folder of images for each class.

C channels, H height.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from atnas.dsl.errors import Unable
from atnas.runtime.tasks.data_root import subfolders
from atnas.runtime.tasks.distribution import Scale
from atnas.runtime.tasks.images import image_files, readable
from atnas.runtime.tasks.mixture import Distribution, Mixture
from atnas.runtime.tasks.task import Task

FOLDS = 5
"""Parts that cross-validation holds out in turn; of classes with fewer images, each image is one."""


@dataclass(frozen=True)
class Support:
    """Examples [n, C, H, H] of each class, by the classes' names."""

    names: tuple[str, ...]
    examples: tuple[Tensor, ...]

    @property
    def fewest(self) -> int:
        """Images of the smallest class."""
        return min(map(len, self.examples))

    @property
    def whole(self) -> Task:
        """All images to adapt to; they stand as queries too, though nothing can be learned from how these go."""
        everything = _rows(self.examples)
        return self._task(everything, everything)

    def folds(self) -> list[Task]:
        """Cross-validation: every image is a query of one task and supports all others; none where a class has one.

        Each fold holds out a part of every class.
        """
        count = min(FOLDS, self.fewest)
        if count < 2:
            return []
        return [
            self._task(
                _rows([torch.stack([x for i, x in enumerate(each) if i % count != fold]) for each in self.examples]),
                _rows([each[fold::count] for each in self.examples]),
            )
            for fold in range(count)
        ]

    def _task(self, support: tuple[Tensor, Tensor], query: tuple[Tensor, Tensor]) -> Task:
        return Task(*support, *query, len(self.names), "cross_entropy", self.names)


def _rows(classes: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """Examples and labels, going round the classes as long as each has any."""
    order = sorted((i, label) for label, each in enumerate(classes) for i in range(len(each)))
    return torch.stack([classes[label][i] for i, label in order]), torch.tensor([label for _, label in order])


def read_support(folder: Path, tasks: Distribution, skipped: Callable[[str], None] | None = None) -> Support:
    """The images of a folder, made ready as those that a run was trained on. Raises `Unable` where they cannot be.

    `skipped`: hears why an image cannot be read, which is then left out.
    """
    if tasks.loss == "mse":
        raise Unable("the run learned regression: it adapts to numbers and not to a folder of images")
    shape = tasks.shape
    if len(shape) != 3 or shape[1] != shape[2]:
        raise Unable(f"the run takes examples of shape {shape}, which are no square images")
    if not folder.is_dir():
        raise Unable(f"{folder} is no folder; give one with a folder of images for each class")
    classes = subfolders(folder)
    if len(classes) < 2:
        raise Unable(f"{folder} has {len(classes)} class folders; a task has two or more, each with its images")
    if len(classes) > tasks.outputs:
        raise Unable(f"{folder} has {len(classes)} classes and the run's networks tell {tasks.outputs} apart at most")
    scale = scale_of(tasks)
    examples = tuple(_examples(each, shape[0], shape[1], scale, skipped) for each in classes)
    return Support(tuple(each.name for each in classes), examples)


def scale_of(tasks: Distribution) -> Scale:
    """How the images of a run were scaled. Raises `Unable` where its sources differ."""
    scales = {part.source.scale for _, _, part in tasks.parts} if isinstance(tasks, Mixture) else {tasks.source.scale}
    if len(scales) > 1:
        raise Unable("the run learned from sources that are scaled differently: it is not known how these images go")
    return scales.pop()


def _examples(folder: Path, channels: int, size: int, scale: Scale, skipped: Callable[[str], None] | None) -> Tensor:
    files, pixels = readable(image_files(folder), size, channels, skipped)
    if not files:
        raise Unable(f"class folder {folder} holds no images; fill it or take it away")
    images = torch.from_numpy(pixels).float().div_(255)
    mean, std = (torch.tensor(numbers).view(-1, 1, 1) for numbers in (scale.mean, scale.std))
    return images.sub_(mean).div_(std)
