"""An expression as text: one spelling each, on one line, with no parentheses that are not needed.

A range to the left of arithmetic keeps its parentheses, since `1..4 - 1` is a finding.
"""

from __future__ import annotations

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


def text(expr: ast.Expr) -> str:
    """The canonical spelling: `"unit(c, 3)"`, `"x -> f + y"`. Parsing it gives an equal expression."""
    return _write(expr, 0)


def _write(expr: ast.Expr, tightest: int) -> str:
    """The expression as an operand of something that binds so tightly."""
    written, precedence = _form(expr)
    return written if precedence >= tightest else f"({written})"


def _form(expr: ast.Expr) -> tuple[str, int]:
    """The spelling, and how tightly its outermost form binds."""
    match expr:
        case ast.Binary(_, op, left, right):
            own = PRECEDENCE[op]
            tight = ATOM if isinstance(left, ast.Range) else own + (own == PRECEDENCE["in"])
            return f"{_write(left, tight)} {op} {_write(right, own + 1)}", own
        case ast.Choice(_, options):
            own = PRECEDENCE["|"]
            return " | ".join(_write(option, own + 1) for option in options), own
        case ast.Pipe(_, left, right):
            own = PRECEDENCE["->"]
            return f"{_write(left, own)} -> {_write(right, own + 1)}", own
        case ast.Subset(_, count, items):
            own = PRECEDENCE["of"]
            return f"{_write(count, own + 1)} of {_write(items, own + 1)}", own
        case ast.Range(_, low, high, step):
            own = PRECEDENCE[".."]
            by = f" step {_write(step, own + 1)}" if step else ""
            return f"{_write(low, own + 1)}..{_write(high, own + 1)}{by}", own
        case ast.Negate(_, operand):
            own = PRECEDENCE["-x"]
            return f"-{_write(operand, own)}", own
        case ast.Index(_, target, index):
            own = PRECEDENCE["[]"]
            return f"{_write(target, own)}[{text(index)}]", own
        case _:
            return _atom(expr), ATOM


def _atom(expr: ast.Expr) -> str:
    match expr:
        case ast.Name(_, id):
            return id
        case ast.Number(_, _, written, _):
            return written
        case ast.String(_, value):
            return f'"{value}"'
        case ast.Bool(_, value):
            return "true" if value else "false"
        case ast.List(_, items):
            return f"[{', '.join(map(text, items))}]"
        case ast.Each(_, item, names, source):
            return f"[{text(item)} for {', '.join(name.id for name in names)} in {text(source)}]"
        case ast.Call(_, function, arguments):
            return f"{function.id}({', '.join(map(_argument, arguments))})"
    raise AssertionError(expr)


def _argument(argument: ast.Argument) -> str:
    value = text(argument.value)
    return f"{argument.name.id} = {value}" if argument.name else value
