"""Programs as they are run: one architecture at a time, in torch, on the meta device.

A choice is asked for where it is come to, and the chosen alternative alone is run. Where a layer does not take its
input the run goes on with a tensor that is `LOST`, so that every place that breaks an architecture is known.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from types import MappingProxyType
from typing import Any

import torch
from interpreted import (
    BROKEN,
    FINE,
    LOST,
    OPERATIONS,
    UNKNOWN,
    Layer,
    Subset,
    Text,
    Undecided,
    counts,
    fitting,
    flat,
    is_name,
    is_tensor,
    listed,
    parameters,
    summands,
    whole,
)
from torch_layers import MERGES, applied
from tried import Refused

from atnas.dsl.elaborate.context import Context
from atnas.dsl.source import Span
from atnas.dsl.syntax import ast
from atnas.dsl.syntax.unparse import text

Place = tuple[Any, ...]
"""What stands there, from .. to, after the uses and turns that it is in."""

Shape = tuple[int, ...]
Ask = Callable[[int], int]
"""Answers questions of so many options."""


@dataclass(frozen=True)
class Architecture:
    """What was decided, each option in the ways it may be written; what became of each place; the outputs' shapes.

    `refused`: the shapes that did not fit. `allowed`: whether it meets the conditions on decisions. What was not asked
    may be anything.
    """

    decided: dict[str, frozenset[str]]
    places: dict[Place, str]
    refused: dict[Place, list[Shape]]
    shapes: tuple[Any, ...]
    allowed: bool

    @property
    def breaks(self) -> bool:
        return BROKEN in self.places.values()

    def at(self, place: Place) -> str:
        """What becomes of a place; what is not come to is fine."""
        return self.places.get(place, FINE)

    def extends(self, assignment: Mapping[str, str]) -> bool:
        """Whether it is one of those that are left where these decisions are made so."""
        return all(name not in self.decided or word in self.decided[name] for name, word in assignment.items())


STAND_INS = {"c": 3, "h": 32, "w": 32, "way": 5}
"""Free sizes of a space that no tasks give."""


def run(program: Text, ask: Ask, assignment: Mapping[str, str] = MappingProxyType({})) -> Architecture:
    """The architecture that the answers to all questions give; none is asked about what is assigned."""
    return Execution(program, ask, assignment).architecture()


class Execution:
    """One run."""

    def __init__(self, program: Text, ask: Ask, assignment: Mapping[str, str]) -> None:
        self.program = program
        self.ask = ask
        self.assignment = assignment
        self.answers: dict[str, int] = {}
        self.decided: dict[str, frozenset[str]] = {}
        self.places: dict[Place, set[str]] = defaultdict(set)
        self.refused: dict[Place, list[Shape]] = {}
        self.path: tuple[Any, ...] = ()
        self.adrift = 0
        self.allowed = True

    def architecture(self) -> Architecture:
        space = self.program.space
        cx = Context(self.program.module, {}, "", "", {})
        sizes = {size.id for port in (*space.inputs, *space.outputs) for size in port.sizes or () if is_name(size)}
        free = {size: STAND_INS[size] for size in sizes & STAND_INS.keys()}
        cx = cx.seeing({**free, **{p.name.id: self.default(p, cx) for p in space.parameters}})
        shapes = [[self.value(size, cx) for size in port.sizes or ()] for port in space.inputs]
        outputs = listed(self.body(space, [torch.empty(1, *shape, device="meta") for shape in shapes], cx, None))
        places = {place: next(s for s in (BROKEN, UNKNOWN, FINE) if s in found) for place, found in self.places.items()}
        made = tuple("lost" if out is LOST else tuple(out.shape[1:]) for out in outputs)
        return Architecture(self.decided, places, self.refused, made, self.allowed)

    def decide(self, name: str, options: Sequence[frozenset[str]]) -> int:
        """The option that is taken: on the same way the same."""
        if name not in self.answers:
            wanted = [i for i, words in enumerate(options) if self.assignment.get(name) in words]
            self.answers[name] = wanted[0] if wanted else self.ask(len(options))
            self.decided[name] = options[self.answers[name]]
        return self.answers[name]

    def record(self, span: Span, status: str) -> None:
        self.places[*self.path, (span.start, span.end)].add(UNKNOWN if self.adrift else status)

    def within(self, step: Any, make: Callable[[], Any]) -> Any:
        """What is made in a use or a turn."""
        before, self.path = self.path, (*self.path, step)
        try:
            return make()
        finally:
            self.path = before

    # Expressions

    def value(self, node: ast.Expr, cx: Context) -> Any:
        match node:
            case ast.Number() | ast.Bool() | ast.String():
                return node.value
            case ast.Name(id=word):
                found = self.program.target(word, cx)
                return replace(found, node=node) if isinstance(found, Undecided) else found
            case ast.List(items=items):
                return [self.value(item, cx) for item in items]
            case ast.Each():
                return [make() for make in self.elements(node, cx)]
            case ast.Range(low=low, high=high, step=step):
                first, last, by = (self.value(n, cx) if n else 1 for n in (low, high, step))
                found = [first + i * by for i in range(round((last - first) / by) + 1)]
                return found[self.decide(cx.name(node), [frozenset({str(n)}) for n in found])]
            case ast.Subset():
                return self.subset(node, cx)
            case ast.Choice():
                return self.choice(node, cx)
            case ast.Index(target=target, index=index):
                items, at = self.value(target, cx), self.value(index, cx)
                return LOST if items is LOST or at is LOST else items[at]
            case ast.Pipe():
                return self.pipe(node, cx)
            case ast.Negate(operand=operand):
                return -self.value(operand, cx)
            case ast.Binary():
                return self.binary(node, cx)
            case ast.Call():
                return self.call(node, cx)

    def pipe(self, node: ast.Pipe, cx: Context) -> Any:
        first, then = self.value(node.left, cx), self.layer(node.right, cx)
        if is_tensor(first):
            return self.within(node.span.end, lambda: then.run(listed(first)))
        before = self.layer(node.left, cx, first)
        return Layer(lambda given: then.run(listed(before.run(given))))

    def choice(self, node: ast.Choice, cx: Context) -> Any:
        option = node.options[self.decide(cx.name(node), [self.said(option, cx) for option in node.options])]
        found = self.value(option, cx)
        if isinstance(found, Layer | Undecided):
            return replace(self.layer(option, cx, found), chosen=self.program.text(option))
        return found

    def said(self, option: ast.Expr, cx: Context) -> frozenset[str]:
        """An option in the ways it may be told: as it is written, and a number or word that has a name by itself."""
        named = cx.scope.get(option.id) if is_name(option) else None
        words = {self.program.text(option)}
        return frozenset(words | {str(named).lower()} if isinstance(named, int | float | str) else words)

    def subset(self, node: ast.Subset, cx: Context) -> Subset:
        ends = (node.count.low, node.count.high) if isinstance(node.count, ast.Range) else (node.count, node.count)
        low, high = (self.value(end, cx) for end in ends)
        makes = self.elements(node.items, cx)
        picks = [pick for size in range(low, high + 1) for pick in combinations(range(len(makes)), size)]
        pick = picks[self.decide(cx.name(node), [frozenset({str(list(p))}) for p in picks])]
        return Subset([makes[i]() for i in pick], makes[0])

    def elements(self, node: ast.Expr, cx: Context) -> list[Callable[[], Any]]:
        """The elements of a list, each to be made where it is wanted."""
        if isinstance(node, ast.List):
            return [lambda item=item: self.value(item, cx) for item in node.items]
        if not isinstance(node, ast.Each):
            return [lambda item=item: item for item in self.value(node, cx)]
        scopes = []
        for item in self.value(node.source, cx):
            parts = [item] if len(node.names) == 1 else item
            scopes.append({**cx.scope, **{n.id: part for n, part in zip(node.names, parts, strict=True)}})
        turns = [cx.turn(i, scope) for i, scope in enumerate(scopes)]
        return [lambda turn=turn: self.within(turn.turns, lambda: self.value(node.item, turn)) for turn in turns]

    def binary(self, node: ast.Binary, cx: Context) -> Any:
        if node.op == "*" and not counts(node.left, cx):
            turns = self.value(node.right, cx)
            return self.chained([self.layer(node.left, cx.turn(i)) for i in range(0 if turns is LOST else turns)])
        parts = list(summands(node)) if node.op == "+" else [node.left, node.right]
        found = [self.value(part, cx) for part in parts]
        if node.op == "+" and any(is_tensor(part) and part is not LOST for part in found):
            return self.merge("add", found, node.span)
        if any(part is LOST for part in found):
            return self.lost(node) if node.op == "+" else LOST
        total = found[0]
        for part in found[1:]:
            total = OPERATIONS[node.op](total, part)
        return whole(total)

    def lost(self, node: ast.Expr) -> Any:
        self.record(node.span, UNKNOWN)
        return LOST

    def call(self, node: ast.Call, cx: Context) -> Any:
        word, values = node.function.id, [argument.value for argument in node.arguments]
        if word == "range":
            return list(range(self.value(values[0], cx)))
        if word == "chain" and isinstance(values[0], ast.List):
            return self.chained([self.layer(item, cx) for item in values[0].items])
        if word == "chain":
            found = self.value(values[0], cx)
            return self.chained([self.layer(values[0], cx.turn(i), layer) for i, layer in enumerate(found)])
        return self.use(self.program.target(word, cx), node, node, cx)

    # Layers

    def layer(self, node: ast.Expr, cx: Context, value: Any = None) -> Layer:
        """An expression as a layer; a bare name is a use of what it names."""
        value = self.value(node, cx) if value is None else value
        if isinstance(value, Undecided):
            made = self.use(value, node if isinstance(node, ast.Name | ast.Call) else value.node, node, cx)
            assert isinstance(made, Layer)
            return made
        return Layer(lambda _: LOST) if value is LOST else value

    def use(self, target: Undecided, call: ast.Call | ast.Name, site: ast.Expr, cx: Context) -> Any:
        given = call.arguments if isinstance(call, ast.Call) else ()
        if isinstance(target.target, ast.Layer):
            return self.declared(target.target, call, given, site, cx)
        word = target.target
        if word not in MERGES:
            return self.standard(word, call, given, cx)
        if given:
            return self.merge(word, [self.value(argument.value, cx) for argument in given], call.span)
        return Layer(lambda xs: self.merge(word, xs, call.span))

    def standard(self, word: str, call: ast.Call | ast.Name, given: Sequence[ast.Argument], cx: Context) -> Layer:
        arguments: dict[str, Any] = {}
        for i, argument in enumerate(given):
            name, node = argument.name.id if argument.name else parameters(word)[i], argument.value
            bare = node.id if isinstance(node, ast.Name) and node.id not in cx.scope else None
            arguments[name] = self.value(node, cx) if bare is None else bare
            self.record(node.span, fitting(name, arguments[name]))
        return Layer(lambda xs: self.applied(word, xs, arguments, call.span))

    def applied(self, word: str, xs: list[Any], arguments: dict[str, Any], span: Span) -> Any:
        (x,) = xs
        misfit = any(fitting(name, value) != FINE for name, value in arguments.items())
        return self.made(word, [LOST if misfit else x], span, arguments)

    def merge(self, word: str, given: list[Any], span: Span) -> Any:
        xs = list(flat(given))
        if not xs and word == "add" and isinstance(given[0], Subset):
            self.adrift += 1  # of what was not chosen the shape alone matters
            xs = [given[0].first()]
            self.adrift -= 1
        return self.made(word, xs, span, {})

    def made(self, word: str, xs: list[Any], span: Span, arguments: dict[str, Any]) -> Any:
        """What comes of a layer that takes these tensors, or is lost."""
        if any(x is LOST for x in xs):
            self.record(span, UNKNOWN)
            return LOST
        try:
            out = applied(word, xs, arguments)
        except Refused:
            self.record(span, BROKEN)
            self.refused[*self.path, (span.start, span.end)] = [tuple(x.shape[1:]) for x in xs]
            return LOST
        self.record(span, FINE)
        return out

    def declared(
        self, layer: ast.Layer, call: ast.Call | ast.Name, given: Sequence[ast.Argument], site: ast.Expr, cx: Context
    ) -> Layer:
        names = [parameter.name.id for parameter in layer.parameters]
        arguments = {a.name.id if a.name else names[i]: self.value(a.value, cx) for i, a in enumerate(given)}
        way = cx.name(site) if id(site) in cx.steps else cx.unnamed(layer.name.id)
        inner = Context(self.program.module, {}, layer.name.id if layer.keyword == "cell" else way, "", {})
        for parameter in layer.parameters:
            if parameter.name.id not in arguments:
                arguments[parameter.name.id] = self.default(parameter, inner.seeing(arguments))
        inner = inner.seeing(arguments)
        if layer.short is None:
            return Layer(lambda xs: self.within(call.span.start, lambda: self.body(layer, xs, inner, call.span)))
        short, chosen = layer.short, None
        if isinstance(short, ast.Choice):  # what it is decided to be is asked for by conditions
            chosen = self.layer(short, self.program.inside(short, inner)).chosen

        def through(xs: list[Any]) -> Any:
            return self.layer(short, self.program.inside(short, inner)).run(xs)

        return Layer(lambda xs: self.within(call.span.start, lambda: through(xs)), chosen)

    def chained(self, layers: list[Layer]) -> Layer:
        def through(given: list[Any]) -> Any:
            for i, layer in enumerate(layers):
                given = self.within(f"turn {i}", lambda layer=layer, given=given: listed(layer.run(given)))
            return given if len(given) > 1 else given[0]

        return Layer(through)

    # Bodies

    def default(self, parameter: ast.Parameter, cx: Context) -> Any:
        assert parameter.default is not None
        return self.bound(parameter.name.id, parameter.default, cx)

    def bound(self, name: str, node: ast.Expr, cx: Context) -> Any:
        """The value under a name: what is undecided still is decided here."""
        inner = self.program.inside(node, cx.under(f"{cx.way}.{name}" if cx.way else name, ""))
        found = self.value(node, inner)
        target = found.target if isinstance(found, Undecided) else None
        if isinstance(target, ast.Layer) and all(p.default is not None for p in target.parameters):
            return self.layer(node, inner, found)
        return found

    def body(self, layer: ast.Layer, tensors: list[Any], cx: Context, call: Span | None) -> Any:
        scope = dict(cx.scope)
        unfit = False
        for port, tensor in zip(layer.inputs, tensors, strict=True):
            scope[port.name.id] = tensor
            unfit |= not self.port(port, tensor, scope, cx, call)
        self.adrift += unfit
        for line in layer.body:
            if isinstance(line, ast.Bind):
                scope[line.name.id] = self.bound(line.name.id, line.value, cx.seeing(scope))
        outputs = []
        for port in layer.outputs:
            (out,) = listed(scope[port.name.id])
            self.port(port, out, scope, cx, None)
            outputs.append(LOST if unfit else out)
        for line in layer.body:
            if isinstance(line, ast.Require) and not self.adrift:
                self.allowed &= self.meets(line, cx.seeing(scope))
        self.adrift -= unfit
        return outputs if len(outputs) > 1 else outputs[0]

    def port(self, port: ast.Port, tensor: Any, scope: dict[str, Any], cx: Context, call: Span | None) -> bool:
        """Reads the sizes of a port; False where the tensor has others."""
        if port.sizes is None:
            return True
        shape = [LOST] * len(port.sizes) if tensor is LOST else list(tensor.shape[1:])
        fits = len(shape) == len(port.sizes)
        for size, actual in zip(port.sizes, shape, strict=False):
            if isinstance(size, ast.Name) and size.id not in scope:
                scope[size.id] = actual
            wanted = self.value(size, cx.seeing(scope))
            fits &= wanted is LOST or actual is LOST or wanted == actual
        for size in port.sizes:
            if isinstance(size, ast.Name):
                scope.setdefault(size.id, LOST)
        span = call or port.span
        self.record(span, UNKNOWN if tensor is LOST else FINE if fits else BROKEN)
        if not fits:
            self.refused[*self.path, (span.start, span.end)] = [tuple(shape)]
        return fits

    def meets(self, line: ast.Require, cx: Context) -> bool:
        """Whether a condition is met; those on costs and counts do not matter to shapes."""
        sides = [line.condition] if line.guard is None else [line.guard, line.condition]
        if any(word in text(side) for side in sides for word in ("params", "macs", "count")):
            return True
        found = [self.condition(side, cx) for side in sides]
        return any(value is LOST for value in found) or bool(found[-1]) or not all(found[:-1])

    def condition(self, node: ast.Expr, cx: Context) -> Any:
        if not isinstance(node, ast.Binary):
            return self.value(node, self.program.inside(node, cx))
        layer = cx.scope.get(node.left.id) if isinstance(node.left, ast.Name) else None
        if isinstance(layer, Layer):
            words = [text(n) for n in (node.right.items if isinstance(node.right, ast.List) else (node.right,))]
            return (layer.chosen in words) == (node.op != "!=")
        left, right = self.condition(node.left, cx), self.condition(node.right, cx)
        return LOST if left is LOST or right is LOST else OPERATIONS[node.op](left, right)
