"""Findings as text for people, as lines for editors, and as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any, Final, NamedTuple
from unicodedata import combining, east_asian_width

from atnas.dsl.findings.diagnostics import Diagnostic, Label
from atnas.dsl.source import Source, Span

TAB: Final = 4
WIDEST: Final = 200
RED, YELLOW, BLUE, BOLD = "1;31", "1;33", "1;34", "1"


class Mark(NamedTuple):
    """A stretch of one line to underline, and what to say of it."""

    span: Span
    sign: str
    message: str


def full(findings: Iterable[Diagnostic], color: bool = False) -> str:
    """Every finding with its lines of source, in source order, blank lines between. Colours are ANSI's."""
    return "\n\n".join("\n".join(_block(finding, color)) for finding in in_order(findings))


def concise(findings: Iterable[Diagnostic]) -> str:
    """One line a finding: `path:line:column: code message`."""
    return "\n".join(f"{_place(f.span)}: {f.code} {_clean(f.message)}" for f in in_order(findings))


def as_json(findings: Iterable[Diagnostic], files: int) -> dict[str, Any]:
    """The object that `atnas check --format json` prints for findings in so many files."""
    ordered = in_order(findings)
    errors = sum(f.severity == "error" for f in ordered)
    return {
        "version": 1,
        "findings": [_finding(f) for f in ordered],
        "summary": {"files": files, "errors": errors, "warnings": len(ordered) - errors},
    }


def in_order(findings: Iterable[Diagnostic]) -> list[Diagnostic]:
    """By file, then by place in it."""
    return sorted(findings, key=lambda f: (f.span.source.path, f.span.start, f.span.end, f.code))


def _finding(f: Diagnostic) -> dict[str, Any]:
    return {
        "code": f.code,
        "severity": f.severity,
        "message": f.message,
        "help": f.help,
        "file": f.span.source.path,
        **ends(f.span),
        "labels": [{"message": label.message, **ends(label.span)} for label in f.labels],
    }


def ends(span: Span) -> dict[str, dict[str, int]]:
    """Where a span begins and ends, as JSON has it."""
    return {"start": _point(span.source, span.start), "end": _point(span.source, span.end)}


def _point(source: Source, offset: int) -> dict[str, int]:
    line, column = source.position(offset)
    return {"line": line, "column": column, "offset": offset}


def _place(span: Span) -> str:
    line, column = span.source.position(span.start)
    return f"{_clean(span.source.path)}:{line}:{column}"


# The full form


def _block(finding: Diagnostic, color: bool) -> Iterator[str]:
    tone = RED if finding.severity == "error" else YELLOW
    marks = [Mark(finding.span, "^", finding.inner), *(_mark(label) for label in finding.labels)]
    margin = _margin(marks)
    head = _paint(f"{finding.severity}[{finding.code}]", tone, color)
    yield f"{head}{_paint(f': {_clean(finding.message)}', BOLD, color)}"
    yield from excerpt(marks, tone, color)
    for word, note in (("when", finding.when), ("help", finding.help)):
        if note:
            yield f"{margin} {_paint('=', BLUE, color)} {_paint(f'{word}:', BOLD, color)} {_clean(note)}"


def excerpt(marks: Sequence[Mark], tone: str = RED, color: bool = False) -> Iterator[str]:
    """The marked lines of sources, those of the first mark's first, with the marks below them."""
    margin = _margin(marks)
    for path in dict.fromkeys(mark.span.source.path for mark in marks):
        here = [mark for mark in marks if mark.span.source.path == path]
        arrow = _paint("-->" if path == marks[0].span.source.path else ":::", BLUE, color)
        yield f"{margin}{arrow} {_place(here[0].span)}"
        yield _paint(f"{margin} |", BLUE, color)
        yield from _excerpt(here, len(margin), tone, color)


def _margin(marks: Sequence[Mark]) -> str:
    """As wide as the numbers of the marked lines."""
    return " " * max(len(str(_line(mark))) for mark in marks)


def _mark(label: Label) -> Mark:
    return Mark(label.span, "-", label.message)


def _line(mark: Mark) -> int:
    return mark.span.source.position(mark.span.start).line


def _excerpt(marks: list[Mark], width: int, tone: str, color: bool) -> Iterator[str]:
    """The marked lines of one source, each with its marks below; one line between two is shown, more dots."""
    source, shown = marks[0].span.source, 0
    for number, group in groupby(sorted(marks, key=_line), key=_line):
        if shown and number == shown + 2:
            yield _numbered(number - 1, _window(source.line(number - 1), 0)[0], width, color)
        elif shown and number > shown + 2:
            yield _paint("...", BLUE, color)
        shown = number
        yield from _marked(number, list(group), width, tone, color)


def _marked(number: int, marks: list[Mark], width: int, tone: str, color: bool) -> Iterator[str]:
    source = marks[0].span.source
    text, first = _window(source.line(number), source.position(marks[0].span.start).column - 1)
    yield _numbered(number, text, width, color)
    bar = _paint(" " * width + " |", BLUE, color)
    for mark in marks:
        start = max(0, source.position(mark.span.start).column - 1 - first)
        end = start + max(1, mark.span.end - mark.span.start)
        blank = " " * _cells(text[:start])
        below = mark.sign * max(1, _cells(text[start:end]))
        note = f" {_clean(mark.message)}" if mark.message else ""
        yield f"{bar} {blank}{_paint(below + note, tone if mark.sign == '^' else BLUE, color)}"


def _numbered(number: int, text: str, width: int, color: bool) -> str:
    return f"{_paint(f'{number:>{width}} |', BLUE, color)} {_shown(text)}".rstrip()


def _window(line: str, column: int) -> tuple[str, int]:
    """The part of a line to show, of a very long one that around `column`, and the column it begins with."""
    first = 0 if len(line) <= WIDEST else max(0, min(column - WIDEST // 4, len(line) - WIDEST))
    return line[first : first + WIDEST], first


def _shown(text: str) -> str:
    return "".join(" " * TAB if c == "\t" else _clean(c) for c in text)


def _cells(text: str) -> int:
    """How many columns of a terminal a text takes."""
    return sum(_cell(c) for c in text)


def _cell(c: str) -> int:
    if c == "\t":
        return TAB
    if combining(c):
        return 0
    return 2 if east_asian_width(c) in "WF" else 1


def _clean(text: str) -> str:
    """Nothing in a file may steer the terminal."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def _paint(text: str, style: str, color: bool) -> str:
    return f"\x1b[{style}m{text}\x1b[0m" if color else text
