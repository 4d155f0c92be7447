"""Layers and numbers as text, in the author's words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

from atnas.compiler.drawing.marks import Run, measure
from atnas.compiler.drawing.parts import (
    PARTS,
    Arguments,
    Items,
    Layer,
    Num,
    Panel,
    Part,
    Serial,
    Slot,
    Use,
    Value,
    Word,
    sites,
)
from atnas.dsl.syntax import ast
from atnas.dsl.syntax.unparse import text

MOST_LETTERS = 60
"""Of a list among arguments; the rest of it is left out."""

Pieces = list[list[Run]]
"""Text that may be broken after each piece."""

HANGING: Final = ("   ", "plain")
"""What the second line of broken text begins with."""


def call(part: Layer | Use | Slot) -> Pieces:
    """`conv(c, 3)`. Layers that are given as arguments are left out: they are drawn."""
    kind = {Layer: "plain", Use: "use", Slot: "slot"}[type(part)]
    shown = [(name, value) for name, value in part.arguments or () if not isinstance(value, PARTS)]
    if not shown:
        return [[(part.word, kind)]]
    arguments = [_argument(name, value, ", ") for name, value in shown[:-1]] + [_argument(*shown[-1], ")")]
    return [[(part.word, kind), ("(", "plain"), *arguments[0]], *arguments[1:]]


def _argument(name: str | None, value: Value, end: str) -> list[Run]:
    decides = isinstance(value, Num) and value.sites
    keyword = f"{name} = " if name else ""
    return [(keyword + written(value), "number" if decides else "plain"), (end, "plain")]


def written(value: Value) -> str:
    """A number, word or list."""
    match value:
        case Num(expr=expr):
            return text(expr)
        case Word(name=name):
            return name
        case Items(items=items):
            inner = ", ".join(map(written, items))
            return f"[{inner}]" if len(inner) <= MOST_LETTERS else f"[{inner[:MOST_LETTERS]} …]"
        case _:
            return "…"


def nested(arguments: Arguments | None) -> list[Part]:
    """The layers among arguments."""
    return [value for _, value in arguments or () if isinstance(value, PARTS)]


def lines(pieces: Pieces, width: float) -> list[list[Run]]:
    """Text broken so that no line is wider, where that is possible."""
    found: list[list[Run]] = [[]]
    for piece in pieces:
        if found[-1] and measure([*found[-1], *piece]) > width:
            found.append([HANGING])
        found[-1] += piece
    return found


def line(part: Part) -> list[Run] | None:
    """A layer that takes one line of text; None for others."""
    match part:
        case Layer() | Use() | Slot():
            if nested(part.arguments) or sites(part):
                return None
            return [run for piece in call(part) for run in piece]
        case Serial(parts=parts) if parts:
            inner = [line(p) for p in parts]
            return None if None in inner else list(_joined([runs for runs in inner if runs is not None]))
        case Serial():
            return [("skip", "plain")]
        case _:
            return None


def _joined(each: Sequence[Sequence[Run]]) -> Iterator[Run]:
    yield from each[0]
    for _, runs in pairwise(each):
        yield (" → ", "faint")
        yield from runs


def times(count: Num) -> Run:
    """How often something is repeated."""
    is_word = isinstance(count.expr, ast.Number | ast.Name | ast.Range)
    shown = text(count.expr) if is_word else f"({text(count.expr)})"
    return f"× {shown}", "number" if count.sites else "faint"


def heading(panel: Panel) -> Pieces:
    """`cell dag(c) [x0] → x3`"""
    syntax = panel.syntax
    parameters = [
        p.name.id + ("" if p.default is None else f" = {written(panel.defaults[p.name.id])}") for p in syntax.parameters
    ]
    first: list[Run] = [(f"{syntax.keyword} ", "faint"), (syntax.name.id, "title")]
    pieces: Pieces = [[(f"{p}, ", "faint")] for p in parameters[:-1]] + [[(f"{p})", "faint")] for p in parameters[-1:]]
    pieces[:1] = [[*first, ("(", "faint"), *pieces[0]]] if pieces else [first]
    if syntax.short is None:
        pieces.append([(f" {_ports(syntax.inputs, True)}", "faint")])
        pieces.append([(f" → {_ports(syntax.outputs, len(syntax.outputs) > 1)}", "faint")])
    return pieces


def _ports(ports: Sequence[ast.Port], bracketed: bool) -> str:
    names = ", ".join(port.name.id for port in ports)
    return f"[{names}]" if bracketed else names


def short_name(name: str) -> str:
    """What a decision is called where its body is drawn: the last word of its name."""
    return name.rpartition(".")[2].partition("[")[0]
