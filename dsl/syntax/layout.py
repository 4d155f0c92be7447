"""Where lines are broken: a document says where they may be and must be, and is laid out within a width.

After Wadler, A prettier printer (2003): a group stands on one line if it fits. A row of operands is filled, and broken
before and after what takes several lines itself. Work grows linearly with the text, and nothing recurses.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Final

from atnas.dsl.syntax.align import Row, Tab, aligned
from atnas.dsl.syntax.comments import Comment

WIDTH: Final = 120
INDENT: Final = 2
SPREAD: Final = 8
"""How far apart the second separators of lines may be that stand in one column."""


@dataclass(frozen=True)
class Line:
    """A line end where the group around it is broken, else `flat`; with a blank line after it where it is `apart`."""

    flat: str = " "
    forced: bool = False
    apart: bool = False


@dataclass(frozen=True)
class IfBroken:
    """Text that stands only where the group around it is broken."""

    text: str


@dataclass(frozen=True)
class _Extent:
    """`width` is what all takes on one line, without end where it must be broken; `lead` what stands before the first
    place where it may be, and `breaks` whether there is one."""

    width: float = field(init=False, compare=False)
    lead: int = field(init=False, compare=False)
    breaks: bool = field(init=False, compare=False)

    def _measure(self, parts: Sequence[Doc]) -> None:
        lead, breaks = 0, False
        for part in parts:
            lead += _lead(part)
            if _breaks(part):
                breaks = True
                break
        object.__setattr__(self, "width", sum(map(width, parts)))
        object.__setattr__(self, "lead", lead)
        object.__setattr__(self, "breaks", breaks)


@dataclass(frozen=True)
class Join(_Extent):
    """Documents one after another."""

    parts: tuple[Doc, ...]

    def __post_init__(self) -> None:
        self._measure(self.parts)


@dataclass(frozen=True)
class Nest(_Extent):
    """Documents one after another, with lines indented by one step more."""

    parts: tuple[Doc, ...]

    def __post_init__(self) -> None:
        self._measure(self.parts)


@dataclass(frozen=True)
class Group(_Extent):
    """Documents one after another, all on one line if they fit and `broken` is false."""

    parts: tuple[Doc, ...]
    broken: bool = False

    def __post_init__(self) -> None:
        self._measure((*self.parts, Line(forced=True)) if self.broken else self.parts)


@dataclass(frozen=True)
class Sep:
    """What stands between two documents of a row: a space or a line end, the latter surely where it is `forced`.

    The comments stand before the line end. In consecutive lines that begin after separators of the same `column`, the
    second separators stand in one column.
    """

    forced: bool = False
    comments: tuple[Comment, ...] = ()
    column: str = ""


@dataclass(frozen=True)
class Fill(_Extent):
    """A row of documents with one `Sep` fewer. A line holds as many as fit.

    In a `snug` row what takes several lines may stand beside others: `2 of [..`. The lines of a `hanging` one are
    indented after its first.
    """

    parts: tuple[Doc, ...]
    seps: tuple[Sep, ...]
    snug: bool = False
    hanging: bool = False

    @property
    def step(self) -> int:
        return INDENT if self.hanging else 0

    def __post_init__(self) -> None:
        between = [Line(forced=sep.forced) for sep in self.seps]
        self._measure([doc for pair in zip(self.parts, between, strict=False) for doc in pair] + [self.parts[-1]])


Doc = str | Line | IfBroken | Tab | Comment | Join | Nest | Group | Fill


def layout(doc: Doc) -> str:
    """The text of a document: lines without spaces at their ends, each ended."""
    return "".join(f"{line}\n" for line in aligned(_Printer().rows(doc), WIDTH))


def width(doc: Doc) -> float:
    match doc:
        case str():
            return len(doc)
        case Line():
            return inf if doc.forced else len(doc.flat)
        case IfBroken() | Tab():
            return 0
        case Comment():
            return inf
    return doc.width


def _lead(doc: Doc) -> int:
    match doc:
        case str():
            return len(doc)
        case IfBroken():
            return len(doc.text)
        case Line() | Tab() | Comment():
            return 0
    return doc.lead


def _breaks(doc: Doc) -> bool:
    match doc:
        case str() | IfBroken() | Tab():
            return False
        case Line() | Comment():
            return True
    return doc.breaks


@dataclass(frozen=True)
class _Rest:
    """A row from document `next` on, with the indentation of the line before it.

    `flat` says that the document before stands on one line, `column` is that of the separator that began its line.
    """

    fill: Fill
    next: int
    line: int
    flat: bool
    column: str


class _Printer:
    """Lines are ended late, when something follows: what ends them last says how the next one is indented."""

    def __init__(self) -> None:
        self._done: list[Row] = []
        self._row: Row | None = None
        self._due = 0  # line ends before what comes next
        self._indent = 0  # of the line after them
        self._stack: list[tuple[int, bool, Doc | _Rest]] = []

    def rows(self, doc: Doc) -> list[Row]:
        self._stack.append((0, False, doc))
        while self._stack:
            self._print(*self._stack.pop())
        return [*self._done, self._row] if self._row else []

    def _print(self, indent: int, flat: bool, doc: Doc | _Rest) -> None:
        match doc:
            case str():
                self._write(doc)
            case Line() if flat:
                self._write(doc.flat)
            case Line():
                self._end(indent, doc.apart)
            case IfBroken():
                self._write("" if flat else doc.text)
            case Tab():
                if flat:
                    self._mark(doc)
            case Comment():
                self._comment(doc, indent)
            case Join():
                self._push(indent, flat, doc.parts)
            case Nest():
                self._push(indent + INDENT, flat, doc.parts)
            case Group():
                self._push(indent, flat or self._fits(doc), doc.parts)
            case Fill() if flat:
                spaced = [part for document in doc.parts for part in (" ", document)]
                self._push(indent, flat, spaced[1:])
            case Fill():
                nested = isinstance(doc.parts[0], Fill) and not doc.snug
                self._operand(indent, doc, 0, indent + doc.step * nested)
            case _Rest():
                self._go_on(indent, doc)

    def _push(self, indent: int, flat: bool, parts: Sequence[Doc]) -> None:
        self._stack.extend((indent, flat, part) for part in reversed(parts))

    # Rows of operands

    def _operand(self, indent: int, fill: Fill, i: int, line: int, column: str = "") -> None:
        doc, last = fill.parts[i], i == len(fill.parts) - 1
        flat = self._fits(doc) if last else width(doc) <= self._room()
        if not last:
            self._stack.append((indent, False, _Rest(fill, i + 1, line, flat, column)))
        self._stack.append((line, flat, doc))

    def _go_on(self, indent: int, rest: _Rest) -> None:
        """The place before a document of a row, and the document."""
        fill, sep = rest.fill, rest.fill.seps[rest.next - 1]
        line, column = rest.line, ""
        for comment in sep.comments:
            self._comment(comment, indent + fill.step)
        if sep.forced or not self._stays(rest):
            line, column = indent + fill.step, sep.column
            self._end(line)
        else:
            self._write(" ")
            if rest.column:
                self._mark(Tab((indent, rest.column), SPREAD))
        self._operand(indent, fill, rest.next, line, column)

    def _stays(self, rest: _Rest) -> bool:
        doc, last = rest.fill.parts[rest.next], rest.next == len(rest.fill.parts) - 1
        if rest.fill.snug:
            return (_lead(doc) if _breaks(doc) else width(doc)) < self._room()
        return rest.flat and (self._fits(doc, before=1) if last else width(doc) < self._room())

    # What fits

    def _room(self) -> int:
        return WIDTH - (self._indent if self._row is None or self._due else len(self._row.code))

    def _fits(self, doc: Doc, before: int = 0) -> bool:
        """Whether a document, and what follows it up to where a line may end, stands on the rest of the line."""
        room = self._room() - before - width(doc)
        for _, flat, after in reversed(self._stack):
            if room < 0 or isinstance(after, _Rest):
                break
            room -= width(after) if flat else _lead(after)
            if not flat and _breaks(after):
                break
        return room >= 0

    # Lines

    def _write(self, text: str) -> None:
        if self._row is None or self._due:
            text = text.lstrip(" ")
            if text:
                self._begin()
        if self._row is not None and not self._due:
            self._row.code += text

    def _end(self, indent: int, apart: bool = False) -> None:
        self._due = max(self._due, 2 if apart else 1)
        self._indent = indent

    def _begin(self) -> Row:
        if self._row is not None:
            self._done.append(self._row)
            self._done.extend(Row("") for _ in range(self._due - 1))
        self._row = Row(" " * self._indent)
        self._due = 0
        return self._row

    def _mark(self, tab: Tab) -> None:
        if self._row is not None and not self._due:
            self._row.tab, self._row.column = tab, len(self._row.code)

    def _comment(self, comment: Comment, indent: int) -> None:
        if self._row is None or self._due or comment.own:
            self._end(indent, comment.own and comment.apart)
            row = self._begin()
            row.code += comment.text
            row.remark = True
        else:
            self._row.code, self._row.comment = self._row.code.rstrip(), comment.text
        self._end(indent)
