"""What a picture is drawn with: rectangles, lines and text, and how wide text is in any font that may be there.

Lengths are in pixels, y goes down. A `Drawn` has its upper left corner at (0, 0).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

Run = tuple[str, str]
"""Letters and their kind."""

Step = tuple[str, tuple[float, ...]]
"""A step of a path: SVG's letter for it, and absolute coordinates in pairs."""

TEXT: Final = 12.0
SMALL: Final = 10.0
TITLE: Final = 13.0
LINE: Final = 16.0
"""From one line of text to the next."""

WIDTHS: Final = {
    300: "ijlI'",
    350: ",./:;\\| ·",
    400: "ft!()-[]",
    450: "r",
    500: 'J"*`',
    550: "csz",
    600: "kvxyL?_",
    650: "0123456789abdeghnopquFT${}",
    700: "ABEKPSVXYZ",
    750: "CNRU",
    800: "DGHOQ&",
    850: "w#+<=>^~×≤≥",
    900: "M",
    950: "%",
    1000: "mW→…",
}
"""Letters by their widest advance, in thousandths of the size, in DejaVu Sans and Liberation Sans, which is as wide as
Helvetica and Arial."""

ADVANCE: Final = {letter: width / 1000 for width, letters in WIDTHS.items() for letter in letters}
UNKNOWN: Final = 1.05
BOLD: Final = 1.14
HEAVY: Final = frozenset({"title", "name", "taken"})
"""Kinds of text that are bold."""


def measure(runs: Sequence[Run], size: float = TEXT) -> float:
    """The most room that text needs in a row."""
    return sum(
        ADVANCE.get(letter, UNKNOWN) * size * (BOLD if kind in HEAVY else 1) for text, kind in runs for letter in text
    )


def joined(runs: Sequence[Run]) -> str:
    """The letters of a text."""
    return "".join(text for text, _ in runs)


@dataclass(frozen=True)
class Rect:
    x: float
    y: float
    width: float
    height: float
    kind: str
    radius: float = 4.0


@dataclass(frozen=True)
class Line:
    """A path."""

    steps: tuple[Step, ...]
    kind: str


@dataclass(frozen=True)
class Text:
    """A line of text; y is its baseline, x its left end, or its middle."""

    x: float
    y: float
    runs: tuple[Run, ...]
    size: float = TEXT
    is_centered: bool = False


@dataclass(frozen=True)
class Dot:
    x: float
    y: float
    radius: float
    kind: str
    title: str = ""


@dataclass(frozen=True)
class Group:
    """Marks under one title, which a reader may point at."""

    marks: tuple[Mark, ...]
    title: str = ""
    kind: str = ""


Mark = Rect | Line | Text | Dot | Group


@dataclass(frozen=True)
class Drawn:
    """Something of a size. Flows go through it at the height `axis`, or at `stem` from left where they go down."""

    width: float
    height: float
    marks: tuple[Mark, ...] = ()
    axis: float = -1
    stem: float = -1

    @property
    def middle(self) -> float:
        return self.height / 2 if self.axis < 0 else self.axis

    @property
    def center(self) -> float:
        return self.width / 2 if self.stem < 0 else self.stem

    def at(self, x: float, y: float) -> Iterator[Mark]:
        """Its marks, moved there."""
        return (moved(mark, x, y) for mark in self.marks)


def moved(mark: Mark, x: float, y: float) -> Mark:
    """The same elsewhere."""
    match mark:
        case Group(marks=marks):
            return replace(mark, marks=tuple(moved(inner, x, y) for inner in marks))
        case Line(steps=steps):
            return replace(mark, steps=tuple((letter, _shifted(numbers, x, y)) for letter, numbers in steps))
        case _:
            return replace(mark, x=mark.x + x, y=mark.y + y)


def _shifted(numbers: tuple[float, ...], x: float, y: float) -> tuple[float, ...]:
    return tuple(number + (y if i % 2 else x) for i, number in enumerate(numbers))
