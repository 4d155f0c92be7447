"""The shapes of tensors in a checked program, for every architecture, by the place where a tensor is written."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from atnas.dsl.cases import Cases, values
from atnas.dsl.elaborate.space import Worked
from atnas.dsl.extern import written
from atnas.dsl.net import InputNode, Net
from atnas.dsl.operator import Shape
from atnas.dsl.source import Span
from atnas.dsl.syntax import ast

LONGEST: Final = 30
"""Characters of a shape beside the text."""

Place = tuple[str, int, int]
Found = dict[int, Cases[Shape]]
"""Shapes by their identity: equal ones are one object."""


class Shapes:
    """What the spaces of a program say of its expressions: tensors by their syntax, layers by their places."""

    def __init__(self, spaces: Iterable[Worked]) -> None:
        self._tensors: dict[int, Found] = {}
        self._layers: dict[Place, Found] = {}
        self._inputs: dict[tuple[str, str], Shape] = {}
        for space in spaces:
            for node, shapes in space.seen.items():
                self._tensors.setdefault(node, {}).update((id(shape), shape) for shape in shapes)
            if space.net is not None:
                self._read(space.net)

    def _read(self, net: Net) -> None:
        for node in net.nodes:
            if isinstance(node, InputNode):
                self._inputs[net.name, node.name] = node.shape
            else:
                self._layers.setdefault(_place(node.span), {})[id(node.shape)] = node.shape

    def input(self, space: str, name: str) -> list[Shape]:
        """The shape of an input of a space."""
        found = self._inputs.get((space, name))
        return [] if found is None else [found]

    def is_tensor(self, node: ast.Expr) -> bool:
        """Whether an expression is a tensor, not a layer that makes one."""
        return id(node) in self._tensors

    def of(self, node: ast.Expr) -> list[Shape]:
        """The shapes of a tensor, or of what a layer puts out, each once; none where they are not known."""
        return self._of(node)

    def along(self, node: ast.Expr) -> list[tuple[ast.Expr, list[Shape]]]:
        """The same for each stage of a pipeline: `x`, `x -> f`, `x -> f -> g`."""
        return [(stage, self._of(stage)) for stage in pipeline(node)]

    def _of(self, node: ast.Expr) -> list[Shape]:
        last = node.right if isinstance(node, ast.Pipe) else node
        found = self._tensors.get(id(node)) or self._layers.get(_place(last.span)) or {}
        return list(dict.fromkeys(shape for cases in found.values() for shape in values(cases)))


def pipeline(node: ast.Expr) -> list[ast.Expr]:
    """`x -> f -> g` from its beginning on: `x`, `x -> f`, `x -> f -> g`. Another expression is all there is."""
    stages = [node]
    while isinstance(node, ast.Pipe):
        node = node.left
        stages.append(node)
    return stages[::-1]


def summary(shapes: Sequence[Shape], longest: int = LONGEST) -> str | None:
    """Shapes in one short line, `(16|32, 8, 8)`; None where there are none, or there is no short line."""
    if len({len(shape) for shape in shapes}) != 1:
        several = " | ".join(map(written, shapes))
        return several if shapes and len(several) <= longest else None
    columns = [sorted(set(column)) for column in zip(*shapes, strict=True)]
    exact = ["|".join(map(str, column)) for column in columns]
    ranges = [str(column[0]) if len(column) == 1 else f"{column[0]}..{column[-1]}" for column in columns]
    lines = (f"({', '.join(sizes)})" for sizes in (exact, ranges))
    return next((line for line in lines if len(line) <= longest), None)


def _place(span: Span) -> Place:
    return (span.source.path, span.start, span.end)
