"""What is written and never used. A name that begins with `_` says that it is meant so."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Final

from atnas.dsl.findings import edits
from atnas.dsl.findings.diagnostics import Diagnostic, Edit
from atnas.dsl.syntax import ast
from atnas.dsl.syntax.walk import expressions, words

CODES: Final = frozenset({"W102", "W103", "W104"})

ROOTS: Final[Mapping[str, str]] = {
    "op": "space",
    "cell": "space",
    "extern op": "space",
    "tasks": "experiment",
    "train": "experiment",
    "search": "experiment",
}
"""What uses a declaration in the end, directly or not. A file without any is a library."""


def unused(layer: ast.Layer) -> Iterator[Diagnostic]:
    """The parameters, inputs and bindings of a layer that nothing in it uses."""
    said = {word.id for expression in expressions(layer) for word in words(expression)}
    for parameter in layer.parameters:
        name = parameter.name
        if name.id not in said and _counts(name):
            message = f"the parameter `{name.id}` of `{layer.name.id}` is never used"
            yield Diagnostic("W102", name.span, message, "use it, or leave it out")
    said |= {port.name.id for port in layer.outputs}
    lines = [line for line in layer.body if isinstance(line, ast.Bind)]
    for name, line in [*((port.name, None) for port in layer.inputs), *((line.name, line) for line in lines)]:
        if name.id not in said and _counts(name):
            fix = () if line is None else edits.without(line.span)
            yield Diagnostic("W103", name.span, f"`{name.id}` is never used", "use it, or leave it out", fix=fix)


def left(declarations: Sequence[ast.Declaration], said: Collection[str]) -> Iterator[Diagnostic]:
    """Declarations of a file whose names are not among those that it says; `##` before one is for other files."""
    kinds = {d.keyword for d in declarations if not isinstance(d, ast.Use)}
    for declaration in declarations:
        if isinstance(declaration, ast.Use):
            names = [] if not kinds else [name for name in declaration.names if name.id not in said]
            for name in filter(_counts, names):
                fix = _unused_here(declaration, name)
                yield Diagnostic("W104", name.span, f"`{name.id}` is never used", "leave it out", fix=fix)
        elif ROOTS.get(declaration.keyword) in kinds and _is_left(declaration, said):
            message = f"nothing uses the `{declaration.keyword}` `{declaration.name.id}`"
            cure = "leave it out; if it is for other files, say so in a line `## ..` before it"
            yield Diagnostic("W104", declaration.name.span, message, cure)


def _unused_here(use: ast.Use, name: ast.Name) -> tuple[Edit, ...]:
    if len(use.names) == 1:
        return edits.without(use.span)
    return edits.without_item([one.span for one in use.names], use.names.index(name))


def _is_left(declaration: ast.Layer | ast.Extern | ast.Settings, said: Collection[str]) -> bool:
    return declaration.name.id not in said and not declaration.doc and _counts(declaration.name)


def said(declaration: ast.Declaration) -> set[str]:
    """The words in a declaration that may be names of others."""
    match declaration:
        case ast.Layer():
            return {w.id for e in expressions(declaration) for w in words(e)} - {declaration.name.id}
        case ast.Settings():
            values = [s.value for s in declaration.body if isinstance(s, ast.Bind | ast.Draw)]
            values += [] if declaration.short is None else [declaration.short]
            return {w.id for value in values for w in words(value)}
        case _:
            return set()


def without(findings: Iterable[Diagnostic], wanted: Iterable[tuple[str, str]]) -> list[Diagnostic]:
    """The findings without those of declarations that other files use: pairs of path and name."""
    used = set(wanted)
    return [f for f in findings if f.code != "W104" or (f.span.source.path, f.span.text) not in used]


def _counts(name: ast.Name) -> bool:
    return bool(name.id) and not name.id.startswith("_")
