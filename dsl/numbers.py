"""Numbers that may depend on decisions, and conditions over them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from atnas.dsl import ast
from atnas.dsl.context import Context
from atnas.dsl.net import Arith, Compare, Condition, Metric, Pick, Read, number
from atnas.dsl.net import arithmetic as calculate
from atnas.dsl.source import Span
from atnas.dsl.suggest import nearest
from atnas.dsl.values import LAYERS, NUMBERS, UNKNOWN, Undecided, Unknown, Value, sort

if TYPE_CHECKING:
    from atnas.dsl.elaborate import Elaborator

METRICS = ("params", "macs", "flops", "activations", "depth")
COMPARISONS = ("==", "!=", "<", "<=", ">", ">=", "in", "and")


def arithmetic(elab: Elaborator, op: str, left: Value, right: Value, span: Span) -> Value:
    if isinstance(left, Unknown) or isinstance(right, Unknown):
        return UNKNOWN
    for value in (left, right):
        if not isinstance(value, NUMBERS) or isinstance(value, bool | str):
            layers = isinstance(value, (*LAYERS, Undecided))
            cure = "a count in parentheses: f * (n - 1)" if layers and op == "-" else None
            elab.builder.report("E208", span, f"`{op}` works on numbers, and one side is {sort(value)}", cure)
            return UNKNOWN
    try:
        if isinstance(left, int | float) and isinstance(right, int | float):
            result = calculate(op, left, right)
            return result if not isinstance(result, tuple) else UNKNOWN
        result_cases = number(Arith(op, left, right))  # type: ignore[arg-type]
    except ZeroDivisionError:
        elab.builder.report("E211", span, "this divides by zero")
        return UNKNOWN
    if isinstance(left, Read) and isinstance(right, Read | int):
        return Read(result_cases)  # type: ignore[arg-type]
    return Arith(op, left, right)  # type: ignore[arg-type]


def static(elab: Elaborator, value: Value, node: ast.Expr) -> int | float | None:
    if isinstance(value, int | float) and not isinstance(value, bool | str):
        return value
    if not isinstance(value, Unknown):
        what = "a decision" if isinstance(value, Pick | Arith) else sort(value)
        elab.builder.report("E201", node.span, f"the ends of a range are fixed numbers, not {what}")
    return None


def whole(elab: Elaborator, value: Value, span: Span, what: str, most: int | None = None) -> int | None:
    """A fixed whole number of at least 0, or None with a finding."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        if most is None or value <= most:
            return value
        elab.builder.report("E405", span, f"{value:,} is too many; at most {most:,} are taken")
    elif not isinstance(value, Unknown):
        shown = value if isinstance(value, int | float) else sort(value)
        elab.builder.report("E201", span, f"{what} is a fixed whole number, not {shown}")
    return None


def condition(elab: Elaborator, node: ast.Expr, cx: Context) -> Condition | Unknown:
    """A condition of `require`: comparisons of numbers and metrics, joined by `and`."""
    match node:
        case ast.Binary(op=op, left=left, right=right) if op in COMPARISONS:
            sides = condition(elab, left, cx), condition(elab, right, cx)
            if isinstance(sides[0], Unknown) or isinstance(sides[1], Unknown):
                return UNKNOWN
            return Compare(op, sides[0], sides[1])
        case ast.Name(id=word) if word in METRICS and word not in cx.scope:
            return Metric(word)
        case ast.List(items=items):
            fixed = tuple(elab.value(i, cx) for i in items)
            if all(isinstance(f, int | float | str) for f in fixed):
                return fixed  # type: ignore[return-value]
            elab.builder.report("E404", node.span, "a condition compares with a list of fixed numbers")
            return UNKNOWN
        case _:
            value = compared(elab, node, cx)
            if isinstance(value, (*NUMBERS, Unknown)):
                return value
            elab.builder.report(
                "E404",
                node.span,
                f"a condition compares numbers and metrics, and this is {sort(value)}",
                f"the metrics are {', '.join(METRICS)}",
            )
            return UNKNOWN


def compared(elab: Elaborator, node: ast.Expr, cx: Context) -> Value:
    if isinstance(node, ast.Name) and elab.lookup(node.id, cx) is None:
        close = nearest(node.id, [*cx.scope, *METRICS])
        cure = f"did you mean `{close}`?" if close else f"the metrics are {', '.join(METRICS)}"
        elab.builder.report("E101", node.span, f"there is no `{node.id}`", cure)
        return UNKNOWN
    return elab.value(node, elab.inside(node, cx))
