"""Layers as boxes."""

from __future__ import annotations

from typing import Final

from atnas.compiler.drawing import labels
from atnas.compiler.drawing.boxes import below, beside, box, framed, text_block, titled
from atnas.compiler.drawing.choices import menu, strip
from atnas.compiler.drawing.marks import SMALL, Drawn, Rect
from atnas.compiler.drawing.parts import Choice, Group, Layer, Member, Part, Repeat, Serial, Slot, Use, sites
from atnas.compiler.drawing.view import View

WIDEST: Final = 190.0
"""Of the text in a box, where it can be broken."""
GAP: Final = 18.0
"""Between boxes in a box."""


def drawn(part: Part, view: View) -> Drawn:
    """A layer."""
    match part:
        case Layer() | Use() | Slot():
            return _call(part, view)
        case Serial(parts=()):
            return box([[("skip", "plain")]], "layer")
        case Serial(parts=parts):
            return beside([drawn(inner, view) for inner in parts], GAP, arrows=True)
        case Repeat():
            return _repeat(part, view)
        case Choice():
            return _choice(part, view)
        case Member(site=site, count=count, part=inner):
            made = framed(drawn(inner, view), "maybe", [(f"{count} of", "choice")], pad=5)
            return titled(made, *view.told([site]))
        case Group():
            return _group(part, view)


def _call(part: Layer | Use | Slot, view: View) -> Drawn:
    kind = {Layer: "layer", Use: "use", Slot: "slot"}[type(part)]
    lines = labels.lines(labels.call(part), WIDEST)
    is_broken = len(lines) > 1
    if isinstance(part, Use):
        value = view.value(part)
        lines += [value] if value else [[(word, "number")] for word in part.values]
    head = text_block(lines, centered=not is_broken)
    inner = [drawn(each, view) for each in labels.nested(part.arguments)]
    whole = below([head, *_strips(part, view), *inner], 4)
    content = Drawn(whole.width, whole.height, whole.marks)
    return titled(framed(content, kind, pad=6), view.title(sites(part)))


def _repeat(part: Repeat, view: View) -> Drawn:
    count = [labels.times(part.times)]
    inner, strips = drawn(part.part, view), _strips(part, view)
    if isinstance(part.part, Layer | Use | Slot) and not labels.nested(part.part.arguments):
        made = _suffixed(inner, below([text_block([count]), *strips], 2))
    else:
        made = framed(below([inner, *strips], 4) if strips else inner, "repeat", count, right=True)
    return titled(made, view.title(sites(part)))


def _suffixed(inner: Drawn, count: Drawn) -> Drawn:
    """A box with a count at its right end."""
    height = max(inner.height, count.height + 8)
    width = inner.width + count.width + 10
    marks = (
        Rect(0, 0, width, height, "times", 6),
        *inner.at(0, (height - inner.height) / 2),
        *count.at(inner.width + 5, (height - count.height) / 2),
    )
    return Drawn(width, height, marks)


def _choice(part: Choice, view: View) -> Drawn:
    made = menu([_option(option, view) for option in part.options], part.site, part.name, view)
    strips = [] if part.index is None else _strips(part, view)
    return titled(below([made, *strips], 2) if strips else made, view.title(sites(part)))


def _option(option: Part, view: View) -> Drawn:
    runs = labels.line(option)
    return text_block([runs], centered=False) if runs is not None else drawn(option, view)


def _group(part: Group, view: View) -> Drawn:
    notes = [[(f"{name} = {labels.written(value)}", "plain")] for name, value in part.numbers]
    inner = [view.within(part.body, view), *([text_block(notes, SMALL)] if notes else [])]
    return framed(below(inner, 6), "group", [run for piece in labels.call(part.use) for run in piece])


def _strips(part: Part, view: View) -> list[Drawn]:
    """The numbers that are decided in a part itself, as the architecture has them."""
    return [strip(site, view) for site in sites(part) if view.decided(site)]
