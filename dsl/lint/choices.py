"""Choices that are legal and seldom meant: those of one option, and the same alternative twice."""

from __future__ import annotations

from collections.abc import Iterator

from atnas.dsl.extern import is_size, worth
from atnas.dsl.findings.diagnostics import Diagnostic, Edit, Label
from atnas.dsl.findings.edits import without_item
from atnas.dsl.syntax import ast
from atnas.dsl.syntax.unparse import text
from atnas.dsl.syntax.walk import expressions, parts, words


def choices(layer: ast.Layer) -> Iterator[Diagnostic]:
    """The findings of one op, cell or space."""
    for expression in expressions(layer):
        for part in parts(expression):
            if isinstance(part, ast.Range):
                yield from _lone(part)
            elif isinstance(part, ast.Choice):
                yield from _twice(part)


def _lone(node: ast.Range) -> Iterator[Diagnostic]:
    ends = [_constant(e) for e in (node.low, node.high)]
    step = 1 if node.step is None else _constant(node.step)
    low, high = ends
    if low is None or high is None or step is None or step <= 0 or not low <= high < low + step:
        return
    yield Diagnostic(
        "W201",
        node.span,
        f"this range holds one number, {text(node.low)}: nothing is decided",
        f"write {text(node.low)}, or widen the range",
        fix=(Edit(node.span, text(node.low)),),
    )


def _twice(node: ast.Choice) -> Iterator[Diagnostic]:
    """Numbers are left out: their values are compared when a space is worked out."""
    seen: dict[str, ast.Expr] = {}
    for i, option in enumerate(node.options):
        word = text(option)
        if word in seen and word and (isinstance(option, ast.Name) or not is_size(option)):
            first = (Label(seen[word].span, "first here"),)
            message = f"`{word}` stands twice in this choice"
            fix = without_item([node.options[i - 1].span, option.span], 1)
            yield Diagnostic("W202", option.span, message, "leave one out", labels=first, fix=fix)
        seen.setdefault(word, option)


def _constant(expr: ast.Expr) -> int | float | None:
    """The value of plain arithmetic on numbers."""
    if not is_size(expr) or any(words(expr)):
        return None
    try:
        found: int | float = worth(expr, {})
    except (ZeroDivisionError, OverflowError):
        return None
    return found
