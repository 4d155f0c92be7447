"""How much work a program may be, so that a hostile one costs bounded time and memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

from atnas.dsl.errors import Unable

WALKED: Final = 8
"""Nodes of a diagram that are walked over, or options counted, in the time of one step."""

STEPS_BEFORE_A_MISTAKE: Final = 40_000
STEPS_OF_A_MISTAKE: Final = 20
"""Where the first mistake is found before so many steps there is a hurry, and each that follows allows so many more."""


class TooLarge(Unable):
    """The space is larger than this program takes. The text says what is too large."""


class Meter:
    """Counts the work that one space takes: expressions, nodes of diagrams, options, some microseconds each.

    With `patience`, a space with a mistake may take so many steps more, and some for each mistake that follows.
    """

    def __init__(self, most: int, spent: int = 0, patience: int = 0) -> None:
        self.most = most
        self.spent = spent
        self._all = most
        self._patience = patience

    def spend(self, steps: int) -> None:
        """Raises `TooLarge` where it is more than any space needs."""
        self.spent += steps
        if self.spent > self.most:
            raise TooLarge(f"working it out takes more than {self._all:,} steps")

    def hurry(self) -> None:
        """Notes a mistake. What is worked out for the most part by then is worked out to the end."""
        if self._patience and (self.is_hurried or self.spent < STEPS_BEFORE_A_MISTAKE):
            more = STEPS_OF_A_MISTAKE if self.is_hurried else self.spent - self.most + self._patience
            self.most = min(self._all, self.most + more)

    @property
    def is_hurried(self) -> bool:
        """Whether it takes fewer steps than it might."""
        return self.most < self._all


_meter: Final = ContextVar[Meter | None]("meter", default=None)


@contextmanager
def metered(meter: Meter) -> Iterator[None]:
    """Operations on diagrams are counted by this meter, as often as they are asked for, remembered or not."""
    before = _meter.set(meter)
    try:
        yield
    finally:
        _meter.reset(before)


def spend(steps: int) -> None:
    """Counts work with the meter that is set, if any. Raises `TooLarge`."""
    meter = _meter.get()
    if meter is not None:
        meter.spend(steps)


def steps_left() -> int | None:
    """How many steps may still be taken; None where none are counted."""
    meter = _meter.get()
    return None if meter is None else meter.most - meter.spent


def hurry() -> None:
    """What is worked out has a mistake: what comes of it need not be worked out at any price."""
    meter = _meter.get()
    if meter is not None:
        meter.hurry()
