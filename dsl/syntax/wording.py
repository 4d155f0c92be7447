"""Syntax errors in people's words."""

from __future__ import annotations

from typing import Final

from atnas.dsl.findings.diagnostics import Diagnostic, Edit, Label
from atnas.dsl.source import Span
from atnas.dsl.syntax.grammar import punctuation, reserved
from atnas.dsl.syntax.habits import habit
from atnas.dsl.syntax.lex import END
from atnas.dsl.syntax.situation import Situation, spelt
from atnas.dsl.syntax.tokens import CLOSERS, DECLARATIONS, DEEPEST, STARTERS, Tokens

OPERATORS: Final = frozenset(
    {"ARROW", "PLUS", "MINUS", "STAR", "SLASH", "PERCENT", "VBAR", "DOTS", "OF", "STEP", "LSQB", "LPAR"}
)
NAMED: Final = {"NAME": "a name", "NUMBER": "a number", "STRING": "a string", END: "the end of the file"}
BODIES: Final = {
    "statement": "a body holds `name = expression` and `require` lines only",
    "entry": "settings are lines `name = value`; `tasks` may hold `name ~ value`, and `search` `maximize`, "
    "`minimize` and `require` lines",
}
FILE: Final = (
    "a file holds declarations only: `use`, `op`, `cell`, `extern op`, `space`, "
    "`tasks`, `train`, `search`, `experiment`"
)

LAYER: Final = "begin a layer with `op`"


def unexpected(at: Situation) -> Diagnostic:
    """E001: what the parser would have taken instead."""
    return _bracket(at) or habit(at) or _missing_operator(at) or _line(at) or _expected(at)


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
    message = f"this {spelt(tokens[opening])} is never closed"
    return Diagnostic("E001", tokens.span(opening), message, labels=(label,))


def _bracket(at: Situation) -> Diagnostic | None:
    """Brackets without their other half."""
    tokens, brackets = at.tokens, at.tokens.brackets
    opening = brackets.around[at.i]
    while opening >= 0 and opening < at.first and tokens.kind(opening) != "LBRACE":
        opening = brackets.around[opening]
    body = opening >= 0 and tokens.kind(opening) == "LBRACE"
    if (at.kind == "RBRACE" and opening < 0) or (at.kind in ("RPAR", "RSQB") and (opening < 0 or body) and at.complete):
        fix = (Edit(at.span, ""),)
        return Diagnostic("E001", at.span, f"this {at.found} closes nothing", "leave it out", fix=fix)
    if opening < 0 or opening not in brackets.unclosed:
        return None
    kind = tokens.kind(opening)
    if at.kind in ("RPAR", "RSQB") and CLOSERS[at.kind] != kind:
        return _mismatch(at, opening)
    closable = any(closer in at.accepted for closer, opener in CLOSERS.items() if opener == kind)
    ends = at.kind in (END, "RBRACE") or tokens.begins_declaration(at.i) or tokens.begins_line(at.i)
    return unclosed(tokens, opening, at.i) if closable or ends else None


def _mismatch(at: Situation, opening: int) -> Diagnostic:
    closer = {"(": ")", "[": "]", "{": "}"}[str(at.tokens[opening])]
    label = Label(at.tokens.span(opening), "opened here")
    message = f"{at.found} does not close {spelt(at.tokens[opening])}"
    return Diagnostic("E001", at.span, message, f"write `{closer}`", labels=(label,), fix=(Edit(at.span, closer),))


def _missing_operator(at: Situation) -> Diagnostic | None:
    """Two expressions side by side: `relu conv(3)`."""
    open_ended = "ARROW" in at.accepted or (at.complete and at.tokens.kind(at.i - 1) != "RBRACE")
    operand = at.kind in ("NAME", "NUMBER", "STRING") and open_ended
    side_by_side = at.level != "declaration" if at.lone else operand
    if not side_by_side or at.starts:
        return None
    closers = [_spelled(kind) for kind in ("COMMA", *CLOSERS) if kind in at.accepted and not at.complete]
    expected = _either(["an operator", *closers]) if closers and not at.lone else "an operator such as `->`"
    message = f"expected {expected} before {spelt(at.tokens[at.subject])}"
    return _suggesting(at, message, STARTERS if at.lone else frozenset(), None)


def _line(at: Situation) -> Diagnostic | None:
    """Lines that are none of those a body or file holds."""
    if not (at.lone or not at.partial or (at.complete and at.tokens.begins_line(at.i))):
        return None
    if at.level == "declaration":
        return _suggesting(at, FILE, DECLARATIONS, _declared(at))
    named = at.lone and at.kind != "NAME"
    return _suggesting(at, BODIES[at.level], STARTERS, "give the expression a name: `y = ..`" if named else None)


def _declared(at: Situation) -> str | None:
    """The cure of a line of the file that begins with no keyword."""
    if at.kind == "STRING":
        return "a comment begins with `#`, and with `##` one that documents the declaration after it"
    if at.kind == "NAME" and at.tokens.kind(at.i + 1) in ("LPAR", "EQUAL"):
        return LAYER
    return None


def _is_call(at: Situation) -> bool:
    return at.tokens.kind(at.subject + 1) == "LPAR"


def _suggesting(at: Situation, message: str, kinds: frozenset[str], cure: str | None) -> Diagnostic:
    """A finding whose cure is the word of these kinds that is most like the one there, if one is."""
    span = at.tokens.span(at.subject)
    near = at.near(kinds)
    if near is None:
        fix = (Edit(Span(span.source, span.start, span.start), "op "),) if cure == LAYER and _is_call(at) else ()
        return Diagnostic("E001", span, message, cure, fix=fix)
    return Diagnostic("E001", span, message, f"did you mean `{near}`?", fix=(Edit(span, near),))


def _expected(at: Situation) -> Diagnostic:
    before = spelt(at.tokens[at.i - 1])
    new_line = at.kind == END or at.tokens.begins_line(at.i)
    span = at.tokens.span(at.i - 1) if new_line else at.span
    what = "an expression" if at.wants_expression else _either(_choices(at))
    message = f"expected {what} after {before}" + ("" if new_line else f", found {at.found}")
    return Diagnostic("E001", span, message, "a range has both its ends: 1..4" if before == "`..`" else None)


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


def _either(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"
