"""Text to tokens. What the language does not have is reported and left out."""

from __future__ import annotations

from functools import cache
from typing import Final, NamedTuple

from atnas.dsl.findings.diagnostics import Diagnostic, Edit
from atnas.dsl.source import Part, Span
from atnas.dsl.syntax.grammar import pattern, punctuation, reserved

END: Final = "$END"
MOST_TOKENS: Final = 75_000
"""Of one file: some 10,000 lines, which take less than half a second to read."""

MEANT: Final = {
    "&": "and",
    "&&": "and",
    "\N{MULTIPLICATION SIGN}": "*",
    "\N{RIGHTWARDS ARROW}": "->",
    "\N{EN DASH}": "-",
    "\N{MINUS SIGN}": "-",
    "\N{HORIZONTAL ELLIPSIS}": "..",
    "\N{LESS-THAN OR EQUAL TO}": "<=",
    "\N{GREATER-THAN OR EQUAL TO}": ">=",
    "\N{NOT EQUAL TO}": "!=",
}
"""Characters that stand for a mark or word of the language: they are read as that."""

CURES: Final = {
    ";": "nothing ends a statement: leave it out",
    "\N{NO-BREAK SPACE}": "write a plain space",
    "\N{ZERO WIDTH SPACE}": "it cannot be seen: delete it",
    "'": 'strings stand in double quotes: `"`',
    "^": "powers are written out: `2 * 2`",
    "!": "`!=` compares; there is no `not`",
    "@": "there are no decorators",
}
FIXES: Final = {";": "", "\N{NO-BREAK SPACE}": " ", "\N{ZERO WIDTH SPACE}": ""}


class Token(NamedTuple):
    """A word of a part of a text; `start` and `end` count from the part's beginning."""

    type: str
    text: str
    start: int
    end: int

    def __str__(self) -> str:
        return self.text


@cache
def _kinds() -> dict[str, str]:
    """The kind of every token that is always spelt the same."""
    return {**reserved(), **punctuation()}


def lex(part: Part, most: int) -> tuple[list[Token], list[Diagnostic]]:
    """The tokens of a part, and a finding for each that is not as it should be.

    The last token is the first after the part, or `$END`. It is missing where there are `most` findings or more than
    `MOST_TOKENS`: no more is read then.
    """
    kinds, offset, stop = _kinds(), part.offset, len(part.text)
    tokens: list[Token] = []
    findings: list[Diagnostic] = []
    marked = not offset and part.text.startswith("\N{ZERO WIDTH NO-BREAK SPACE}")
    for match in pattern().finditer(part.whole.text, offset + marked):
        kind = match.lastgroup or ""
        word = match[kind]
        end = match.end() - offset
        start = end - len(word)
        if kind == "MARK":
            kind = kinds[word]
        elif kind == "END":
            kind = END
        elif kind == "NAME":
            kind = kinds.get(word, kind)
            if not word.isascii():
                findings.append(_foreign(Span(part, start, end)))
        elif kind not in ("NUMBER", "STRING"):
            findings.append(_mistake(kind, Span(part, start, end)))
            kind, word = _meant(kind, word)
        if kind:
            tokens.append(Token(kind, word, start, end))
        if start >= stop or len(findings) >= most or len(tokens) > MOST_TOKENS:
            break
    return tokens, findings


def _meant(kind: str, word: str) -> tuple[str, str]:
    """The kind and text that a token is read as which is not as it should be; no kind where it is left out."""
    match kind:
        case "JUNK":
            return (_kinds()[MEANT[word]], MEANT[word]) if word in MEANT else ("", "")
        case "MALFORMED":
            return "NUMBER", word.strip(".")
        case "QUOTED" if word[0] != "'":
            return "STRING", f'"{word[1:-1]}"'
    return "STRING", word.rstrip()


def _foreign(span: Span) -> Diagnostic:
    odd = next(c for c in span.text if not c.isascii())
    message = f"`{odd}` does not stand in names"
    return Diagnostic("E002", span, message, "names are made of the letters a to z, digits and `_`")


def _mistake(kind: str, span: Span) -> Diagnostic:
    text = span.text
    match kind:
        case "MALFORMED":
            return _written("E003", span, f"`{text}` is not a number", _with_digits(text))
        case "OPEN":
            return Diagnostic("E004", span, "this string is never closed", 'end it with `"` on the same line')
        case "QUOTED":
            return _written("E002", span, "strings stand in double quotes", f'"{text[1:-1]}"')
    if text in MEANT:
        return _written("E002", span, f"`{text}` is not part of the language", MEANT[text])
    odd = text[0]
    shown = f"`{odd}`" if odd.isprintable() else f"the character U+{ord(odd):04X}"
    fix = (Edit(span, FIXES[text]),) if text in FIXES else ()
    return Diagnostic("E002", span, f"{shown} is not part of the language", CURES.get(odd), fix=fix)


def _written(code: str, span: Span, message: str, text: str) -> Diagnostic:
    """A finding that is cured by writing `text` in place of `span`."""
    return Diagnostic(code, span, message, f"write `{text}`", fix=(Edit(span, text),))


def _with_digits(text: str) -> str:
    """A number with a digit on both sides of its point: `.5` is `0.5`, `1.k` is `1.0k`."""
    before, _, after = text.partition(".")
    return f"{before or 0}.{after if after[:1].isdigit() else f'0{after}'}"
