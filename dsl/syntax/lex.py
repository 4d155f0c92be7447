"""Text to tokens. What the language does not have is reported and left out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from lark import Token

from atnas.dsl.findings.diagnostics import Diagnostic
from atnas.dsl.source import Source, Span
from atnas.dsl.syntax.grammar import pattern, punctuation, reserved

END: Final = "$END"

CURES: Final = {
    ";": "nothing ends a statement: leave it out",
    "&": "write `and`",
    "\N{MULTIPLICATION SIGN}": "write `*`",
    "\N{RIGHTWARDS ARROW}": "write `->`",
    "\N{EN DASH}": "write `-`",
    "\N{MINUS SIGN}": "write `-`",
    "\N{HORIZONTAL ELLIPSIS}": "write `..`",
    "\N{LESS-THAN OR EQUAL TO}": "write `<=`",
    "\N{GREATER-THAN OR EQUAL TO}": "write `>=`",
    "\N{NOT EQUAL TO}": "write `!=`",
    "\N{LEFT DOUBLE QUOTATION MARK}": 'strings stand in straight quotes: `"`',
    "\N{RIGHT DOUBLE QUOTATION MARK}": 'strings stand in straight quotes: `"`',
    "\N{NO-BREAK SPACE}": "write a plain space",
    "'": 'strings stand in double quotes: `"`',
    "^": "powers are written out: `2 * 2`",
    "!": "`!=` compares; there is no `not`",
}


def lex(source: Source) -> Iterator[Token | Diagnostic]:
    """Every token in order, `$END` last, with a finding before each one that is not as it should be."""
    words, marks, text = reserved(), punctuation(), source.text
    start = 1 if text.startswith("\N{ZERO WIDTH NO-BREAK SPACE}") else 0
    for match in pattern().finditer(text, start):
        kind = match.lastgroup
        assert kind is not None
        start, end = match.span(kind)
        word = text[start:end]
        if kind == "NAME":
            kind = words.get(word, kind)
            if not word.isascii():
                yield _foreign(Span(source, start, end))
        elif kind == "MARK":
            kind = marks[word]
        elif kind == "END":
            yield _token(END, "", start, end)
            return
        elif kind not in ("NUMBER", "STRING"):
            yield _mistake(kind, Span(source, start, end))
            if kind == "JUNK":
                continue
            kind, word = ("NUMBER", word.strip(".")) if kind == "MALFORMED" else ("STRING", word.rstrip())
        yield _token(kind, word, start, end)


def _token(kind: str, text: str, start: int, end: int) -> Token:
    return Token(kind, text, start, None, None, None, None, end)


def _foreign(span: Span) -> Diagnostic:
    odd = next(c for c in span.text if not c.isascii())
    message = f"`{odd}` does not stand in names"
    return Diagnostic("E002", span, message, "names are made of the letters a to z, digits and `_`")


def _mistake(kind: str, span: Span) -> Diagnostic:
    match kind:
        case "MALFORMED":
            message = f"`{span.text}` is not a number"
            return Diagnostic("E003", span, message, "a point stands between digits: `0.5`, `1.0`")
        case "OPEN":
            return Diagnostic("E004", span, "this string is never closed", 'end it with `"` on the same line')
        case "QUOTED":
            return Diagnostic("E002", span, "strings stand in double quotes", f'write `"{span.text[1:-1]}"`')
    odd = span.text[0]
    shown = f"`{odd}`" if odd.isprintable() else f"the character U+{ord(odd):04X}"
    return Diagnostic("E002", span, f"{shown} is not part of the language", CURES.get(odd))
