"""The grammar, loaded once: the parser lark builds from it, and the words and the pattern of its tokens."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import Final

from lark import Lark

SETTING_WORDS: Final = frozenset({"space", "tasks", "train", "search", "experiment"})
"""Reserved words that may stand left of `=` as a setting or an argument."""


@cache
def lark() -> Lark:
    """The LALR(1) parser of `grammars/atnas.lark`."""
    text = files("atnas.grammars").joinpath("atnas.lark").read_text(encoding="utf-8")
    return Lark(text, parser="lalr", lexer="basic", maybe_placeholders=False)


@cache
def reserved() -> dict[str, str]:
    """Every reserved word and the name of its token."""
    words = {t.pattern.value: t.name for t in lark().terminals if t.pattern.value.isalpha()}
    return {**words, "extern": "EXTERN"}


@cache
def punctuation() -> dict[str, str]:
    """Every other token that is always spelt the same, and its name."""
    plain = (t for t in lark().terminals if t.pattern.type == "str")
    return {t.pattern.value: t.name for t in plain if not t.pattern.value.isalpha()}


@cache
def pattern() -> re.Pattern[str]:
    """Matches one token with the blanks and comments before it; the name of the group is its kind.

    MALFORMED is a number with a bare point, OPEN a string without its end, QUOTED one in single quotes, JUNK
    whatever else the language does not have. Something always matches.
    """
    named = {t.name: t.pattern.to_regexp() for t in lark().terminals if t.pattern.type == "re"}
    marks = sorted(punctuation(), key=len, reverse=True)
    kinds = {
        "MALFORMED": r"[0-9]+\.(?![.0-9])\w*|(?<!\.)\.[0-9]+\w*",
        "NAME": named["NAME"],
        "MARK": "|".join(map(re.escape, marks)),
        "NUMBER": named["NUMBER"],
        "STRING": named["STRING"],
        "OPEN": r'"[^"\n]*',
        "QUOTED": r"'[^'\n]*'",
        "JUNK": r"""[^\w\s()\[\]{}<>=!+\-*/%|~,.:"'#]+|.""",
        "END": r"\Z",
    }
    blank = r"(?:[ \t\r\n]++|\#[^\n]*+)*+"
    body = "|".join(f"(?P<{kind}>{regexp})" for kind, regexp in kinds.items())
    return re.compile(f"{blank}(?:{body})", re.DOTALL)
