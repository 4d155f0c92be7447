"""Where decisions are made: `|` and ranges, once for each way to them."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from atnas.dsl.cases import both
from atnas.dsl.elaborate.build import MOST_OPTIONS, UNDONE
from atnas.dsl.elaborate.context import Context
from atnas.dsl.elaborate.numbers import NO_EDITS, static
from atnas.dsl.elaborate.values import (
    LAYERS,
    NUMBERS,
    UNKNOWN,
    Alternatives,
    Tensor,
    Undecided,
    Unknown,
    Value,
    sort,
)
from atnas.dsl.findings.diagnostics import Edit, Label
from atnas.dsl.findings.edits import around, without_item
from atnas.dsl.net import Json, Kind, Num, Pick, Static, equals
from atnas.dsl.source import Span
from atnas.dsl.syntax import ast
from atnas.dsl.syntax.unparse import text
from atnas.dsl.syntax.walk import PLAIN

if TYPE_CHECKING:
    from atnas.dsl.elaborate.expressions import Elaborator


def range_(elab: Elaborator, node: ast.Range, cx: Context) -> Value:
    number = elab.builder.reserve(cx.name(node), node)
    ends = [static(elab, elab.value(e, cx), e) for e in (node.low, node.high)]
    step = 1 if node.step is None else static(elab, elab.value(node.step, cx), node.step)
    low, high = ends
    if low is None or high is None or step is None:
        return undone(elab, number)
    if step <= 0:
        assert node.step is not None
        cure = f"a range goes up: step {text(node.step.operand)}" if isinstance(node.step, ast.Negate) else None
        elab.builder.report("E401", node.step.span, f"the step of a range must be more than 0, not {step}", cure)
        return undone(elab, number)
    if low > high:
        empty(elab, node, low, high)
        return undone(elab, number)
    count = int((high - low) / step + 1e-9) + 1
    if count > MOST_OPTIONS:
        elab.builder.report("E405", node.span, f"this range has {count:,} options; at most {MOST_OPTIONS:,} are taken")
        return undone(elab, number)
    elab.spend(count)
    options = spaced(low, step, count)
    return Pick(number, options) if elab.builder.decide(number, "number", options, True, node.span) else UNKNOWN


def empty(elab: Elaborator, node: ast.Range, low: int | float, high: int | float) -> None:
    turned = text(ast.Range(node.span, node.high, node.low, node.step))
    plain = isinstance(node.low, ast.Number) and isinstance(node.high, ast.Number)
    cure, fix = (f"write {turned}", (Edit(node.span, turned),)) if plain else (None, ())
    elab.builder.report("E401", node.span, f"this range is empty: {low} is more than {high}", cure, fix=fix)


def spaced(low: int | float, step: int | float, count: int) -> tuple[int | float, ...]:
    """`low`, `low + step`, ..: in decimals, so that 0.1 thrice is 0.3."""
    if isinstance(low, int) and isinstance(step, int):
        return tuple(range(low, low + count * step, step))
    numbers = (Decimal(str(low)) + i * Decimal(str(step)) for i in range(count))
    return tuple(int(n) if n == n.to_integral_value() else float(n) for n in numbers)


def choice(elab: Elaborator, node: ast.Choice, cx: Context) -> Value:
    decision = elab.builder.reserve(cx.name(node), node)
    keys = tuple(range(len(node.options)))
    selector = Pick(decision, keys)
    options = []
    for i, option in enumerate(node.options):
        plain = isinstance(option, PLAIN)
        options.append(elab.value(option, cx if plain else cx.where(both(cx.guard, equals(selector, i)))))
    if any(isinstance(o, Unknown) for o in options):
        return undone(elab, decision, elab.written(node))
    return decided(elab, node, decision, selector, keys, options, cx)


def decided(
    elab: Elaborator,
    node: ast.Choice,
    decision: int,
    selector: Num,
    keys: tuple[int, ...],
    options: list[Value],
    cx: Context,
) -> Value:
    if all(isinstance(o, NUMBERS) for o in options):
        labels: list[Json] = [
            o if isinstance(o, int | float | str) else text(n) for o, n in zip(options, node.options, strict=True)
        ]
        ordered = all(isinstance(o, int | float) and not isinstance(o, bool) for o in options)
        ordered = ordered and labels == sorted(labels)
        _twice(elab, node, labels)
        fits = elab.builder.decide(decision, "number", labels, ordered, node.span)
        return Pick(decision, tuple(options)) if fits else UNKNOWN  # type: ignore[arg-type]
    words = elab.written(node)
    kind: Kind = "tensor" if all(isinstance(o, Tensor) for o in options) else "layer"
    if kind == "layer" and not all(isinstance(o, (*LAYERS, Undecided)) for o in options):
        mixed(elab, node, options)
        return undone(elab, decision)
    if not elab.builder.decide(decision, kind, words, False, node.span):
        return UNKNOWN
    return among(elab, selector, keys, options, list(node.options), node, cx)


def _twice(elab: Elaborator, node: ast.Choice, labels: Sequence[Json]) -> None:
    """Reports each value that an option before it has."""
    if len({(isinstance(label, bool), label) for label in labels}) == len(labels):
        return
    seen: dict[tuple[bool, Json], Span] = {}
    places = [option.span for option in node.options]
    for i, label in enumerate(labels):
        key = isinstance(label, bool), label
        if key in seen:
            first, fix = (Label(seen[key], "first here"),), without_item(places, i)
            message = "the same value stands twice in this choice"
            elab.builder.report("E406", places[i], message, "leave one out", labels=first, fix=fix)
        seen.setdefault(key, places[i])


def among(
    elab: Elaborator,
    selector: Num,
    keys: tuple[Static, ...],
    options: Sequence[Value],
    nodes: Sequence[ast.Expr],
    node: ast.Expr,
    cx: Context,
) -> Value:
    """One of several tensors or layers, whichever key the selector has."""
    if any(isinstance(o, Unknown) for o in options):
        return UNKNOWN
    if all(isinstance(o, Tensor) for o in options):
        sources = tuple(o.node for o in options if isinstance(o, Tensor))
        return Tensor(elab.builder.choice(selector, keys, sources, node.span))
    if all(isinstance(o, NUMBERS) for o in options) and isinstance(selector, Pick):
        at = dict(zip(keys, options, strict=True))
        return Pick(selector.decision, tuple(at[k] for k in selector.options))  # type: ignore[index, misc]
    layers = [elab.layer(o, n, cx) for o, n in zip(options, nodes, strict=True)]
    if any(isinstance(x, Unknown) for x in layers):
        return UNKNOWN
    return Alternatives(selector, keys, tuple(layers), node.span)  # type: ignore[arg-type]


def mixed(elab: Elaborator, node: ast.Choice, options: Sequence[Value]) -> None:
    sorts = [sort(o) for o in options]
    if len(set(sorts)) == 1:
        message = "a choice is between numbers, layers or tensors, not lists"
        elab.builder.report("E202", node.span, message, "choose between their elements")
        return
    first = next(i for i, s in enumerate(sorts) if s != sorts[0])
    message = (
        f"`{text(node.options[0])}` is {sorts[0]} and `{text(node.options[first])}` is {sorts[first]}: "
        "a choice is between values of one kind"
    )
    cure, fix, pipe = None, NO_EDITS, node.options[0]
    if "a tensor" in sorts and "a layer" in sorts:
        cure = "`->` binds tighter than `|`: put the choice in parentheses, x -> (a | b)"
    if isinstance(pipe, ast.Pipe) and sorts == ["a tensor", *["a layer"] * (len(sorts) - 1)]:
        inner = ast.Choice(node.span, (pipe.right, *node.options[1:]))
        cure = f"`->` binds tighter than `|`: write {text(ast.Pipe(node.span, pipe.left, inner))}"
        fix = around(pipe.right.span.to(node.span), "(", ")")
    elab.builder.report("E202", node.span, message, cure, fix=fix)


def undone(elab: Elaborator, decision: int, options: Sequence[Json] = UNDONE) -> Unknown:
    """Keeps a reserved decision in place where its options could not be found out, other than how they are written."""
    if elab.builder.decisions[decision] is None:
        span = Span(elab.builder.source, 0, 0)
        elab.builder.decide(decision, "number", options, False, span)
    elab.builder.undone.add(decision)
    return UNKNOWN
