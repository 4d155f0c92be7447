"""What other languages have, in people's words: what is written here instead."""

from __future__ import annotations

from typing import Final

from atnas.dsl.findings.diagnostics import Diagnostic, Edit
from atnas.dsl.source import Span
from atnas.dsl.syntax.actions import begin
from atnas.dsl.syntax.logic import LISTED, LOGIC, counted, disjoined, is_required, negated, no_word
from atnas.dsl.syntax.quantity import UNITS
from atnas.dsl.syntax.situation import Situation
from atnas.dsl.syntax.tokens import is_token

MARKS: Final = {"|>": "->", ">>": "->", "=>": "->", "||": "|", "...": "..", ":=": "="}
"""Two tokens that touch, and the one that is meant."""

FOREIGN: Final = {
    "**": "powers are written out: `2 * 2`",
    "//": "a comment begins with `#`; a quotient is written `/`",
    "/*": "a comment begins with `#` and ends with its line",
    **dict.fromkeys(("+=", "-=", "*=", "/="), "a name is bound once: bind the result to another name"),
}
"""Two tokens that touch, and what to do without them."""

COMPARISONS: Final = frozenset({"EQ", "NE", "LESSTHAN", "LE", "MORETHAN", "GE", "IN", "AND"})

_LAYER: Final = "a layer is declared with `op`: op name(..) = .."
_NETWORK: Final = "a network is declared with `space`: space name [x: (3, 32, 32)] -> y { .. }"
_USED: Final = "what other files declare is brought by `use`: use std.spaces (conv_cells)"
_REPEAT: Final = "a layer is repeated with `*`: x -> f * 3; a list is made by [f(c) for c in cs]"
_OUTPUT: Final = "an output is a name that the body binds: y = .."
_ALTERNATIVES: Final = "a choice is written `a | b`"

DECLARING: Final = {
    **dict.fromkeys(("def", "fn", "func", "fun", "function", "layer", "block", "lambda"), _LAYER),
    **dict.fromkeys(("class", "model", "network", "net", "struct"), _NETWORK),
    **dict.fromkeys(("import", "from", "include", "require", "using"), _USED),
}
"""Words that begin a declaration elsewhere."""

BINDING: Final = frozenset({"let", "var", "const", "val", "auto", "set", "local"})
"""Words that begin a binding elsewhere."""

STATING: Final = {
    "return": _OUTPUT,
    "yield": _OUTPUT,
    "while": _REPEAT,
    "assert": "a constraint begins with `require`",
    "constraint": "a constraint begins with `require`",
    "where": "a constraint begins with `require`",
    "pass": "leave it out",
    "print": "leave it out: a file is checked and compiled, and nothing runs in it",
}
"""Words that begin a statement elsewhere."""


def habit(at: Situation) -> Diagnostic | None:
    """E001 where something stands that would be right in another language, or elsewhere in this one."""
    return _marks(at) or _unit(at) or _words(at) or _compared(at) or _line(at) or _expression(at) or _head(at)


def reserved_word(at: Situation) -> Diagnostic:
    """A word of the language where a name is to stand."""
    begins = (at.complete or not at.partial) and at.begins_line
    if begins and at.kind in ("FOR", "IF"):
        cure = _REPEAT if at.kind == "FOR" else _ALTERNATIVES
        return Diagnostic("E001", at.span, f"a body has no {at.found}", cure)
    if at.kind == "IF" and at.complete:
        return Diagnostic("E001", at.span, "an expression has no `if`", _ALTERNATIVES)
    return Diagnostic("E005", at.span, f"{at.found} is a reserved word of the language", "choose another name")


def _marks(at: Situation) -> Diagnostic | None:
    """Two marks that touch."""
    for i in (at.i - 1, at.i):
        if i < 0 or i + 1 >= len(at.tokens) or at.tokens.span(i).end != at.tokens.span(i + 1).start:
            continue
        pair, span = str(at.tokens[i]) + str(at.tokens[i + 1]), at.tokens.span(i).to(at.tokens.span(i + 1))
        if pair == "//" and at.tokens.kind(i + 2) == "NUMBER" and not at.tokens.begins_line(i):
            cure = f"write {at.tokens[i - 1]} / {at.tokens[i + 2]}"
            return Diagnostic("E001", span, "there is no `//`", cure, fix=(Edit(span, "/"),))
        if pair in FOREIGN:
            comment = pair == "//" and at.tokens.begins_line(i)
            fix = (Edit(span, "#"),) if comment else ()
            return Diagnostic("E001", span, f"there is no `{pair}`", FOREIGN[pair], fix=fix)
        if pair == "||" and at.opens("REQUIRE"):
            return no_word(span, LISTED)
        if pair == "=>" and at.opens("REQUIRE"):
            return no_word(span, "write `<=` or `>=`")
        if pair in MARKS:
            return _instead(span, f"there is no `{pair}`", MARKS[pair])
    return None


