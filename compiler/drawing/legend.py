"""What the colours of a picture mean: those that are there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from atnas.compiler.drawing.boxes import beside, text_block
from atnas.compiler.drawing.marks import SMALL, Dot, Drawn, Group, Line, Mark, Rect, Run, Text

USE: Final = Drawn(20, 11, (Rect(0, 0, 20, 11, "use", 3),))
CHOICE: Final = Drawn(20, 11, (Rect(0, 0, 20, 11, "choice", 3), Line((("M", (0, 5.5)), ("L", (20, 5.5))), "between")))
MAYBE: Final = Drawn(20, 11, (Line((("M", (0, 5.5)), ("L", (20, 5.5))), "edge-maybe"),))
CHOSEN: Final = Drawn(20, 11, (Line((("M", (0, 5.5)), ("L", (20, 5.5))), "edge-chosen"),))
ON: Final = Drawn(6, 11, (Dot(3, 5.5, 2.6, "on"),))

SIGNS: Final[dict[str, tuple[Drawn | Run, str]]] = {
    "use": (USE, "drawn by itself"),
    "choice": (CHOICE, "one of these"),
    "number": (("3 | 5", "number"), "one of these numbers"),
    "edge-maybe": (MAYBE, "some of these"),
    "edge-chosen": (CHOSEN, "chosen"),
    "on": (ON, "taken; a column for each time it is decided"),
}
"""By what it is drawn with: a sign, and what it means."""


def legend(marks: Sequence[Mark]) -> Drawn:
    """A line with the meaning of what is among the marks; nothing where all is plain."""
    there = set(_kinds(marks))
    return beside([_entry(sign, words) for kind, (sign, words) in SIGNS.items() if kind in there], 18)


def _entry(sign: Drawn | Run, words: str) -> Drawn:
    drawn = sign if isinstance(sign, Drawn) else text_block([[sign]], SMALL, centered=False)
    return beside([drawn, text_block([[(words, "faint")]], SMALL, centered=False)], 5)


def _kinds(marks: Sequence[Mark]) -> Iterator[str]:
    for mark in marks:
        match mark:
            case Group(marks=inner):
                yield from _kinds(inner)
            case Text(runs=runs):
                yield from (kind for _, kind in runs if kind == "number")
            case _:
                yield mark.kind
