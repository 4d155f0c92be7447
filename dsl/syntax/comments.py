"""The comments of a text, which the syntax tree leaves out, and the blank lines around things."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

BLANKS: Final = " \t\r\n\N{ZERO WIDTH NO-BREAK SPACE}"
_STRING_OR_COMMENT: Final = re.compile(r'"[^"\n]*"|#[^\n]*')


@dataclass(frozen=True)
class Comment:
    """`text` begins with `#`. `own` is a line of its own, `apart` one with a blank line before it."""

    start: int
    text: str
    own: bool
    apart: bool


def comments(text: str) -> list[Comment]:
    """Every comment in order, of a text without syntax errors."""
    found = (match for match in _STRING_OR_COMMENT.finditer(text) if match[0][0] == "#")
    return [_comment(text, match.start(), match[0]) for match in found]


def without_comments(text: str) -> str:
    """The text with spaces where comments stand, so that offsets stay what they are."""
    return _STRING_OR_COMMENT.sub(lambda m: " " * len(m[0]) if m[0][0] == "#" else m[0], text)


def apart(text: str, start: int) -> bool:
    """Whether what begins there has a blank line before it."""
    return _line_ends_before(text, start)[0] > 1


def _comment(text: str, start: int, written: str) -> Comment:
    ends, first = _line_ends_before(text, start)
    return Comment(start, written.rstrip(), first or ends > 0, ends > 1)


def _line_ends_before(text: str, start: int) -> tuple[int, bool]:
    """How many line ends stand directly before an offset, and whether nothing else does."""
    ends = 0
    while start and text[start - 1] in BLANKS:
        start -= 1
        ends += text[start] == "\n"
    return ends, start == 0
