"""The outline of a file, and what of it can be folded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from atnas.dsl.source import Source, Span
from atnas.dsl.syntax import ast
from atnas.dsl.syntax.unparse import text
from atnas.dsl.syntax.walk import parts

LONGEST: Final = 60


@dataclass(frozen=True)
class Symbol:
    """One line of an outline. `kind` is a declaration's keyword, "binding" or "setting"."""

    name: str
    kind: str
    detail: str
    span: Span
    selection: Span
    children: tuple[Symbol, ...] = ()


@dataclass(frozen=True)
class Fold:
    """Lines, counted from 1, the last included, that can be folded into the first."""

    first: int
    last: int
    kind: Literal["region", "comment", "imports"]


def outline(program: ast.Program) -> list[Symbol]:
    """The declarations of a file with what is bound and set in them; `use` lines are left out."""
    found = []
    for syntax in program.declarations:
        if isinstance(syntax, ast.Use) or not syntax.name.id:
            continue
        body = () if isinstance(syntax, ast.Extern) else syntax.body
        kind = "binding" if isinstance(syntax, ast.Layer) else "setting"
        children = tuple(
            Symbol(line.name.id, kind, _short(line.value), line.span, line.name.span)
            for line in body
            if isinstance(line, ast.Bind | ast.Draw) and line.name.id
        )
        found.append(Symbol(syntax.name.id, syntax.keyword, _detail(syntax), syntax.span, syntax.name.span, children))
    return found


def folds(program: ast.Program) -> list[Fold]:
    """Declarations and lists of several lines, runs of comment lines, runs of `use` lines."""
    source = program.source
    found = [_lines(declaration.span, "region") for declaration in program.declarations]
    for declaration in program.declarations:
        found += [_lines(node.span, "region") for node in _lists(declaration)]
    uses = [d.span for d in program.declarations if isinstance(d, ast.Use)]
    if uses:
        found.append(_lines(uses[0].to(uses[-1]), "imports"))
    found += _comments(source)
    return sorted({fold for fold in found if fold.last > fold.first}, key=lambda f: (f.first, -f.last, f.kind))


def _short(value: ast.Expr) -> str:
    written = text(value)
    return written if len(written) <= LONGEST else f"{written[: LONGEST - 2]}.."


def _detail(syntax: ast.Layer | ast.Extern | ast.Settings) -> str:
    if isinstance(syntax, ast.Settings) or not syntax.parameters:
        return syntax.keyword
    return f"{syntax.keyword} ({', '.join(p.name.id for p in syntax.parameters)})"


def _lists(declaration: ast.Declaration) -> Iterator[ast.Expr]:
    if isinstance(declaration, ast.Use | ast.Extern):
        return
    values = [line.value for line in declaration.body if isinstance(line, ast.Bind | ast.Draw)]
    if declaration.short is not None:
        values.append(declaration.short)
    for value in values:
        yield from (part for part in parts(value) if isinstance(part, ast.List | ast.Each))


def _lines(span: Span, kind: Literal["region", "imports"]) -> Fold:
    first, last = (span.source.position(offset).line for offset in (span.start, max(span.start, span.end - 1)))
    return Fold(first, last, kind)


def _comments(source: Source) -> Iterator[Fold]:
    """Lines with nothing but a comment, as long as they follow one another."""
    first = 0
    lines = source.text.split("\n")
    for number, line in enumerate([*lines, ""], start=1):
        if line.lstrip().startswith("#"):
            first = first or number
            continue
        if first:
            yield Fold(first, number - 1, "comment")
        first = 0
