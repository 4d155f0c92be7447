"""Going on after a syntax error.

The parser's stack is cut back to the body or file, and the tokens up to the next statement or declaration are
left out (panic mode; Aho et al., Compilers, 4.8.3).

What was broken keeps its name, so that nothing else complains that the name is missing: see `parse`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from atnas.dsl.findings.diagnostics import Diagnostic
from atnas.dsl.syntax.grammar import tables
from atnas.dsl.syntax.habits import reserved_word
from atnas.dsl.syntax.lex import END, Token
from atnas.dsl.syntax.machine import Machine
from atnas.dsl.syntax.situation import Level, Situation
from atnas.dsl.syntax.tokens import SETTINGS, STARTERS, Tokens, is_token
from atnas.dsl.syntax.wording import glued, too_deep, unclosed, unexpected

LEVELS: Final[Mapping[str, Level]] = {
    "statement": "statement",
    "statements": "statement",
    "entry": "entry",
    "entries": "entry",
    "declaration": "declaration",
    "declarations": "declaration",
}
"""Where a symbol of the grammar may begin, such lines are read."""

LAYERS: Final = frozenset({"OP", "CELL", "SPACE"})


class Recovery:
    """Watches one parse, reports to `findings` and mends the machine after an error."""

    def __init__(self, machine: Machine, tokens: Tokens, findings: list[Diagnostic]) -> None:
        self._machine = machine
        self._tokens = tokens
        self._findings = findings
        self._values = machine.values

    def foresees(self, i: int) -> bool:
        """Whether token i is a mistake although the parser may well take it."""
        kind = self._tokens[i].type
        if kind in ("LPAR", "LSQB") and self._glues(i):
            return True
        if self._tokens.kind(i + 1) in ("EQUAL", "TILDE") and self._misses_value(i, kind):
            return True
        return i in self._tokens.too_deep

    def resume(self, i: int) -> int:
        """Reports the error at token i, mends the stack, and returns the token to go on with."""
        at = self._situation(i)
        if self._is_misused(at):
            if not self._is_told(at):
                self._findings.append(reserved_word(at))
            self._tokens.retype(i, "NAME")
            return i
        if i in self._tokens.too_deep:
            self._findings.append(too_deep(at))
        elif self._tokens[i].type in ("LPAR", "LSQB") and self._glues(i):
            self._findings.append(glued(at))
            if "COMMA" in at.accepted:
                self._feed("COMMA", i)
                return i
        elif not self._is_excused(at):
            self._findings.append(unexpected(at))
        after = self._reads_on(at)
        if after is not None:
            return after
        return self._mend_file(at) if at.level == "declaration" else self._mend_body(at)

    # What goes wrong

    def _glues(self, i: int) -> bool:
        """A bracket first on its line after a whole expression, which it would call or index."""
        return "VBAR" in self._machine.row and self._tokens.begins_line(i)

    def _misses_value(self, i: int, kind: str) -> bool:
        """A reserved word is being bound, or a statement begins where the last one has no value yet."""
        if kind != "NAME" and kind not in SETTINGS:
            return self._tokens.is_reserved(i) and not self._is_goal(i)
        row = self._machine.row
        target = row.get(kind, -1)
        if "NUMBER" not in row or target < 0 or self._tokens.kind(i + 1) in tables().rows[target]:
            return False
        return self._tokens.begins_line(i)

    def _is_goal(self, i: int) -> bool:
        """Whether `maximize` or `minimize` stands where a goal may, though `=` follows."""
        return self._tokens.kind(i) in ("MAXIMIZE", "MINIMIZE") and self._frame()[0] == "entry"

    def _is_misused(self, at: Situation) -> bool:
        """Whether a reserved word stands for a name."""
        if self._is_goal(at.i) or not self._tokens.is_reserved(at.i) or self._tokens.begins_declaration(at.i):
            return False
        if at.level != "declaration" and self._tokens.kind(at.i + 1) in ("EQUAL", "TILDE"):
            return at.level == "statement" or at.kind not in SETTINGS
        return "NAME" in at.accepted and (at.level == "declaration" or at.kind not in STARTERS)

    def _is_told(self, at: Situation) -> bool:
        """Whether nothing new is to be said of a reserved word: it was misused above, or names no library anyhow."""
        start = self._tokens.declaration(at.i)
        told = (f.span for f in self._findings if f.code == "E005")
        return at.opens("USE") or any(s.start >= start and s.text == at.span.text for s in told)

    def _is_excused(self, at: Situation) -> bool:
        """Whether something in the same statement, or just before it, has been reported already."""
        low = self._tokens.span(at.first - 1).end if at.first else self._tokens.part.offset
        return any(low <= f.span.start <= at.span.start for f in self._findings)

    def _situation(self, i: int) -> Situation:
        level, depth = self._frame()
        return Situation(self._tokens, i, self._machine.accepted(), level, depth, tuple(self._values[depth:]))

    def _frame(self) -> tuple[Level, int]:
        """What the innermost open body, or the file, holds, and how many values stand before its next line."""
        top = len(self._values)
        for depth in range(top, -1, -1):
            row = tables().rows[self._machine.states[depth]]
            level = next((LEVELS[symbol] for symbol in row if symbol in LEVELS), None)
            left = depth < top and (isinstance(self._values[depth], list) or is_token(self._values[depth], "RBRACE"))
            if level and not left:
                return level, depth
        raise AssertionError("the machine's first state begins declarations")

    # What is done about it

    def _reads_on(self, at: Situation) -> int | None:
        """The token to go on with where one mark stands for another: it is read as that, or passed over."""
        if at.kind == "EQUAL" and at.opens("REQUIRE"):
            self._tokens.retype(at.i, "EQ", "==")
            return at.i
        if at.kind == "EQUAL" and (at.opens("MAXIMIZE") or at.opens("MINIMIZE")):
            return at.i + 1
        if not at.lone or not at.starts or at.level == "declaration":
            return None
        if at.kind == "COLON" and self._tokens.kind(at.i + 1) == "EQUAL":
            return at.i + 1
        if at.kind in ("EQ", "TILDE") or (at.kind == "COLON" and at.level == "entry"):
            self._tokens.retype(at.i, "EQUAL", "=")
            return at.i
        return None

    def _mend_body(self, at: Situation) -> int:
        lines = self._values[at.depth - 1] if at.depth else None
        if at.negated and isinstance(lines, list) and lines:
            lines.pop()
        if not at.complete or self._is_spoilt(at):
            self._cut_statement(at)
        i = self._next_statement(at.i)
        if i == at.i and not self._ends_body(i) and self._tokens[i].type not in self._machine.accepted():
            i = self._next_statement(i + 1)
        if self._ends_body(i):
            if i != at.i:
                self._findings.append(unclosed(self._tokens, self._opening_brace(at.depth), i))
            self._feed("RBRACE", i)
        return i

    def _is_spoilt(self, at: Situation) -> bool:
        """Whether a line that could end before the token means nothing without what follows."""
        return at.kind == "DOT" or (at.opens("REQUIRE") and not at.begins_line)

    def _ends_body(self, i: int) -> bool:
        """Whether no body can go on at token i, though its brace may be missing."""
        return self._tokens[i].type == END or self._tokens.begins_declaration(i)

    def _cut_statement(self, at: Situation) -> None:
        """Leaves `name =` standing, with an empty name for its value, or nothing."""
        bound = len(at.partial) > 1 and (is_token(at.partial[1], "EQUAL") or is_token(at.partial[1], "TILDE"))
        self._machine.cut(at.depth + 2 if bound else at.depth)
        if bound:
            self._feed("NAME", at.i)

    def _opening_brace(self, depth: int) -> int:
        brace = next(value for value in reversed(self._values[:depth]) if is_token(value, "LBRACE"))
        return self._tokens.at(brace.start)

    def _next_statement(self, i: int) -> int:
        """The first token from i on that begins a statement or declaration or ends the body or file."""
        brackets = self._tokens.brackets
        inside, braces = 0, 0
        outer = brackets.around[i]
        while outer >= 0 and self._tokens.kind(outer) != "LBRACE":
            inside += outer not in brackets.unclosed
            outer = brackets.around[outer]
        while not self._ends_body(i):
            kind = self._tokens[i].type
            begins = self._tokens.begins_statement(i) or self._tokens.may_be_keyword(i)
            if not inside and not braces and (kind == "RBRACE" or begins):
                break
            if kind in ("LPAR", "LSQB"):
                inside += i not in brackets.unclosed
            elif kind in ("RPAR", "RSQB"):
                inside = max(0, inside - 1)
            else:
                braces += (kind == "LBRACE") - (kind == "RBRACE")
            i += 1
        return i

    def _mend_file(self, at: Situation) -> int:
        equal = next((n for n, value in enumerate(at.partial) if is_token(value, "EQUAL")), None)
        if at.complete and (equal is None or not self._is_spoilt(at)):
            return self._next_declaration(at.i + 1)
        after = self._next_declaration(at.i)
        if is_token(at.partial[0], "EXTERN"):
            self._mend_extern(at)
        elif equal is not None and not any(is_token(value, "LPAR") for value in at.partial[:equal]):
            self._machine.cut(at.depth + equal + 1)
            self._feed("NAME", at.i)
        elif is_token(at.partial[0], "USE"):
            self._machine.cut(at.depth)
        else:
            return self._mend_head(at, after)
        return after

    def _mend_head(self, at: Situation, after: int) -> int:
        """Leaves keyword and name, and goes on in the body where there is one."""
        named = len(at.partial) > 1 and is_token(at.partial[1], "NAME")
        self._machine.cut(at.depth + 2 if named else at.depth + 1)
        if not named:
            self._feed("NAME", at.i)
        body = next((i for i in range(at.i, after) if self._tokens[i].type == "LBRACE"), None)
        if body is None:
            self._feed("EQUAL", at.i)
            self._feed("NAME", at.i)
            return after
        if at.partial[0].type in LAYERS:
            for kind in ("LSQB", "NAME", "RSQB", "ARROW", "NAME"):
                self._feed(kind, body)
        return body

    def _mend_extern(self, at: Situation) -> None:
        """Leaves an op of that name, of which nothing could be read."""
        self._machine.cut(at.depth)
        self._machine.feed(at.partial[0]._replace(type="OP", text="op"))
        name = at.partial[2] if len(at.partial) > 2 else None
        if name is None or not (is_token(name, "NAME") and self._machine.feed(name)):
            self._feed("NAME", at.i)
        self._feed("EQUAL", at.i)
        self._feed("NAME", at.i)

    def _next_declaration(self, i: int) -> int:
        """The first token from i on that begins a declaration, though its keyword may be misspelt."""
        last = len(self._tokens) - 1
        while i < last and not (self._tokens.begins_declaration(i) or self._may_declare(i)):
            i += 1
        return min(i, last)

    def _may_declare(self, i: int) -> bool:
        return self._tokens.may_be_keyword(i) and not self._tokens.is_indented(i)

    def _feed(self, kind: str, i: int) -> None:
        """Feeds a token that is not in the text, with nothing in it, before token i."""
        place = self._tokens[i - 1].end if i else 0
        taken = self._machine.feed(Token(kind, "", place, place))
        assert taken
