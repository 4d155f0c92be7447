"""Text with a name, and places in it."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import ClassVar, NamedTuple


class Position(NamedTuple):
    """Line and column, both counted from 1; columns are characters."""

    line: int
    column: int


@dataclass(frozen=True)
class Source:
    """A text and the name it is reported under."""

    path: str
    text: str

    offset: ClassVar[int] = 0

    @property
    def whole(self) -> Source:
        return self

    @property
    def is_library(self) -> bool:
        """Whether it is a file of the standard library, which is not the user's to mend."""
        return self.path.startswith("<std.")

    @cached_property
    def _before(self) -> array[int]:
        """For each line the characters of all lines before it, without their ends."""
        return array("q", accumulate(map(len, self.text.split("\n")), initial=0))

    def _start(self, line: int) -> int:
        """Where a line begins, counted from 0; the one after the last begins after the text."""
        return self._before[line] + line

    def position(self, offset: int) -> Position:
        if offset == 0:  # so the lines of a file that is too large are not counted
            return Position(1, 1)
        line = bisect_right(range(len(self._before) - 1), offset, key=self._start)
        return Position(line, offset - self._start(line - 1) + 1)

    def line(self, number: int) -> str:
        """The text of line `number`, counted from 1, without its end."""
        if number == 1:
            end = self.text.find("\n")
            return (self.text if end < 0 else self.text[:end]).rstrip("\r")
        return self.text[self._start(number - 1) : self._start(number) - 1].rstrip("\r")


class Part:
    """A stretch of a source, known by its text: it may move, and be found again in a later version of the source.

    The spans in it count from its beginning, so they move with it.
    """

    __slots__ = ("offset", "text", "whole")

    def __init__(self, whole: Source, offset: int, text: str) -> None:
        self.whole = whole
        self.offset = offset
        self.text = text

    def move(self, whole: Source, offset: int) -> None:
        """From now on the part stands in this source, at this place."""
        self.whole = whole
        self.offset = offset


class Span:
    """The characters `start <= i < end` of a source.

    `first` and `last` are the same, counted from the beginning of the part that the span was made for. Spans are equal
    where they are the same place of equal sources; nothing changes a span but the move of its part.
    """

    __slots__ = ("first", "last", "part")

    def __init__(self, part: Source | Part, first: int, last: int) -> None:
        self.part = part
        self.first = first
        self.last = last

    @property
    def source(self) -> Source:
        return self.part.whole

    @property
    def start(self) -> int:
        return self.part.offset + self.first

    @property
    def end(self) -> int:
        return self.part.offset + self.last

    @property
    def text(self) -> str:
        return self.source.text[self.start : self.end]

    def to(self, other: Span) -> Span:
        return Span(self.part, self.first, max(self.last, other.end - self.part.offset))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Span):
            return NotImplemented
        return self.start == other.start and self.end == other.end and self.source == other.source

    def __hash__(self) -> int:
        return hash((self.source.path, self.start, self.end))

    def __repr__(self) -> str:
        line, column = self.source.position(self.start)
        return f"{self.source.path}:{line}:{column}"
