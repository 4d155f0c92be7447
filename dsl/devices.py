"""The devices that a program names: `phone` in `latency(phone)`, whose table is `phone.latency.json` beside it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from atnas.dsl.findings.diagnostics import Diagnostic, Edit
from atnas.dsl.syntax import ast
from atnas.dsl.syntax.walk import parts

LATENCY: Final = "latency"
DEVICE: Final = "device"
"""The name of its argument, which need not be written."""


def device(call: ast.Call) -> ast.Name | None:
    """The device in `latency(phone)`; None where the argument is no such word."""
    if len(call.arguments) != 1:
        return None
    (argument,) = call.arguments
    named = argument.name is None or argument.name.id == DEVICE
    return argument.value if named and isinstance(argument.value, ast.Name) and argument.value.id else None


def misnamed(call: ast.Call) -> Diagnostic:
    """The finding on a latency whose argument is no device."""
    message = "`latency` takes one argument, the name of a device"
    given = call.arguments[0].value if len(call.arguments) == 1 else None
    if isinstance(given, ast.String) and given.value.isidentifier():
        fix = (Edit(call.span, f"latency({given.value})"),)
        return Diagnostic("E204", call.span, message, "write it without quotes", fix=fix)
    return Diagnostic("E204", call.span, message, "write latency(phone) for the table phone.latency.json")


def devices(program: ast.Program) -> Iterator[ast.Name]:
    """Every device where it is named, in the order of the file."""
    if LATENCY not in program.source.text:
        return
    for line in (line for declaration in program.declarations for line in _lines(declaration)):
        for part in parts(line):
            if isinstance(part, ast.Call) and part.function.id == LATENCY and (found := device(part)) is not None:
                yield found


def _lines(declaration: ast.Declaration) -> Iterator[ast.Expr]:
    """The expressions in which a latency may stand."""
    body = declaration.body if isinstance(declaration, ast.Layer | ast.Settings) else ()
    for line in body:
        if isinstance(line, ast.Require):
            yield line.condition
            yield from () if line.guard is None else (line.guard,)
        elif isinstance(line, ast.Goal):
            yield line.objective
