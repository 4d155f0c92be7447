"""Names that hide what the language has: legal, and seldom meant."""

from __future__ import annotations

from collections.abc import Iterator

from atnas.dsl.elaborate.builtins import BUILTINS
from atnas.dsl.elaborate.conditions import MEASURED, METRICS
from atnas.dsl.findings.diagnostics import Diagnostic
from atnas.dsl.plugins import entries
from atnas.dsl.syntax import ast
from atnas.dsl.syntax.walk import parts


def hiding(declaration: ast.Layer | ast.Extern) -> Iterator[Diagnostic]:
    """A finding for the layer, each parameter, port and binding that is called as an operator or metric is."""
    for name in (declaration.name, *bound(declaration)):
        kind = _hidden(name.id)
        if kind is not None:
            message = f"`{name.id}` hides the {kind} of that name"
            yield Diagnostic("W101", name.span, message, "give it another name")


def bound(declaration: ast.Layer | ast.Extern) -> Iterator[ast.Name]:
    """The names that a declaration binds within itself, sizes in shapes aside."""
    if isinstance(declaration, ast.Extern):
        return
    yield from (p.name for p in declaration.parameters)
    yield from (p.name for p in declaration.inputs)
    for statement in declaration.body:
        if isinstance(statement, ast.Bind):
            yield statement.name
            for part in parts(statement.value):
                if isinstance(part, ast.Each):
                    yield from part.names


def _hidden(word: str) -> str | None:
    if word in entries("ops") or word in BUILTINS:
        return "operator"
    return "metric" if word in METRICS or word in MEASURED else None
