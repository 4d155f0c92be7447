"""Layers applied to tensors: every application makes nodes, and so weights, of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from atnas.dsl.cases import Cases, apply, both
from atnas.dsl.elaborate.conditions import constraint
from atnas.dsl.elaborate.context import Context
from atnas.dsl.elaborate.mismatch import Merge
from atnas.dsl.elaborate.ports import sizes
from atnas.dsl.elaborate.template import Template, Unfit, Use, copied, use
from atnas.dsl.elaborate.values import (
    UNKNOWN,
    Alternatives,
    Call,
    Chain,
    Chosen,
    LayerValue,
    ListOf,
    Repeat,
    Standard,
    Tensor,
    Unknown,
    Value,
    sort,
)
from atnas.dsl.extern import layer_class
from atnas.dsl.meter import WALKED, TooLarge
from atnas.dsl.net import Edge, Guard, equals, number
from atnas.dsl.source import Span
from atnas.dsl.syntax import ast

if TYPE_CHECKING:
    from atnas.dsl.elaborate.expressions import Elaborator

LETTERS = "abcdef"
STEPS_OF_A_USE = 4
"""What a use costs besides what stands in it, next to the evaluation of an expression."""

DEEPEST = 100
"""Uses inside uses that a program may have."""


def run(elab: Elaborator, layer: LayerValue, given: Value, span: Span, guard: Cases[bool]) -> Value:
    """The output of a layer for a tensor or a list of them; `span` is where it is applied."""
    match layer:
        case Standard():
            return _standard(elab, layer, given, guard)
        case Call():
            return _call(elab, layer, given, guard)
        case Chain(parts):
            for part in parts:
                if isinstance(given, Unknown):
                    return UNKNOWN
                given = run(elab, part, given, span, guard)
            return given
        case Alternatives(selector, keys, options):
            outputs = []
            for key, option in zip(keys, options, strict=True):
                outputs.append(run(elab, option, given, span, both(guard, equals(selector, key))))
            return _select(elab, layer, outputs)
        case Repeat(turns, count, counts):
            reached = [given]
            for i, turn in enumerate(turns):
                if isinstance(reached[-1], Unknown):
                    return UNKNOWN
                if _size(reached[-1]) != _size(given):
                    takes, gives = _size(given), _size(reached[-1])
                    message = "a layer that is repeated has as many outputs as inputs"
                    inner = f"this one takes {takes} and gives {gives}"
                    elab.builder.report("E212", layer.span, message, inner=inner)
                    return UNKNOWN
                runs = apply(lambda n, i=i: isinstance(n, int) and n > i, number(count))
                reached.append(run(elab, turn, reached[-1], span, both(guard, runs)))
            if len(counts) == 1:
                return reached[counts[0]]
            return _select(elab, Alternatives(count, counts, (), layer.span), [reached[c] for c in counts])


def _size(value: Value) -> int:
    """How many tensors these are."""
    return len(value.items) if isinstance(value, ListOf) else 1


def _select(elab: Elaborator, among: Alternatives, outputs: Sequence[Value]) -> Value:
    """The output of the chosen alternative; of several outputs each."""
    if any(isinstance(o, Unknown) for o in outputs):
        return UNKNOWN
    if all(isinstance(o, Tensor) for o in outputs):
        sources = tuple(o.node for o in outputs if isinstance(o, Tensor))
        return Tensor(elab.builder.choice(among.selector, among.keys, sources, among.span))
    lists = [o.items if isinstance(o, ListOf) else (o,) for o in outputs]
    if len({len(x) for x in lists}) > 1:
        elab.builder.report("E212", among.span, "these alternatives have different numbers of outputs")
        return UNKNOWN
    return ListOf(tuple(_select(elab, among, column) for column in zip(*lists, strict=True)))


def _standard(elab: Elaborator, layer: Standard, given: Value, guard: Cases[bool]) -> Value:
    cls = layer_class(layer.operator)
    if cls.variadic:
        return join(elab, layer.name, [(given, layer.span)], layer.place, layer.span, guard)
    tensors = accepted(elab, layer.name, cls.inputs, given, layer.span)
    if tensors is None:
        return UNKNOWN
    edges = tuple(Edge(tensor.node) for tensor in tensors)
    node = elab.builder.layer(layer.operator, layer.arguments, edges, layer.place, layer.span, guard)
    return UNKNOWN if node is None else Tensor(node)


def accepted(elab: Elaborator, name: str, wants: int, given: Value, span: Span) -> list[Tensor] | None:
    """The tensors that a layer of so many inputs is given; None with a finding where they are others."""
    items = given.items if isinstance(given, ListOf) else (given,)
    if any(isinstance(i, Unknown) for i in items):
        return None
    if len(items) != wants or isinstance(given, Chosen):
        has = "a chosen list" if isinstance(given, Chosen) else f"{len(items)}"
        message = f"`{name}` takes {wants} input{'s' * (wants != 1)}, and {has} came"
        elab.builder.report(
            "E212", span, message, _fitting(given, len(items), wants, name if span.text == name else f"{name}(..)")
        )
        return None
    odd = next((i for i in items if not isinstance(i, Tensor)), None)
    if odd is not None:
        elab.builder.report("E212", span, f"`{name}` takes tensors, not {sort(odd)}")
        return None
    return [i for i in items if isinstance(i, Tensor)]


def _fitting(given: Value, came: int, wants: int, layer: str) -> str | None:
    """The cure of a layer, as it may be written, that is given too many tensors, or too few."""
    if isinstance(given, Chosen):
        return "merge it first, by add(..) or concat(..)"
    if wants == 1 and came > 1:
        return f"take one of them, as in xs[0] -> {layer}"
    if came == 1 and wants <= len(LETTERS):
        return f"give it a list: [{', '.join(LETTERS[:wants])}] -> {layer}"
    return None


def join(
    elab: Elaborator,
    operator: str,
    given: Sequence[tuple[Value, Span]],
    place: str,
    span: Span,
    guard: Cases[bool],
    cure: str | None = None,
) -> Value:
    """`add` or `concat` of tensors and lists of tensors alike; `cure` is for those that do not fit."""
    edges: list[Edge] = []
    spans: list[Span] = []
    for value, at in given:
        found = _edges(elab, operator, value, at)
        if found is None:
            return UNKNOWN
        edges += found
        spans += [at] * len(found)
    if not edges:
        elab.builder.report("E213", span, f"`{operator}` of no tensor has no shape")
        return UNKNOWN
    merge = Merge(tuple(spans), cure)
    node = elab.builder.layer(operator, (), tuple(edges), place, span, guard, merge)
    return UNKNOWN if node is None else Tensor(node)


def _edges(elab: Elaborator, operator: str, value: Value, span: Span) -> list[Edge] | None:
    match value:
        case Tensor(node):
            return [Edge(node)]
        case Chosen(decision, picks, items) if all(isinstance(i, Tensor) for i in items):
            elab.spend(len(items) * len(picks) // WALKED)
            guards = [frozenset(o for o, p in enumerate(picks) if i in p) for i in range(len(items))]
            return [
                Edge(item.node, Guard(decision, allowed))
                for item, allowed in zip(items, guards, strict=True)
                if isinstance(item, Tensor)
            ]
        case ListOf(items):
            found = [_edges(elab, operator, item, span) for item in items]
            return None if any(f is None for f in found) else [e for f in found if f is not None for e in f]
        case Unknown():
            return None
        case Chosen(items=items):
            odd = next(i for i in items if not isinstance(i, Tensor))
            if isinstance(odd, Unknown):
                return None
            elab.builder.report("E201", span, f"`{operator}` merges tensors, and this list holds {sort(odd)}")
        case _:
            cure = "give it an input: x -> .." if "layer" in sort(value) else None
            elab.builder.report("E201", span, f"`{operator}` merges tensors, not {sort(value)}", cure)
    return None


def _call(elab: Elaborator, call: Call, given: Value, guard: Cases[bool]) -> Value:
    """The body of an op or cell, worked through once more for this application."""
    syntax = call.declared.syntax
    assert isinstance(syntax, ast.Layer)
    _deepen(elab, call, 1)
    elab.depth += 1
    elab.builder.calls.append(call.span)
    try:
        elab.spend(STEPS_OF_A_USE)
        place = elab.builder.place(call.place)
        result = _repeated(elab, call, syntax, given, place, guard)
        out = result.items[0] if isinstance(result, ListOf) and result.items else result
        if isinstance(out, Tensor):
            elab.builder.use(syntax, out.node, guard)
        return result
    finally:
        elab.depth -= 1
        elab.builder.calls.pop()


def _deepen(elab: Elaborator, call: Call, levels: int) -> None:
    """Notes how deep uses nest: so many levels below this one."""
    elab.deepest = max(elab.deepest, elab.depth + levels)
    if elab.deepest > DEEPEST:
        raise TooLarge(f"`{call.declared.name}` is used inside itself, or uses nest more than {DEEPEST} deep")


def _repeated(elab: Elaborator, call: Call, syntax: ast.Layer, given: Value, place: str, guard: Cases[bool]) -> Value:
    """The outputs of a use; of one like another before it, by copying that."""
    templates = elab.builder.templates
    alike = None if elab.builder.is_adrift else use(elab.builder, call, given, guard)
    if alike is not None:
        key = alike.key
        if key not in templates:
            templates[key] = None  # an op that reaches itself comes here again
            templates[key] = _alone(elab, syntax, alike)
        if (made := templates[key]) is not None:
            _deepen(elab, call, made.height)
            result = copied(elab.builder, made, alike, guard, place)
            if result is not None:
                return result
    cx = Context(call.declared.module, dict(call.arguments), call.way, place, {}, guard)
    return _applied(elab, syntax, call, given, cx)


def _alone(elab: Elaborator, syntax: ast.Layer, alike: Use) -> Template | None:
    """What uses like this one have in common; None where each has to be worked through.

    Raises `Unfit` within what is worked out by itself too: that it can be is not likely any more.
    """
    outside, deepest = elab.builder, elab.deepest
    elab.builder = inside = outside.alone(alike)
    elab.deepest = elab.depth
    try:
        result = _applied(elab, syntax, *alike.alone())
    except Unfit:
        if outside.is_alone:
            raise
        return None
    finally:
        elab.builder = outside
        height, elab.deepest = elab.deepest - elab.depth, max(deepest, elab.deepest)
    made = Template(inside, result, len(alike.tensors), height)
    return made if made.is_whole else None


def _applied(elab: Elaborator, syntax: ast.Layer, call: Call, given: Value, cx: Context) -> Value:
    if syntax.short is not None:
        inner = elab.inside(syntax.short, cx)
        layer = elab.layer(elab.value(syntax.short, inner), syntax.short, inner)
        return UNKNOWN if isinstance(layer, Unknown) else run(elab, layer, given, call.span, cx.guard)
    tensors = accepted(elab, call.declared.name, len(syntax.inputs), given, call.span)
    return UNKNOWN if tensors is None else body(elab, syntax, tensors, cx, call.span)


def body(
    elab: Elaborator, syntax: ast.Layer, tensors: Sequence[Tensor], cx: Context, call: Span | None = None
) -> Value:
    """The outputs of a body whose inputs are these tensors; `call` is where it is used."""
    builder, scope = elab.builder, dict(cx.scope)
    first, refused = len(builder.nodes), len(builder.refusals)
    cx = _entered(elab, syntax, tensors, scope, cx, call)
    unfit = slice(refused, len(builder.refusals))
    if builder.is_strict and builder.refusals[unfit]:
        return UNKNOWN
    with builder.adrift(bool(builder.refusals[unfit])):
        for statement in syntax.body:
            if isinstance(statement, ast.Bind):
                scope[statement.name.id] = elab.bind(statement, cx.seeing(scope))
        outputs = [_left(elab, port, scope, cx) for port in syntax.outputs]
    nodes = first, len(builder.nodes)
    builder.refusals[unfit] = [replace(refusal, nodes=nodes) for refusal in builder.refusals[unfit]]
    # Conditions come last: those on costs and counts speak of the whole body.
    here = replace(cx, scope=scope, nodes=None if call is None else nodes)
    for statement in syntax.body:
        if isinstance(statement, ast.Require):
            builder.require(constraint(elab, statement, here, outputs))
    return outputs[0] if len(outputs) == 1 else ListOf(tuple(outputs))


def _entered(
    elab: Elaborator,
    syntax: ast.Layer,
    tensors: Sequence[Tensor],
    scope: dict[str, Value],
    cx: Context,
    call: Span | None,
) -> Context:
    """Where a body stands whose inputs come into its scope: where they do not fit, it is not come to."""
    for port, tensor in zip(syntax.inputs, tensors, strict=True):
        scope[port.name.id] = tensor
        if port.sizes is not None:
            cx = cx.where(sizes(elab, port, tensor, scope, cx, call))
    return cx


def _left(elab: Elaborator, port: ast.Port, scope: dict[str, Value], cx: Context) -> Value:
    """What a body puts out."""
    value = scope.get(port.name.id, UNKNOWN)
    if isinstance(value, ListOf) and len(value.items) == 1:
        value = value.items[0]
    if not isinstance(value, Tensor | Unknown):
        cure = "give it an input: x -> .." if sort(value) == "a layer" else None
        elab.builder.report("E212", port.span, f"the output `{port.name.id}` is {sort(value)}, not a tensor", cure)
        return UNKNOWN
    if isinstance(value, Tensor) and port.sizes is not None:
        sizes(elab, port, value, scope, cx, None)
    return value
