"""Things one after another, from left to right and row by row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from atnas.compiler.drawing.boxes import GAP, TIP, arrow, box, faded
from atnas.compiler.drawing.marks import SMALL, Drawn, Line, Mark, Text, measure
from atnas.compiler.drawing.scheme import Element

MARGIN: Final = 16.0
"""Left of a row that goes on from the one above."""
BETWEEN: Final = 20.0
"""Between rows."""
TURN: Final = 8.0
"""How far the line goes beyond a row that goes on in the next."""
LONG: Final = 250.0
"""Of layers that stand in one box."""


def flow(elements: Sequence[Element], width: float) -> Drawn:
    """Things one after another, in rows no wider; above each arrow the shape of what flows along it."""
    gaps = [_gap(element) for element in elements]
    rows = broken([element.drawn.width for element in elements], gaps, width)
    marks: list[Mark] = []
    y = widest = 0.0
    end = 0.0, 0.0
    for j, numbers in enumerate(rows):
        before = (elements[numbers[0] - 1].label, gaps[numbers[0] - 1]) if j else None
        row = _row([elements[i] for i in numbers], before)
        marks += row.at(MARGIN if j else 0.0, y)
        if j:
            marks.append(_turned(end, (MARGIN, y + row.middle), y - BETWEEN / 2))
        end = (row.width + (MARGIN if j else 0.0), y + row.middle)
        is_last = j == len(rows) - 1
        widest = max(widest, end[0] + (0.0 if is_last else TURN))
        y += row.height + (0.0 if is_last else BETWEEN)
    return Drawn(widest, y, tuple(marks), _row([elements[i] for i in rows[0]], None).middle)


def _row(elements: Sequence[Element], before: tuple[str, float] | None) -> Drawn:
    """Things side by side, behind an arrow with a shape and a length where something comes before them."""
    axis = max(SMALL + 6, *(element.drawn.middle for element in elements))
    marks: list[Mark] = []
    x = 0.0
    for element in elements:
        if before is not None:
            marks += _along(before[0], x, axis, before[1])
            x += before[1]
        part = faded(element.drawn, element.is_on)
        marks += part.at(x, axis - part.middle)
        x += part.width
        before = element.label, _gap(element)
    height = axis + max(element.drawn.height - element.drawn.middle for element in elements)
    return Drawn(x, height, tuple(marks), axis)


def broken(widths: Sequence[float], gaps: Sequence[float], width: float) -> list[list[int]]:
    """Rows of things with a gap after each: as few rows as can be, and then as even as can be.

    By dynamic programming, as paragraphs are broken (Knuth and Plass, 1981): the best rows of the first things are part
    of the best rows of more.
    """
    best: list[tuple[int, float, int]] = [(0, 0.0, 0)]
    for end in range(1, len(widths) + 1):
        options = []
        for start in range(end - 1, -1, -1):
            before = MARGIN + gaps[start - 1] if start else 0.0
            spare = width - before - sum(widths[start:end]) - sum(gaps[start : end - 1])
            if spare < 0 and start < end - 1:
                continue  # the first row has no margin before it, and may hold what a later one may not
            options.append((best[start][0] + 1, best[start][1] + spare**2, start))
        best.append(min(options))
    rows: list[list[int]] = []
    end = len(widths)
    while end:
        start = best[end][2]
        rows.insert(0, list(range(start, end)))
        end = start
    return rows


def grouped(elements: Sequence[Element]) -> list[Element]:
    """Plain layers that keep the shape, in one box with the layer before them."""
    found: list[Element] = []
    for element in elements:
        last = found[-1] if found else Element(Drawn(0, 0))
        runs = (*last.runs, (" → ", "faint"), *element.runs)
        is_plain = element.kind == last.kind == "layer" and not element.label and element.is_on == last.is_on
        if is_plain and measure(runs) <= LONG:
            found[-1] = replace(last, drawn=box([runs], "layer"), runs=runs)
        else:
            found.append(element)
    return found


def _gap(element: Element) -> float:
    return max(GAP, measure([(element.label, "shape")], SMALL) + 12) if element.label else GAP


def _along(label: str, x: float, y: float, length: float) -> list[Mark]:
    """An arrow with a shape above it."""
    text = [Text(x + (length - TIP) / 2, y - 4, ((label, "shape"),), SMALL, is_centered=True)] if label else []
    return [*arrow(x, y, length), *text]


def _turned(start: tuple[float, float], end: tuple[float, float], between: float) -> Line:
    """The line from the end of a row to the beginning of the next, at this height between them."""
    x, y = start
    right, left, last = x + TURN, end[0] - TURN, end[1]
    r = 5.0
    steps = (
        ("M", (x, y)),
        ("L", (right - r, y)),
        ("Q", (right, y, right, y + r)),
        ("L", (right, between - r)),
        ("Q", (right, between, right - r, between)),
        ("L", (left + r, between)),
        ("Q", (left, between, left, between + r)),
        ("L", (left, last - r)),
        ("Q", (left, last, left + r, last)),
        ("L", (end[0], last)),
    )
    return Line(steps, "edge")
