"""Where the cursor stands in a text that may be half written: what tokens alone can tell."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from atnas.dsl.source import Part, Source
from atnas.dsl.syntax.lex import lex
from atnas.dsl.syntax.tokens import DECLARATIONS, STARTERS, Tokens

WORD: Final = re.compile(r"\w*\Z")
LONGEST_WORD: Final = 200
ENDING: Final = frozenset({"NAME", "NUMBER", "STRING", "RPAR", "RSQB", "RBRACE", "TRUE", "FALSE"})
"""What an expression can end with."""

BEGINNING: Final = frozenset({"EQUAL", "LBRACE"})
"""What parts the header of a declaration from the rest."""


@dataclass(frozen=True)
class Arguments:
    """The parentheses of a call around the cursor.

    `callee` is the token before them, `before` the names of the arguments left of the cursor, None where one has
    none; `current` is the name of the one that the cursor stands in. `fresh`: nothing of it is written yet.
    """

    callee: int
    before: tuple[str | None, ...]
    current: str | None
    fresh: bool


@dataclass(frozen=True)
class Cursor:
    """The cursor stands at the end of `word`, which begins at `start` and is, or would be, token `i`."""

    tokens: Tokens
    word: str
    start: int
    i: int

    @cached_property
    def brackets(self) -> list[int]:
        """The brackets around the cursor, the outermost first."""
        around = self.tokens.brackets.around
        found: list[int] = []
        bracket = around[self.i]
        while bracket >= 0:
            found.append(bracket)
            bracket = around[bracket]
        return found[::-1]

    @cached_property
    def declaration(self) -> int | None:
        """The keyword of the declaration that begins before the cursor."""
        if self.before in DECLARATIONS and self.tokens.begins_line(self.i - 1):
            return self.i - 1
        return next((k for k in range(self.i - 1, -1, -1) if self.tokens.begins_declaration(k)), None)

    @property
    def in_body(self) -> bool:
        """Whether the header of the declaration ends before the cursor."""
        first, around = self.declaration, self.tokens.brackets.around
        if first is None:
            return False
        return any(around[k] < 0 and self.tokens.kind(k) in BEGINNING for k in range(first + 1, self.i))

    @cached_property
    def statement(self) -> int | None:
        """The first token of the statement that the cursor stands in, where it stands in a body."""
        body = next((b for b in self.brackets if self.tokens.kind(b) == "LBRACE"), None)
        if body is None:
            return None
        around = self.tokens.brackets.around
        inside = range(self.i - 1, body, -1)
        return next((k for k in inside if around[k] == body and self.tokens.begins_statement(k)), None)

    @property
    def before(self) -> str:
        """The kind of the token before the word; "" at the beginning."""
        return self.tokens.kind(self.i - 1) if self.i else ""

    @property
    def begins_line(self) -> bool:
        end = self.tokens.span(self.i - 1).end if self.i else 0
        return self.i == 0 or "\n" in self.tokens.part.whole.text[end : self.start]

    @property
    def begins_statement(self) -> bool:
        """Whether a new statement may begin here, as far as what stands before shows."""
        return self.before == "LBRACE" or (self.before in ENDING and self.begins_line)

    def text(self, i: int) -> str:
        return self.tokens.span(i).text

    def arguments(self, bracket: int) -> Arguments | None:
        """The call whose parenthesis this is; None where it groups, or holds the parameters of a declaration."""
        tokens = self.tokens
        if tokens.kind(bracket) != "LPAR" or bracket == 0 or tokens.kind(bracket - 1) != "NAME":
            return None
        if bracket > 1 and tokens.begins_declaration(bracket - 2):
            return None
        *before, last = self._pieces(bracket)
        names = tuple(self._name(piece) for piece in before)
        current = self._name(last)
        return Arguments(bracket - 1, names, current, fresh=not last)

    def _pieces(self, bracket: int) -> list[list[int]]:
        """The tokens of the arguments left of the cursor, that of the cursor last and without its word."""
        around = self.tokens.brackets.around
        pieces: list[list[int]] = [[]]
        for k in range(bracket + 1, self.i):
            if around[k] == bracket and self.tokens.kind(k) == "COMMA":
                pieces.append([])
            else:
                pieces[-1].append(k)
        return pieces

    def _name(self, piece: list[int]) -> str | None:
        return self.text(piece[0]) if len(piece) > 1 and self.tokens.kind(piece[1]) == "EQUAL" else None


def cursor(source: Source, offset: int) -> Cursor | None:
    """What stands around an offset; None within comments, strings and numbers."""
    before = source.text[max(0, offset - LONGEST_WORD) : offset]
    found = WORD.search(before)
    assert found is not None
    word = found.group()
    start = offset - len(word)
    part = Part(source, 0, source.text)
    tokens = Tokens(part, lex(part, sys.maxsize)[0])
    i = tokens.at(start)
    if i >= len(tokens):  # there are more words than are read
        return None
    end = tokens.span(i - 1).end if i else 0
    if start < end or word[:1].isdigit() or "#" in source.text[end:start].rsplit("\n", 1)[-1]:
        return None
    return Cursor(tokens, word, start, i)


def names_in_scope(at: Cursor) -> Iterator[tuple[str, str]]:
    """The names of its own that the declaration around the cursor has by then, and what kind each is of."""
    first = at.declaration
    if first is None:
        return
    tokens, around = at.tokens, at.tokens.brackets.around
    begun = (k for k in range(first + 1, at.i) if around[k] < 0 and tokens.kind(k) in BEGINNING)
    body = next(begun, at.i)
    last = at.statement
    for k in range(first + 2, body):
        yield from _of_header(at, k)
    for k in range(body + 1, at.i if last is None else last):
        if around[k] == body and tokens.kind(k) == "NAME" and tokens.kind(k + 1) == "EQUAL":
            yield at.text(k), "binding"
    yield from _elements(at)


def _of_header(at: Cursor, k: int) -> Iterator[tuple[str, str]]:
    tokens, around = at.tokens, at.tokens.brackets.around
    if tokens.kind(k) != "NAME" or around[k] < 0 or tokens.kind(k - 1) not in ("LPAR", "LSQB", "COMMA"):
        return
    bracket = around[k]
    if tokens.kind(bracket) == "LSQB":
        yield at.text(k), "input"
    elif tokens.kind(bracket - 1) == "COLON":
        yield at.text(k), "size"
    elif around[bracket] < 0:
        yield at.text(k), "parameter"


def _elements(at: Cursor) -> Iterator[tuple[str, str]]:
    """The names that a `for` around the cursor gives to elements; it may stand behind the cursor."""
    tokens, around, brackets = at.tokens, at.tokens.brackets.around, set(at.brackets)
    for k in range(len(tokens)):
        if tokens.kind(k) != "FOR" or around[k] not in brackets or tokens.kind(around[k]) != "LSQB":
            continue
        while tokens.kind(k + 1) == "NAME":
            yield at.text(k + 1), "element"
            k += 2
            if tokens.kind(k) != "COMMA":
                break


def in_condition(at: Cursor) -> bool:
    """Whether the cursor stands in a `require` line."""
    statement = at.statement
    return statement is not None and at.tokens.kind(statement) in STARTERS and at.text(statement) == "require"
