"""Every word of one file with what it means: the ground of hover, definitions, references and renaming."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from atnas.dsl.elaborate.builtins import BUILTINS
from atnas.dsl.elaborate.conditions import MEASURED, METRICS
from atnas.dsl.modules import Declared, Module
from atnas.dsl.plugins import entries
from atnas.dsl.source import Span
from atnas.dsl.syntax import ast
from atnas.dsl.syntax.walk import children
from atnas.editor.meaning import (
    Builtin,
    Declaration,
    File,
    Kind,
    Local,
    Meaning,
    Metric,
    Origin,
    Standard,
    StandardParameter,
    operator_parameters,
    origin,
    own_parameters,
)
from atnas.editor.settings import words

Scope = Mapping[str, Local]


@dataclass(frozen=True)
class Occurrence:
    """A word where it stands. `node` is the expression that it is, or what is bound to it where that is done."""

    span: Span
    meaning: Meaning
    defines: bool = False
    node: ast.Expr | None = None


class Index:
    """The occurrences of one file, in its order."""

    def __init__(self, module: Module) -> None:
        self.module = module
        found = [o for o in _file(module) if o.span.end > o.span.start]
        self.occurrences = sorted(found, key=lambda o: o.span.start)

    def at(self, offset: int) -> Occurrence | None:
        """The word at an offset, the one that begins there before the one that ends there."""
        place = bisect_right(self._starts, offset) - 1
        for i in (place, place - 1):
            if i >= 0 and self.occurrences[i].span.start <= offset <= self.occurrences[i].span.end:
                return self.occurrences[i]
        return None

    def of(self, wanted: Origin) -> list[Occurrence]:
        """Where one named thing stands, its definition included."""
        return self._by_origin.get(wanted, [])

    @cached_property
    def _starts(self) -> list[int]:
        return [o.span.start for o in self.occurrences]

    @cached_property
    def _by_origin(self) -> dict[Origin, list[Occurrence]]:
        found: dict[Origin, list[Occurrence]] = {}
        for occurrence in self.occurrences:
            key = origin(occurrence.meaning)
            if key is not None:
                found.setdefault(key, []).append(occurrence)
        return found


def declarations(module: Module) -> Iterator[Declared]:
    """What a file declares, what is declared twice included."""
    for syntax in module.program.declarations:
        if not isinstance(syntax, ast.Use):
            yield Declared(syntax, module)


def _file(module: Module) -> Iterator[Occurrence]:
    for syntax in module.program.declarations:
        if isinstance(syntax, ast.Use):
            yield from _use(syntax, module)
    for declared in declarations(module):
        yield Occurrence(declared.syntax.name.span, Declaration(declared), defines=True)
        match declared.syntax:
            case ast.Layer() as layer:
                yield from _Body(declared).layer(layer)
            case ast.Extern() as extern:
                yield from _Body(declared).extern(extern)
            case ast.Settings() as settings:
                yield from (Occurrence(name.span, meaning, node=name) for name, meaning in words(declared))
                yield from _Body(declared).requires(settings)


def _use(use: ast.Use, module: Module) -> Iterator[Occurrence]:
    path = use.path.id if isinstance(use.path, ast.Name) else use.path.value
    yield Occurrence(use.path.span, File(path))
    for name in use.names:
        target = module.names.get(name.id)
        if target is not None and target.module is not module:
            yield Occurrence(name.span, Declaration(target))


class _Body:
    """The words of one declaration."""

    def __init__(self, declared: Declared) -> None:
        self.declared = declared
        self.scope: dict[str, Local] = {}

    def layer(self, syntax: ast.Layer) -> Iterator[Occurrence]:
        for parameter in syntax.parameters:
            if parameter.default is not None:
                yield from self.expression(parameter.default, self.scope)
            yield self.define("parameter", parameter.name, parameter.default)
        for port in syntax.inputs:
            yield self.define("input", port.name)
        for port in (*syntax.inputs, *syntax.outputs):
            yield from self.sizes(port.sizes or ())
        if syntax.short is not None:
            yield from self.expression(syntax.short, self.scope)
        for statement in syntax.body:
            if isinstance(statement, ast.Bind):
                yield from self.expression(statement.value, self.scope)
                yield self.define("binding", statement.name, statement.value)
        for statement in syntax.body:
            if isinstance(statement, ast.Require):
                yield from self.require(statement)
        for port in syntax.outputs:
            if port.name.id in self.scope:
                yield Occurrence(port.name.span, self.scope[port.name.id], node=port.name)

    def extern(self, syntax: ast.Extern) -> Iterator[Occurrence]:
        for parameter in syntax.parameters:
            yield self.define("parameter", parameter.name, parameter.default)
        for port in syntax.inputs:
            yield self.define("input", port.name)
        for port in syntax.inputs:
            yield from self.sizes(port.sizes or ())
        for size in syntax.output:
            yield from self.expression(size, self.scope)

    def requires(self, syntax: ast.Settings) -> Iterator[Occurrence]:
        for line in syntax.body:
            if isinstance(line, ast.Require):
                yield from self.require(line)

    def require(self, line: ast.Require) -> Iterator[Occurrence]:
        yield from self.expression(line.condition, self.scope, measures=True)
        if line.guard is not None:
            yield from self.expression(line.guard, self.scope, measures=True)

    def define(self, kind: Kind, name: ast.Name, value: ast.Expr | None = None) -> Occurrence:
        local = Local(kind, name, self.declared, value)
        if name.id:
            self.scope[name.id] = local
        return Occurrence(name.span, local, defines=True, node=value or name)

    def sizes(self, sizes: tuple[ast.Expr, ...]) -> Iterator[Occurrence]:
        for size in sizes:
            if isinstance(size, ast.Name) and size.id not in self.scope:
                yield self.define("size", size)
            else:
                yield from self.expression(size, self.scope)

    def expression(self, node: ast.Expr, scope: Scope, measures: bool = False) -> Iterator[Occurrence]:
        """The words of an expression; in a condition they may be metrics."""
        match node:
            case ast.Name():
                meaning = self.meaning(node.id, scope, measures)
                if meaning is not None:
                    yield Occurrence(node.span, meaning, node=node)
            case ast.Call():
                yield from self.call(node, scope, measures)
            case ast.Each(item=item, names=names, source=source):
                yield from self.expression(source, scope, measures)
                inner = dict(scope)
                for name in names:
                    local = inner[name.id] = Local("element", name, self.declared)
                    yield Occurrence(name.span, local, defines=True, node=name)
                yield from self.expression(item, inner, measures)
            case _:
                for child in children(node):
                    yield from self.expression(child, scope, measures)

    def call(self, node: ast.Call, scope: Scope, measures: bool) -> Iterator[Occurrence]:
        callee = self.meaning(node.function.id, scope, measures)
        if callee is not None:
            yield Occurrence(node.function.span, callee, node=node)
        for given in node.arguments:
            parameter = _parameter(callee, given.name.id) if given.name else None
            if given.name is not None and parameter is not None:
                yield Occurrence(given.name.span, parameter)
            yield from self.expression(given.value, scope, measures)

    def meaning(self, word: str, scope: Scope, measures: bool = False) -> Meaning | None:
        """What a word means: the nearest of binding, declaration, operator, metric."""
        if word in scope:
            return scope[word]
        declared = self.declared.module.names.get(word)
        if declared is not None:
            return Declaration(declared)
        if word in BUILTINS:
            return Builtin(word)
        if word in entries("ops"):
            return Standard(word)
        return Metric(word) if measures and word in (*METRICS, *MEASURED) else None


def _parameter(callee: Meaning | None, name: str) -> Local | StandardParameter | None:
    """A parameter of a callee."""
    match callee:
        case Declaration(declared):
            return next((p for p in own_parameters(declared) if p.name.id == name), None)
        case Standard(word):
            known = any(p.name == name for p in operator_parameters(word))
            return StandardParameter(word, name) if known else None
        case _:
            return None
