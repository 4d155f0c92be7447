"""What expressions mean: numbers, tensors, lists and layers."""

from __future__ import annotations

from dataclasses import field

from atnas.dsl.extern import Signature
from atnas.dsl.modules import Declared
from atnas.dsl.net import Arith, Num, Pick, Read, Static
from atnas.dsl.record import record
from atnas.dsl.source import Span
from atnas.dsl.syntax import ast


@record
class Tensor:
    """The output of a node of the net."""

    node: int


@record
class ListOf:
    """`[a, b, c]`, and the outputs of a layer of several."""

    items: tuple[Value, ...]


@record
class Chosen:
    """`k of items`: at option i of `decision` the items at positions `picks[i]`."""

    decision: int
    picks: tuple[tuple[int, ...], ...]
    items: tuple[Value, ...]


@record
class Unknown:
    """The value of something that has a finding already; nothing more is said about it."""


# Layers


@record
class Standard:
    """An operator with its arguments."""

    name: str
    operator: str | Signature
    arguments: tuple[tuple[str, Num], ...]
    place: str
    span: Span


@record
class Call:
    """A declared op or cell with its arguments. `way` begins the names of the decisions in its body."""

    declared: Declared
    arguments: tuple[tuple[str, Value], ...]
    way: str
    place: str
    span: Span = field(compare=False)


@record
class Chain:
    """Layers one after another; the identity where there is none."""

    parts: tuple[LayerValue, ...]


@record
class Alternatives:
    """The layer whose key is the selector's value."""

    selector: Num
    keys: tuple[Static, ...]
    options: tuple[LayerValue, ...]
    span: Span = field(compare=False)


@record
class Repeat:
    """The first `count` of the turns one after another; `counts` are the values that `count` can take."""

    turns: tuple[LayerValue, ...]
    count: Num
    counts: tuple[int, ...]
    span: Span = field(compare=False)


@record
class Undecided:
    """The name of an operator, op or cell without parentheses."""

    name: str
    target: Declared | str | Signature
    node: ast.Name = field(compare=False)


LayerValue = Standard | Call | Chain | Alternatives | Repeat
Number = Static | Pick | Arith | Read
Value = Number | Tensor | ListOf | Chosen | Unknown | LayerValue | Undecided

UNKNOWN = Unknown()
LAYERS = (Standard, Call, Chain, Alternatives, Repeat)
NUMBERS = (int, float, str, Pick, Arith, Read)


def sort(value: Value) -> str:
    """What a value is, in a user's words."""
    match value:
        case bool():
            return "a truth value"
        case str():
            return "a word"
        case int() | float() | Pick() | Arith() | Read():
            return "a number"
        case Tensor():
            return "a tensor"
        case ListOf() | Chosen():
            return "a list"
        case Unknown() | None:
            return "unknown"
        case _:
            return "a layer"
