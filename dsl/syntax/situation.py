"""A token that the parser does not accept, and all that can be seen around it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from atnas.dsl.findings.suggest import nearest
from atnas.dsl.source import Span
from atnas.dsl.syntax.actions import begin
from atnas.dsl.syntax.grammar import reserved
from atnas.dsl.syntax.lex import END, Token
from atnas.dsl.syntax.tokens import Tokens, is_token

Level = Literal["declaration", "statement", "entry"]


@dataclass(frozen=True)
class Situation:
    """A token that the parser does not accept, and what it does.

    `level` says what lines the body or file around the token holds; the parser's stack has `depth` values before
    this line, and those of `partial` in it.
    """

    tokens: Tokens
    i: int
    accepted: frozenset[str]
    level: Level
    depth: int
    partial: tuple[Any, ...]

    @property
    def kind(self) -> str:
        return self.tokens[self.i].type

    @property
    def span(self) -> Span:
        return self.tokens.span(self.i)

    @property
    def before(self) -> str:
        """The kind of the token before; nothing at the beginning of the file."""
        return self.tokens.kind(self.i - 1) if self.i else ""

    @property
    def complete(self) -> bool:
        """Whether the line could end before the token."""
        return (END if self.level == "declaration" else "RBRACE") in self.accepted

    @cached_property
    def wants_expression(self) -> bool:
        return {"NAME", "NUMBER", "LSQB"} <= self.accepted

    @property
    def found(self) -> str:
        return spelt(self.tokens[self.i])

    @property
    def begins_line(self) -> bool:
        return self.kind == END or self.tokens.begins_line(self.i)

    @cached_property
    def first(self) -> int:
        """The first token of the line."""
        first = self.i
        if self.partial and not self.complete:
            start = next(begin(value) for value in self.partial if not isinstance(value, list))
            while first and self.tokens[first].start > start:
                first -= 1
        return first

    @property
    def lone(self) -> bool:
        """Whether a name alone stands before the token: `x -> f`, `return y`."""
        return len(self.partial) == 1 and is_token(self.partial[0], "NAME")

    @property
    def subject(self) -> int:
        """The token to speak of: a name that begins the line just before, else the token itself."""
        return self.i - 1 if self.lone else self.i

    @property
    def starts(self) -> bool:
        """Whether the subject is the first word of a line or of a body."""
        return self.tokens.begins_line(self.subject) or self.tokens.kind(self.subject - 1) == "LBRACE"

    @property
    def negated(self) -> bool:
        """Whether the line began in the one before, which should not have ended: `require not` and `w == 8`."""
        return self.lone and self.subject > 1 and str(self.tokens[self.subject - 1]) == "not" and not self.starts

    def opens(self, kind: str) -> bool:
        """Whether the line is one that begins with a token of this kind."""
        return bool(self.partial) and is_token(self.partial[0], kind)

    def near(self, kinds: frozenset[str]) -> str | None:
        """The reserved word of these kinds that the subject may have been meant to be."""
        return nearest(str(self.tokens[self.subject]), [word for word, kind in reserved().items() if kind in kinds])


def spelt(token: Token) -> str:
    """A token as a message has it."""
    if token.type == END:
        return "the end of the file"
    text = str(token)
    return f"`{text}`" if len(text) <= 40 else f"`{text[:37]}...`"
