"""Numbers that may depend on decisions, and conditions over them."""

from __future__ import annotations

from functools import partial, reduce
from typing import TYPE_CHECKING

from atnas.dsl.cases import TRUE, apply, values
from atnas.dsl.elaborate.context import Context
from atnas.dsl.elaborate.values import LAYERS, NUMBERS, UNKNOWN, Tensor, Undecided, Unknown, Value, sort
from atnas.dsl.findings.suggest import nearest
from atnas.dsl.net import LARGEST, Arith, Compare, Condition, Constraint, Metric, Pick, Read, number
from atnas.dsl.net import arithmetic as calculate
from atnas.dsl.source import Span
from atnas.dsl.syntax import ast
from atnas.dsl.syntax.unparse import text
from atnas.dsl.syntax.walk import decision

if TYPE_CHECKING:
    from atnas.dsl.elaborate.expressions import Elaborator

METRICS = ("params", "macs", "flops", "activations", "depth")
MEASURED = ("latency", "count")
"""Metrics that take an argument."""

COMPARISONS = ("==", "!=", "<", "<=", ">", ">=", "in", "and")


def operation(elab: Elaborator, node: ast.Binary, cx: Context) -> Value:
    """`left op right` on numbers."""
    if misgrouped(elab, node):
        return UNKNOWN
    return arithmetic(elab, node.op, elab.value(node.left, cx), elab.value(node.right, cx), node.span)


def misgrouped(elab: Elaborator, node: ast.Binary) -> bool:
    """Reports `1..n - 1`, in which `- 1` is not part of the range's end."""
    left, rest = node.left, f"{node.op} {text(node.right)}"
    if not isinstance(left, ast.Range) or left.span.start > node.span.start:
        return False
    cure = "put the range in parentheses"
    if left.step is None:
        cure = f"write {text(left.low)}..({text(left.high)} {rest}), or {cure}"
    message = f"`..` binds tighter than `{node.op}`, so `{rest}` is no part of this range"
    elab.builder.report("E214", node.span, message, cure)
    return True


def arithmetic(elab: Elaborator, op: str, left: Value, right: Value, span: Span) -> Value:
    if isinstance(left, Unknown) or isinstance(right, Unknown):
        return UNKNOWN
    for value, other in ((left, right), (right, left)):
        if not isinstance(value, NUMBERS) or isinstance(value, bool | str):
            repeats = isinstance(value, (*LAYERS, Undecided, Tensor)) and isinstance(other, NUMBERS)
            cure = f"a count stands in parentheses: f * (n {op} 1)" if repeats else None
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
    except OverflowError:
        elab.builder.report("E211", span, f"this is larger than {float(LARGEST):.0e}")
        return UNKNOWN
    if isinstance(left, Read) and isinstance(right, Read | int):
        return Read(result_cases)  # type: ignore[arg-type]
    return Arith(op, left, right)  # type: ignore[arg-type]


def static(elab: Elaborator, value: Value, node: ast.Expr) -> int | float | None:
    if isinstance(value, int | float) and not isinstance(value, bool | str):
        return value
    if not isinstance(value, Unknown):
        elab.builder.report("E201", node.span, f"the ends of a range are fixed numbers, not {_kind(value)}")
    return None


