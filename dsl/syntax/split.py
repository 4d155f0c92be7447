"""A text cut where its declarations begin, by its lines alone: strings and comments end with theirs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from atnas.dsl.source import Part, Source
from atnas.dsl.syntax.grammar import BLANK, pattern, reserved
from atnas.dsl.syntax.tokens import DECLARATIONS


def split(source: Source) -> Iterator[Part]:
    """The parts of a source: its declarations. What stands between them are blanks and comments.

    A part begins where a line begins with a keyword that a name, string, brace or parenthesis follows. A declaration
    that is indented, or begins within a line, stands with the one before; what is before the first is a part, too.
    """
    text, start = source.text, 0
    for above, place in _places(text):
        if above > start:
            yield Part(source, start, text[start:above])
        start = place
    yield Part(source, start, text[start:])


def documentation(text: str, place: int) -> str:
    """What the `##` lines say that stand before a place, between it and whatever else is before."""
    stop = place
    while stop and text[stop - 1] in " \t":
        stop -= 1
    if stop and text[stop - 1] != "\n":
        return ""
    lines = map(str.strip, text[_above(text, stop) : stop].splitlines())
    return "\n".join(line[2:].strip() for line in lines if line.startswith("##"))


@cache
def _heads() -> re.Pattern[str]:
    words = "|".join(word for word, kind in reserved().items() if kind in DECLARATIONS)
    return re.compile(rf"^({words})(?!\w)(?={BLANK}(?:[^\W\d]|[\"'({{]))", re.MULTILINE)


def _places(text: str) -> Iterator[tuple[int, int]]:
    """Where declarations begin, each after the place where the blanks and comments before it begin."""
    for head in _heads().finditer(text):
        above = _above(text, head.start())
        if head[1] != "op" or not _is_extern(text, above):
            yield above, head.start()


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
