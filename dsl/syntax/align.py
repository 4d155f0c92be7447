"""Columns: spaces that bring the same mark of consecutive lines, and the comments after them, under each other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

COMMENTS: Final = 40
"""How far apart the ends of lines may be whose comments stand in one column."""

Mark = tuple[object, int, int]
"""What is aligned with what, how many columns apart it may be, and where it stands."""


@dataclass(frozen=True)
class Tab:
    """A mark that consecutive lines have in one column, if it is at most `spread` columns apart in them."""

    key: object
    spread: int


@dataclass
class Row:
    """A line: its code, where the mark stands in it, and the comment after it. A `remark` is a comment alone."""

    code: str
    tab: Tab | None = None
    column: int = 0
    comment: str = ""
    remark: bool = False


def aligned(rows: list[Row], width: int) -> list[str]:
    """The lines of rows. Columns that would make a line longer than `width` are not made."""
    lines = [row for row in rows if not row.remark]
    for run in _runs(lines, _tab):
        column = max(row.column for row in run)
        if all(len(row.code) + column - row.column <= width for row in run):
            for row in run:
                row.code = row.code[: row.column].ljust(column) + row.code[row.column :]
    for run in _runs(lines, _comment):
        column = max(len(row.code) for row in run)
        if all(column + 2 + len(row.comment) <= width for row in run):
            for row in run:
                row.code = row.code.ljust(column)
    return [f"{row.code}  {row.comment}" if row.comment else row.code.rstrip() for row in rows]


def _tab(row: Row) -> Mark | None:
    return (row.tab.key, row.tab.spread, row.column) if row.tab else None


def _comment(row: Row) -> Mark | None:
    """Comments go together where their lines have one indentation."""
    indent = len(row.code) - len(row.code.lstrip())
    return (indent, COMMENTS, len(row.code)) if row.comment else None


def _runs(rows: Iterable[Row], mark: Callable[[Row], Mark | None]) -> Iterator[list[Row]]:
    """Consecutive rows with marks of one kind, near each other; two at least."""
    run: list[Row] = []
    kind, low, high = None, 0, 0
    for row in rows:
        key, spread, column = mark(row) or (None, 0, 0)
        low, high = min(low, column), max(high, column)
        if key is None or key != kind or high - low > spread:
            if len(run) > 1:
                yield run
            run, kind, low, high = [], key, column, column
        if key is not None:
            run.append(row)
    if len(run) > 1:
        yield run