def whole(elab: Elaborator, value: Value, span: Span, what: str, most: int | None = None) -> int | None:
    """A fixed whole number of at least 0, or None with a finding."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        if most is None or value <= most:
            return value
        elab.builder.report("E405", span, f"{value:,} is too many; at most {most:,} are taken")
    elif not isinstance(value, Unknown):
        shown = value if isinstance(value, int | float) else _kind(value)
        elab.builder.report("E201", span, f"{what} is a fixed whole number, not {shown}")
    return None


def _kind(value: Value) -> str:
    return "a decision" if isinstance(value, Pick | Arith) else sort(value)


def constraint(elab: Elaborator, statement: ast.Require, cx: Context) -> Constraint | None:
    """A `require` line; it asks nothing where the body it stands in is not used."""
    sides = [statement.condition] if statement.guard is None else [statement.condition, statement.guard]
    for side in sides:
        if (made := decision(side)) is not None:
            elab.builder.report(
                "E404",
                made.span,
                "a condition compares, and decides nothing itself",
                "give the choice a name and compare that; write a set of values as a list",
            )
            return None
    wanted, *rest = [condition(elab, side, cx) for side in sides]
    if isinstance(wanted, Unknown) or any(isinstance(r, Unknown) for r in rest):
        return None
    if not all(holds(elab, side, found) for side, found in zip(sides, (wanted, *rest), strict=True)):
        return None
    guards: list[Condition] = [] if cx.guard is TRUE else [Read(apply(int, cx.guard))]
    guards += [r for r in rest if not isinstance(r, Unknown)]
    guard = reduce(partial(Compare, "and"), guards) if guards else None
    return Constraint(wanted, guard, statement.span)


def holds(elab: Elaborator, node: ast.Expr, found: Condition | Unknown) -> bool:
    """Whether a condition is true or false, as a comparison is and a number is not; reports it where it is not."""
    if isinstance(found, Compare | Unknown):
        return True
    if not isinstance(found, Metric | tuple) and all(isinstance(v, bool) for v in values(number(found))):
        return True
    elab.builder.report("E404", node.span, "this is a number, and a condition compares", f"write {text(node)} <= ..")
    return False


def condition(elab: Elaborator, node: ast.Expr, cx: Context) -> Condition | Unknown:
    """Comparisons of numbers and metrics, joined by `and`."""
    match node:
        case ast.Binary(op=op, left=left, right=right) if op in COMPARISONS:
            first = condition(elab, left, cx)
            second = UNKNOWN if isinstance(first, Unknown) else condition(elab, right, cx)
            if isinstance(first, Unknown) or isinstance(second, Unknown):
                return UNKNOWN
            if op == "in" and not isinstance(second, tuple):
                cure = f"write a list: {text(left)} in [{text(right)}]"
                elab.builder.report("E404", right.span, "`in` compares with a list of values", cure)
                return UNKNOWN
            if op == "and" and not (holds(elab, left, first) and holds(elab, right, second)):
                return UNKNOWN
            return Compare(op, first, second)
        case ast.Name(id=word) if word in METRICS and word not in cx.scope:
            if cx.way:
                elab.builder.report("E407", node.span, *beyond(node))
                return UNKNOWN
            return Metric(word)
        case ast.Call(function=function) if function.id in MEASURED and elab.lookup(function.id, cx) is None:
            elab.builder.report("E407", node.span, *beyond(node))
            return UNKNOWN
        case ast.List(items=items):
            fixed = tuple(elab.value(i, elab.inside(i, cx)) for i in items)
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
                "compare a number that the choice depends on",
            )
            return UNKNOWN


def beyond(node: ast.Name | ast.Call) -> tuple[str, str]:
    """What is said of a metric that cannot be had, and the cure."""
    if isinstance(node, ast.Name):
        return (
            f"`{node.id}` is measured for whole spaces, not for one op or cell",
            "move the line to the space or the search, or compare numbers here",
        )
    return f"`{node.function.id}` cannot be measured yet", f"the metrics are {', '.join(METRICS)}"


def compared(elab: Elaborator, node: ast.Expr, cx: Context) -> Value:
    if isinstance(node, ast.Name) and elab.lookup(node.id, cx) is None:
        close = nearest(node.id, [*cx.scope, *METRICS])
        cure = f"did you mean `{close}`?" if close else f"the metrics are {', '.join(METRICS)}"
        elab.builder.report("E101", node.span, f"there is no `{node.id}`", cure)
        return UNKNOWN
    return elab.value(node, elab.inside(node, cx))