def _unit(at: Situation) -> Diagnostic | None:
    """A unit away from its number."""
    i = at.subject
    if i == 0 or at.tokens.kind(i - 1) != "NUMBER" or str(at.tokens[i]) not in UNITS or at.tokens.begins_line(i):
        return None
    number, unit = at.tokens.span(i - 1), at.tokens.span(i)
    fix = (Edit(Span(number.source, number.end, unit.start), ""),)
    return Diagnostic("E001", unit, "a unit touches its number", f"write `{number.text}{unit.text}`", fix=fix)


def _words(at: Situation) -> Diagnostic | None:
    """Words that begin a line elsewhere, and those of logic."""
    text, span = str(at.tokens[at.subject]), at.tokens.span(at.subject)
    if text == "or" and is_required(at):
        return disjoined(at)
    if text in ("or", "not", "else", "elif"):
        return no_word(span, LOGIC)
    if at.negated:
        return negated(at)
    if not at.starts or at.tokens.kind(at.subject) not in ("NAME", "REQUIRE"):
        return None
    if at.level == "declaration":
        return no_word(span, DECLARING[text]) if text in DECLARING else None
    if text in BINDING and at.kind == "NAME":
        fix = (Edit(Span(span.source, span.start, at.span.start), ""),)
        return Diagnostic("E001", span, f"there is no `{text}`", "a name is bound by `=` alone: leave it out", fix=fix)
    return no_word(span, STATING[text]) if text in STATING else None


def _compared(at: Situation) -> Diagnostic | None:
    """Comparisons, and `=` for `==` and the other way round."""
    if at.opens("REQUIRE"):
        if at.kind == "EQUAL":
            return _instead(at.span, "a condition compares with `==`", "==")
        if (found := counted(at)) is not None:
            return found
        if at.kind in COMPARISONS:
            cure = "join them: `low <= x and x <= high`"
            return Diagnostic("E001", at.span, "comparisons do not follow one another", cure)
        return None
    if at.lone and at.starts and at.level != "declaration":
        if at.kind == "EQ":
            return _instead(at.span, "`==` compares, and a name is bound by `=`", "=")
        if at.kind in COMPARISONS:
            span = at.tokens.span(at.subject)
            fix = (Edit(Span(span.source, span.start, span.start), "require "),)
            return Diagnostic(
                "E001", at.span, "a comparison stands in a `require` line", "begin it with `require`", fix=fix
            )
    if at.kind in COMPARISONS and at.complete:
        return Diagnostic("E001", at.span, "comparisons stand in `require` lines only")
    return None


def _line(at: Situation) -> Diagnostic | None:
    """Marks between the parts of a body's line, or after it."""
    if at.level == "declaration":
        return None
    match at.kind:
        case "COLON" if at.lone and at.level == "entry":
            return _instead(at.span, "a setting is written `name = value`", "=")
        case "EQUAL" if at.opens("MAXIMIZE") or at.opens("MINIMIZE"):
            cure = f"leave it out: {at.tokens[at.i - 1]} {at.tokens[at.i + 1]}"
            return Diagnostic("E001", at.span, f"{_quoted(at, -1)} takes no `=`", cure, fix=(Edit(at.span, ""),))
        case "TILDE" if at.level == "statement":
            return _instead(at.span, "`~` draws anew for each task: it stands in `tasks` only", "=")
        case "MAXIMIZE" | "MINIMIZE" if at.level == "statement":
            return Diagnostic("E001", at.span, f"{at.found} stands in `search` only")
        case "COMMA" if at.complete and at.before != "LBRACE":
            return _comma(at)
        case "LBRACE" if at.before == "EQUAL":
            cure = "a list stands in brackets: [8, 16]"
            return Diagnostic("E001", at.span, "braces hold the bodies of declarations only", cure)
        case "LBRACE" if at.before == "NAME" and at.complete:
            word = at.tokens[at.i - 1]
            cure = f"arguments stand in parentheses: {word}(name = value)"
            return Diagnostic("E001", at.span, "braces hold the bodies of declarations only", cure)
    return None


