"""Numbers that are known as they stand: literals and arithmetic on them."""

from __future__ import annotations

from typing import NamedTuple

from atnas.dsl.net import arithmetic
from atnas.dsl.syntax import ast

OPERATORS = frozenset("*/%+-")


class Constant(NamedTuple):
    """A number in base units; `unit` is "s" or "B" where it was written with one, else ""."""

    value: int | float
    unit: str = ""


class NotConstantError(Exception):
    """`part` is no constant number; `reason` says why, where the part is a number by its form."""

    def __init__(self, part: ast.Expr, reason: str = "") -> None:
        super().__init__(reason)
        self.part = part
        self.reason = reason


def is_arithmetic(expr: ast.Expr) -> bool:
    """Whether an expression can only be a number."""
    match expr:
        case ast.Number() | ast.Negate():
            return True
        case ast.Binary(op=op):
            return op in OPERATORS
        case _:
            return False


def constant(expr: ast.Expr) -> Constant:
    """The value of an expression. Raises `NotConstantError` at the smallest part that has none."""
    match expr:
        case ast.Number(value=value, unit=unit):
            return Constant(value, "" if unit == "%" else unit)
        case ast.Negate(operand=operand):
            inner = constant(operand)
            return Constant(-inner.value, inner.unit)
        case ast.Binary(op=op, left=left, right=right) if op in OPERATORS:
            return _combined(expr, constant(left), constant(right))
        case _:
            raise NotConstantError(expr)


def _combined(expr: ast.Binary, left: Constant, right: Constant) -> Constant:
    try:
        value = arithmetic(expr.op, left.value, right.value)
    except ZeroDivisionError:
        raise NotConstantError(expr, "divides by zero") from None
    except OverflowError:
        raise NotConstantError(expr, "is too large") from None
    assert isinstance(value, int | float)
    return Constant(value, left.unit or right.unit)
