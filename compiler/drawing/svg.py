"""A drawing as SVG that needs nothing but itself: no script, no font, no other file; light, and dark where that is
preferred."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape
from typing import Final

from atnas.compiler.drawing.marks import Dot, Drawn, Group, Line, Mark, Rect, Run, Text

ILLEGAL: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that no XML may hold."""

MARGIN: Final = 12.0
FONT: Final = "Helvetica, Arial, 'Liberation Sans', 'Nimbus Sans', sans-serif"

INK, FAINT, LINE, PAPER, SOFT = "#111827", "#6b7280", "#64748b", "#ffffff", "#d1d5db"
STYLE: Final = f"""
.ground {{ fill: {PAPER} }}
.rule {{ fill: none; stroke: {FAINT} }}
text {{ font-family: {FONT}; fill: {INK}; white-space: pre }}
.title, .name, .taken {{ font-weight: bold }}
.faint, .shape {{ fill: {FAINT} }}
.number, text .taken {{ fill: #0f766e }}
.number {{ font-weight: normal }}
.choice-text {{ fill: #b45309 }}
.use-text {{ fill: #1d4ed8 }}
.slot-text {{ font-style: italic }}
.layer {{ fill: {PAPER}; stroke: {LINE} }}
.use {{ fill: #eff6ff; stroke: #3b82f6 }}
.slot {{ fill: {PAPER}; stroke: {LINE}; stroke-dasharray: 4 3 }}
.choice {{ fill: #fff7ed; stroke: #ea8a2f }}
.between {{ stroke: #f3c99a; fill: none }}
.merge {{ fill: #f1f5f9; stroke: {LINE} }}
.tensor {{ fill: #f1f5f9; stroke: none }}
.repeat {{ fill: none; stroke: #94a3b8; stroke-dasharray: 5 3 }}
.times {{ fill: #f8fafc; stroke: #cbd5e1 }}
.group {{ fill: none; stroke: #3b82f6 }}
.maybe {{ fill: none; stroke: #ea8a2f; stroke-dasharray: 4 3 }}
.edge, .edge-maybe, .edge-chosen, .edge-off {{ fill: none; stroke: {LINE}; stroke-width: 1.2 }}
.edge-maybe {{ stroke: #ea8a2f; stroke-dasharray: 4 3 }}
.edge-chosen {{ stroke: #b45309; stroke-width: 2 }}
.edge-off {{ stroke-dasharray: 4 3; opacity: 0.35 }}
.tip, .tip-off {{ fill: {LINE} }}
.tip-off, .off {{ opacity: 0.35 }}
.on {{ fill: #0f766e }}
.out {{ fill: {SOFT} }}
"""
DARK: Final = """
.ground { fill: #0f172a }
.rule { stroke: #6b7280 }
text { fill: #e5e7eb }
.faint, .shape { fill: #9ca3af }
.number, text .taken { fill: #5eead4 }
.choice-text { fill: #fdba74 }
.use-text { fill: #93c5fd }
.layer, .slot { fill: #1e293b; stroke: #94a3b8 }
.use { fill: #172554; stroke: #3b82f6 }
.choice { fill: #2b1c10; stroke: #c2711f }
.between { stroke: #6b4420 }
.merge, .tensor { fill: #334155 }
.times { fill: #16203a; stroke: #475569 }
.edge, .edge-off { stroke: #94a3b8 }
.edge-chosen { stroke: #fdba74 }
.tip, .tip-off { fill: #94a3b8 }
.on { fill: #5eead4 }
.out { fill: #475569 }
"""


def svg(drawn: Drawn, title: str, description: str) -> str:
    """The document, in ASCII: other characters are written by their numbers."""
    width, height = drawn.width + 2 * MARGIN, drawn.height + 2 * MARGIN
    dark = "".join(f"  {line}\n" for line in DARK.strip().split("\n"))
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_n(width)} {_n(height)}" width="{_n(width)}"'
        f' height="{_n(height)}" role="img">',
        f"<title>{escape(title)}</title>",
        f"<desc>{escape(description)}</desc>",
        f"<style>{STYLE}@media (prefers-color-scheme: dark) {{\n{dark}}}\n</style>",
        f'<rect class="ground" width="{_n(width)}" height="{_n(height)}"/>',
        *(line for mark in drawn.at(MARGIN, MARGIN) for line in _mark(mark)),
        "</svg>",
    ]
    whole = ILLEGAL.sub("\ufffd", "\n".join(lines)) + "\n"
    return whole.encode("ascii", "xmlcharrefreplace").decode("ascii")


def _mark(mark: Mark) -> Iterator[str]:
    match mark:
        case Rect(x, y, width, height, kind, radius):
            yield (
                f'<rect class="{kind}" x="{_n(x)}" y="{_n(y)}" width="{_n(width)}" height="{_n(height)}"'
                f' rx="{_n(radius)}"/>'
            )
        case Line(steps, kind):
            d = " ".join(letter + " ".join(map(_n, numbers)) for letter, numbers in steps)
            yield f'<path class="{kind}" d="{d}"/>'
        case Dot(x, y, radius, kind, title):
            inner = f"<title>{escape(title)}</title>" if title else ""
            yield f'<circle class="{kind}" cx="{_n(x)}" cy="{_n(y)}" r="{_n(radius)}">{inner}</circle>'
        case Text(x, y, runs, size, is_centered):
            inner = "".join(map(_run, runs))
            anchor = ' text-anchor="middle"' if is_centered else ""
            yield f'<text x="{_n(x)}" y="{_n(y)}" font-size="{_n(size)}"{anchor}>{inner}</text>'
        case Group(marks, title, kind):
            yield f'<g class="{kind}">' if kind else "<g>"
            if title:
                yield f"<title>{escape(title)}</title>"
            for inner_mark in marks:
                yield from _mark(inner_mark)
            yield "</g>"


TEXTS: Final = {"use": "use-text", "choice": "choice-text", "slot": "slot-text"}


def _run(run: Run) -> str:
    text, kind = run
    words = escape(text, quote=False)
    return words if kind == "plain" else f'<tspan class="{TEXTS.get(kind, kind)}">{words}</tspan>'


def _n(number: float) -> str:
    """A length with at most one digit after the point."""
    return f"{number:.1f}".removesuffix(".0")
