"""A program of one space as an interpreter sees it: what names mean, and how decisions are called.

The parser and the names of decisions are the project's; nothing of what works shapes out is used.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from inspect import signature
from math import isclose
from typing import Any, TypeGuard

import torch
from torch_layers import LAYERS, MERGES

from atnas.dsl.elaborate.context import Context
from atnas.dsl.elaborate.naming import Names, steps
from atnas.dsl.modules import Module
from atnas.dsl.source import Source, Span
from atnas.dsl.syntax import ast
from atnas.dsl.syntax.parse import parse
from atnas.dsl.syntax.unparse import text

LOST = object()
"""A tensor that could not be made, and all that comes of it."""

FINE, BROKEN, UNKNOWN = "fine", "broken", "unknown"
"""What comes of a place: it takes its inputs, or does not, or they are lost."""

BUILTINS = ("chain", "range")
OPERATIONS: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "%": operator.mod,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "in": lambda a, b: a in b,
    "and": lambda a, b: a and b,
}


@dataclass(frozen=True)
class Layer:
    """What is done with tensors; of a choice what was chosen, as it is written."""

    run: Callable[[list[Any]], Any]
    chosen: str | None = None


@dataclass(frozen=True)
class Undecided:
    """The name of an operator, op or cell without parentheses."""

    target: ast.Layer | str
    node: ast.Name


class Subset(list[Any]):
    """The chosen elements of a list; `first` makes the first of them all, which gives a sum of none its shape."""

    def __init__(self, chosen: Sequence[Any], first: Callable[[], Any]) -> None:
        super().__init__(chosen)
        self.first = first


class Text:
    """A program, and the ways to its decisions."""

    def __init__(self, program: str) -> None:
        found, findings = parse(Source("file.atnas", program))
        assert not findings, findings
        self.declared = {d.name.id: d for d in found.declarations if isinstance(d, ast.Layer)}
        (self.space,) = (d for d in self.declared.values() if d.keyword == "space")
        self.module = Module(found.source, found)
        self._steps: dict[Any, dict[int, str]] = {}
        self._texts: dict[int, str] = {}

    def inside(self, node: ast.Expr, cx: Context) -> Context:
        """The context of a whole expression, in which its decisions have names."""
        key = id(node), tuple((word, type(value)) for word, value in cx.scope.items())
        if key not in self._steps:
            names = Names(lambda w: self._leads(w, cx), lambda f, i: self._argument(f, i, cx), lambda n: counts(n, cx))
            self._steps[key] = steps(node, names)
        return cx.within(self._steps[key])

    def text(self, node: ast.Expr) -> str:
        """An expression as it is written, formatted."""
        if id(node) not in self._texts:
            self._texts[id(node)] = text(node)
        return self._texts[id(node)]

    def target(self, word: str, cx: Context) -> Any:
        """What a name stands for."""
        if word in cx.scope:
            return cx.scope[word]
        assert word in self.declared or word in LAYERS or word in MERGES, word
        return Undecided(self.declared.get(word, word), ast.Name(Span(self.module.source, 0, 0), word))

    def _leads(self, word: str, cx: Context) -> bool:
        return isinstance(cx.scope[word], Undecided) if word in cx.scope else word in self.declared

    def _argument(self, function: str, position: int, cx: Context) -> str:
        known = None if function in BUILTINS else self.target(function, cx)
        if not isinstance(known, Undecided) or known.target in MERGES:
            return ""
        if isinstance(known.target, ast.Layer):
            return known.target.parameters[position].name.id
        return parameters(known.target)[position]


@cache
def parameters(operator: str) -> list[str]:
    """The arguments of an operator, in order."""
    return list(signature(LAYERS[operator]).parameters)[1:]


def counts(node: ast.Expr, cx: Context) -> bool:
    """Whether the left side of a `*` is a number, and what is right of it no count of turns."""
    match node:
        case ast.Number() | ast.Range() | ast.Negate() | ast.Bool():
            return True
        case ast.Name(id=word):
            return isinstance(cx.scope.get(word), int | float)
        case ast.Binary(left=first) | ast.Choice(options=(first, *_)):
            return counts(first, cx)
        case ast.Index(target=ast.Name(id=word)):
            items = cx.scope.get(word)
            return isinstance(items, list) and isinstance(items[0], int | float)
    return False


def is_name(node: ast.Expr) -> TypeGuard[ast.Name]:
    return isinstance(node, ast.Name)


def is_tensor(value: Any) -> bool:
    """Whether it is a tensor or a list of them."""
    if isinstance(value, list):
        return isinstance(value, Subset) or (bool(value) and is_tensor(value[0]))
    return value is LOST or isinstance(value, torch.Tensor)


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def flat(values: Sequence[Any]) -> Iterator[Any]:
    for value in values:
        yield from flat(value) if isinstance(value, list) else [value]


def whole(number: Any) -> Any:
    """A number without fraction is whole."""
    return round(number) if isinstance(number, float) and isclose(number, round(number)) else number


def fitting(name: str, value: Any) -> str:
    """Whether an argument may have a value: sizes are whole numbers of at least 1."""
    if value is LOST:
        return UNKNOWN
    if value is None or isinstance(value, bool | str) or name in ("expand", "p"):
        return FINE
    return FINE if isinstance(value, int) and value >= (name != "index") else BROKEN


def summands(node: ast.Expr) -> Iterator[ast.Expr]:
    if isinstance(node, ast.Binary) and node.op == "+":
        yield from summands(node.left)
        yield node.right
    else:
        yield node
