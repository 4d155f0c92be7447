"""Functions of tensors as they are written in a forward: `a + b`, `torch.cat((a, b), 1)`, `x.transpose(1, 2)`."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any

import torch
from torch import fx
from torch.nn import functional

from atnas.compiler.export.literals import Unwritable, literal

SUM, TERM, SIGN, POWER, WHOLE = range(5)
"""How tightly a text binds: sums the least, names and calls the most."""

SIGNS: dict[Callable[..., Any], tuple[str, int]] = {
    operator.add: ("+", SUM),
    operator.sub: ("-", SUM),
    operator.mul: ("*", TERM),
    operator.truediv: ("/", TERM),
    operator.floordiv: ("//", TERM),
    operator.matmul: ("@", TERM),
}


@dataclass(frozen=True)
class Text:
    """An expression, how tightly it binds, and the summands where it is a sum."""

    text: str
    level: int = WHOLE
    summands: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.text

    def within(self, level: int) -> str:
        """The text where an operator of this level stands beside it."""
        return self.text if self.level >= level else f"({self.text})"


@dataclass(frozen=True)
class Function:
    """A function that is traced once: how it is called, with whose tensors and with which values."""

    target: Any
    method: bool
    arguments: tuple[Any, ...]
    named: tuple[tuple[str, Any], ...]

    def text(self, operands: Sequence[Text]) -> Text:
        """The call with these operands. Raises `Unwritable`."""
        if self.target is operator.getitem:
            taken, index = self.arguments
            return Text(f"{_value(taken, operands).within(WHOLE)}[{_index(index, operands)}]")
        arguments = [_value(a, operands) for a in self.arguments]
        named = [f"{name}={_value(value, operands)}" for name, value in self.named]
        if self.method:
            return Text(f"{arguments[0].within(WHOLE)}.{self.target}({_listed([*arguments[1:], *named])})")
        if self.target in SIGNS and not named:
            return _infix(*SIGNS[self.target], *arguments)
        if self.target is getattr:
            return Text(f"{arguments[0].within(WHOLE)}.{self.arguments[1]}")
        if self.target is operator.neg:
            return Text(f"-{arguments[0].within(SIGN)}", SIGN)
        return Text(f"{_name(self.target)}({_listed([*arguments, *named])})")


@dataclass(frozen=True)
class Operand:
    """Which of the tensors stands there."""

    index: int


def function(node: fx.Node, operands: Sequence[fx.Node]) -> Function:
    """What a traced node does to these operands. Raises `Unwritable` where that has no text."""
    number: Any = {operand: Operand(i) for i, operand in enumerate(operands)}.__getitem__
    arguments: Any = fx.node.map_arg(node.args, number)
    named: Any = fx.node.map_arg(node.kwargs, number)
    made = Function(node.target, node.op == "call_method", tuple(arguments), tuple(named.items()))
    made.text([Text("x")] * len(operands))
    return made


def _infix(sign: str, level: int, left: Text, right: Text) -> Text:
    text = f"{left.within(level)} {sign} {right.within(level + 1)}"
    summands = (*(left.summands or (left.text,)), f"{sign} {right.within(level + 1)}") if level == SUM else ()
    return Text(text, level, summands)


def _value(value: Any, operands: Sequence[Text]) -> Text:
    match value:
        case Operand(index):
            return operands[index]
        case tuple() | list():
            inside = _listed(_value(v, operands) for v in value)
            comma = "," * (isinstance(value, tuple) and len(value) == 1)
            return Text(f"({inside}{comma})" if isinstance(value, tuple) else f"[{inside}]")
        case torch.dtype():
            return Text(str(value))
        case float() if value in (inf, -inf):
            return Text("torch.inf") if value > 0 else Text("-torch.inf", SIGN)
    if value is ...:
        return Text("...")
    text = literal(value)
    return Text(text, SIGN if text.startswith("-") else WHOLE)


def _index(value: Any, operands: Sequence[Text]) -> str:
    if isinstance(value, tuple):
        return _listed(_index(v, operands) for v in value)
    if isinstance(value, slice):
        start, stop, step = ("" if v is None else _value(v, operands) for v in (value.start, value.stop, value.step))
        return f"{start}:{stop}" + (f":{step}" if value.step is not None else "")
    return str(_value(value, operands))


def _listed(texts: Iterable[Text | str]) -> str:
    return ", ".join(map(str, texts))


def _name(target: Any) -> str:
    name = getattr(target, "__name__", "")
    for module, prefix in ((torch, "torch"), (functional, "functional")):
        if name and getattr(module, name, None) is target:
            return f"{prefix}.{name}"
    raise Unwritable(repr(target))
