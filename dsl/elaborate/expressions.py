"""Expressions to values. Each kind of expression has its rules in a file beside this one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any, Final

from atnas.dsl.elaborate.apply import join
from atnas.dsl.elaborate.arguments import Given, assign, settle
from atnas.dsl.elaborate.build import Builder
from atnas.dsl.elaborate.builtins import BUILTINS, builtin
from atnas.dsl.elaborate.context import Context
from atnas.dsl.elaborate.decide import choice, range_
from atnas.dsl.elaborate.lists import each, index
from atnas.dsl.elaborate.naming import Names, Steps, steps
from atnas.dsl.elaborate.numbers import arithmetic, operation
from atnas.dsl.elaborate.pipes import is_number, pipe, plus, times
from atnas.dsl.elaborate.subsets import subset
from atnas.dsl.elaborate.values import (
    LAYERS,
    NUMBERS,
    UNKNOWN,
    Call,
    Chosen,
    LayerValue,
    ListOf,
    Standard,
    Tensor,
    Undecided,
    Unknown,
    Value,
    sort,
)
from atnas.dsl.extern import layer_class, signature
from atnas.dsl.findings.calls import lone, nameless
from atnas.dsl.findings.diagnostics import Diagnostic, Edit
from atnas.dsl.findings.names import no_layer, unknown
from atnas.dsl.findings.units import stray
from atnas.dsl.findings.words import quoted, wanted
from atnas.dsl.lint.externs import is_sound
from atnas.dsl.meter import Meter
from atnas.dsl.modules import Declared
from atnas.dsl.operator import ParameterInfo, parameters
from atnas.dsl.plugins import entries
from atnas.dsl.source import Span
from atnas.dsl.syntax import ast
from atnas.dsl.syntax.unparse import text
from atnas.dsl.syntax.walk import PLAIN, words

MOST_STEPS = 80_000
"""Expressions that are evaluated, every turn and element counted, and nodes of diagrams, before a space is refused."""


class Elaborator:
    """Evaluates expressions into a net under construction."""

    def __init__(self, builder: Builder, meter: Meter) -> None:
        self.builder = builder
        self.spend = meter.spend
        self.depth = 0
        self.deepest = 0
        self._written: dict[int, tuple[str, ...]] = {}
        self._words: dict[int, tuple[str, ...]] = {}
        self._steps: dict[tuple[int, tuple[object, ...]], Steps] = {}
        self._places: dict[tuple[int, int], dict[str, int]] = {}

    def written(self, node: ast.Choice) -> tuple[str, ...]:
        """The alternatives of a choice as they stand there."""
        if id(node) not in self._written:
            self._written[id(node)] = tuple(text(option) for option in node.options)
        return self._written[id(node)]

    def value(self, node: ast.Expr, cx: Context) -> Value:
        """What an expression means here."""
        self.spend(1)
        found = _RULES[type(node)](self, node, cx)
        if isinstance(found, Tensor):
            self.builder.see(node, found.node)
        return found

    def _number(self, node: ast.Number, _: Context) -> Value:
        odd = stray(node) if node.unit else None
        return node.value if odd is None else self._told(odd)

    def _same(self, node: ast.Bool | ast.String, _: Context) -> Value:
        return node.value

    def _list(self, node: ast.List, cx: Context) -> Value:
        return ListOf(tuple([self.value(item, cx) for item in node.items]))

    def _negated(self, node: ast.Negate, cx: Context) -> Value:
        return arithmetic(self, "-", 0, self.value(node.operand, cx), node.span, cx)

    def _binary(self, node: ast.Binary, cx: Context) -> Value:
        return BINARY.get(node.op, operation)(self, node, cx)

    def _told(self, finding: Diagnostic) -> Unknown:
        self.builder.tell(finding)
        return UNKNOWN

    def bind(self, statement: ast.Bind, cx: Context) -> Value:
        """The value of `name = value`; what is undecided still is decided here, once for all uses of the name."""
        inner = self._under(statement.name.id, statement.value, cx)
        return self._settled(self.value(statement.value, inner), statement.value, inner)

    def default(self, parameter: ast.Parameter, cx: Context) -> Value:
        """The value of a parameter that no argument was given for."""
        assert parameter.default is not None
        if isinstance(parameter.default, PLAIN):
            return self.value(parameter.default, cx)
        return self.value(parameter.default, self._under(parameter.name.id, parameter.default, cx))

    def _under(self, name: str, value: ast.Expr, cx: Context) -> Context:
        way = f"{cx.way}.{name}" if cx.way else name
        place = f"{cx.place}/{name}" if cx.place else name
        return self.inside(value, cx.under(way, place))

    def _settled(self, value: Value, node: ast.Expr, cx: Context) -> Value:
        """An op without parentheses that needs no arguments becomes a use of it."""
        if isinstance(value, ListOf):
            self.spend(len(value.items))  # lists in lists may hold one list twice, and that one again
        if isinstance(value, ListOf) and isinstance(node, ast.List):
            return ListOf(tuple(self._settled(v, n, cx) for v, n in zip(value.items, node.items, strict=True)))
        if isinstance(value, ListOf):
            turns = (cx.turn(i) for i in range(len(value.items)))
            return ListOf(tuple(self._settled(v, node, t) for v, t in zip(value.items, turns, strict=True)))
        if isinstance(value, Undecided) and isinstance(value.target, Declared) and _complete(value.target):
            return self.layer(value, node, cx)
        return value

    def inside(self, node: ast.Expr, cx: Context) -> Context:
        """The context of a whole expression: its sites have their steps, no turn has begun."""
        if id(node) not in self._words:
            self._words[id(node)] = tuple({w.id: None for w in words(node)})
        key = id(node), tuple(_role(cx.scope.get(w)) for w in self._words[id(node)])
        if key not in self._steps:
            self._steps[key] = steps(node, self._names(cx))
        return cx.within(self._steps[key])

    def layer(self, value: Value, node: ast.Expr, cx: Context) -> LayerValue | Unknown:
        """A value as a layer; an operator's bare name is a use of it without arguments."""
        if isinstance(value, Undecided):
            made = self._use(value, node if isinstance(node, ast.Name | ast.Call) else value.node, (), cx, node)
            return made if isinstance(made, LAYERS) else UNKNOWN
        if isinstance(value, LAYERS):
            return value
        if not isinstance(value, Unknown):
            cure, fix = self._bare(value, node, cx)
            self.builder.report("E201", node.span, f"a layer is wanted here, not {sort(value)}", cure, fix=fix)
        return UNKNOWN

    def _bare(self, value: Value, node: ast.Expr, cx: Context) -> tuple[str | None, tuple[Edit, ...]]:
        """The cure of what is no layer."""
        if isinstance(value, ListOf):
            return "write chain(..) for layers one after another", ()
        if isinstance(node, ast.String) and isinstance(self.lookup(node.value, cx), (*LAYERS, Undecided)):
            return f"write `{node.value}` without quotes", (Edit(node.span, node.value),)
        return None, ()

    # Names and calls

    def _names(self, cx: Context) -> Names:
        def leads(word: str) -> bool:
            if word in cx.scope:
                return isinstance(cx.scope[word], Undecided)
            declared = cx.module.names.get(word)
            return declared is not None and isinstance(declared.syntax, ast.Layer)

        def argument(function: str, position: int) -> str:
            target = self.lookup(function, cx)
            if not isinstance(target, Undecided):
                return ""
            if isinstance(target.target, Declared):
                syntax = target.target.syntax
                declared = syntax.parameters if isinstance(syntax, ast.Layer) else ()
                return declared[position].name.id if position < len(declared) else ""
            cls = layer_class(target.target)
            infos = () if cls.variadic else parameters(cls)
            return infos[position].name if position < len(infos) else ""

        return Names(leads, argument, lambda node: is_number(self, node, cx, evaluate=False))

    def lookup(self, word: str, cx: Context, node: ast.Name | None = None) -> Value | None:
        if not word:  # the parser could not read it, and has said so
            return UNKNOWN
        if word in cx.scope:
            return cx.scope[word]
        if word in cx.module.lost:
            return UNKNOWN
        at = node or ast.Name(Span(cx.module.source, 0, 0), word)
        declared = cx.module.names.get(word)
        if declared is not None and isinstance(declared.syntax, ast.Layer):
            return Undecided(word, declared, at)
        if declared is not None and isinstance(declared.syntax, ast.Extern):
            return Undecided(word, signature(declared.syntax), at) if is_sound(declared.syntax) else UNKNOWN
        if word in entries("ops"):
            return Undecided(word, word, at)
        return None

    def _name(self, node: ast.Name, cx: Context) -> Value:
        found = self.lookup(node.id, cx, node)
        if found is not None:
            return found
        self._unknown(node, cx)
        return UNKNOWN

    def _unknown(self, node: ast.Name, cx: Context) -> None:
        if node.id in BUILTINS:
            odd = lone(node, BUILTINS[node.id])
            assert odd is not None
            self.builder.tell(odd)
            return
        declared = cx.module.names.get(node.id)
        if declared is not None:
            self.builder.tell(no_layer(node, declared.syntax.keyword))
            return
        layers = (n for n, d in cx.module.names.items() if not isinstance(d.syntax, ast.Settings))
        self.builder.tell(unknown(node, chain(cx.scope, layers, entries("ops"), BUILTINS)))

    def _call(self, node: ast.Call, cx: Context) -> Value:
        word = node.function.id
        if word in BUILTINS and word not in cx.scope and word not in cx.module.names:
            return builtin(self, node, cx)
        target = self.lookup(word, cx, node.function)
        if target is None:
            self._unknown(node.function, cx)
            return UNKNOWN
        if isinstance(target, Unknown):
            return UNKNOWN
        given = self._given(node, target, cx)
        if not isinstance(target, Undecided):
            message = f"`{word}` is {sort(target)} already; it takes no arguments"
            layer = sort(target) == "a layer"
            cure, fix = (f"write `{word}` alone", (Edit(node.span, word),)) if layer else (None, ())
            self.builder.report("E205", node.span, message, cure, fix=fix)
            return UNKNOWN
        return self._use(target, node, given, cx, node)

    def _given(self, node: ast.Call, target: Value, cx: Context) -> list[Given]:
        """The arguments of a call with their values."""
        words: dict[int, ParameterInfo] = {}
        if isinstance(target, Undecided) and not isinstance(target.target, Declared):
            words = wanted(node, layer_class(target.target))
        return [Given(a, self._argument(a.value, words.get(id(a.value)), cx)) for a in node.arguments]

    def _argument(self, node: ast.Expr, worded: ParameterInfo | None, cx: Context) -> Value:
        """The value of an argument; the words that an operator takes there need no quotes."""
        if worded is None:
            return self.value(node, cx)
        for finding in quoted(node, worded, cx.scope.__contains__):
            return self._told(finding)
        words = {word: word for word in worded.words if self.lookup(word, cx) is None}
        return self.value(node, cx.seeing({**cx.scope, **words}))

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
        if layer_class(target.target).variadic and given:
            assert isinstance(call, ast.Call)
            if named := nameless(call):
                return self._told(named[0])
            tensors = [(g.value, g.syntax.value.span) for g in given]
            return join(self, target.name, tensors, cx.beneath(target.name), call.span, cx.guard)
        arguments = settle(self.builder, call, target.target, given, cx.guard)
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
        found = self._assigned(call, syntax, given)
        if found is None:
            return UNKNOWN
        word = call.function.id if isinstance(call, ast.Call) else call.id
        if syntax.keyword == "cell":
            way = self.builder.cell(syntax)
        elif id(site) in cx.steps:
            way = cx.name(site)
        else:
            way = self.builder.way(cx.unnamed(declared.name), site)
        place = cx.beneath(word)
        arguments: dict[str, Value] = {}
        inner = Context(declared.module, arguments, way, place, {}, cx.guard)
        for parameter in syntax.parameters:
            name = parameter.name.id
            if name in found:
                arguments[name] = found[name]
            elif parameter.default is not None:
                arguments[name] = self.default(parameter, inner)
        return Call(declared, tuple(arguments.items()), way, place, call.span)

    def _assigned(
        self, call: ast.Call | ast.Name, syntax: ast.Layer, given: Sequence[Given]
    ) -> dict[str, Value] | None:
        """The arguments by the names of the parameters that take them; None where a finding was made."""
        key = id(call), id(syntax)
        if key not in self._places:
            names = [p.name.id for p in syntax.parameters]
            required = {p.name.id for p in syntax.parameters if p.default is None}
            found = assign(self.builder, call, given, names, required)
            if found is None:
                return None
            order = [id(g) for g in given]
            self._places[key] = {name: order.index(id(argument)) for name, argument in found.items()}
        return {name: given[place].value for name, place in self._places[key].items()}


