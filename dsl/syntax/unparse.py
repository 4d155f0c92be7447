"""An expression as text: one spelling each, on one line, with no parentheses that are not needed.

A range to the left of arithmetic keeps its parentheses, since `1..4 - 1` is a finding.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import zip_longest
from typing import Final

from atnas.dsl.syntax import ast

ATOM: Final = 10
PRECEDENCE: Final = {
    "and": 0,
    **dict.fromkeys(("==", "!=", "<", "<=", ">", ">=", "in"), 1),
    "|": 2,
    **dict.fromkeys("+-", 3),
    "->": 4,
    **dict.fromkeys("*/%", 5),
    "of": 6,
    "..": 7,
    "-x": 8,
    "[]": 9,
}
"""How tightly each form binds, as in the grammar."""


@dataclass(frozen=True)
class Form:
    """How an expression is made of others: `opening`, the operands with `joints` between them, `closing`.

    With each operand stands how tightly it must bind to go without parentheses.
    """

    precedence: int
    operands: tuple[tuple[ast.Expr, int], ...]
    joints: tuple[str, ...] = ()
    opening: str = ""
    closing: str = ""


def text(expr: ast.Expr) -> str:
    """The canonical spelling: `"unit(c, 3)"`, `"x -> f + y"`. Parsing it gives an equal expression."""
    return _write(expr, 0)


def form(expr: ast.Expr) -> Form | None:
    """The form of an operation; None for what never needs parentheses: words, calls, lists."""
    match expr:
        case ast.Binary(_, op, left, right):
            own = PRECEDENCE[op]
            tight = ATOM if isinstance(left, ast.Range) else own + (own == PRECEDENCE["in"])
            return Form(own, ((left, tight), (right, own + 1)), (f" {op} ",))
        case ast.Choice(_, options):
            own = PRECEDENCE["|"]
            return Form(own, tuple((option, own + 1) for option in options), (" | ",) * (len(options) - 1))
        case ast.Pipe(_, left, right):
            own = PRECEDENCE["->"]
            return Form(own, ((left, own), (right, own + 1)), (" -> ",))
        case ast.Subset(_, count, items):
            own = PRECEDENCE["of"]
            return Form(own, ((count, own + 1), (items, own + 1)), (" of ",))
        case ast.Range(_, low, high, step):
            own = PRECEDENCE[".."]
            ends = (low, high) if step is None else (low, high, step)
            return Form(own, tuple((end, own + 1) for end in ends), ("..", " step ")[: len(ends) - 1])
        case ast.Negate(_, operand):
            own = PRECEDENCE["-x"]
            return Form(own, ((operand, own),), opening="-")
        case ast.Index(_, target, index):
            own = PRECEDENCE["[]"]
            return Form(own, ((target, own), (index, 0)), ("[",), closing="]")
    return None


def word(expr: ast.Expr) -> str | None:
    """The spelling of an expression of one word; None for any other."""
    match expr:
        case ast.Name(_, id):
            return id
        case ast.Number(_, _, written, _):
            return written
        case ast.String(_, value):
            return f'"{value}"'
        case ast.Bool(_, value):
            return "true" if value else "false"
    return None


def _write(expr: ast.Expr, tightest: int) -> str:
    """The expression as an operand of something that binds so tightly."""
    made = form(expr)
    if made is None:
        return _bracketed(expr)
    operands = [_write(operand, tight) for operand, tight in made.operands]
    inner = "".join(part for pair in zip_longest(operands, made.joints, fillvalue="") for part in pair)
    written = f"{made.opening}{inner}{made.closing}"
    return written if made.precedence >= tightest else f"({written})"


def _bracketed(expr: ast.Expr) -> str:
    """The spelling of what never needs parentheses."""
    match expr:
        case ast.List(_, items):
            return f"[{', '.join(map(text, items))}]"
        case ast.Each(_, item, names, source):
            return f"[{text(item)} for {', '.join(name.id for name in names)} in {text(source)}]"
        case ast.Call(_, function, arguments):
            return f"{function.id}({', '.join(map(_argument, arguments))})"
    written = word(expr)
    assert written is not None, expr
    return written


def _argument(argument: ast.Argument) -> str:
    value = text(argument.value)
    return f"{argument.name.id} = {value}" if argument.name else value
