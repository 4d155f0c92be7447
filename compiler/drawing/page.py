"""Panels on a page: the space on top, the ops and cells it is made of below, as many side by side as fit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from atnas.compiler.drawing.boxes import below, text_block
from atnas.compiler.drawing.choices import NOTE
from atnas.compiler.drawing.labels import Pieces, lines
from atnas.compiler.drawing.marks import TEXT, TITLE, Drawn, Line, Mark, Run

WIDTH: Final = 720.0
"""Of a page, where nothing in it is wider."""
NARROWEST: Final = 360.0
"""Of a first panel that has others beside it."""
NARROW: Final = 240.0
"""The least room for a title before it is broken."""
BETWEEN: Final = 10.0
"""Between the parts of a panel."""
SPACE: Final = 20.0
"""Between panels."""
HARDLY: Final = 0.001
ENOUGH: Final = 1.04
"""How much higher than the lowest a page may be that keeps the panels in order."""


class Panel(NamedTuple):
    """A title with lines of text under it, what is drawn, and what stands at its foot."""

    title: Pieces
    under: list[list[Run]]
    content: Drawn
    foot: list[Drawn]

    @property
    def drawn(self) -> Drawn:
        """All of it, below room for the line that it stands under."""
        title = lines(self.title, max(self.content.width, NARROW) * TEXT / TITLE)
        parts = [text_block(title, TITLE, centered=False)]
        if self.under:
            parts.append(text_block(self.under, NOTE, centered=False))
        parts.append(self.content)
        if self.foot:
            parts.append(below(self.foot, 2, centered=False))
        whole = below(parts, BETWEEN, centered=False)
        return Drawn(whole.width, whole.height + BETWEEN, tuple(whole.at(0, BETWEEN)))


class Spot(NamedTuple):
    x: float
    y: float
    width: float
    height: float


def page(panels: Sequence[Panel], foot: Drawn) -> Drawn:
    """The first panel on top, all others below it; beside it, too, where it is narrow. Something stands at the foot."""
    drawn = [panel.drawn for panel in panels]
    room = max(WIDTH, *(each.width for each in drawn))
    sizes = [(each.width, each.height) for each in drawn]
    if sizes[0][0] > NARROWEST:
        sizes[0] = room, sizes[0][1]
    marks: list[Mark] = []
    height = 0.0
    for each, spot in zip(drawn, arranged(sizes, room), strict=True):
        marks.append(Line((("M", (spot.x, spot.y)), ("L", (spot.x + spot.width, spot.y))), "rule"))
        marks += each.at(spot.x, spot.y)
        height = max(height, spot.y + spot.height)
    if foot.marks:
        marks += foot.at(0, height + SPACE)
        height += SPACE + foot.height
    return Drawn(room, height, tuple(marks))


def arranged(sizes: Sequence[tuple[float, float]], room: float) -> list[Spot]:
    """Spots for rectangles, the first where the page begins, as low together as one of a few orders makes them, and
    then widened until they meet."""
    rest = range(1, len(sizes))
    by_height = sorted(rest, key=lambda i: -sizes[i][1])
    by_area = sorted(rest, key=lambda i: -sizes[i][0] * sizes[i][1])
    by_width = sorted(rest, key=lambda i: -sizes[i][0])
    tries = [_packed(sizes, [0, *order], room) for order in (rest, by_height, by_area, by_width)]
    heights = [max(spot.y + spot.height for spot in spots) for spots in tries]
    best = next(spots for spots, height in zip(tries, heights, strict=True) if height <= min(heights) * ENOUGH)
    return _stretched(best, room)


def _packed(sizes: Sequence[tuple[float, float]], order: Sequence[int], room: float) -> list[Spot]:
    """Each as far up, then as far left, as there is room for it."""
    placed: dict[int, Spot] = {}
    for i in order:
        width, height = sizes[i]
        xs = sorted({0.0, *(s.x + s.width + SPACE for s in placed.values())})
        ys = sorted({0.0, *(s.y + s.height + SPACE for s in placed.values())})
        spots = (Spot(x, y, width, height) for y in ys for x in xs if x + width <= room + HARDLY)
        placed[i] = next(spot for spot in spots if not any(_meet(spot, other) for other in placed.values()))
    return [placed[i] for i in range(len(sizes))]


def _meet(a: Spot, b: Spot) -> bool:
    """Whether there is less than a gap between two."""
    near = SPACE - HARDLY
    across = a.x < b.x + b.width + near and b.x < a.x + a.width + near
    return across and a.y < b.y + b.height + near and b.y < a.y + a.height + near


def _stretched(spots: list[Spot], room: float) -> list[Spot]:
    """The same, each as wide as its neighbours leave room for."""
    for i, spot in enumerate(spots):
        stops = [s.x - SPACE for s in spots if s.x > spot.x and _meet(s, spot._replace(width=room))]
        spots[i] = spot._replace(width=min([room, *stops]) - spot.x)
    return spots
