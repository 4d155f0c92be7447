"""Going on after a syntax error: the parser's stack is cut back to the body or file, and the tokens to the next
statement or declaration are left out (panic mode; Aho et al., Compilers, 4.8.3).

What was broken keeps its name, so that nothing else complains that the name is missing: see `parse`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Literal, NamedTuple

from lark import Token
from lark.parsers.lalr_analysis import Shift
from lark.parsers.lalr_interactive_parser import InteractiveParser

from atnas.dsl.actions import begin
from atnas.dsl.diagnostics import Diagnostic, Label
from atnas.dsl.lex import END
from atnas.dsl.source import Span
from atnas.dsl.tokens import DEEPEST, SETTINGS, Tokens
from atnas.dsl.wording import Situation, word

Level = Literal["declaration", "statement", "entry"]
LEVELS: Final[dict[str, Level]] = {
    "statement": "statement",
    "statements": "statement",
    "entry": "entry",
    "entries": "entry",
    "declaration": "declaration",
    "declarations": "declaration",
}


class Frame(NamedTuple):
    """The innermost body, or the file: what it holds, how many values the stack has up to there, and those after."""

    level: Level
    depth: int
    partial: Sequence[Any]


class Recovery:
    """Watches one parse, reports to `findings` and mends the parser after an error."""

    def __init__(self, parser: InteractiveParser, tokens: Tokens, findings: list[Diagnostic]) -> None:
        self._parser = parser
        self._tokens = tokens
        self._findings = findings
        self._state = parser.parser_state
        self._rows = parser.parser_state.parse_conf.states

    # Before a token is fed

    def foresees(self, i: int) -> bool:
        """Whether token i, that the parser may well take, is a mistake all the same."""
        kind = self._tokens[i].type
        if kind in ("LPAR", "LSQB"):
            return i in self._tokens.too_deep or self._glues(i)
        if kind == "NAME" or self._tokens.is_reserved(i):
            return self._misses_value(i)
        return i in self._tokens.too_deep

    def _glues(self, i: int) -> bool:
        """A bracket first on its line after a whole expression, which it would call or index."""
        return self._tokens.begins_line(i) and "VBAR" in self._row()

    def _misses_value(self, i: int) -> bool:
        """`x = a -> | y = b`: the next statement begins where a value should be; or a reserved word is being bound."""
        after = self._tokens.kind(i + 1)
        if after not in ("EQUAL", "TILDE"):
            return False
        kind = self._tokens[i].type
        if kind != "NAME" and kind not in SETTINGS:
            return True
        action, target = self._row().get(kind, (None, None))
        return action is Shift and after not in self._rows[target] and self._tokens.begins_line(i)

    # After an error

    def resume(self, i: int) -> int:
        """Reports the error at token i, mends the stack, and returns the token to go on with."""
        accepted = self._parser.accepts()
        if self._is_misused_word(i, accepted):
            self._report_reserved(i)
            self._tokens.retype(i, "NAME")
            return i
        frame = self._frame()
        if self._tokens[i].type in ("LPAR", "LSQB") and self._tokens.begins_line(i) and "VBAR" in self._row():
            self._report_glue(i)
            if "COMMA" in accepted:
                self._feed("COMMA", i)
                return i
        elif i in self._tokens.too_deep:
            self._report_deep(i)
        elif not self._is_excused(frame, i):
            self._findings.append(word(Situation(self._tokens, i, frozenset(accepted), frame.level, frame.partial)))
        return self._mend(frame, i, accepted)

    def _is_misused_word(self, i: int, accepted: set[str]) -> bool:
        if not self._tokens.is_reserved(i) or self._tokens.begins_declaration(i):
            return False
        kind = self._tokens[i].type
        bound = self._tokens.kind(i + 1) in ("EQUAL", "TILDE") and kind not in SETTINGS
        return bound or ("NAME" in accepted and not self._tokens.begins_statement(i))
