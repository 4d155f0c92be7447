"""Drawing few-shot tasks from images of classes.

N images, W ways, K shots, Q queries per class, C channels, H height.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import accumulate

import numpy as np
import torch
from torch import Tensor

from atnas.dsl.errors import Unable
from atnas.runtime.tasks.images import Images
from atnas.runtime.tasks.task import Task


def choose(rng: random.Random, n: int, k: int) -> list[int]:
    """`k` different numbers below `n`, in random order: the first `k` steps of Fisher and Yates's shuffle.

    Python's own `sample` may draw otherwise in another version; `random()` may not.
    """
    moved: dict[int, int] = {}
    picked = []
    for i in range(k):
        j = i + int(rng.random() * (n - i))
        picked.append(moved.get(j, j))
        moved[j] = moved.get(i, i)
    return picked


@dataclass(frozen=True, eq=False)
class ImagePool:
    """Images of classes. `images` [N, C, H, H] uint8, one class after another, `counts` of them each.

    An example is (image / 255 - mean) / std, with one mean and std per channel. Class `c` turned by a further
    `turns[t]` quarters is class number `t * len(names) + c`.
    """

    names: tuple[str, ...]
    images: Tensor
    counts: tuple[int, ...]
    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)
    turns: tuple[int, ...] = (0,)

    @classmethod
    def of(
        cls,
        names: Sequence[str],
        classes: Sequence[Images],
        mean: tuple[float, ...] = (0.0,),
        std: tuple[float, ...] = (1.0,),
    ) -> ImagePool:
        """The pool of these `classes`, each [n, C, H, H]."""
        images = torch.from_numpy(np.concatenate(classes))
        return cls(tuple(names), images, tuple(len(images) for images in classes), mean, std)

    def turned(self, quarters: tuple[int, ...]) -> ImagePool:
        """The pool with every class turned counter-clockwise as further classes."""
        return replace(self, turns=(*self.turns, *quarters))

    def check(self, way: int, shot: int, query: int) -> None:
        """Raises `Unable` where there are too few classes, or too few images in one."""
        size = len(self.names) * len(self.turns)
        if way > size:
            raise Unable(f"it has {size} classes, and way is up to {way}")
        smallest = min(range(len(self.names)), key=self.counts.__getitem__)
        if shot + query > self.counts[smallest]:
            raise Unable(
                f"class {self.names[smallest]!r} has {self.counts[smallest]} images, and a task takes "
                f"shot + query = {shot} + {query} of each class; lower one of them or leave the class out"
            )

    def task(self, way: int, shot: int, query: int, rng: random.Random) -> Task:
        """`way` different classes, and of each `shot` + `query` different images."""
        picked = choose(rng, len(self.names) * len(self.turns), way)
        classes = [number % len(self.names) for number in picked]
        turns = [self.turns[number // len(self.names)] for number in picked]
        rows = [self._starts[c] + image for c in classes for image in choose(rng, self.counts[c], shot + query)]
        images = self.images[torch.tensor(rows)].view(way, shot + query, *self.images.shape[1:])
        images = _turn(images, turns).transpose(0, 1)
        labels = torch.arange(way)
        return Task(
            support_x=self._examples(images[:shot]),
            support_y=labels.repeat(shot),
            query_x=self._examples(images[shot:]),
            query_y=labels.repeat(query),
            way=way,
            loss="cross_entropy",
            classes=tuple(_called(self.names[c], turn) for c, turn in zip(classes, turns, strict=True)),
        )

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of all classes, turned ones too."""
        return tuple(_called(name, turn) for turn in self.turns for name in self.names)

    @cached_property
    def _starts(self) -> tuple[int, ...]:
        return tuple(accumulate(self.counts, initial=0))

    def _examples(self, images: Tensor) -> Tensor:
        """[K, W, C, H, H] uint8 to [K * W, C, H, H] float32."""
        values = images.flatten(0, 1).float().div_(255)
        if self.mean == (0.0,) and self.std == (1.0,):
            return values
        mean, std = (torch.tensor(numbers).view(-1, 1, 1) for numbers in (self.mean, self.std))
        return values.sub_(mean).div_(std)


def _called(name: str, turn: int) -> str:
    return f"rot{90 * turn}:{name}" if turn else name


def _turn(images: Tensor, turns: Sequence[int]) -> Tensor:
    """Each class of [W, K, C, H, H] by its number of quarters."""
    if not any(turns):
        return images
    return torch.stack([torch.rot90(x, turn, (-2, -1)) for x, turn in zip(images, turns, strict=True)])
