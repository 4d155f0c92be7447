"""Layers one after another, repeated, and their outputs added."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from atnas.dsl.cases import apply, both
from atnas.dsl.cases import values as cases_values
from atnas.dsl.elaborate.apply import join, run
from atnas.dsl.elaborate.build import MOST_OPTIONS
from atnas.dsl.elaborate.context import Context
from atnas.dsl.elaborate.mismatch import Failure, NumberRefusal
from atnas.dsl.elaborate.numbers import NO_EDITS, arithmetic, misgrouped, regrouped
from atnas.dsl.elaborate.values import (
    LAYERS,
    NUMBERS,
    UNKNOWN,
    Chain,
    Chosen,
    LayerValue,
    ListOf,
    Repeat,
    Tensor,
    Undecided,
    Unknown,
    Value,
    sort,
)
from atnas.dsl.findings.diagnostics import Edit
from atnas.dsl.findings.edits import around
from atnas.dsl.net import Num, Pick, Static, number
from atnas.dsl.syntax import ast
from atnas.dsl.syntax.unparse import text

if TYPE_CHECKING:
    from atnas.dsl.elaborate.expressions import Elaborator


def pipe(elab: Elaborator, node: ast.Pipe, cx: Context) -> Value:
    left = elab.value(node.left, cx)
    right = elab.value(node.right, cx)
    if isinstance(right, Tensor | ListOf | Chosen):
        _no_target(elab, node, right)
        return UNKNOWN
    merged = isinstance(left, Tensor | ListOf | Chosen | Unknown)
    first = left if merged else elab.layer(left, node.left, cx)
    layer = elab.layer(right, node.right, cx)
    if isinstance(first, Unknown) or isinstance(layer, Unknown):
        return UNKNOWN
    if isinstance(first, LAYERS):
        return Chain((first, layer))
    return run(elab, layer, first, node.right.span, cx.guard)


def _no_target(elab: Elaborator, node: ast.Pipe, right: Tensor | ListOf | Chosen) -> None:
    """Reports what is no layer and stands where one is applied."""
    cure, fix = "write it to the left", NO_EDITS
    message = f"right of `->` stands a layer, not {sort(right)}"
    if not isinstance(right, Tensor) and all(isinstance(item, (*LAYERS, Undecided)) for item in right.items):
        cure, fix = f"write chain({text(node.right)})", around(node.right.span, "chain(", ")")
    elab.builder.report("E206", node.right.span, message, cure, fix=fix)


def times(elab: Elaborator, node: ast.Binary, cx: Context) -> Value:
    right = elab.value(node.right, cx)
    if is_number(elab, node.left, cx):
        left = elab.value(node.left, cx)
        if isinstance(left, NUMBERS) and isinstance(right, (*LAYERS, Undecided)):
            right_way = text(ast.Binary(node.span, "*", node.right, node.left))
            message, fix = "the count of a repeat stands right of `*`", (Edit(node.span, right_way),)
            elab.builder.report("E208", node.span, message, f"write {right_way}", fix=fix)
            return UNKNOWN
        return UNKNOWN if misgrouped(elab, node) else arithmetic(elab, "*", left, right, node.span, cx)
    if isinstance(right, Unknown):
        return UNKNOWN
    if not isinstance(right, NUMBERS) or isinstance(right, bool | float | str):
        if isinstance(elab.value(node.left, cx), Tensor):
            return _no_repeat(elab, node, right)
        shown = right if isinstance(right, float) else sort(right)
        elab.builder.report("E201", node.right.span, f"a repeat takes a whole number, not {shown}")
        return UNKNOWN
    return repeat(elab, node, right, cx)


def repeat(elab: Elaborator, node: ast.Binary, count: Num, cx: Context) -> Value:
    counts = cases_values(number(count))
    if not all(map(_counts_turns, counts)):
        message = "a repeat takes a whole number of at least 0, not {}"
        odd = apply(lambda turns: turns if _counts_turns(turns) else Failure(message.format(turns)), number(count))
        elab.builder.refuse(NumberRefusal(node.right.span, odd, cx.guard, code="E201"))
        return UNKNOWN
    whole = sorted(c for c in counts if isinstance(c, int)) or [0]  # of nothing, where nothing comes
    if whole[-1] > MOST_OPTIONS:
        elab.builder.report("E405", node.right.span, f"{whole[-1]:,} turns; at most {MOST_OPTIONS:,} are taken")
        return UNKNOWN
    if isinstance(count, Pick) and isinstance(node.right, ast.Range | ast.Choice):
        elab.builder.deepen(count.decision)
    turns: list[LayerValue] = []
    for i in range(whole[-1]):
        turn = cx.turn(i)
        if len(whole) > 1:
            turn = turn.where(both(cx.guard, apply(lambda turns, i=i: turns > i, number(count))))
        value = elab.value(node.left, turn)
        if isinstance(value, Tensor):
            return _no_repeat(elab, node)
        layer = elab.layer(value, node.left, turn)
        if isinstance(layer, Unknown):
            return UNKNOWN
        turns.append(layer)
    return Repeat(tuple(turns), count, tuple(whole), node.span)


def _counts_turns(value: Static) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _no_repeat(elab: Elaborator, node: ast.Binary, right: Value = UNKNOWN) -> Unknown:
    message, cure, fix = "only layers are repeated, and this is a tensor", None, NO_EDITS
    if isinstance(right, Tensor):
        product = f"mul({text(node.left)}, {text(node.right)})"
        cure, fix = f"the product of two tensors is {product}", (Edit(node.span, product),)
    elab.builder.report("E201", node.left.span, message, cure, fix=fix)
    return UNKNOWN


def is_number(elab: Elaborator, node: ast.Expr, cx: Context, evaluate: bool = True) -> bool:
    """Whether the left side of `*` is a number, known before it is evaluated: a layer decides at each turn."""
    match node:
        case ast.Number() | ast.Range() | ast.Negate() | ast.Bool():
            return True
        case ast.Name(id=word):
            return isinstance(cx.scope.get(word), NUMBERS)
        case ast.Binary(left=first) | ast.Choice(options=(first, *_)):
            return is_number(elab, first, cx, evaluate)
        case ast.Index() if evaluate:
            return isinstance(elab.value(node, cx), NUMBERS)
        case ast.Index(target=ast.Name(id=word), index=ast.Number(value=int(i))):
            match cx.scope.get(word):
                case ListOf(items) | Chosen(items=items):
                    return i < len(items) and isinstance(items[i], NUMBERS)
            return False
        case _:
            return False


def plus(elab: Elaborator, node: ast.Binary, cx: Context) -> Value:
    parts = list(_summands(node))
    values = [elab.value(p, cx) for p in parts]
    if any(isinstance(v, Unknown) for v in values):
        return UNKNOWN
    if all(isinstance(v, NUMBERS) for v in values):
        total = values[0]
        for value in values[1:]:
            total = arithmetic(elab, "+", total, value, node.span, cx)
        return total
    odd = next((i for i, value in enumerate(values) if not isinstance(value, Tensor)), None)
    if odd is not None:
        _no_summand(elab, parts, odd, values[odd])
        return UNKNOWN
    tensors = [(v, p.span) for v, p in zip(values, parts, strict=True)]
    lone = next((p for p in parts[:-1] if not isinstance(p, ast.Pipe)), None)
    cure = None
    # `x + x -> f` is a shortcut beside a branch: nobody means (x + x) -> f.
    if lone is not None and isinstance(parts[-1], ast.Pipe) and _begin(parts[-1]) != lone:
        cure = "`->` binds tighter than `+`: (x + y) -> f applies f to the sum"
    return join(elab, "add", tensors, cx.beneath("add"), node.span, cx.guard, cure)


def _no_summand(elab: Elaborator, parts: Sequence[ast.Expr], odd: int, value: Value) -> None:
    cure, fix = None, NO_EDITS
    if isinstance(value, (*LAYERS, Undecided)):
        cure = "add the outputs: x -> f + x -> g"
    elif odd and isinstance(value, NUMBERS):
        cure, fix = regrouped(parts[odd - 1], "+", parts[odd])
    message = f"`+` adds two tensors or two numbers, and this is {sort(value)}"
    elab.builder.report("E207", parts[odd].span, message, cure, fix=fix)


def _begin(node: ast.Expr) -> ast.Expr:
    """What a pipe begins with."""
    while isinstance(node, ast.Pipe):
        node = node.left
    return node


def _summands(node: ast.Expr) -> Sequence[ast.Expr]:
    if isinstance(node, ast.Binary) and node.op == "+":
        return [*_summands(node.left), node.right]
    return [node]
