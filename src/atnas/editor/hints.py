"""Shapes beside the text: behind each stage of a pipeline, and behind what is bound."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from atnas.dsl.extern import written
from atnas.dsl.operator import Shape
from atnas.dsl.syntax import ast
from atnas.dsl.syntax.walk import children
from atnas.editor.shapes import Shapes, summary

MOST_LISTED: Final = 12


@dataclass(frozen=True)
class Hint:
    """A text to show at an offset, and what to tell when it is pointed at."""

    offset: int
    text: str
    tip: str


def hints(program: ast.Program, shapes: Shapes, start: int, end: int) -> list[Hint]:
    """The shapes in a part of a file, in its order; none where one is not known or the same stands there already."""
    found: dict[int, Hint] = {}
    for declaration in program.declarations:
        if isinstance(declaration, ast.Layer) and declaration.span.start < end and declaration.span.end > start:
            for hint in _declaration(declaration, shapes):
                if start <= hint.offset <= end:
                    found.setdefault(hint.offset, hint)
    return sorted(found.values(), key=lambda hint: hint.offset)


def _declaration(layer: ast.Layer, shapes: Shapes) -> Iterator[Hint]:
    values = [line.value for line in layer.body if isinstance(line, ast.Bind)]
    for value in [*values, *([layer.short] if layer.short is not None else [])]:
        yield from _expression(value, shapes)


def _expression(node: ast.Expr, shapes: Shapes) -> Iterator[Hint]:
    """Behind the stages of every pipeline in an expression, and behind the expression itself."""
    for stage, found in shapes.along(node):
        if not isinstance(stage, ast.Name) or not shapes.is_tensor(stage):
            yield from _hint(stage.span.end, found)
        yield from _within(stage.right if isinstance(stage, ast.Pipe) else stage, shapes)


def _within(node: ast.Expr, shapes: Shapes) -> Iterator[Hint]:
    """The pipelines inside of an expression."""
    for child in children(node):
        if isinstance(child, ast.Pipe):
            yield from _expression(child, shapes)
        else:
            yield from _within(child, shapes)


def _hint(offset: int, found: list[Shape]) -> Iterator[Hint]:
    line = summary(found)
    if line is not None:
        listed = ", ".join(map(written, found[:MOST_LISTED]))
        rest = f" and {len(found) - MOST_LISTED} more" if len(found) > MOST_LISTED else ""
        yield Hint(offset, line, f"shape {listed}{rest}")
