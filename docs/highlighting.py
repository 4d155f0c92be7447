"""Draws highlighting.svg: a space as Pygments' lexer colours it, and what the checker says of it.

`python docs/highlighting.py` draws it anew. Nothing in it is made up: the findings are those of the program below.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from html import escape
from pathlib import Path
from typing import Any, NamedTuple

from pygments.token import Comment, Error, Keyword, Name, Number, Operator, String, Token

from atnas.dsl.errors import Unable
from atnas.dsl.findings.diagnostics import Diagnostic
from atnas.dsl.findings.render import BLUE, BOLD, RED, YELLOW, full
from atnas.dsl.source import Source
from atnas.highlight import AtnasLexer
from atnas.runtime.checking import read_program

FILE = "net.atnas"
PROGRAM = """\
## A layer of layers: `|` is a decision, and an op decides at each use.
op unit(c, k) = relu -> conv(c, k) -> bn
op edge(c)    = none | skip | unit(c, 1 | 3) | avg_pool(3, stride = 2)

## A cell decides once: all three below are the same.
cell dag(c) [x0] -> x2 {
  x1 = x0 -> edge(c)
  x2 = x0 -> edge(c) + x1 -> edge(c)
}

space net [image: (3, 32, 32)] -> logits: (10) {
  width  = 16..64 step 16
  stem   = image -> conv(width, 3) -> bn
  logits = stem -> dag(width) * 1..3 -> global_avg_pool -> linear(10)
  require params <= 50k
}
"""

SIZE, ADVANCE, LEADING = 14, 8.43, 21
LEFT, GUTTER, TOP = 22, 34, 58
PLAIN, GROUND, PANEL, FAINT, WRONG = "#d7dae0", "#1e2230", "#171a26", "#5c6480", "#ff6b6b"
FONT = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', 'Liberation Mono', monospace"
COLORS = {
    Comment: "#7d869f",
    Error: WRONG,
    Keyword: "#c792ea",
    Keyword.Type: "#f7a072",
    Name.Attribute: "#9ccfd8",
    Name.Builtin: "#7fdbca",
    Name.Class: "#ffd580",
    Name.Function: "#82aaff",
    Number: "#f7a072",
    Operator: "#ff8fa3",
    String: "#a5d6a7",
    Token: PLAIN,
}
"""By kind of token; a kind that is not here is drawn as the kind that it belongs to."""
INKS = {RED: WRONG, YELLOW: "#ffd580", BLUE: "#82aaff", BOLD: "#ffffff"}
"""By the ANSI colours of the findings' text."""


class Run(NamedTuple):
    """Letters of one colour, and the column of the first."""

    column: int
    text: str
    color: str


def picture() -> str:
    """The SVG."""
    source = Source(FILE, PROGRAM)
    findings = read_program(source, _nothing).findings
    code, said = _lines(_code())[:-1], _lines(_said(findings))
    below = TOP + LEADING * len(code) + 8
    height = below + LEADING * (len(said) + 1)
    widest = max(run.column + len(run.text) for line in (*code, *said) for run in line)
    width = round(2 * LEFT + GUTTER + ADVANCE * widest)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}"',
        f'  font-family="{FONT}" font-size="{SIZE}" role="img" aria-label="An .atnas file and a finding in it">',
        f'<clipPath id="card"><rect width="{width}" height="{height}" rx="10"/></clipPath>',
        '<g clip-path="url(#card)" xml:space="preserve">',
        f'<rect width="{width}" height="{height}" fill="{GROUND}"/>',
        f'<rect y="{below - 8}" width="{width}" height="{height}" fill="{PANEL}"/>',
        *(f'<circle cx="{LEFT + 4 + 18 * i}" cy="22" r="5.5" fill="{FAINT}"/>' for i in range(3)),
        f'<text x="{width / 2}" y="27" fill="{FAINT}" text-anchor="middle">{FILE}</text>',
        *_numbers(len(code)),
        *_drawn(code, LEFT + GUTTER, TOP),
        *(_squiggle(finding) for finding in findings),
        *_drawn(said, LEFT, below + LEADING),
        "</g>",
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _nothing(path: str) -> str:
    raise Unable(f"{path} is not there")


# What is drawn


def _code() -> Iterator[tuple[str, str]]:
    for _, kind, text in AtnasLexer().get_tokens_unprocessed(PROGRAM):
        yield text, _color(kind)


def _color(kind: Any) -> str:
    while kind not in COLORS:
        kind = kind.parent
    return COLORS[kind]


def _said(findings: Iterable[Diagnostic]) -> Iterator[tuple[str, str]]:
    """As a terminal shows `atnas check`."""
    yield from (("$ ", FAINT), (f"atnas check {FILE}\n", PLAIN))
    color = PLAIN
    for part in re.split(r"(\x1b\[[\d;]*m)", full(findings, color=True)):
        if part.startswith("\x1b"):
            color = INKS.get(part[2:-1], PLAIN)
        else:
            yield part, color


def _lines(parts: Iterable[tuple[str, str]]) -> list[list[Run]]:
    """Coloured text as lines of runs."""
    lines: list[list[Run]] = [[]]
    column = 0
    for text, color in parts:
        for i, piece in enumerate(text.split("\n")):
            if i:
                lines.append([])
                column = 0
            if piece.strip():
                lines[-1].append(Run(column, piece, color))
            column += len(piece)
    return lines


# How it is drawn


def _drawn(lines: list[list[Run]], left: float, top: float) -> Iterator[str]:
    for row, line in enumerate(lines):
        yield from (_text(run, left, top + LEADING * row) for run in line)


def _numbers(count: int) -> Iterator[str]:
    for row in range(count):
        x, y = LEFT + GUTTER - 16, TOP + LEADING * row
        yield f'<text x="{x}" y="{y}" fill="{FAINT}" text-anchor="end">{row + 1}</text>'


def _text(run: Run, left: float, y: float) -> str:
    """One run, as wide as its columns whatever the font."""
    text = run.text.strip()
    x = left + ADVANCE * (run.column + len(run.text) - len(run.text.lstrip()))
    length = f' textLength="{ADVANCE * len(text):.1f}" lengthAdjust="spacingAndGlyphs"'
    return f'<text x="{x:.1f}" y="{y}" fill="{run.color}"{length}>{escape(text, quote=False)}</text>'


def _squiggle(finding: Diagnostic) -> str:
    """A wave under what the finding is about."""
    line, column = finding.span.source.position(finding.span.start)
    x, y = LEFT + GUTTER + ADVANCE * (column - 1), TOP + LEADING * (line - 1) + 4
    waves = round(ADVANCE * (finding.span.end - finding.span.start) / 6)
    return f'<path d="M{x:.1f} {y}{" q1.5 -3 3 0 t3 0" * waves}" fill="none" stroke="{WRONG}" stroke-width="1.3"/>'


if __name__ == "__main__":
    Path(__file__).with_name("highlighting.svg").write_text(picture(), encoding="utf-8")
