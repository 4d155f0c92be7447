"""What can be said of a declaration by reading it: names that do not exist, arguments that do not fit.

This sees every body, used or not; what depends on values is left to the elaboration of spaces.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain
from typing import Final

from atnas.dsl.devices import LATENCY, device, misnamed
from atnas.dsl.elaborate.builtins import BUILTINS
from atnas.dsl.elaborate.conditions import MEASURED, METRICS, OTHER_METRICS, WHOLE, beyond
from atnas.dsl.findings.calls import lone, matched, nameless
from atnas.dsl.findings.diagnostics import Diagnostic, Label
from atnas.dsl.findings.names import misspelt, no_layer, unknown
from atnas.dsl.findings.words import quoted, wanted
from atnas.dsl.lint.choices import choices
from atnas.dsl.lint.externs import check
from atnas.dsl.lint.hiding import hiding
from atnas.dsl.lint.units import misplaced
from atnas.dsl.lint.unused import unused
from atnas.dsl.modules import Module
from atnas.dsl.operator import ParameterInfo, parameters
from atnas.dsl.plugins import entries, load
from atnas.dsl.source import Span
from atnas.dsl.syntax import ast
from atnas.dsl.syntax.walk import children

TRUTH: Final = ("true", "false")


def scan(module: Module, declaration: ast.Declaration) -> list[Diagnostic]:
    """The findings of one declaration of a file, those of settings aside."""
    match declaration:
        case ast.Layer():
            broken = _Scan(module).broken(declaration)
            seldom = [] if broken else [*hiding(declaration), *choices(declaration), *unused(declaration)]
            return [*_Scan(module).layer(declaration), *misplaced(declaration), *seldom]
        case ast.Extern():
            return [*hiding(declaration), *check(declaration), *misplaced(declaration)]
        case _:
            return []


class _Scan:
    def __init__(self, module: Module) -> None:
        self.module = module
        self.findings: list[Diagnostic] = []
        self.itself = ""
        self.bound: dict[str, Span] = {}
        self.binding = ""
        self.sizes: dict[str, str] = {}

    def layer(self, syntax: ast.Layer) -> list[Diagnostic]:
        self.itself = syntax.name.id
        self.bound = {line.name.id: line.name.span for line in syntax.body if isinstance(line, ast.Bind)}
        scope: dict[str, Span] = {}
        for parameter in syntax.parameters:
            if parameter.default is not None:
                self.expression(parameter.default, scope)
            self.bind(parameter.name, scope)
        for port in syntax.inputs:
            self.bind(port.name, scope)
        for port in (*syntax.inputs, *syntax.outputs):
            for size in port.sizes or ():
                if isinstance(size, ast.Name):
                    scope.setdefault(size.id, size.span)
                    self.sizes.setdefault(size.id, port.name.id)
        if syntax.short is not None:
            self.expression(syntax.short, scope)
            if syntax.keyword == "space" and not self.broken(syntax):
                self.report(
                    "E304",
                    syntax.name.span,
                    "a space needs inputs and outputs",
                    "write space s [x: (3, 32, 32)] -> y {..}",
                )
        for statement in syntax.body:
            if isinstance(statement, ast.Bind):
                self.binding = statement.name.id
                self.expression(statement.value, scope)
                self.binding = ""
                self.bind(statement.name, scope)
            else:
                self.condition(statement.condition, scope, syntax.keyword)
                if statement.guard is not None:
                    self.condition(statement.guard, scope, syntax.keyword)
        for port in syntax.outputs:
            if port.name.id not in scope and not self.broken(syntax):
                message, cure = (
                    f"the output `{port.name.id}` is never bound",
                    f"bind it in the body: {port.name.id} = ..",
                )
                self.findings.append(misspelt("E106", port.name, scope, message, cure))
        return self.findings

    def broken(self, syntax: ast.Layer) -> bool:
        """Whether a part of the declaration could not be read."""
        return any(syntax.span.start <= place.start <= syntax.span.end for place in self.module.broken)

    def bind(self, name: ast.Name, scope: dict[str, Span]) -> None:
        if name.id in scope:
            said = "first here"
            if name.id in self.sizes:
                said = f"`{name.id}` is a size of `{self.sizes[name.id]}` here"
            self.report(
                "E102",
                name.span,
                f"`{name.id}` is bound twice",
                "a name is bound once: give the second another name",
                labels=(Label(scope[name.id], said),),
            )
        scope[name.id] = name.span

    def expression(self, node: ast.Expr, scope: dict[str, Span]) -> None:
        match node:
            case ast.Name():
                self.known(node, scope)
            case ast.Call():
                self.call(node, scope)
            case ast.Each(item=item, names=names, source=source):
                self.expression(source, scope)
                self.expression(item, {**scope, **{n.id: n.span for n in names}})
            case _:
                for child in children(node):
                    self.expression(child, scope)

    def condition(self, node: ast.Expr, scope: dict[str, Span], keyword: str) -> None:
        """An expression in which metrics may stand."""
        match node:
            case ast.Name(id=word) if word not in scope:
                if word not in METRICS:
                    self.known(node, scope, chain(scope, METRICS), OTHER_METRICS)
                elif keyword != "space" and word in WHOLE:
                    self.report("E407", node.span, *beyond(node))
            case ast.Call(function=function) if function.id in MEASURED and function.id not in self.module.names:
                if function.id == LATENCY:
                    self.findings += [] if device(node) is not None else [misnamed(node)]
                    return
                for argument in node.arguments:
                    self.expression(argument.value, scope)
            case ast.Binary(op="==" | "!=" | "in", left=ast.Name() as left) if left.id in scope:
                pass  # what is right of a choice is one of its alternatives, with the names of where they stand
            case ast.Binary(left=left, right=right):
                self.condition(left, scope, keyword)
                self.condition(right, scope, keyword)
            case _:
                self.expression(node, scope)

    def call(self, node: ast.Call, scope: dict[str, Span]) -> None:
        self.known(node.function, scope)
        word = node.function.id
        standard = word in entries("ops") and word not in scope and word not in self.module.names
        words = wanted(node, load("ops", word)) if standard else {}
        for argument in node.arguments:
            if id(argument.value) in words:
                self.word(argument.value, words[id(argument.value)], scope)
            else:
                self.expression(argument.value, scope)
        if word in BUILTINS and word not in scope and word not in self.module.names:
            odd = lone(node, BUILTINS[word])
            self.findings += [] if odd is None else [odd]
            return
        if standard and load("ops", word).variadic:
            self.findings += nameless(node)
            return
        names, required = self.signature(word, scope)
        if names is not None:
            self.findings += matched(node, names, required)[1]

    def word(self, node: ast.Expr, info: ParameterInfo, scope: dict[str, Span]) -> None:
        """What stands where an operator takes a word."""
        if isinstance(node, ast.String):
            self.findings += quoted(node, info, scope.__contains__)
        match node:
            case ast.Name(id=word):
                if word not in info.words:
                    self.known(node, scope, [*info.words, *scope], f"it is one of {', '.join(info.words)}")
            case ast.Choice(options=options):
                for option in options:
                    self.word(option, info, scope)
            case _:
                self.expression(node, scope)

    def signature(self, word: str, scope: dict[str, Span]) -> tuple[list[str] | None, set[str]]:
        """The parameters of a callee and those without default; None where they are not known here."""
        if word in scope:
            return None, set()
        declared = self.module.names.get(word)
        if declared is not None:
            syntax = declared.syntax
            if not isinstance(syntax, ast.Layer | ast.Extern) or syntax.keyword == "space":  # it is no layer at all
                return None, set()
            required = {p.name.id for p in syntax.parameters if p.default is None}
            return [p.name.id for p in syntax.parameters], required
        if word not in entries("ops") or load("ops", word).variadic:
            return None, set()
        infos = parameters(load("ops", word))
        return [i.name for i in infos], {i.name for i in infos if i.required}

    def known(
        self,
        node: ast.Name,
        scope: dict[str, Span],
        meant: Iterable[str] | None = None,
        otherwise: str | None = None,
    ) -> None:
        """Reports a name that does not exist; `meant` may have been meant: all that exist unless given."""
        word = node.id
        declared = self.module.names.get(word)
        if not word or word in scope or word in self.module.lost or word in BUILTINS or word in entries("ops"):
            return
        if declared is not None:
            if isinstance(declared.syntax, ast.Settings):
                self.findings.append(no_layer(node, declared.syntax.keyword))
            return
        if node.span in self.module.broken:
            return
        if word in self.bound:
            self.early(node)
            return
        if meant is None:
            layers = (n for n, d in self.module.names.items() if not isinstance(d.syntax, ast.Settings))
            meant = chain(scope, layers, entries("ops"), BUILTINS, TRUTH)
        self.findings.append(unknown(node, (other for other in meant if other != self.itself), otherwise))

    def early(self, node: ast.Name) -> None:
        """A name that is bound further below."""
        label = Label(self.bound[node.id], "bound here")
        if node.id == self.binding:
            message, cure = f"`{node.id}` stands in its own value", "begin with an input, or with what is bound above"
        else:
            message, cure = f"`{node.id}` is used before it is bound", "move the line that binds it up"
        self.report("E101", node.span, message, cure, labels=(label,))

    def report(
        self,
        code: str,
        span: Span,
        message: str,
        cure: str | None = None,
        labels: tuple[Label, ...] = (),
    ) -> None:
        self.findings.append(Diagnostic(code, span, message, cure, labels=labels))
