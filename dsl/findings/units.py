"""Numbers with a unit: in layers and spaces only a latency is a time, and nothing has bytes."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Final

from atnas.dsl.devices import LATENCY
from atnas.dsl.findings.diagnostics import Diagnostic, Edit
from atnas.dsl.syntax import ast
from atnas.dsl.syntax.walk import parts, words

KINDS: Final = {"s": "a time", "B": "a size in bytes", "%": "a share"}
SHORTER: Final = {"kB": "k", "MB": "M", "GB": "G"}
"""What is left of a unit of bytes without the bytes."""

COMPARISONS: Final = ("==", "!=", "<", "<=", ">", ">=", "in")


def stray(node: ast.Number) -> Diagnostic | None:
    """What is wrong with a number of seconds or bytes in a layer or a space."""
    if node.unit not in ("s", "B"):
        return None
    message = f"a plain number is wanted here, and `{node.text}` is {KINDS[node.unit]}"
    return _finding("E201", node, message)


def compared(node: ast.Binary, metrics: Collection[str], bound: Collection[str]) -> Iterator[Diagnostic]:
    """Findings on the units in one comparison of a `require` line: with `metrics`, or what the names `bound` are."""
    if any(isinstance(part, ast.Call) and part.function.id == LATENCY for part in parts(node)):
        yield from [*_multiplied(node)] or _unlike(node)
        return
    for side, other in ((node.left, node.right), (node.right, node.left)):
        if any(word.id not in bound and word.id not in metrics for word in words(other)):
            continue  # what it is compared with is not known
        measured = isinstance(other, ast.Name) and other.id in metrics and other.id not in bound
        for part in parts(side):
            if not isinstance(part, ast.Number):
                continue
            is_share = part.unit == "%" and measured and (part is side or isinstance(side, ast.List))
            if part.unit in ("s", "B") or is_share:
                message = f"{_what(other, measured)}, and `{part.text}` is {KINDS[part.unit]}"
                yield _finding("E404", part, message)


def is_time(node: ast.Expr) -> bool:
    """Whether an expression is a time, as `20ms`, `latency(phone)` and their sums are."""
    match node:
        case ast.Number(unit=unit):
            return unit == "s"
        case ast.Call(function=function):
            return function.id == LATENCY
        case ast.Negate(operand=operand):
            return is_time(operand)
        case ast.List(items=items):
            return any(map(is_time, items))
        case ast.Binary(op="/", left=left, right=right):
            return is_time(left) and not is_time(right)
        case ast.Binary(left=left, right=right):
            return is_time(left) or is_time(right)
        case _:
            return False


def _multiplied(node: ast.Binary) -> Iterator[Diagnostic]:
    """Findings on products and quotients of times that are no times."""
    message = "a time is multiplied with plain numbers, and divided by them or by a time"
    for part in parts(node):
        if not isinstance(part, ast.Binary) or part.op not in ("*", "/") or not is_time(part.right):
            continue
        if is_time(part.left) == (part.op == "*"):
            yield Diagnostic("E404", part.span, message, "compare times with each other")


def _unlike(node: ast.Binary) -> Iterator[Diagnostic]:
    """Findings on what is no time, and compared with one or added to it."""
    for part in parts(node):
        if not isinstance(part, ast.Binary) or part.op in ("*", "/"):
            continue
        times = is_time(part.left), is_time(part.right)
        if times[0] != times[1]:
            yield _untimed(part.right if times[0] else part.left)


def _untimed(node: ast.Expr) -> Diagnostic:
    """The finding on something that stands beside a latency and is no time."""
    if not isinstance(node, ast.Number):
        return Diagnostic("E404", node.span, "a latency is a time, and this is none", "compare times with each other")
    what = f"is {KINDS[node.unit]}" if node.unit else "has no unit"
    cure = f"write {node.text}ms" if node.text.isdecimal() else "write a time, such as 20ms"
    return Diagnostic("E404", node.span, f"a latency is a time, and `{node.text}` {what}", cure)


def _what(other: ast.Expr, measured: bool) -> str:
    """What stands on the other side of a comparison."""
    if isinstance(other, ast.Name):
        return f"`{other.id}` is a plain number" if measured else f"`{other.id}` has no unit"
    return "plain numbers are compared here"


def _finding(code: str, node: ast.Number, message: str) -> Diagnostic:
    """A finding on a unit; its cure is the number without one where that is clear."""
    digits = node.text.rstrip("kMGTB")
    unit = node.text[len(digits) :]
    if unit not in SHORTER:
        return Diagnostic(code, node.span, message, "write a number without a unit")
    plain = digits + SHORTER[unit]
    return Diagnostic(code, node.span, message, f"write {plain}", fix=(Edit(node.span, plain),))
