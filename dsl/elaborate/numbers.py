"""Numbers that may depend on decisions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from atnas.dsl.cases import apply
from atnas.dsl.elaborate.context import Context
from atnas.dsl.elaborate.mismatch import Failure, NumberRefusal
from atnas.dsl.elaborate.values import LAYERS, NUMBERS, UNKNOWN, Tensor, Undecided, Unknown, Value, sort
from atnas.dsl.findings.diagnostics import Edit
from atnas.dsl.findings.edits import around
from atnas.dsl.net import LARGEST, Arith, Pick, Read, number
from atnas.dsl.net import arithmetic as calculate
from atnas.dsl.source import Span
from atnas.dsl.syntax import ast
from atnas.dsl.syntax.unparse import text

Cure = tuple[str | None, tuple[Edit, ...]]
"""What cures a finding, in words and as edits."""

NO_EDITS: Final[tuple[Edit, ...]] = ()

if TYPE_CHECKING:
    from atnas.dsl.elaborate.expressions import Elaborator


def operation(elab: Elaborator, node: ast.Binary, cx: Context) -> Value:
    """`left op right` on numbers."""
    if misgrouped(elab, node):
        return UNKNOWN
    return arithmetic(elab, node.op, elab.value(node.left, cx), elab.value(node.right, cx), node.span, cx, node)


def misgrouped(elab: Elaborator, node: ast.Binary) -> bool:
    """Reports `1..n - 1`, in which `- 1` is not part of the range's end."""
    left, rest = node.left, f"{node.op} {text(node.right)}"
    if not isinstance(left, ast.Range) or left.span.start > node.span.start:
        return False
    cure, fix = "put the range in parentheses", NO_EDITS
    if left.step is None:
        cure = f"write {text(_longer(left, node.op, node.right))}, or {cure}"
        fix = around(left.high.span.to(node.right.span), "(", ")")
    message = f"`..` binds tighter than `{node.op}`, so `{rest}` is no part of this range"
    elab.builder.report("E214", node.span, message, cure, fix=fix)
    return True


def regrouped(left: ast.Expr, op: str, right: ast.Expr) -> Cure:
    """The cure of `f * n - 1`, where `- 1` was to be part of the count."""
    while isinstance(left, ast.Pipe):
        left = left.right
    if not isinstance(left, ast.Binary) or left.op != "*" or isinstance(right, ast.Pipe):
        return None, ()
    count, whole = left.right, left.right.span.to(right.span)
    if isinstance(count, ast.Number) and isinstance(right, ast.Number) and op == "-" and count.value < right.value:
        meant = f"{count.text}..{right.text}"
        return f"a range is written {meant}", (Edit(whole, meant),)
    if isinstance(count, ast.Range) and count.step is None:
        fix = around(count.high.span.to(right.span), "(", ")")
        return f"write {text(ast.Binary(left.span, '*', left.left, _longer(count, op, right)))}", fix
    grouped = ast.Binary(whole, op, count, right)
    return f"write {text(ast.Binary(left.span, '*', left.left, grouped))}", around(whole, "(", ")")


def _longer(range_: ast.Range, op: str, rest: ast.Expr) -> ast.Range:
    """A range with the arithmetic after it as part of its end."""
    high = ast.Binary(range_.high.span.to(rest.span), op, range_.high, rest)
    return ast.Range(range_.span.to(rest.span), range_.low, high, None)


def arithmetic(
    elab: Elaborator, op: str, left: Value, right: Value, span: Span, cx: Context, node: ast.Binary | None = None
) -> Value:
    """The number that comes of two; `node` is what is written, where both sides are."""
    if isinstance(left, Unknown) or isinstance(right, Unknown):
        return UNKNOWN
    for value, other in ((left, right), (right, left)):
        if not isinstance(value, NUMBERS) or isinstance(value, bool | str) or _has_text(value):
            repeats = isinstance(value, (*LAYERS, Undecided, Tensor)) and isinstance(other, NUMBERS)
            cure, fix = regrouped(node.left, op, node.right) if node is not None and repeats else (None, ())
            what = "a choice of words" if isinstance(value, Pick) else sort(value)
            message = f"`{op}` works on numbers, and one side is {what}"
            elab.builder.report("E208", span, message, cure, fix=fix)
            return UNKNOWN
    try:
        if isinstance(left, int | float) and isinstance(right, int | float):
            result = calculate(op, left, right)
            return result if not isinstance(result, tuple) else UNKNOWN
        result_cases = number(Arith(op, left, right))  # type: ignore[arg-type]
    except ZeroDivisionError:
        odd = apply(lambda divisor: divisor or Failure("this divides by zero"), number(right))  # type: ignore[arg-type]
        elab.builder.refuse(NumberRefusal(span, odd, cx.guard, code="E211"))
        return UNKNOWN
    except OverflowError:
        elab.builder.report("E211", span, f"this is larger than {float(LARGEST):.0e}")
        return UNKNOWN
    if isinstance(left, Read) and isinstance(right, Read | int):
        return Read(result_cases)  # type: ignore[arg-type]
    return Arith(op, left, right)  # type: ignore[arg-type]


def _has_text(value: Value) -> bool:
    """Whether a choice has words among its options."""
    return isinstance(value, Pick) and any(isinstance(option, str) or _has_text(option) for option in value.options)


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
    elif isinstance(value, int) and not isinstance(value, bool):
        elab.builder.report("E201", span, f"{what} is at least 0, not {value}")
    elif not isinstance(value, Unknown):
        shown = value if isinstance(value, int | float) else _kind(value)
        elab.builder.report("E201", span, f"{what} is a fixed whole number, not {shown}")
    return None


def _kind(value: Value) -> str:
    return "a decision" if isinstance(value, Pick | Arith) else sort(value)
