"""Numbers with a unit, where a plain number is wanted: only in settings is something timed, or has bytes."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Final

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
    for side, other in ((node.left, node.right), (node.right, node.left)):
        if any(word.id not in bound and word.id not in metrics for word in words(other)):
            continue  # what it is compared with is not known, or is no number: `latency(..)`
        measured = isinstance(other, ast.Name) and other.id in metrics and other.id not in bound
        for part in parts(side):
            if not isinstance(part, ast.Number):
                continue
            is_share = part.unit == "%" and measured and (part is side or isinstance(side, ast.List))
            if part.unit in ("s", "B") or is_share:
                message = f"{_what(other, measured)}, and `{part.text}` is {KINDS[part.unit]}"
                yield _finding("E404", part, message)


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
