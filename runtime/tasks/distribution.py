"""What a `tasks` declaration holds: a source, how it is augmented, and how large its tasks are."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Annotated, Protocol, runtime_checkable

from atnas.dsl.errors import Unable
from atnas.dsl.operator import Shape
from atnas.dsl.settings import Between, Draw, Extension, OneOf, Settings, rule, setting

if TYPE_CHECKING:
    import random

    from atnas.runtime.tasks.task import Loss, Split, Task

LARGEST = 10_000
"""The most ways, shots or queries that may be asked for."""


class Pool(Protocol):
    """What the tasks of one split are drawn from."""

    def check(self, way: int, shot: int, query: int) -> None:
        """Raises `Unable` where tasks of this size cannot be drawn. `shot` and `query` are per class."""

    def task(self, way: int, shot: int, query: int, rng: random.Random) -> Task:
        """One task, a function of its arguments; draws from `rng.random()` alone, which Python promises."""


@runtime_checkable
class Classed(Protocol):
    """A pool whose classes are known, by the names that its tasks give them."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Every class once."""


@dataclass(frozen=True)
class Scale:
    """An example is (image - mean) / std, images between 0 and 1; one mean and one std, or one for each channel."""

    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)


class TaskSource(Settings, ABC):
    """Where tasks come from. Its fields are its parameters in the language.

    The module of a source imports neither torch nor numpy: `open` does, when the data is needed.
    """

    @property
    @abstractmethod
    def shape(self) -> Shape:
        """The shape of one example, known without the data."""

    @property
    def loss(self) -> Loss:
        """`cross_entropy` for classes, `mse` for regression."""
        return "cross_entropy"

    @property
    def outputs(self) -> int | None:
        """How many numbers a network puts out; None where that is the number of ways."""
        return None

    @property
    def scale(self) -> Scale:
        """How images become examples: known without the data, so that other images can be made ready alike."""
        return Scale()

    @abstractmethod
    def open(self, split: Split) -> Pool:
        """The classes of one split, which no other has. Raises `Unable` where data is missing or damaged."""


class Augment(Settings, ABC):
    """How new classes are made from those of a source. A class stays in its split."""

    @abstractmethod
    def check(self, source: TaskSource) -> None:
        """Raises `ValueError` where it does not suit the source's examples; needs no data."""

    @abstractmethod
    def apply(self, pool: Pool) -> Pool:
        """The pool with the new classes."""


class Tasks(Settings):
    """A distribution over tasks.

    `way`, `shot` and `query` count classes, support examples per class and query examples per class. In
    regression there are no classes: `shot` and `query` count the points of a task.
    """

    source: Annotated[TaskSource, Extension("tasks")] = setting(doc="where tasks come from")
    augment: Annotated[Augment | None, Extension("tasks")] = setting(None, doc="how classes are added")
    way: int | Draw = setting(5, doc="classes in a task")
    shot: int | Draw = setting(1, doc="support examples per class")
    query: int = setting(15, ge=1, le=LARGEST, doc="query examples per class")

    @staticmethod
    @rule("augment")
    def _augment_suits(augment: Augment | None, source: TaskSource) -> None:
        if augment:
            augment.check(source)

    @staticmethod
    @rule("way")
    def _way_suits(way: int | Draw, source: TaskSource | None = None) -> None:
        if source and source.loss == "mse":
            raise ValueError("these tasks are regression and have no classes: leave `way` out")
        _within("way", way, 2)

    @staticmethod
    @rule("shot")
    def _shot_suits(shot: int | Draw) -> None:
        _within("shot", shot, 1)

    @property
    def shape(self) -> Shape:
        """The shape of one example."""
        return self.source.shape

    @property
    def loss(self) -> Loss:
        """`cross_entropy` or `mse`."""
        return self.source.loss

    @property
    def largest_way(self) -> int:
        """The most classes that a task can have, 0 in regression."""
        return 0 if self.loss == "mse" else _largest(self.way)

    @property
    def outputs(self) -> int:
        """How many numbers a network for these tasks puts out."""
        return self.source.outputs or self.largest_way

    def open(self) -> None:
        """Opens every split, so that missing data is found before any training. Raises `Unable`."""
        splits: tuple[Split, ...] = ("train", "val", "test")
        for split in splits:
            _checked_pool(self, split)

    def classes(self) -> tuple[str, ...]:
        """The names of all training classes, none where they are not known. Raises `Unable`."""
        pool = _checked_pool(self, "train")
        return pool.classes if isinstance(pool, Classed) else ()

    def task(self, split: Split, seed: int, index: int) -> Task:
        """Task number `index` of a split: the same task on every machine. Raises `Unable`."""
        from atnas.runtime.seeds import stream

        pool = _checked_pool(self, split)
        rng = stream(seed, f"{split} task", index)
        way = 0 if self.loss == "mse" else _draw(self.way, rng)
        return pool.task(way, _draw(self.shot, rng), self.query, rng)


@cache
def _checked_pool(tasks: Tasks, split: Split) -> Pool:
    pool = _pool(tasks.source, tasks.augment, split)
    try:
        pool.check(tasks.largest_way, _largest(tasks.shot), tasks.query)
    except Unable as error:
        raise Unable(f"the {split} split cannot give these tasks: {error}") from error
    return pool


@cache
def _pool(source: TaskSource, augment: Augment | None, split: Split) -> Pool:
    if augment:
        return augment.apply(_pool(source, None, split))
    try:
        return source.open(split)
    except OSError as error:
        raise Unable(f"the data of the tasks cannot be read: {error}") from error


def _draw(number: int | Draw, rng: random.Random) -> int:
    return int(number.sample(rng.random())) if isinstance(number, Draw) else number


def _largest(number: int | Draw) -> int:
    return int(number.high) if isinstance(number, Draw) else number


def _within(name: str, number: int | Draw, low: int) -> None:
    if isinstance(number, Draw) and not _whole(number):
        raise ValueError(f"`{name}` is a whole number: draw it from numbers like 1 | 5 or from a range like 1..5")
    least, most = (number.low, number.high) if isinstance(number, Draw) else (number, number)
    if least < low:
        raise ValueError(f"`{name}` is at least {low}, {_not(number, least)}")
    if most > LARGEST:
        raise ValueError(f"`{name}` is at most {LARGEST}, {_not(number, most)}")


def _not(number: int | Draw, end: float) -> str:
    return f"and here it can be {end}" if isinstance(number, Draw) else f"not {end}"


def _whole(draw: Draw) -> bool:
    if isinstance(draw, OneOf):
        return all(isinstance(option, int) for option in draw.options)
    return isinstance(draw, Between)
