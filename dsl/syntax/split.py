"""A text cut where its declarations begin, by its lines alone: strings and comments end with theirs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from itertools import chain, pairwise

from atnas.dsl.source import Part, Source
from atnas.dsl.syntax.grammar import BLANK, pattern, reserved
from atnas.dsl.syntax.tokens import DECLARATIONS


def split(source: Source) -> Iterator[Part]:
    """The parts of a source: declarations, each with the comments before it; together they are its text.

    A part begins where a line begins with a keyword that a name, string, brace or parenthesis follows. The first part
    also holds what stands before; a declaration that is indented, or begins within a line, stands with the one before.
    """
    text = source.text
    for start, end in pairwise(chain([0], filter(None, _places(text)), [len(text)])):
        yield Part(source, start, text[start:end])


@cache
def _heads() -> re.Pattern[str]:
    words = "|".join(word for word, kind in reserved().items() if kind in DECLARATIONS)
    return re.compile(rf"^({words})(?!\w)(?={BLANK}(?:[^\W\d]|[\"'({{]))", re.MULTILINE)


def _places(text: str) -> Iterator[int]:
    for head in _heads().finditer(text):
        place = _above(text, head.start())
        if head[1] != "op" or not _is_extern(text, place):
            yield place


def _above(text: str, start: int) -> int:
    """Where the lines without a word begin that stand just before a line."""
    while start:
        above = text.rfind("\n", 0, start - 1) + 1
        line = text[above:start].strip(" \t\r\n")
        if line and not line.startswith("#"):
            break
        start = above
    return start


def _is_extern(text: str, place: int) -> bool:
    """Whether the word before a place is `extern`, which `op` belongs to."""
    line = text[text.rfind("\n", 0, max(0, place - 1)) + 1 : place]
    words = [match["NAME"] for match in pattern().finditer(line) if match["END"] is None] if "extern" in line else []
    return words[-1:] == ["extern"]
