"""Graphs from top to bottom."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from string import ascii_uppercase
from typing import Final

from atnas.compiler.drawing.boxes import TIP, below, beside, faded, letter, text_block, titled
from atnas.compiler.drawing.layers import Layout, Sides, layered
from atnas.compiler.drawing.marks import SMALL, Drawn, Line, Mark, Step, Text, joined, measure
from atnas.compiler.drawing.scheme import KINDS, Element, Scheme

BETWEEN: Final = 22.0
"""Between boxes side by side."""
CLOSE: Final = 9.0
"""The same where they are small."""
DOWN: Final = 24.0
"""Between ranks, where arrows go down."""
LABEL: Final = 14.0
"""The height of a shape below a box."""
OFTEN: Final = 3
"""How many layers of the same text have a letter in its place, where room is short."""


@dataclass(frozen=True)
class _Placed:
    """Elements with the room they have: `tops` and `heights` are those of the ranks."""

    elements: Sequence[Element]
    layout: Layout
    tops: Sequence[float]
    heights: Sequence[float]

    def top(self, number: int) -> float:
        """The upper edge of an element, in the middle of its rank."""
        rank = self.layout.ranks[number]
        return self.tops[rank] + (self.heights[rank] - _height(self.elements[number])) / 2

    def foot(self, rank: int) -> float:
        return self.tops[rank] + self.heights[rank]


def graph(scheme: Scheme, gap: float) -> Drawn:
    """A graph in ranks; the shape of what a thing puts out stands at the arrow that leaves it."""
    placed = _placed(scheme, gap)
    marks: list[Mark] = []
    for (a, b), kind in sorted(scheme.edges.items(), key=lambda item: -KINDS.index(item[1])):
        marks += _edge(placed, a, b, kind)
    for i, element in enumerate(scheme.elements):
        part = faded(element.drawn, element.is_on)
        x, y = placed.layout.centers[i], placed.top(i)
        marks += part.at(x - part.center, y)
        if element.label:
            marks += _labelled(element, x, y + part.height)
    sides = (x + _sides(e)[1] for x, e in zip(placed.layout.centers, scheme.elements, strict=True))
    return Drawn(max(sides, default=0.0), placed.foot(len(placed.tops) - 1), tuple(marks))


def _placed(scheme: Scheme, gap: float) -> _Placed:
    layout = layered([_sides(element) for element in scheme.elements], list(scheme.edges), gap)
    heights = [0.0] * (max(layout.ranks, default=0) + 1)
    for element, rank in zip(scheme.elements, layout.ranks, strict=True):
        heights[rank] = max(heights[rank], _height(element))
    tops = [sum(heights[:rank]) + DOWN * rank for rank in range(len(heights))]
    return _Placed(scheme.elements, layout, tops, heights)


def _labelled(element: Element, x: float, y: float) -> list[Mark]:
    """The beginning of the arrows that leave an element, and the shape beside it."""
    stem = Line((("M", (x, y)), ("L", (x, y + LABEL))), "edge" if element.is_on else "edge-off")
    return [stem, Text(x + 5, y + LABEL - 3, ((element.label, "shape" if element.is_on else "off"),), SMALL)]


def lettered(scheme: Scheme) -> Drawn:
    """The same graph with letters for layers that are there often, and below it what they stand for."""
    counts = Counter(element.runs for element in scheme.elements if element.runs)
    letters = dict(zip((runs for runs, count in counts.items() if count >= OFTEN), ascii_uppercase, strict=False))
    elements = [
        replace(e, drawn=titled(letter(letters[e.runs], e.kind), joined(e.runs))) if e.runs in letters else e
        for e in scheme.elements
    ]
    kinds = {element.runs: element.kind for element in scheme.elements}
    keys = [
        beside([letter(sign, kinds[runs]), text_block([runs], centered=False)], 6) for runs, sign in letters.items()
    ]
    return below([graph(Scheme(elements, scheme.edges), CLOSE), below(keys, 4, centered=False)], 10, centered=False)


def _height(element: Element) -> float:
    return element.drawn.height + (LABEL if element.label else 0)


def _sides(element: Element) -> Sides:
    """What an element needs to either side of where arrows come and go."""
    part = element.drawn
    label = measure([(element.label, "shape")], SMALL) + 6 if element.label else 0.0
    return part.center, max(part.width - part.center, label)


def _edge(placed: _Placed, a: int, b: int, kind: str) -> list[Mark]:
    """A line that bends between ranks and goes straight down through them, with its tip."""
    layout = placed.layout
    rank, last = layout.ranks[a], layout.ranks[b]
    x, end, top = layout.centers[a], layout.centers[b], placed.top(b)
    steps: list[Step] = [("M", (x, placed.top(a) + _height(placed.elements[a]))), ("L", (x, placed.foot(rank)))]
    for between, bend in enumerate(layout.bends[a, b], rank + 1):
        steps.append(_curve(x, placed.foot(between - 1), bend, placed.tops[between]))
        steps.append(("L", (bend, placed.foot(between))))
        x = bend
    steps.append(_curve(x, placed.foot(last - 1), end, placed.tops[last] - TIP))
    steps.append(("L", (end, top - TIP)))
    tip = (("M", (end, top)), ("L", (end - TIP * 0.6, top - TIP)), ("L", (end + TIP * 0.6, top - TIP)), ("Z", ()))
    line = Line(tuple(steps), "edge" if kind == "edge" else f"edge-{kind}")
    return [line, Line(tip, "tip-off" if kind == "off" else "tip")]


def _curve(x: float, y: float, end: float, bottom: float) -> Step:
    middle = (y + bottom) / 2
    return "C", (x, middle, end, middle, end, bottom)
