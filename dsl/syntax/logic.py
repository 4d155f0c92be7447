"""The logic of other languages in `require` lines: `or`, `not`, comparisons that are counted."""

from __future__ import annotations

from typing import Final

from atnas.dsl.findings.diagnostics import Diagnostic, Edit
from atnas.dsl.source import Span
from atnas.dsl.syntax.lex import Token
from atnas.dsl.syntax.situation import Situation

OPPOSITE: Final = {"EQ": "!=", "NE": "==", "LESSTHAN": ">=", "LE": ">", "MORETHAN": "<=", "GE": "<"}
"""What holds where a comparison does not."""

LOGIC: Final = "several `require` lines must all hold; choices are written `a | b`"
LISTED: Final = "write the allowed values as a list: k in [3, 5]; several `require` lines must all hold"
_TABLE: Final = "a table counts: seven = [0, 0, 1], and require seven[i] + seven[j] <= 1"


def no_word(span: Span, cure: str) -> Diagnostic:
    """That there is no such word or mark, and what to do without."""
    return Diagnostic("E001", span, f"there is no `{span.text}`", cure)


def is_required(at: Situation) -> bool:
    """Whether the line of the subject is a `require` line."""
    first = at.subject
    while first and not at.tokens.begins_line(first):
        first -= 1
    return at.tokens.kind(first) == "REQUIRE"


def disjoined(at: Situation) -> Diagnostic:
    """`k == 3 or k == 5`."""
    tokens, i = at.tokens, at.subject
    whole = i >= 4 and tokens.kind(i - 4) == "REQUIRE" and i + 4 < len(tokens) and tokens.begins_line(i + 4)
    sides = [[tokens[n] for n in range(first, first + 3)] for first in (i - 3, i + 1)] if whole else []
    equal = [side for side in sides if side[0].type == "NAME" and side[1].type == "EQ" and _is_value(side[2])]
    if len(equal) < 2 or str(sides[0][0]) != str(sides[1][0]):
        return no_word(tokens.span(i), LISTED)
    meant = f"{sides[0][0]} in [{sides[0][2]}, {sides[1][2]}]"
    fix = (Edit(tokens.span(i - 3).to(tokens.span(i + 3)), meant),)
    return Diagnostic("E001", tokens.span(i), "there is no `or`", f"write {meant}", fix=fix)


def negated(at: Situation) -> Diagnostic:
    """`not w == 16`."""
    word = at.tokens.span(at.subject - 1)
    compares = at.kind in OPPOSITE and _is_value(at.tokens[at.i + 1])
    if not compares or not at.tokens.begins_line(at.i + 2):
        return no_word(word, LOGIC)
    value = at.tokens.span(at.i + 1)
    meant = f"{at.tokens[at.subject]} {OPPOSITE[at.kind]} {value.text}"
    return Diagnostic("E001", word, "there is no `not`", f"write {meant}", fix=(Edit(word.to(value), meant),))


def _is_value(token: Token) -> bool:
    return token.type in ("NAME", "NUMBER", "STRING")


def counted(at: Situation) -> Diagnostic | None:
    """Comparisons that are counted: `count(a == 7, b == 7)` and `(a == 7) + (b == 7)`."""
    tokens, opening = at.tokens, at.tokens.brackets.around[at.i]
    inside = opening >= at.first and (tokens.kind(opening) == "LSQB" or tokens.kind(opening - 1) == "NAME")
    if at.kind in OPPOSITE and inside:
        if str(tokens[opening - 1]) == "not":
            meant = f"{tokens[at.i - 1]} {OPPOSITE[at.kind]} {tokens[at.i + 1]}"
            return no_word(tokens.span(opening - 1), f"write {meant}")
        return Diagnostic("E001", at.span, "a comparison is not a number", _TABLE)
    if at.kind in ("PLUS", "MINUS", "STAR") and at.before == "RPAR":
        return Diagnostic("E001", at.span, "a comparison is not a number", _TABLE)
    return None
