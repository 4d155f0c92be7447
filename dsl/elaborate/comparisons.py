"""Whether the two sides of a comparison in a `require` line are things that can be compared."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from atnas.dsl.cases import values
from atnas.dsl.elaborate.values import NUMBERS
from atnas.dsl.findings.diagnostics import Edit
from atnas.dsl.findings.edits import around
from atnas.dsl.net import Compare, Condition, number
from atnas.dsl.syntax import ast
from atnas.dsl.syntax.unparse import text

if TYPE_CHECKING:
    from atnas.dsl.elaborate.expressions import Elaborator

NUMBER: Final = "a number"
TEXT: Final = "a text"
ORDERS: Final = ("<", "<=", ">", ">=")


def comparable(elab: Elaborator, node: ast.Binary, first: Condition, second: Condition) -> bool:
    """Whether the sides are of one kind, for one case at least, and numbers where they are ordered; else reports it."""
    if isinstance(first, tuple) or isinstance(second, tuple) != (node.op == "in"):
        _misplaced_list(elab, node, isinstance(first, tuple))
        return False
    if isinstance(second, tuple):
        assert isinstance(node.right, ast.List)
        items = zip(node.right.items, second, strict=True)
        return all(_alike(elab, node.left, kinds_of(first), item, {_kind(value)}) for item, value in items)
    kinds = kinds_of(first), kinds_of(second)
    if not _alike(elab, node.left, kinds[0], node.right, kinds[1]):
        return False
    odd = sorted((kinds[0] | kinds[1]) - {NUMBER}) if node.op in ORDERS else []
    if odd:
        side = node.left if odd[0] in kinds[0] else node.right
        elab.builder.report("E404", side.span, f"`{node.op}` compares two numbers, and this is {odd[0]}")
    return not odd


def no_list(elab: Elaborator, node: ast.Binary) -> None:
    """Reports that right of `in` stands no list."""
    cure = f"write a list: {text(node.left)} in [{text(node.right)}]"
    fix = around(node.right.span, "[", "]")
    elab.builder.report("E404", node.right.span, "`in` compares with a list of values", cure, fix=fix)


def _misplaced_list(elab: Elaborator, node: ast.Binary, first: bool) -> None:
    """Reports a list that is compared by something else than `in`, or none right of it."""
    if node.op == "in" and not first:
        no_list(elab, node)
        return
    side = node.left if first else node.right
    cure = f"write {text(node.left)} in {text(node.right)}" if node.op == "==" and not first else None
    elab.builder.report("E404", side.span, f"`{node.op}` compares two values, and this is a list of them", cure)


def _alike(elab: Elaborator, left: ast.Expr, lefts: set[str], right: ast.Expr, rights: set[str]) -> bool:
    """Whether two sides have a kind in common; the one that is no number is blamed."""
    if not (lefts and rights) or lefts & rights:
        return True
    odd, what, other = (right, rights, lefts) if NUMBER in lefts else (left, lefts, rights)
    fix: tuple[Edit, ...] = ()
    if isinstance(odd, ast.String) and re.fullmatch(r"-?\d+(\.\d+)?", odd.value):
        fix = (Edit(odd.span, odd.value),)
    cure = "numbers stand without quotes" if fix else None
    elab.builder.report("E404", odd.span, f"{min(other)} is compared with {min(what)}", cure, fix=fix)
    return False


def kinds_of(side: Condition) -> set[str]:
    """What the values of one side are; nothing where it has none."""
    if isinstance(side, Compare) or not isinstance(side, NUMBERS):
        return {NUMBER}
    return {_kind(value) for value in values(number(side))}


def _kind(value: object) -> str:
    if isinstance(value, bool):
        return "a truth value"
    return TEXT if isinstance(value, str) else NUMBER
