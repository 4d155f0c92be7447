"""What the grammar's tables say of words: which are reserved, and the pattern of a token."""

from __future__ import annotations

import re
from functools import cache
from typing import Final

from atnas.dsl.syntax.tables import Tables, load

SETTING_WORDS: Final = frozenset({"space", "tasks", "train", "search", "experiment"})
"""Reserved words that may stand left of `=` as a setting or an argument."""

BLANK: Final = r"(?:[ \t\r\n]++|\#[^\n]*+)*+"
"""Blanks and comments."""


@cache
def tables() -> Tables:
    """The tables of `grammars/atnas.lark`, read once."""
    return load()


@cache
def reserved() -> dict[str, str]:
    """Every reserved word and the name of its token."""
    return {t.pattern: t.name for t in tables().terminals if t.plain and t.pattern.isalpha()}


@cache
def punctuation() -> dict[str, str]:
    """Every other token that is always spelt the same, and its name."""
    return {t.pattern: t.name for t in tables().terminals if t.plain and not t.pattern.isalpha()}


@cache
def pattern() -> re.Pattern[str]:
    """Matches one token with the blanks and comments before it; the name of the group is its kind.

    MALFORMED is a number with a bare point, OPEN a string without its end, QUOTED one in single or typographic
    quotes, JUNK whatever else the language does not have. Something always matches.
    """
    named = {t.name: t.pattern for t in tables().terminals if not t.plain}
    marks = sorted(punctuation(), key=len, reverse=True)
    kinds = {
        "MALFORMED": r"[0-9]+\.(?![.0-9])\w*|(?<!\.)\.[0-9]+\w*",
        "NAME": named["NAME"],
        "MARK": "|".join(map(re.escape, marks)),
        "NUMBER": named["NUMBER"],
        "STRING": named["STRING"],
        "OPEN": r'"[^"\n]*',
        "QUOTED": r"'[^'\n]*'" + r'|[“”„][^“”„"\n]*[“”]',
        "JUNK": r"""[^\w\s()\[\]{}<>=!+\-*/%|~,.:"'#“”„]+|.""",
        "END": r"\Z",
    }
    body = "|".join(f"(?P<{kind}>{regexp})" for kind, regexp in kinds.items())
    return re.compile(f"{BLANK}(?:{body})", re.DOTALL)
