"""What stands in an expression."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from atnas.dsl.syntax import ast


def children(node: ast.Expr) -> Sequence[ast.Expr]:
    """The expressions directly under one, in reading order."""
    match node:
        case ast.List(items=items) | ast.Choice(options=items):
            return items
        case ast.Each(item=item, source=source):
            return (item, source)
        case ast.Call(function=function, arguments=arguments):
            return (function, *(a.value for a in arguments))
        case ast.Index(target=target, index=index):
            return (target, index)
        case ast.Range(low=low, high=high, step=step):
            return (low, high) if step is None else (low, high, step)
        case ast.Subset(count=count, items=items_):
            return (count, items_)
        case ast.Binary(left=left, right=right) | ast.Pipe(left=left, right=right):
            return (left, right)
        case ast.Negate(operand=operand):
            return (operand,)
        case _:
            return ()


def parts(node: ast.Expr) -> Iterator[ast.Expr]:
    """The expression and every one in it, in reading order."""
    stack = [node]
    while stack:
        top = stack.pop()
        yield top
        stack.extend(reversed(children(top)))


def words(node: ast.Expr) -> Iterator[ast.Name]:
    """Every name that stands in an expression."""
    return (part for part in parts(node) if isinstance(part, ast.Name))


def decision(node: ast.Expr) -> ast.Expr | None:
    """The first choice, range or subset in an expression."""
    return next((p for p in parts(node) if isinstance(p, ast.Choice | ast.Range | ast.Subset)), None)
