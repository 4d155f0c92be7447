"""Arithmetic over numbers of which some are known: `2 * C` with C = 16 is 32, `2 * c` stays."""

from __future__ import annotations

from collections.abc import Callable

from atnas.compiler.drawing.parts import Num
from atnas.dsl.net import Static, arithmetic
from atnas.dsl.source import Span
from atnas.dsl.syntax import ast


def combined(node: ast.Binary, left: Num, right: Num) -> Num:
    """`left op right`."""
    sites = tuple(dict.fromkeys((*left.sites, *right.sites)))
    a, b = known(left.expr), known(right.expr)
    if a is not None and b is not None:
        return Num(literal(node.span, arithmetic(node.op, a, b)))
    return Num(ast.Binary(node.span, node.op, left.expr, right.expr), sites)


def negated(node: ast.Negate, operand: Num) -> Num:
    """`-operand`."""
    value = known(operand.expr)
    if value is not None:
        return Num(literal(node.span, arithmetic("-", 0, value)))
    return Num(ast.Negate(node.span, operand.expr), operand.sites)


def known(expr: ast.Expr) -> int | float | None:
    """The value of a number that stands there."""
    return expr.value if isinstance(expr, ast.Number) else None


def literal(span: Span, value: Static) -> ast.Expr:
    """A value as an expression."""
    match value:
        case bool():
            return ast.Bool(span, value)
        case int() | float():
            return ast.Number(span, value, str(value))
        case _:
            return ast.Name(span, str(value))


def most(expr: ast.Expr) -> int | float | None:
    """The largest value that a number can take, where it is known."""
    match expr:
        case ast.Number(value=value):
            return value
        case ast.Range(high=high):
            return known(high)
        case ast.Choice(options=options):
            found = [known(option) for option in options]
            return None if None in found else max(value for value in found if value is not None)
        case _:
            return None


def resolved(expr: ast.Expr, instead: Callable[[ast.Expr], ast.Expr | None]) -> ast.Expr:
    """An expression with others in the place of some of its parts: `c * (1 | 2)` may become `16 * 2`, that is 32."""
    found = instead(expr)
    if found is not None:
        return found
    match expr:
        case ast.Binary(left=left, right=right):
            return combined(expr, Num(resolved(left, instead)), Num(resolved(right, instead))).expr
        case ast.Negate(operand=operand):
            return negated(expr, Num(resolved(operand, instead))).expr
        case ast.Index(span, target, index):
            return ast.Index(span, resolved(target, instead), resolved(index, instead))
        case ast.List(span, items):
            return ast.List(span, tuple(resolved(item, instead) for item in items))
        case _:
            return expr
