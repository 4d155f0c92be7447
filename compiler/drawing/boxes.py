"""Boxes with text, and boxes in boxes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from atnas.compiler.drawing.marks import LINE, SMALL, TEXT, Drawn, Group, Line, Mark, Rect, Run, Text, measure

PAD_X: Final = 8.0
PAD_Y: Final = 5.0
GAP: Final = 24.0
"""Between boxes in a row, where an arrow goes."""
TIP: Final = 5.0


def box(lines: Sequence[Sequence[Run]], kind: str) -> Drawn:
    """A box around lines of text, each in the middle."""
    inner = text_block(lines)
    width, height = inner.width + 2 * PAD_X, inner.height + 2 * PAD_Y
    marks = (Rect(0, 0, width, height, kind), *inner.at(PAD_X, PAD_Y))
    return Drawn(width, height, marks)


def text_block(lines: Sequence[Sequence[Run]], size: float = TEXT, centered: bool = True) -> Drawn:
    """Lines of text below each other."""
    leading = LINE * size / TEXT
    width = max((measure(line, size) for line in lines), default=0.0)
    x = width / 2 if centered else 0.0
    marks = tuple(Text(x, i * leading + 0.78 * leading, tuple(line), size, centered) for i, line in enumerate(lines))
    return Drawn(width, leading * len(lines), marks)


def below(parts: Sequence[Drawn], gap: float, centered: bool = True) -> Drawn:
    """Things below each other."""
    width = max((part.width for part in parts), default=0.0)
    marks: list[Mark] = []
    y = 0.0
    for part in parts:
        marks += part.at((width - part.width) / 2 if centered else 0, y)
        y += part.height + gap
    return Drawn(width, max(y - gap, 0.0), tuple(marks))


def framed(inner: Drawn, kind: str, caption: Sequence[Run] = (), pad: float = PAD_X, right: bool = False) -> Drawn:
    """A frame around something, with a caption in its upper corner."""
    head = text_block([caption], SMALL) if caption else Drawn(0, 0)
    width = max(inner.width, head.width) + 2 * pad
    top = pad + (head.height + 2 if caption else 0)
    height = top + inner.height + pad
    x = width - head.width - pad if right else pad
    left = (width - inner.width) / 2
    marks = (Rect(0, 0, width, height, kind, 6), *head.at(x, pad - 2), *inner.at(left, top))
    return Drawn(width, height, marks, top + inner.middle, left + inner.center)


def titled(drawn: Drawn, title: str, kind: str = "") -> Drawn:
    """The same with a title for those who point at it."""
    if not title and not kind:
        return drawn
    return Drawn(drawn.width, drawn.height, (Group(drawn.marks, title, kind),), drawn.axis, drawn.stem)


def pill(runs: Sequence[Run], kind: str) -> Drawn:
    """A box with round ends."""
    made = text_block([runs])
    width, height = made.width + 2 * PAD_X, made.height + 2 * PAD_Y
    return Drawn(width, height, (Rect(0, 0, width, height, kind, height / 2), *made.at(PAD_X, PAD_Y)))


def letter(text: str, kind: str) -> Drawn:
    """A letter in a circle."""
    size = LINE + 4
    made = text_block([[(text, "plain")]])
    inner = made.at((size - made.width) / 2, (size - made.height) / 2)
    return Drawn(size, size, (Rect(0, 0, size, size, kind, size / 2), *inner))


def faded(drawn: Drawn, is_on: bool) -> Drawn:
    """The same, pale where it is not on."""
    return drawn if is_on else titled(drawn, "", "off")


def arrow(x: float, y: float, length: float) -> list[Mark]:
    """An arrow to the right."""
    end = x + length
    return [
        Line((("M", (x, y)), ("L", (end - TIP, y))), "edge"),
        Line((("M", (end, y)), ("L", (end - TIP, y - TIP * 0.6)), ("L", (end - TIP, y + TIP * 0.6)), ("Z", ())), "tip"),
    ]


def beside(parts: Sequence[Drawn], gap: float, arrows: bool = False) -> Drawn:
    """Things side by side on one axis, with arrows between them or without."""
    axis = max((part.middle for part in parts), default=0.0)
    height = axis + max((part.height - part.middle for part in parts), default=0.0)
    marks: list[Mark] = []
    x = 0.0
    for part in parts:
        if marks and arrows:
            marks += arrow(x - gap, axis, gap)
        marks += part.at(x, axis - part.middle)
        x += part.width + gap
    return Drawn(x - gap if parts else 0.0, height, tuple(marks), axis)