def _comma(at: Situation) -> Diagnostic:
    if at.tokens.begins_statement(at.i + 1) or at.tokens.kind(at.i + 1) == "RBRACE":
        fix = (Edit(at.span, ""),)
        return Diagnostic("E001", at.span, "nothing stands between the lines of a body", "leave `,` out", fix=fix)
    return Diagnostic("E001", at.span, "values in a row are a list", "put them in brackets: [a, b]")


def _expression(at: Situation) -> Diagnostic | None:
    """Marks and words that are no part of an expression."""
    match at.kind:
        case "IF" if any(is_token(value, "FOR") for value in at.partial):
            return Diagnostic("E001", at.span, "a list made by `for` has no `if`", "write its elements out")
        case "IF" if at.complete:
            return Diagnostic("E001", at.span, "`if` stands in `require` lines only", _ALTERNATIVES)
        case "IF" if at.before in ("RPAR", "RSQB", "NAME", "NUMBER") and not at.opens("REQUIRE"):
            return Diagnostic("E001", at.span, "an expression has no `if`", _ALTERNATIVES)
        case "VBAR" if at.before in ("EQUAL", "LPAR", "LSQB", "COMMA"):
            return _left_out(at, "a choice begins with its first option")
        case "DOT" if at.opens("REQUIRE"):
            message = "a point stands in the names of libraries only"
            return Diagnostic("E001", at.span, message, "compare names that this body binds")
        case "DOT" if not at.opens("USE"):
            cure = f"write `{at.tokens[at.i + 1]}` alone; a layer is applied with `->`: x -> {at.tokens[at.i + 1]}"
            return Diagnostic("E001", at.span, "a point stands in the names of libraries only", cure)
        case "DOTS" if at.wants_expression:
            return Diagnostic("E001", at.span, "a range has both its ends", "write the first, too: 1..4")
        case "COLON" if any(is_token(value, "LSQB") for value in at.partial) and at.level != "declaration":
            return _slice(at)
        case "COLON" if any(is_token(value, "EQUAL") for value in at.partial):
            return _slice(at)
        case "LPAR" if "LSQB" in at.accepted and at.before in ("RPAR", "RSQB"):
            cure = "a layer is applied with `->`: x -> f"
            return Diagnostic("E001", at.span, "only a name can be called", cure)
    return None


def _slice(at: Situation) -> Diagnostic:
    return Diagnostic("E001", at.span, "a list has no slices", "write the elements out: [fs[1], fs[2]]")


def _head(at: Situation) -> Diagnostic | None:
    """What stands before a body, or in `use`."""
    if at.level != "declaration" or not at.partial:
        return None
    if at.opens("USE"):
        return _used(at)
    if at.before == "COLON" and at.accepted == {"LPAR"}:
        if at.begins_line:
            cure = "write `{` here, and `}` after the body"
            return Diagnostic("E001", at.tokens.span(at.i - 1), "a body stands in braces", cure)
        return Diagnostic("E001", at.span, "a shape stands in parentheses", "write (3, 32, 32)")
    if at.opens("EXTERN") and at.before == "ARROW":
        return _shape_only(at)
    if at.opens("SPACE") and at.kind == "NUMBER" and at.before == "LPAR":
        return _bracketed(at.span)
    match at.kind:
        case "LPAR" if _is_layer(at) and "COLON" in at.accepted and at.before == "NAME":
            cure = f"write {at.tokens[at.i - 1]}: {_shape(at, at.i)}"
            colon = (Edit(Span(at.span.part, at.span.first, at.span.first), ": "),)
            return Diagnostic("E001", at.span, "a shape stands after a colon", cure, fix=colon)
        case "LBRACE" if at.before == "EQUAL" and not _is_layer(at):
            return _left_out(at, "a body stands right after the name", at.i - 1)
        case "LPAR" if len(at.partial) == 2 and "LBRACE" in at.accepted:
            cure = "write settings into the body"
            return Diagnostic("E001", at.span, f"`{at.partial[0]}` takes no parameters", cure)
        case "COLON" if "EQUAL" in at.accepted and at.before == "NAME":
            return _typed(at)
        case "EQUAL" if "LBRACE" in at.accepted:
            fix = (Edit(at.span, ""),) if at.tokens.kind(at.i + 1) == "LBRACE" else ()
            message = "after its ports a layer has a body in braces"
            return Diagnostic("E001", at.span, message, f"write {{ {at.tokens[at.i - 1]} = .. }}", fix=fix)
        case "LBRACE" | "ARROW" if _is_layer(at):
            return _ports(at)
    return None


