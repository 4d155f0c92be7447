"""The tokens of a part of a file and what they show without a parser: lines, brackets, where statements begin."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any, Final

from atnas.dsl.source import Part, Span
from atnas.dsl.syntax.grammar import SETTING_WORDS, reserved
from atnas.dsl.syntax.lex import END, Token

CLOSERS: Final = {"RPAR": "LPAR", "RSQB": "LSQB", "RBRACE": "LBRACE"}
DECLARATIONS: Final = frozenset({"USE", "EXTERN", "OP", "CELL", "SPACE", "TASKS", "TRAIN", "SEARCH", "EXPERIMENT"})
SETTINGS: Final = frozenset(word.upper() for word in SETTING_WORDS)
STARTERS: Final = frozenset({"REQUIRE", "MAXIMIZE", "MINIMIZE"})
DEEPENING: Final = frozenset({"ARROW", "PLUS", "MINUS", "STAR", "SLASH", "PERCENT", "AND", "DOTS", "OF", "LSQB"})
SEPARATING: Final = STARTERS | DECLARATIONS | {"COMMA", "VBAR", "EQUAL", "TILDE", "COLON", "FOR", "IF"}
DEEPEST: Final = 100


@cache
def reserved_kinds() -> frozenset[str]:
    return frozenset(reserved().values())


def is_token(value: Any, kind: str) -> bool:
    """Whether a value of the parser's stack is a token of that kind."""
    return isinstance(value, Token) and value.type == kind


@dataclass(frozen=True)
class Brackets:
    """For each token the innermost bracket open before it, or -1, and the brackets that are never closed."""

    around: tuple[int, ...]
    unclosed: frozenset[int]


class Tokens:
    """The tokens of a part. The last is not in it: the first word of the next part, or `$END`."""

    def __init__(self, part: Part, tokens: list[Token]) -> None:
        self.part = part
        self._tokens = tokens

    def __getitem__(self, i: int) -> Token:
        return self._tokens[i]

    def __len__(self) -> int:
        return len(self._tokens)

    def span(self, i: int) -> Span:
        token = self._tokens[i]
        return Span(self.part, token.start, token.end)

    def kind(self, i: int) -> str:
        """The kind of token i; `$END` beyond the last."""
        return self._tokens[i].type if i < len(self._tokens) else END

    def suspect(self) -> frozenset[int]:
        """Where to look twice: before `=` and `~`, at an opening bracket first on its line, and what is too deep."""
        kinds = [token.type for token in self._tokens]
        named = (i for i, kind in enumerate(kinds[1:]) if kind in ("EQUAL", "TILDE"))
        opened = (i for i, kind in enumerate(kinds) if kind in ("LPAR", "LSQB") and self.begins_line(i))
        return self.too_deep.union(named, opened)

    def retype(self, i: int, kind: str, text: str | None = None) -> None:
        """Reads token i as one of another kind from now on, and as another text where one is given."""
        token = self._tokens[i]
        self._tokens[i] = token._replace(type=kind, text=token.text if text is None else text)

    def is_reserved(self, i: int) -> bool:
        return self.kind(i) in reserved_kinds()

    def begins_line(self, i: int) -> bool:
        if i == 0:
            return True
        text, offset = self.part.whole.text, self.part.offset
        return "\n" in text[offset + self._tokens[i - 1].end : offset + self._tokens[i].start]

    def begins_declaration(self, i: int) -> bool:
        """A keyword first on its line that something other than `=` follows, as one does where the next part begins."""
        kind = self.kind(i)
        if kind not in DECLARATIONS or not self.begins_line(i):
            return False
        if i == len(self._tokens) - 1:
            return True
        if kind == "OP" and i and self.kind(i - 1) == "EXTERN":
            return False
        after = self.kind(i + 1)
        return after in ("NAME", "STRING", "LBRACE", "LPAR") or self.is_reserved(i + 1)

    def begins_statement(self, i: int) -> bool:
        """A keyword that begins one, or a word, though it may be reserved, that `=` or `~` follows."""
        kind = self.kind(i)
        if kind in STARTERS:
            return True
        return (kind == "NAME" or kind in reserved_kinds()) and self.kind(i + 1) in ("EQUAL", "TILDE")

    def may_be_keyword(self, i: int) -> bool:
        """A name first on its line and before another: `requires a`."""
        return self.kind(i) == self.kind(i + 1) == "NAME" and self.begins_line(i)

    def is_indented(self, i: int) -> bool:
        start = self.span(i).start
        return start > 0 and self.part.whole.text[start - 1] in " \t"

    def declaration(self, i: int) -> int:
        """Where the declaration around token i begins in the text, as far as its keyword shows."""
        before = bisect_left(self._declarations, i + 1)
        return self.span(self._declarations[before - 1]).start if before else 0

    @cached_property
    def _declarations(self) -> list[int]:
        return [i for i in range(len(self._tokens)) if self.begins_declaration(i)]

    @cached_property
    def brackets(self) -> Brackets:
        """Brackets matched from the inside out; a body ends at its brace or at the next declaration."""
        around: list[int] = []
        opened: list[int] = []
        unclosed: set[int] = set()
        for i, token in enumerate(self._tokens):
            kind = token.type
            around.append(opened[-1] if opened else -1)
            if kind in CLOSERS.values():
                opened.append(i)
            elif kind in CLOSERS:
                unclosed.update(self._close(opened, CLOSERS[kind]))
            elif opened and (kind == END or self.begins_declaration(i)):
                unclosed.update(opened)
                opened.clear()
        return Brackets(tuple(around), frozenset(unclosed))

    def _close(self, opened: list[int], opener: str) -> list[int]:
        """Takes the innermost such opener off, and returns those within. What is in braces closes in them."""
        for depth in range(len(opened) - 1, -1, -1):
            kind = self.kind(opened[depth])
            if kind == opener:
                within = opened[depth + 1 :]
                del opened[depth:]
                return within
            if kind == "LBRACE":
                break
        return []

    @cached_property
    def too_deep(self) -> frozenset[int]:
        """Brackets and operators that would make the syntax tree higher than `DEEPEST`.

        The height is at most the brackets around a token plus the operators before it, in each since the last
        separator.
        """
        if len(self._tokens) <= DEEPEST:
            return frozenset()
        found: list[int] = []
        levels, height = [0], 0
        for i, token in enumerate(self._tokens):
            kind = token.type
            if kind in DEEPENING:
                height += 1
                levels[-1] += 1
            if kind in ("LPAR", "LSQB"):
                height += 1
                levels.append(0)
            elif kind in ("RPAR", "RSQB") and len(levels) > 1:
                height -= levels.pop() + 1
            elif kind in ("LBRACE", "RBRACE"):
                levels, height = [0], 0
            elif kind in SEPARATING:
                height -= levels[-1]
                levels[-1] = 0
            elif kind not in DEEPENING:
                continue
            if height > DEEPEST:
                found.append(i)
        return frozenset(found)

    def at(self, offset: int) -> int:
        """The token that begins at an offset of the part."""
        return bisect_left(self._tokens, offset, key=lambda token: token.start)