BINARY: Final[dict[str, Callable[[Elaborator, ast.Binary, Context], Value]]] = {"*": times, "+": plus}
"""What is done for operators that do not only work on numbers."""

_RULES: Final[dict[type, Callable[[Elaborator, Any, Context], Value]]] = {
    ast.Number: Elaborator._number,
    ast.Bool: Elaborator._same,
    ast.String: Elaborator._same,
    ast.Name: Elaborator._name,
    ast.List: Elaborator._list,
    ast.Each: each,
    ast.Call: Elaborator._call,
    ast.Index: index,
    ast.Range: range_,
    ast.Subset: subset,
    ast.Negate: Elaborator._negated,
    ast.Choice: choice,
    ast.Pipe: pipe,
    ast.Binary: Elaborator._binary,
}
"""What each kind of expression means."""


def _complete(declared: Declared) -> bool:
    """Whether it can be used without arguments."""
    syntax = declared.syntax
    return isinstance(syntax, ast.Layer) and all(p.default is not None for p in syntax.parameters)


def _role(value: Value | None) -> object:
    """What the names of decisions depend on of a value in scope."""
    match value:
        case Undecided(target=target):
            return id(target) if isinstance(target, Declared) else target
        case ListOf(items) | Chosen(items=items):
            return tuple(isinstance(i, NUMBERS) for i in items)
        case _:
            return isinstance(value, NUMBERS)
