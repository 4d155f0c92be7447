"""Whether an `extern op` is declared well: types, defaults, shapes, and the form of its target."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Final

from atnas.dsl.extern import TYPES, is_size, worth
from atnas.dsl.findings.diagnostics import Diagnostic, Edit, Label
from atnas.dsl.findings.suggest import nearest
from atnas.dsl.source import Span
from atnas.dsl.syntax import ast
from atnas.dsl.syntax.unparse import text
from atnas.dsl.syntax.walk import words

TARGET: Final = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*(\.[^\W\d]\w*)*")


def check(declared: ast.Extern) -> Iterator[Diagnostic]:
    """The findings of one declaration."""
    seen: dict[str, Span] = {}
    for name in (*(p.name for p in declared.parameters), *(p.name for p in declared.inputs)):
        if name.id in seen:
            first = (Label(seen[name.id], "first here"),)
            yield Diagnostic("E102", name.span, f"`{name.id}` is bound twice", "give one another name", labels=first)
        seen[name.id] = name.span
    for parameter in declared.parameters:
        yield from _parameter(parameter)
    for port in declared.inputs:
        if port.sizes is None:
            cure = f"write {port.name.id}: (c, h, w)"
            yield Diagnostic("E304", port.span, f"`{port.name.id}` needs a shape", cure)
    yield from _output(declared)
    if TARGET.fullmatch(declared.target.value) is None:
        cure = 'write "package.module:Class"'
        yield Diagnostic("E107", declared.target.span, "this names no class of a Python module", cure)


@cache
def is_sound(declared: ast.Extern) -> bool:
    """Whether it can be worked with."""
    return not any(check(declared))


def _parameter(parameter: ast.TypedParameter) -> Iterator[Diagnostic]:
    kind = parameter.type
    if kind.id not in TYPES:
        close = nearest(kind.id, TYPES)
        cure = f"did you mean `{close}`?" if close else f"the types are {', '.join(TYPES)}"
        fix = (Edit(kind.span, close),) if close else ()
        yield Diagnostic("E107", kind.span, f"there is no type `{kind.id}`", cure, fix=fix)
    elif parameter.default is not None and not _is_a(TYPES[kind.id], parameter.default):
        message = f"`{parameter.name.id}` is declared as {kind.id}, and `{text(parameter.default)}` is none"
        yield Diagnostic("E107", parameter.default.span, message, "give a plain value of that type")


def _is_a(kind: type, default: ast.Expr) -> bool:
    """Whether a default is a plain value of a type; a whole number is a float as well."""
    if kind in (int, float):
        plain = is_size(default) and not any(words(default))
        try:
            value = worth(default, {}) if plain else None
        except (ZeroDivisionError, OverflowError):
            return False
        return isinstance(value, int if kind is int else (int, float))
    return isinstance(default, ast.Bool if kind is bool else ast.String)


def _output(declared: ast.Extern) -> Iterator[Diagnostic]:
    numbers = [p.name.id for p in declared.parameters if p.type.id not in ("bool", "str")]
    sizes = [s.id for port in declared.inputs for s in port.sizes or () if isinstance(s, ast.Name)]
    for size in declared.output:
        if not is_size(size):
            cure = "write arithmetic over the parameters and the sizes of the inputs"
            yield Diagnostic("E107", size.span, f"`{text(size)}` is no size", cure)
            continue
        for word in words(size):
            if word.id and word.id not in numbers and word.id not in sizes:
                yield _unknown(word, [*numbers, *sizes])


def _unknown(word: ast.Name, known: list[str]) -> Diagnostic:
    close = nearest(word.id, known)
    cure = f"did you mean `{close}`?" if close else "name it in the shape of an input, or make it a parameter"
    message = f"there is no size `{word.id}`"
    return Diagnostic("E101", word.span, message, cure, fix=(Edit(word.span, close),) if close else ())
