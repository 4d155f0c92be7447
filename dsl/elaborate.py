"""Expressions to values: decisions are made here, where `|`, a range or `of` is written, once for each way to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from math import comb

from atnas.dsl import ast
from atnas.dsl.apply import join, run
from atnas.dsl.arguments import Given, assign, settle
from atnas.dsl.build import Builder
from atnas.dsl.cases import TRUE, Cases, apply, both
from atnas.dsl.cases import values as cases_values
from atnas.dsl.modules import Declared, Module
from atnas.dsl.naming import Names, Steps, steps
from atnas.dsl.net import (
    Arith,
    Compare,
    Condition,
    Json,
    Metric,
    Num,
    Pick,
    Read,
    Static,
    arithmetic,
    number,
)
from atnas.dsl.operator import parameters
from atnas.dsl.plugins import entries, load
from atnas.dsl.source import Span
from atnas.dsl.suggest import nearest
from atnas.dsl.unparse import text
from atnas.dsl.values import (
    LAYERS,
    NUMBERS,
    Alternatives,
    Call,
    Chain,
    Chosen,
    LayerValue,
    ListOf,
    Repeat,
    Standard,
    Tensor,
    Undecided,
    Unknown,
    Value,
    sort,
)

MOST_OPTIONS = 10_000
"""Options of one decision and turns of one repeat that a program may have."""

BUILTINS = ("chain", "range")
METRICS = ("params", "macs", "flops", "activations", "depth")
COMPARISONS = ("==", "!=", "<", "<=", ">", ">=", "in", "and")
UNKNOWN = Unknown()


@dataclass(frozen=True)
class Context:
    """Where an expression stands.

    `way` begins the names of its decisions, `place` the names of its weights; `turns` are the turns of `*` and `for`
    around it within its expression; the guard holds in those architectures that come here at all.
    """

    module: Module
    scope: Mapping[str, Value]
    way: str
    place: str
    steps: Steps
    guard: Cases[bool] = TRUE
    turns: tuple[int, ...] = ()

    def name(self, node: ast.Expr) -> str:
        """The name of the decision made at a site, or the way into it."""
        step = self.steps[id(node)]
        turns = "".join(f"[{t}]" for t in self.turns)
        head, dot, tail = step.rpartition(".") if step.endswith(".depth") else (step, "", "")
        return ".".join(p for p in (self.way, head) if p) + turns + dot + tail

    def beneath(self, word: str) -> str:
        return f"{self.place}/{word}" + "".join(f"[{t}]" for t in self.turns)


class Elaborator:
    """Evaluates expressions into a net under construction."""

    def __init__(self, builder: Builder) -> None:
        self.builder = builder
        self.depth = 0
        self._steps: dict[tuple[int, frozenset[str]], Steps] = {}

    def value(self, node: ast.Expr, cx: Context) -> Value:
        """What an expression means here."""
        match node:
            case ast.Number(value=value) | ast.Bool(value=value) | ast.String(value=value):
                return value
            case ast.Name():
                return self._name(node, cx)
            case ast.List(items=items):
                return ListOf(tuple(self.value(i, cx) for i in items))
            case ast.Each():
                return self._each(node, cx)
            case ast.Call():
                return self._call(node, cx)
            case ast.Index():
                return self._index(node, cx)
            case ast.Range():
                return self._range(node, cx)
            case ast.Subset():
                return self._subset(node, cx)
            case ast.Negate(operand=operand):
                return self._arithmetic("-", 0, self.value(operand, cx), node.span)
            case ast.Choice():
                return self._choice(node, cx)
            case ast.Pipe():
                return self._pipe(node, cx)
            case ast.Binary(op="*"):
                return self._times(node, cx)
            case ast.Binary(op="+"):
                return self._plus(node, cx)
            case ast.Binary(op=op, left=left, right=right):
                return self._arithmetic(op, self.value(left, cx), self.value(right, cx), node.span)

    def bound(self, value: ast.Expr, cx: Context, name: str) -> Value:
        """The value of `name = value` in a body whose way and place `cx` holds."""
        way = f"{cx.way}.{name}" if cx.way else name
        place = f"{cx.place}/{name}" if cx.place else name
        return self.value(value, self.inside(value, replace(cx, way=way, place=place)))

    def inside(self, node: ast.Expr, cx: Context) -> Context:
        """The context of a whole expression: its sites have their steps, no turn has begun."""
        key = id(node), frozenset(n for n, v in cx.scope.items() if isinstance(v, Undecided))
        if key not in self._steps:
            self._steps[key] = steps(node, self._names(cx))
        return replace(cx, steps=self._steps[key], turns=())

    def layer(self, value: Value, node: ast.Expr, cx: Context) -> LayerValue | Unknown:
        """A value as a layer; an operator's bare name is a use of it without arguments."""
        if isinstance(value, Undecided):
            made = self._use(value, node if isinstance(node, ast.Name | ast.Call) else value.node, (), cx, node)
            return made if isinstance(made, LAYERS) else UNKNOWN
        if isinstance(value, LAYERS):
            return value
        if not isinstance(value, Unknown):
            cure = "write chain(..) for layers one after another" if isinstance(value, ListOf) else None
            self.builder.report("E201", node.span, f"a layer is wanted here, not {sort(value)}", cure)
        return UNKNOWN

    def condition(self, node: ast.Expr, cx: Context) -> Condition | Unknown:
        """A condition of `require`: comparisons of numbers and metrics, joined by `and`."""
        match node:
            case ast.Binary(op=op, left=left, right=right) if op in COMPARISONS:
                sides = self.condition(left, cx), self.condition(right, cx)
                if isinstance(sides[0], Unknown) or isinstance(sides[1], Unknown):
                    return UNKNOWN
                return Compare(op, sides[0], sides[1])
            case ast.Name(id=word) if word in METRICS and word not in cx.scope:
                return Metric(word)
            case ast.List(items=items):
                fixed = tuple(self.value(i, cx) for i in items)
                if all(isinstance(f, int | float | str) for f in fixed):
                    return fixed  # type: ignore[return-value]
                self.builder.report("E404", node.span, "a condition compares with a list of fixed numbers")
                return UNKNOWN
            case _:
                value = self._compared(node, cx)
                if isinstance(value, NUMBERS) or isinstance(value, Unknown):
                    return value  # type: ignore[return-value]
                self.builder.report(
                    "E404", node.span, f"a condition compares numbers and metrics, and this is {sort(value)}",
                    f"the metrics are {', '.join(METRICS)}",
                )
                return UNKNOWN

    def _compared(self, node: ast.Expr, cx: Context) -> Value:
        if isinstance(node, ast.Name) and self._lookup(node.id, cx) is None:
            close = nearest(node.id, [*cx.scope, *METRICS])
            cure = f"did you mean `{close}`?" if close else f"the metrics are {', '.join(METRICS)}"
            self.builder.report("E101", node.span, f"there is no `{node.id}`", cure)
            return UNKNOWN
        return self.value(node, self.inside(node, cx))

    # Names and calls

    def _names(self, cx: Context) -> Names:
        def leads(word: str) -> bool:
            if word in cx.scope:
                return isinstance(cx.scope[word], Undecided)
            declared = cx.module.names.get(word)
            return declared is not None and isinstance(declared.syntax, ast.Layer)

        def argument(function: str, position: int) -> str:
            target = self._lookup(function, cx)
            if not isinstance(target, Undecided):
                return ""
            if isinstance(target.target, Declared):
                syntax = target.target.syntax
                names = [p.name.id for p in syntax.parameters] if isinstance(syntax, ast.Layer) else []
            else:
                names = [p.name for p in parameters(target.target)]
            return names[position] if position < len(names) and function not in ("add", "concat") else ""

        return Names(leads, argument)

    def _lookup(self, word: str, cx: Context, node: ast.Name | None = None) -> Value | None:
        if word in cx.scope:
            return cx.scope[word]
        at = node or ast.Name(Span(cx.module.source, 0, 0), word)
        declared = cx.module.names.get(word)
        if declared is not None and isinstance(declared.syntax, ast.Layer):
            return Undecided(word, declared, at)
        if word in entries("ops"):
            return Undecided(word, load("ops", word), at)
        return None

    def _name(self, node: ast.Name, cx: Context) -> Value:
        found = self._lookup(node.id, cx, node)
        if found is not None:
            return found
        self._unknown(node, cx)
        return UNKNOWN

    def _unknown(self, node: ast.Name, cx: Context) -> None:
        declared = cx.module.names.get(node.id)
        if declared is not None:
            self.builder.report("E201", node.span, f"`{node.id}` is a `{declared.syntax.keyword}`, not a layer")
            return
        layers = [n for n, d in cx.module.names.items() if isinstance(d.syntax, ast.Layer)]
        close = nearest(node.id, [*cx.scope, *layers, *entries("ops"), *BUILTINS])
        self.builder.report(
            "E101", node.span, f"there is no `{node.id}`", f"did you mean `{close}`?" if close else None
        )

    def _call(self, node: ast.Call, cx: Context) -> Value:
        word = node.function.id
        if word in BUILTINS and word not in cx.scope and word not in cx.module.names:
            return self._builtin(node, cx)
        target = self._lookup(word, cx, node.function)
        if target is None:
            self._unknown(node.function, cx)
            return UNKNOWN
        if isinstance(target, Unknown):
            return UNKNOWN
        given = [Given(a, self.value(a.value, cx)) for a in node.arguments]
        if not isinstance(target, Undecided):
            self.builder.report(
                "E205",
                node.span,
                f"`{word}` is {sort(target)} already; it takes no arguments",
                f"write `{word}` alone" if sort(target) == "a layer" else None,
            )
            return UNKNOWN
        return self._use(target, node, given, cx, node)

    def _use(
        self,
        target: Undecided,
        call: ast.Call | ast.Name,
        given: Sequence[Given],
        cx: Context,
        site: ast.Expr,
    ) -> Value:
        if isinstance(target.target, Declared):
            return self._declared(target.target, call, given, cx, site)
        if target.target.variadic and given:
            tensors = [(g.value, g.syntax.value.span) for g in given]
            return join(self, target.name, tensors, cx.beneath(target.name), call.span, cx.guard)
        arguments = settle(self.builder, call, target.target, given)
        if arguments is None:
            return UNKNOWN
        return Standard(target.name, target.target, arguments, cx.beneath(target.name), call.span)

    def _declared(
        self,
        declared: Declared,
        call: ast.Call | ast.Name,
        given: Sequence[Given],
        cx: Context,
        site: ast.Expr,
    ) -> Value:
        syntax = declared.syntax
        assert isinstance(syntax, ast.Layer)
        if syntax.keyword == "space":
            self.builder.report("E201", call.span, f"`{syntax.name.id}` is a space; a layer is an `op` or a `cell`")
            return UNKNOWN
        names = [p.name.id for p in syntax.parameters]
        required = {p.name.id for p in syntax.parameters if p.default is None}
        found = assign(self.builder, call, given, names, required)
        if found is None:
            return UNKNOWN
        word = call.function.id if isinstance(call, ast.Call) else call.id
        if syntax.keyword == "cell":
            way = syntax.name.id
        else:
            way = cx.name(site) if id(site) in cx.steps else f"{cx.way}.{word}"
        place = cx.beneath(word)
        arguments: dict[str, Value] = {}
        inner = Context(declared.module, arguments, way, place, {}, cx.guard)
        for parameter in syntax.parameters:
            name = parameter.name.id
            if name in found:
                arguments[name] = found[name].value
            elif parameter.default is not None:
                arguments[name] = self.bound(parameter.default, inner, name)
        return Call(declared, tuple(arguments.items()), way, place, call.span)

    def _builtin(self, node: ast.Call, cx: Context) -> Value:
        word = node.function.id
        if len(node.arguments) != 1 or node.arguments[0].name is not None:
            wanted = "a list of layers" if word == "chain" else "a whole number"
            self.builder.report("E204", node.span, f"`{word}` takes one argument, {wanted}")
            return UNKNOWN
        given = node.arguments[0].value
        value = self.value(given, cx)
        if word == "range":
            size = self.whole(value, given.span, "the length of a list", most=MOST_OPTIONS)
            return UNKNOWN if size is None else ListOf(tuple(range(size)))
        return self._chain(value, given, cx)

    def _chain(self, value: Value, node: ast.Expr, cx: Context) -> Value:
        if isinstance(value, Chosen):
            options = [self.layer(i, node, cx) for i in value.items]
            if any(isinstance(o, Unknown) for o in options):
                return UNKNOWN
            return Chain(
                tuple(
                    Alternatives(
                        Pick(value.decision, tuple(int(i in picks) for picks in value.picks)),
                        (0, 1),
                        (Chain(()), option),  # type: ignore[arg-type]
                        node.span,
                    )
                    for i, option in enumerate(options)
                )
            )
        if not isinstance(value, ListOf):
            if not isinstance(value, Unknown):
                self.builder.report("E201", node.span, f"`chain` takes a list of layers, not {sort(value)}")
            return UNKNOWN
        items = node.items if isinstance(node, ast.List) else [node] * len(value.items)
        parts = [self.layer(v, n, cx) for v, n in zip(value.items, items, strict=True)]
        if any(isinstance(p, Unknown) for p in parts):
            return UNKNOWN
        return Chain(tuple(parts))  # type: ignore[arg-type]

    # Lists

    def _each(self, node: ast.Each, cx: Context) -> Value:
        source = self.value(node.source, cx)
        if not isinstance(source, ListOf | Chosen):
            if not isinstance(source, Unknown):
                self.builder.report("E201", node.source.span, f"`for` goes over a list, not {sort(source)}")
            return UNKNOWN
        items: list[Value] = []
        for i, item in enumerate(source.items):
            names = self._unpacked(node, item)
            if names is None:
                return UNKNOWN
            items.append(self.value(node.item, replace(cx, scope={**cx.scope, **names}, turns=(*cx.turns, i))))
        return replace(source, items=tuple(items))

    def _unpacked(self, node: ast.Each, item: Value) -> dict[str, Value] | None:
        if len(node.names) == 1:
            return {node.names[0].id: item}
        if isinstance(item, ListOf) and len(item.items) == len(node.names):
            return {n.id: v for n, v in zip(node.names, item.items, strict=True)}
        if not isinstance(item, Unknown):
            has = f"has {len(item.items)}" if isinstance(item, ListOf) else f"is {sort(item)}"
            span = node.names[0].span.to(node.names[-1].span)
            self.builder.report("E210", span, f"there are {len(node.names)} names, and an element {has}")
        return None

    def _index(self, node: ast.Index, cx: Context) -> Value:
        target = self.value(node.target, cx)
        index = self.value(node.index, cx)
        if isinstance(target, Unknown) or isinstance(index, Unknown):
            return UNKNOWN
        if not isinstance(target, ListOf | Chosen):
            self.builder.report("E201", node.target.span, f"only a list has elements, and this is {sort(target)}")
            return UNKNOWN
        if isinstance(index, bool) or not isinstance(index, int):
            self.builder.report("E201", node.index.span, f"an element has a whole number, not {sort(index)}")
            return UNKNOWN
        size = len(target.items) if isinstance(target, ListOf) else min(len(p) for p in target.picks)
        if not -size <= index < size:
            cure = f"they are numbered 0 to {size - 1}" if size else None
            self.builder.report("E210", node.index.span, f"there is no element {index}: the list has {size}", cure)
            return UNKNOWN
        if isinstance(target, ListOf):
            return target.items[index]
        at = [picks[index] for picks in target.picks]
        used = sorted(set(at))
        selector = Pick(target.decision, tuple(at))
        return self._among(selector, tuple(used), [target.items[i] for i in used], [node] * len(used), node, cx)

    # Decisions

    def _range(self, node: ast.Range, cx: Context) -> Value:
        number = self.builder.reserve(cx.name(node))
        ends = [self._static(self.value(e, cx), e) for e in (node.low, node.high)]
        step = 1 if node.step is None else self._static(self.value(node.step, cx), node.step)
        low, high = ends
        if low is None or high is None or step is None:
            return self._undone(number)
        if step <= 0:
            assert node.step is not None
            self.builder.report("E401", node.step.span, f"the step of a range must be more than 0, not {step}")
            return self._undone(number)
        if low > high:
            self.builder.report("E401", node.span, f"this range is empty: {low} is more than {high}")
            return self._undone(number)
        count = int((high - low) / step + 1e-9) + 1
        if count > MOST_OPTIONS:
            self.builder.report("E405", node.span, f"this range has {count:,} options; at most {MOST_OPTIONS:,} are taken")
            return self._undone(number)
        options = tuple(low + i * step for i in range(count))
        self.builder.decide(number, "number", options, True, node.span)
        return Pick(number, options)

    def _subset(self, node: ast.Subset, cx: Context) -> Value:
        decision = self.builder.reserve(cx.name(node))
        source = self.value(node.items, cx)
        sizes = self._sizes(node.count, cx)
        if isinstance(source, Unknown) or sizes is None:
            return self._undone(decision)
        if not isinstance(source, ListOf):
            self.builder.report("E201", node.items.span, f"`of` chooses from a list, not {sort(source)}")
            return self._undone(decision)
        n = len(source.items)
        if sizes[-1] > n or sizes[0] < 0:
            self.builder.report("E402", node.span, f"{text(node.count)} of {n} cannot be chosen")
            return self._undone(decision)
        if (total := sum(comb(n, k) for k in sizes)) > MOST_OPTIONS:
            self.builder.report("E405", node.span, f"this choice has {total:,} options; at most {MOST_OPTIONS:,} are taken")
            return self._undone(decision)
        picks = tuple(p for k in sizes for p in combinations(range(n), k))
        self.builder.decide(decision, "subset", [list(p) for p in picks], False, node.span)
        return Chosen(decision, picks, source.items)

    def _sizes(self, node: ast.Expr, cx: Context) -> range | None:
        if isinstance(node, ast.Range):
            low, high = (self.whole(self.value(e, cx), e.span, "a count") for e in (node.low, node.high))
            if low is None or high is None:
                return None
            if low > high:
                self.builder.report("E401", node.span, f"this range is empty: {low} is more than {high}")
                return None
            return range(low, high + 1)
        size = self.whole(self.value(node, cx), node.span, "a count")
        return None if size is None else range(size, size + 1)

    def _choice(self, node: ast.Choice, cx: Context) -> Value:
        decision = self.builder.reserve(cx.name(node))
        keys = tuple(range(len(node.options)))
        selector = Pick(decision, keys)
        options = []
        for i, option in enumerate(node.options):
            holds = apply(lambda k, i=i: k == i, self._selector(decision, len(keys)))
            options.append(self.value(option, replace(cx, guard=both(cx.guard, holds))))
        if any(isinstance(o, Unknown) for o in options):
            return self._undone(decision)
        return self._decided(node, decision, selector, keys, options, cx)

    def _decided(
        self,
        node: ast.Choice,
        decision: int,
        selector: Num,
        keys: tuple[int, ...],
        options: list[Value],
        cx: Context,
    ) -> Value:
        if all(isinstance(o, NUMBERS) for o in options):
            labels: list[Json] = [
                o if isinstance(o, int | float | str) else text(n)
                for o, n in zip(options, node.options, strict=True)
            ]
            ordered = all(isinstance(o, int | float) and not isinstance(o, bool) for o in options)
            ordered = ordered and labels == sorted(labels)  # type: ignore[type-var]
            if len({(type(x), x) for x in labels if isinstance(x, int | float | str)}) < len(labels):
                self.builder.report("E406", node.span, "the same value stands twice in this choice")
            self.builder.decide(decision, "number", labels, ordered, node.span)
            return Pick(decision, tuple(options))  # type: ignore[arg-type]
        words = [text(o) for o in node.options]
        if all(isinstance(o, Tensor) for o in options):
            self.builder.decide(decision, "tensor", words, False, node.span)
        elif all(isinstance(o, (*LAYERS, Undecided)) for o in options):
            self.builder.decide(decision, "layer", words, False, node.span)
        else:
            self._mixed(node, options)
            return self._undone(decision)
        return self._among(selector, keys, options, list(node.options), node, cx)

    def _among(
        self,
        selector: Num,
        keys: tuple[Static, ...],
        options: Sequence[Value],
        nodes: Sequence[ast.Expr],
        node: ast.Expr,
        cx: Context,
    ) -> Value:
        """One of several tensors or layers, whichever key the selector has."""
        if all(isinstance(o, Tensor) for o in options):
            sources = tuple(o.node for o in options if isinstance(o, Tensor))
            return Tensor(self.builder.choice(selector, keys, sources, node.span))
        if all(isinstance(o, NUMBERS) for o in options) and isinstance(selector, Pick):
            at = {key: o for key, o in zip(keys, options, strict=True)}
            return Pick(selector.decision, tuple(at[k] for k in selector.options))  # type: ignore[index, misc]
        layers = [self.layer(o, n, cx) for o, n in zip(options, nodes, strict=True)]
        if any(isinstance(x, Unknown) for x in layers):
            return UNKNOWN
        return Alternatives(selector, keys, tuple(layers), node.span)  # type: ignore[arg-type]

    def _mixed(self, node: ast.Choice, options: Sequence[Value]) -> None:
        sorts = [sort(o) for o in options]
        first = next(i for i, s in enumerate(sorts) if s != sorts[0])
        tensor = "a tensor" in sorts and "a layer" in sorts
        self.builder.report(
            "E202",
            node.span,
            f"`{text(node.options[0])}` is {sorts[0]} and `{text(node.options[first])}` is {sorts[first]}: "
            "a choice is between values of one kind",
            "`->` binds tighter than `|`: put the choice in parentheses, x -> (a | b)" if tensor else None,
        )

    def _selector(self, decision: int, options: int) -> Cases[int]:
        return number(Pick(decision, tuple(range(options))))  # type: ignore[return-value]

    def _undone(self, decision: int) -> Unknown:
        """Keeps a reserved decision in place where its options could not be found out."""
        if self.builder.decisions[decision] is None:
            span = Span(self.builder.source, 0, 0)
            self.builder.decide(decision, "number", (0,), False, span)
        return UNKNOWN

    # Pipes, repeats, sums

    def _pipe(self, node: ast.Pipe, cx: Context) -> Value:
        left = self.value(node.left, cx)
        right = self.value(node.right, cx)
        if isinstance(right, Tensor | ListOf | Chosen):
            self.builder.report(
                "E206", node.right.span, f"right of `->` stands a layer, not {sort(right)}", "write it to the left"
            )
            return UNKNOWN
        layer = self.layer(right, node.right, cx)
        if isinstance(left, Unknown) or isinstance(layer, Unknown):
            return UNKNOWN
        if isinstance(left, Tensor | ListOf | Chosen):
            return run(self, layer, left, node.right.span, cx.guard)
        first = self.layer(left, node.left, cx)
        return UNKNOWN if isinstance(first, Unknown) else Chain((first, layer))

    def _times(self, node: ast.Binary, cx: Context) -> Value:
        right = self.value(node.right, cx)
        if self._is_number(node.left, cx):
            left = self.value(node.left, cx)
            if isinstance(left, NUMBERS) and isinstance(right, (*LAYERS, Undecided)):
                layer, count = text(node.right), text(node.left)
                self.builder.report("E208", node.span, "the count of a repeat stands right of `*`", f"write {layer} * {count}")
                return UNKNOWN
            return self._arithmetic("*", left, right, node.span)
        if isinstance(right, Unknown):
            return UNKNOWN
        if not isinstance(right, NUMBERS) or isinstance(right, bool | float | str):
            self.builder.report("E201", node.right.span, f"a repeat takes a whole number, not {sort(right)}")
            return UNKNOWN
        return self._repeat(node, right, cx)

    def _repeat(self, node: ast.Binary, count: Num, cx: Context) -> Value:
        counts = cases_values(number(count))
        bad = next((c for c in counts if isinstance(c, bool) or not isinstance(c, int) or c < 0), None)
        if bad is not None:
            self.builder.report("E201", node.right.span, f"a repeat takes a whole number of at least 0, not {bad}")
            return UNKNOWN
        whole = sorted(c for c in counts if isinstance(c, int))
        if whole[-1] > MOST_OPTIONS:
            self.builder.report("E405", node.right.span, f"{whole[-1]:,} turns; at most {MOST_OPTIONS:,} are taken")
            return UNKNOWN
        if isinstance(count, Pick) and isinstance(node.right, ast.Range | ast.Choice):
            self.builder.deepen(count.decision)
        turns: list[LayerValue] = []
        for i in range(whole[-1]):
            turn = replace(cx, turns=(*cx.turns, i))
            layer = self.layer(self.value(node.left, turn), node.left, turn)
            if isinstance(layer, Unknown):
                return UNKNOWN
            turns.append(layer)
        return Repeat(tuple(turns), count, tuple(whole), node.span)

    def _is_number(self, node: ast.Expr, cx: Context) -> bool:
        """Whether the left side of `*` is a number, known before it is evaluated: a layer decides at each turn."""
        match node:
            case ast.Number() | ast.Range() | ast.Negate() | ast.Bool():
                return True
            case ast.Name(id=word):
                return isinstance(cx.scope.get(word), NUMBERS)
            case ast.Binary(left=left):
                return self._is_number(left, cx)
            case ast.Choice(options=options):
                return self._is_number(options[0], cx)
            case ast.Index():
                return isinstance(self.value(node, cx), NUMBERS)
            case _:
                return False

    def _plus(self, node: ast.Binary, cx: Context) -> Value:
        parts = list(_summands(node))
        values = [self.value(p, cx) for p in parts]
        if any(isinstance(v, Unknown) for v in values):
            return UNKNOWN
        if all(isinstance(v, NUMBERS) for v in values):
            total = values[0]
            for value in values[1:]:
                total = self._arithmetic("+", total, value, node.span)
            return total
        for value, part in zip(values, parts, strict=True):
            if not isinstance(value, Tensor):
                cure = "add the outputs: x -> f + x -> g" if isinstance(value, (*LAYERS, Undecided)) else None
                self.builder.report("E207", part.span, f"`+` adds tensors or numbers, and this is {sort(value)}", cure)
                return UNKNOWN
        tensors = [(v, p.span) for v, p in zip(values, parts, strict=True)]
        return join(self, "add", tensors, cx.beneath("add"), node.span, cx.guard)

    # Numbers

    def _arithmetic(self, op: str, left: Value, right: Value, span: Span) -> Value:
        if isinstance(left, Unknown) or isinstance(right, Unknown):
            return UNKNOWN
        for value in (left, right):
            if not isinstance(value, NUMBERS) or isinstance(value, bool | str):
                layers = isinstance(value, (*LAYERS, Undecided))
                cure = "a count in parentheses: f * (n - 1)" if layers and op == "-" else None
                self.builder.report("E208", span, f"`{op}` works on numbers, and one side is {sort(value)}", cure)
                return UNKNOWN
        try:
            if isinstance(left, int | float) and isinstance(right, int | float):
                result = arithmetic(op, left, right)
                return result if not isinstance(result, tuple) else UNKNOWN
            result_cases = number(Arith(op, left, right))  # type: ignore[arg-type]
        except ZeroDivisionError:
            self.builder.report("E211", span, "this divides by zero")
            return UNKNOWN
        if isinstance(left, Read) and isinstance(right, Read | int):
            return Read(result_cases)  # type: ignore[arg-type]
        return Arith(op, left, right)  # type: ignore[arg-type]

    def _static(self, value: Value, node: ast.Expr) -> int | float | None:
        if isinstance(value, int | float) and not isinstance(value, bool | str):
            return value
        if not isinstance(value, Unknown):
            what = "a decision" if isinstance(value, Pick | Arith) else sort(value)
            self.builder.report("E201", node.span, f"the ends of a range are fixed numbers, not {what}")
        return None

    def whole(self, value: Value, span: Span, what: str, most: int | None = None) -> int | None:
        """A fixed whole number of at least 0, or None with a finding."""
        if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
            if most is None or value <= most:
                return value
            self.builder.report("E405", span, f"{value:,} is too many; at most {most:,} are taken")
        elif not isinstance(value, Unknown):
            shown = value if isinstance(value, int | float) else sort(value)
            self.builder.report("E201", span, f"{what} is a fixed whole number, not {shown}")
        return None


def _summands(node: ast.Expr) -> Sequence[ast.Expr]:
    if isinstance(node, ast.Binary) and node.op == "+":
        return [*_summands(node.left), node.right]
    return [node]