def _bracketed(span: Span) -> Diagnostic:
    """Inputs in parentheses, which begin there."""
    cure = "write [x: (3, 32, 32)] -> y { .. }; parentheses hold parameters"
    return Diagnostic("E001", span, "inputs stand in brackets", cure)


def _shape_only(at: Situation) -> Diagnostic | None:
    """The output of an `extern op` with a name, as that of an op has."""
    tokens, i = at.tokens, at.i + (at.kind == "LSQB")
    if tokens.kind(i) != "NAME":
        return None
    message = "the output of an `extern op` is a shape without a name"
    if tokens.kind(i + 1) != "COLON" or tokens.kind(i + 2) != "LPAR":
        return Diagnostic("E001", tokens.span(i), message, "write (c, h, w)")
    name, shape = Span(at.span.part, tokens.span(i).first, tokens.span(i + 2).first), _shape(at, i + 2)
    fix = (Edit(name, ""),) if at.kind == "NAME" else ()
    return Diagnostic("E001", tokens.span(i), message, f"write {shape}", fix=fix)


def _shape(at: Situation, opening: int) -> str:
    """What stands between parentheses, with them."""
    around = at.tokens.brackets.around
    inner = (n for n in range(opening + 1, len(around)) if around[n] == opening)
    end = next((n for n in inner if at.tokens.kind(n) == "RPAR"), opening)
    shape = " ".join(at.tokens.span(opening).to(at.tokens.span(end)).text.split())
    return shape if end > opening and len(shape) <= 60 else "(c, h, w)"


def _is_layer(at: Situation) -> bool:
    """Whether the declaration around is an op, a cell or a space."""
    return at.opens("OP") or at.opens("CELL") or at.opens("SPACE")


def _ports(at: Situation) -> Diagnostic | None:
    """A body, or an arrow, before which ports are missing."""
    equal = at.before == "EQUAL" and at.kind == "LBRACE"
    inputs, output = "LSQB" in at.accepted, at.accepted == {"ARROW"}
    if len(at.partial) < 2 or (at.wants_expression and not equal) or not (inputs or output):
        return None
    text = at.span.source.text[begin(at.partial[0]) : at.tokens.span(at.i - 1 - equal).end]
    head = " ".join(text.split()) if len(text) <= 60 else f"{at.partial[0]} {at.partial[1]}(..)"
    if output:
        return Diagnostic("E001", at.span, "a body has an output before it", f"write {head} -> y {{ .. }}")
    what = "inputs stand in brackets" if at.kind == "ARROW" else "a body has ports before it"
    return Diagnostic("E001", at.span, what, f"write {head} [x] -> y {{ .. }}")


def _used(at: Situation) -> Diagnostic | None:
    if at.wants_expression or at.kind == "RPAR":
        return None
    if str(at.tokens[at.i]) == "as":
        return Diagnostic("E001", at.span, "what is used keeps its own name", "leave `as` and what follows it out")
    cure = "name what is used, in parentheses: use std.spaces (conv_cells)"
    where = at.tokens.span(at.i - 1) if at.begins_line else at.span
    return Diagnostic("E001", where, "`use` brings what it names", cure)


def _typed(at: Situation) -> Diagnostic:
    """A parameter with a type, as `extern op` has them, or a shape, as inputs have."""
    if at.tokens.kind(at.i + 1) == "LPAR":
        return _bracketed(at.tokens.span(at.tokens.brackets.around[at.i]))
    simple = at.tokens.kind(at.i + 1) == "NAME" and at.tokens.kind(at.i + 2) in ("COMMA", "RPAR", "EQUAL")
    fix = (Edit(at.span.to(at.tokens.span(at.i + 1)), ""),) if simple else ()
    message = "the parameters of an `op` have no types"
    return Diagnostic("E001", at.span, message, "leave the type out: each use is checked", fix=fix)


def _instead(span: Span, message: str, text: str) -> Diagnostic:
    """A finding that is cured by writing `text` in place of `span`."""
    return Diagnostic("E001", span, message, f"write `{text}`", fix=(Edit(span, text),))


def _left_out(at: Situation, message: str, i: int | None = None) -> Diagnostic:
    span = at.tokens.span(at.i if i is None else i)
    return Diagnostic("E001", span, message, f"leave `{span.text}` out", fix=(Edit(span, ""),))


def _quoted(at: Situation, offset: int) -> str:
    return f"`{at.tokens[at.i + offset]}`"
