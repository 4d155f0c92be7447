"""Syntax errors in people's words."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Literal

from lark import Token

from atnas.dsl.findings.diagnostics import Diagnostic, Label
from atnas.dsl.findings.suggest import nearest
from atnas.dsl.source import Span
from atnas.dsl.syntax.actions import begin
from atnas.dsl.syntax.grammar import punctuation, reserved
from atnas.dsl.syntax.lex import END
from atnas.dsl.syntax.tokens import CLOSERS, DECLARATIONS, DEEPEST, STARTERS, Tokens, is_token

Level = Literal["declaration", "statement", "entry"]

OPERATORS: Final = frozenset(
    {"ARROW", "PLUS", "MINUS", "STAR", "SLASH", "PERCENT", "VBAR", "DOTS", "OF", "STEP", "LSQB", "LPAR"}
)
COMPARISONS: Final = frozenset({"EQ", "NE", "LESSTHAN", "LE", "MORETHAN", "GE", "IN", "AND"})
NAMED: Final = {"NAME": "a name", "NUMBER": "a number", "STRING": "a string", END: "the end of the file"}
BODIES: Final = {
    "statement": "a body holds `name = expression` and `require` lines only",
    "entry": "settings are lines `name = value`; `tasks` may hold `name ~ value`, and `search` `maximize`, "
    "`minimize` and `require` lines",
}
FILE: Final = "a file holds declarations only: `use`, `op`, `cell`, `space`, `tasks`, `train`, `search`, `experiment`"


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
    def complete(self) -> bool:
        """Whether the line could end before the token."""
        return (END if self.level == "declaration" else "RBRACE") in self.accepted

    @cached_property
    def wants_expression(self) -> bool:
        return {"NAME", "NUMBER", "LSQB"} <= self.accepted

    @property
    def found(self) -> str:
        return _spelt(self.tokens[self.i])

    @cached_property
    def first(self) -> int:
        """The first token of the line."""
        first = self.i
        if self.partial and not self.complete:
            start = next(begin(value) for value in self.partial if not isinstance(value, list))
            while first and self.tokens.span(first).start > start:
                first -= 1
        return first

    @property
    def subject(self) -> int:
        """The token to speak of: a name that begins the line just before, else the token itself."""
        return self.i - 1 if len(self.partial) == 1 and is_token(self.partial[0], "NAME") else self.i

    def did_you_mean(self, kinds: frozenset[str]) -> str | None:
        near = nearest(str(self.tokens[self.subject]), [word for word, kind in reserved().items() if kind in kinds])
        return near and f"did you mean `{near}`?"


def unexpected(at: Situation) -> Diagnostic:
    """E001: what the parser would have taken instead."""
    return _bracket(at) or _habit(at) or _missing_operator(at) or _line(at) or _expected(at)


def reserved_word(at: Situation) -> Diagnostic:
    return Diagnostic("E005", at.span, f"{at.found} is a reserved word of the language", "choose another name")


def glued(at: Situation) -> Diagnostic:
    does = "is called with" if at.kind == "LPAR" else "is indexed by"
    cure = "end the line before with a comma" if "COMMA" in at.accepted else "begin it with `name =`"
    return Diagnostic(
        "E006",
        at.span,
        f"line ends are spaces, so what stands before {at.found} {does} what follows it",
        f"{cure}, or move {at.found} to the end of the line before",
        labels=(Label(at.tokens.span(at.i - 1), "this is what it would apply to"),),
    )


def too_deep(at: Situation) -> Diagnostic:
    message = f"more than {DEEPEST} operators and brackets in one another"
    return Diagnostic("E007", at.span, message, "give parts of it names of their own")


def unclosed(tokens: Tokens, opening: int, found: int) -> Diagnostic:
    if tokens.kind(found) == END:
        label = Label(tokens.span(found - 1), "the file ends here")
    else:
        label = Label(tokens.span(found), "it should be closed before this")
    message = f"this {_spelt(tokens[opening])} is never closed"
    return Diagnostic("E001", tokens.span(opening), message, labels=(label,))


def _bracket(at: Situation) -> Diagnostic | None:
    """Brackets without their other half."""
    tokens, brackets = at.tokens, at.tokens.brackets
    opening = brackets.around[at.i]
    while opening >= 0 and opening < at.first and tokens.kind(opening) != "LBRACE":
        opening = brackets.around[opening]
    if at.kind == "RBRACE" and opening < 0:
        return Diagnostic("E001", at.span, "this `}` closes nothing")
    if opening < 0 or opening not in brackets.unclosed:
        return None
    kind = tokens.kind(opening)
    if at.kind in ("RPAR", "RSQB") and CLOSERS[at.kind] != kind:
        label = Label(tokens.span(opening), "opened here")
        message = f"{at.found} does not close {_spelt(tokens[opening])}"
        return Diagnostic("E001", at.span, message, labels=(label,))
    closable = any(closer in at.accepted for closer, opener in CLOSERS.items() if opener == kind)
    ends = at.kind in (END, "RBRACE") or tokens.begins_declaration(at.i) or tokens.begins_line(at.i)
    return unclosed(tokens, opening, at.i) if closable or ends else None


def _habit(at: Situation) -> Diagnostic | None:
    """What other languages have."""
    text = str(at.tokens[at.subject])
    if text in ("or", "not", "else"):
        span = at.tokens.span(at.subject)
        cure = "several `require` lines must all hold; choices are written `a | b`"
        return Diagnostic("E001", span, f"there is no `{text}`", cure)
    words = _comparison(at) or _misplaced(at)
    return words and Diagnostic("E001", at.span, *words)


def _comparison(at: Situation) -> tuple[str, str | None] | None:
    if at.partial and is_token(at.partial[0], "REQUIRE"):
        if at.kind == "EQUAL":
            return "a condition compares with `==`", None
        if at.kind in COMPARISONS:
            return "comparisons do not follow one another", "join them: `low <= x and x <= high`"
    elif at.kind in COMPARISONS and at.complete:
        return "comparisons stand in `require` lines only", None
    return None


def _misplaced(at: Situation) -> tuple[str, str | None] | None:
    """Words and brackets that would be right elsewhere."""
    before = at.tokens.kind(at.i - 1) if at.i else ""
    match at.kind:
        case "EXTERN":
            return "`extern op` is not part of this version", "register the operator as an extension"
        case "IF" if any(is_token(value, "FOR") for value in at.partial):
            return "a list made by `for` has no `if`", None
        case "LBRACE" if before == "EQUAL":
            return "a body stands right after the name", "leave the `=` out"
        case "LPAR" if at.level == "declaration" and len(at.partial) == 2 and "LBRACE" in at.accepted:
            return f"`{at.partial[0]}` takes no parameters", "write settings into the body"
        case "LPAR" if "LSQB" in at.accepted and before in ("RPAR", "RSQB"):
            return "only a name can be called", "give this layer a name first, or compose it with `->`"
        case "TILDE" if at.level != "entry":
            return "`~` draws anew for each task: it stands in `tasks` only", "write `=`"
        case "MAXIMIZE" | "MINIMIZE" if at.level != "entry":
            return f"{at.found} stands in `search` only", None
    return None


def _missing_operator(at: Situation) -> Diagnostic | None:
    """Two expressions side by side: `relu conv(3)`."""
    lone = at.subject != at.i
    open_ended = "ARROW" in at.accepted or (at.complete and at.tokens.kind(at.i - 1) != "RBRACE")
    operand = at.kind in ("NAME", "NUMBER", "STRING") and open_ended
    side_by_side = at.level != "declaration" if lone else operand
    alone = at.tokens.begins_line(at.subject) or at.tokens.kind(at.subject - 1) == "LBRACE"
    if not side_by_side or alone:
        return None
    closers = [_spelled(kind) for kind in ("COMMA", *CLOSERS) if kind in at.accepted and not at.complete]
    expected = _either(["an operator", *closers]) if closers and not lone else "an operator such as `->`"
    message = f"expected {expected} before {_spelt(at.tokens[at.subject])}"
    return Diagnostic("E001", at.tokens.span(at.subject), message, at.did_you_mean(STARTERS) if lone else None)


def _line(at: Situation) -> Diagnostic | None:
    """Lines that are none of those a body or file holds."""
    lone = at.subject != at.i
    if not (lone or not at.partial or (at.complete and at.tokens.begins_line(at.i))):
        return None
    span = at.tokens.span(at.subject)
    if at.level == "declaration":
        return Diagnostic("E001", span, FILE, at.did_you_mean(DECLARATIONS))
    cure = at.did_you_mean(STARTERS) or ("give the expression a name: `y = ..`" if lone else None)
    return Diagnostic("E001", span, BODIES[at.level], cure)


def _expected(at: Situation) -> Diagnostic:
    before = _spelt(at.tokens[at.i - 1])
    new_line = at.kind == END or at.tokens.begins_line(at.i)
    span = at.tokens.span(at.i - 1) if new_line else at.span
    what = "an expression" if at.wants_expression else _either(_choices(at))
    return Diagnostic("E001", span, f"expected {what} after {before}" + ("" if new_line else f", found {at.found}"))


def _choices(at: Situation) -> list[str]:
    """What is accepted, in words: operators, kinds of tokens, marks, keywords."""
    kinds = set(at.accepted)
    words: list[str] = []
    if {"ARROW", "PLUS"} <= kinds:
        kinds -= OPERATORS | {"EQUAL"}
        words.append("an operator")
    if at.complete:
        return ["a declaration" if at.tokens.kind(at.i - 1) == "RBRACE" else "an operator"]
    words += [NAMED[kind] for kind in NAMED if kind in kinds]
    words += [_spelled(kind) for kind in (*punctuation().values(), *reserved().values()) if kind in kinds]
    return words


def _spelled(kind: str) -> str:
    """A kind of token that is always spelt the same, in backticks."""
    spelling = {name: text for text, name in (*punctuation().items(), *reserved().items())}
    return f"`{spelling[kind]}`"


def _spelt(token: Token) -> str:
    if token.type == END:
        return "the end of the file"
    text = str(token)
    return f"`{text}`" if len(text) <= 40 else f"`{text[:37]}...`"


def _either(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"
