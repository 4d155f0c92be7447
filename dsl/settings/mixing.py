"""Tasks that are drawn from several others: `tasks both = mix(0.7 * letters, 0.3 * pictures)`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from atnas.dsl.findings.diagnostics import Diagnostic
from atnas.dsl.settings.constants import NotConstantError, constant
from atnas.dsl.settings.reading import BAD, Bad, Declared, Reader, short
from atnas.dsl.source import Span
from atnas.dsl.syntax import ast


@dataclass(frozen=True)
class Part:
    """One of the tasks that are mixed. Weights are relative to each other, more than 0."""

    name: str
    weight: float
    span: Span


def is_mix(declaration: ast.Settings) -> bool:
    """Whether tasks are declared as a mix of others."""
    expr = declaration.short
    return declaration.keyword == "tasks" and isinstance(expr, ast.Call) and expr.function.id == "mix"


def mixed(declaration: ast.Settings, declared: Declared) -> tuple[tuple[Part, ...] | None, list[Diagnostic]]:
    """The parts of a mix, or None where anything is wrong with it, and the findings."""
    call = declaration.short
    assert isinstance(call, ast.Call)
    reader = Reader(declared)
    known = [name for name in declared.get("tasks", ()) if name != declaration.name.id]
    parts = [_part(reader, argument, known) for argument in call.arguments]
    if len(parts) < 2:
        reader.report("E505", call.span, "`mix` takes two tasks at least", "write mix(0.7 * letters, 0.3 * pictures)")
    good = tuple(part for part in parts if part is not BAD)
    return (None if reader.findings or len(good) < len(parts) else good), reader.findings


def _part(reader: Reader, argument: ast.Argument, known: Sequence[str]) -> Part | Bad:
    expr, weight = argument.value, 1.0
    if argument.name is not None:
        return reader.report("E505", argument.name.span, "the parts of a mix have no names", "write 0.7 * letters")
    if isinstance(expr, ast.Binary) and expr.op == "*":
        factor, expr = (expr.left, expr.right) if isinstance(expr.right, ast.Name) else (expr.right, expr.left)
        found = _weight(reader, factor)
        if found is BAD:
            return BAD
        weight = found
    if not isinstance(expr, ast.Name):
        cure = "write a weight and the name of tasks: 0.7 * letters"
        return reader.report("E508", expr.span, f"`{short(expr.span)}` is no part of a mix", cure)
    if not expr.id:  # the parser could not read it, and said so
        return BAD
    if expr.id not in known:
        title = "there are" if known else "declare them: `tasks name { .. }`"
        reader.unknown("E510", expr, known, f"there is no `tasks` called `{expr.id}`", title)
        return BAD
    return Part(expr.id, weight, argument.span)


def _weight(reader: Reader, expr: ast.Expr) -> float | Bad:
    try:
        found = constant(expr)
    except NotConstantError as error:
        return reader.report("E508", error.part.span, f"`{short(error.part.span)}` is not a number")
    if found.unit or found.value <= 0:
        return reader.report("E508", expr.span, f"a weight is a number more than 0, not `{short(expr.span)}`")
    return float(found.value)
