"""What stands in an expression, and the expressions of a layer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from operator import attrgetter
from typing import Any, Final

from atnas.dsl.syntax import ast

PLAIN: Final = (ast.Number, ast.Bool, ast.String)
"""What is the same wherever it stands."""


def _in_call(node: ast.Call) -> Sequence[ast.Expr]:
    return node.function, *[argument.value for argument in node.arguments]


def _in_range(node: ast.Range) -> Sequence[ast.Expr]:
    return (node.low, node.high) if node.step is None else (node.low, node.high, node.step)


_CHILDREN: Final[Mapping[type, Callable[[Any], Sequence[ast.Expr]]]] = {
    ast.List: attrgetter("items"),
    ast.Choice: attrgetter("options"),
    ast.Each: attrgetter("item", "source"),
    ast.Call: _in_call,
    ast.Index: attrgetter("target", "index"),
    ast.Range: _in_range,
    ast.Subset: attrgetter("count", "items"),
    ast.Binary: attrgetter("left", "right"),
    ast.Pipe: attrgetter("left", "right"),
    ast.Negate: lambda node: (node.operand,),
}


def children(node: ast.Expr) -> Sequence[ast.Expr]:
    """The expressions directly under one, in reading order."""
    found = _CHILDREN.get(type(node))
    return () if found is None else found(node)


def parts(node: ast.Expr) -> Iterator[ast.Expr]:
    """The expression and every one in it, in reading order."""
    stack = [node]
    while stack:
        top = stack.pop()
        yield top
        stack += children(top)[::-1]


def words(node: ast.Expr) -> Iterator[ast.Name]:
    """Every name that stands in an expression."""
    return (part for part in parts(node) if isinstance(part, ast.Name))


def decision(node: ast.Expr) -> ast.Expr | None:
    """The first choice, range or subset in an expression."""
    return next((p for p in parts(node) if isinstance(p, ast.Choice | ast.Range | ast.Subset)), None)


def expressions(layer: ast.Layer) -> Iterator[ast.Expr]:
    """Every expression of a layer: defaults, sizes, the short form, bindings and conditions."""
    yield from (p.default for p in layer.parameters if p.default is not None)
    yield from (size for port in (*layer.inputs, *layer.outputs) for size in port.sizes or ())
    if layer.short is not None:
        yield layer.short
    for statement in layer.body:
        if isinstance(statement, ast.Bind):
            yield statement.value
        else:
            yield statement.condition
            yield from () if statement.guard is None else (statement.guard,)
