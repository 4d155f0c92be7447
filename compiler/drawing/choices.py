"""Decisions with all their options, and in an architecture with marks at those that are taken.

A decision that is made once has one mark. Where it is made more often, each time has a column of its own, in the order
of the space.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from atnas.compiler.drawing import labels
from atnas.compiler.drawing.boxes import PAD_X, below, text_block, titled
from atnas.compiler.drawing.marks import SMALL, Dot, Drawn, Group, Line, Mark, Rect, Run, Text, measure
from atnas.compiler.drawing.parts import Num, Site
from atnas.compiler.drawing.view import MOST_LISTED, View, listed

STEP: Final = 7.0
"""From one mark of an option to the next."""
MOST_MARKS: Final = 40
"""In a row; where a decision is made more often, it is said how often each option is taken."""
ROOM: Final = 6.0
"""Between the text of an option and its marks, and around its text."""


def menu(rows: Sequence[Drawn], site: Site | None, name: str, view: View) -> Drawn:
    """A list of options under a name."""
    decided = [] if site is None else view.decided(site)
    ends = [marks(decided, i, view) for i in range(len(rows))]
    room = max(end.width for end in ends)
    head = text_block([[(name, "choice")]], SMALL) if name else Drawn(0, 0)
    width = max(head.width, max(row.width for row in rows) + (room + ROOM if room else 0)) + 2 * PAD_X
    inner: list[Mark] = list(head.at(PAD_X, 2))
    y = head.height + 4 if name else 0.0
    for i, (row, end) in enumerate(zip(rows, ends, strict=True)):
        if i:
            inner.append(Line((("M", (0, y)), ("L", (width, y))), "between"))
        is_off = bool(decided) and all(option != i for _, option in decided)
        inner.append(Group(tuple(row.at(PAD_X, y + ROOM / 2)), "", "off" if is_off else ""))
        inner += end.at(width - PAD_X - end.width, y + (row.height + ROOM - end.height) / 2)
        y += row.height + ROOM
    return Drawn(width, y, (Rect(0, 0, width, y, "choice", 6), *inner))


def marks(decided: Sequence[tuple[int, int]], option: int, view: View) -> Drawn:
    """A mark for each decision, a large one where it takes the option."""
    taken = [d for d, o in decided if o == option]
    if len(decided) > MOST_MARKS:
        count = text_block([[(f"{len(taken)} of {len(decided)}", "taken" if taken else "off")]], SMALL)
        return titled(count, "\n".join(view.said(d, option) for d in taken), "value") if taken else count
    dots = [
        Dot(3 + STEP * i, 3, 2.6, "on", view.said(d, option)) if o == option else Dot(3 + STEP * i, 3, 1.2, "out")
        for i, (d, o) in enumerate(decided)
    ]
    return Drawn(max(STEP * len(dots) - 1, 0.0), 6, tuple(dots))


def strip(site: Site, view: View) -> Drawn:
    """The options of a number with marks; nothing where none of its decisions is active."""
    decided = view.decided(site)
    if not decided:
        return Drawn(0, 0)
    about = view.about(decided[0][0])
    found = {option for _, option in decided}
    shown = [i for i in range(len(about.words)) if len(about.words) <= MOST_LISTED or i in found]
    name = labels.short_name(about.name)
    if len(decided) == 1:
        runs = _options([(word, "taken" if i in found else "off") for i, word in enumerate(about.words)])
        line = text_block([[(f"{name} ", "faint"), *runs] if name else runs], SMALL)
        return titled(line, view.said(*decided[0]), "value")
    head = [text_block([[(name, "faint")]], SMALL)] if name else []
    widest = max(measure([(about.words[i], "taken")], SMALL) for i in shown)
    rows = [_row(about.words[i], i in found, marks(decided, i, view), widest) for i in shown]
    return below([*head, *rows], 0, centered=False)


def _options(words: Sequence[Run]) -> list[Run]:
    """Options next to each other; of very many those around the one that is taken."""
    at = next((i for i, (_, kind) in enumerate(words) if kind == "taken"), 0)
    near = words if len(words) <= MOST_LISTED else words[max(at - 2, 0) : at + 3]
    spaced: list[Run] = [run for word in near for run in (word, (" ", "plain"))]
    return spaced[:-1]


def _row(word: str, is_on: bool, dots: Drawn, widest: float) -> Drawn:
    """An option's word and its marks."""
    text = Text(0, 9, ((word, "taken" if is_on else "off"),), SMALL)
    return Drawn(widest + ROOM + dots.width, 12, (text, *dots.at(widest + ROOM, (12 - dots.height) / 2)))


def note(name: str, number: Num, view: View) -> Drawn:
    """A number under the name that it has in a body: its options where it is nothing but a decision."""
    head: Run = (f"{name} = ", "plain")
    own = next((site for site in number.sites if site.node is number.expr and view.decisions(site)), None)
    if own is not None and len(decided := view.decided(own)) == 1:
        decision, option = decided[0]
        runs = _options(
            [(word, "taken" if i == option else "off") for i, word in enumerate(view.about(decision).words)]
        )
        return titled(text_block([[head, *runs]], NOTE, centered=False), view.said(decision, option), "value")
    words = labels.written(number) if own is None else listed(view.about(view.decisions(own)[0]))
    line = text_block([[head, (words, "number" if number.sites else "plain")]], NOTE, centered=False)
    taken = [strip(site, view) for site in number.sites if view.decided(site)]
    return titled(below([line, *taken], 1, centered=False), view.title(number.sites))


NOTE: Final = SMALL + 1
"""The size of text below what is drawn."""
