"""Layers of the user's own in Python: `extern op swirl(c: int) [x: (n, h, w)] -> (c, h, w) = "my_layers:Swirl"`.

Checking reads the declaration alone; `atnas.compiler.operators.extern` imports the class when a layer is built.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, make_dataclass
from functools import cache
from typing import Any, Final

from atnas.dsl import plugins
from atnas.dsl.net import arithmetic
from atnas.dsl.operator import Operator, Shape, ShapeError, param
from atnas.dsl.syntax import ast
from atnas.dsl.syntax.unparse import text

TYPES: Final[Mapping[str, type]] = {"int": int, "float": float, "bool": bool, "str": str}
"""What the parameters of an `extern op` may be."""

OPERATORS: Final = frozenset("*/%+-")


@dataclass(frozen=True)
class Signature:
    """What an `extern op` declares: parameters as (name, type, default or None), inputs as (name, sizes).

    Sizes are expressions over the parameters and the sizes of the inputs.
    """

    name: str
    parameters: tuple[tuple[str, str, Any], ...]
    inputs: tuple[tuple[str, tuple[ast.Expr, ...]], ...]
    output: tuple[ast.Expr, ...]
    target: str
    doc: str = ""

    def __str__(self) -> str:
        return self.name

    def bind(self, shapes: Sequence[Shape], values: Mapping[str, Any]) -> dict[str, Any]:
        """Every name of the declaration with its value for these input shapes. Raises `ShapeError`."""
        known = dict(values)
        for (port, sizes), shape in zip(self.inputs, shapes, strict=True):
            if not self._fits(sizes, shape, known):
                wanted = ", ".join(map(text, sizes))
                raise ShapeError(f"`{self.name}` takes ({wanted}) as `{port}`, and {written(shape)} came")
        return known

    def shape(self, known: Mapping[str, Any]) -> Shape:
        """The output's shape. Raises `ShapeError` where a size is no whole number of at least 1."""
        return tuple(self._size(size, known) for size in self.output)

    def _fits(self, sizes: Sequence[ast.Expr], shape: Shape, known: dict[str, Any]) -> bool:
        """Whether a shape has these sizes; those that have no value yet take it from the shape."""
        if len(sizes) != len(shape):
            return False
        for size, actual in zip(sizes, shape, strict=True):
            if isinstance(size, ast.Name):
                known.setdefault(size.id, actual)
        return all(self._size(size, known) == actual for size, actual in zip(sizes, shape, strict=True))

    def _size(self, size: ast.Expr, known: Mapping[str, Any]) -> int:
        try:
            value = worth(size, known)
        except (ZeroDivisionError, OverflowError):
            raise ShapeError(f"the size `{text(size)}` of `{self.name}` cannot be worked out") from None
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise ShapeError(f"the size `{text(size)}` of `{self.name}` is {value}, not a whole number of at least 1")
        return value


@cache
def signature(declared: ast.Extern) -> Signature:
    """What a checked declaration says."""
    parameters = tuple(
        (p.name.id, p.type.id, None if p.default is None else worth(p.default, {})) for p in declared.parameters
    )
    ports = tuple((port.name.id, port.sizes or ()) for port in declared.inputs)
    return Signature(declared.name.id, parameters, ports, declared.output, declared.target.value, declared.doc)


def layer_class(operator: str | Signature) -> type[Operator]:
    """The class of a layer, by the word that an operator is installed under or by what an `extern op` declares."""
    if isinstance(operator, str):
        found: type[Operator] = plugins.load("ops", operator)
        return found
    return _declared(operator)


@cache
def _declared(signature: Signature) -> type[Operator]:
    specs = [(name, TYPES[kind], param() if d is None else param(d)) for name, kind, d in signature.parameters]
    body = {"signature": signature, "inputs": len(signature.inputs), "__doc__": signature.doc}
    return make_dataclass(signature.name, specs, bases=(plugins.load("extern", "op"),), namespace=body, frozen=True)


def is_size(expr: ast.Expr) -> bool:
    """Whether an expression is arithmetic over names and numbers, as a size is."""
    match expr:
        case ast.Name() | ast.Number():
            return True
        case ast.Negate(operand=operand):
            return is_size(operand)
        case ast.Binary(op=op, left=left, right=right):
            return op in OPERATORS and is_size(left) and is_size(right)
        case _:
            return False


def worth(expr: ast.Expr, known: Mapping[str, Any]) -> Any:
    """The value of arithmetic over names that are known. Raises ZeroDivisionError and OverflowError."""
    match expr:
        case ast.Number(value=value) | ast.Bool(value=value) | ast.String(value=value):
            return value
        case ast.Name(id=word):
            return known[word]
        case ast.Negate(operand=operand):
            return arithmetic("-", 0, worth(operand, known))
        case ast.Binary(op=op, left=left, right=right):
            return arithmetic(op, worth(left, known), worth(right, known))
    raise AssertionError(expr)


def written(shape: Shape) -> str:
    """A shape as it stands in the language: `(3, 32, 32)`."""
    return f"({', '.join(map(str, shape))})"
