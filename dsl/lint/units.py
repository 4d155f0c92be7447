"""Units in layers, spaces and `extern op`: nothing there is a time or a size in bytes."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from atnas.dsl.elaborate.conditions import METRICS
from atnas.dsl.findings import units
from atnas.dsl.findings.diagnostics import Diagnostic
from atnas.dsl.lint.unused import expressions
from atnas.dsl.syntax import ast
from atnas.dsl.syntax.walk import parts


def misplaced(declared: ast.Layer | ast.Extern) -> Iterator[Diagnostic]:
    """The findings of one declaration."""
    asked: list[ast.Expr] = []
    if isinstance(declared, ast.Layer):
        bound = _bound(declared)
        for line in declared.body:
            if isinstance(line, ast.Require):
                asked += [line.condition, *([] if line.guard is None else [line.guard])]
        compared = [part for side in asked for part in parts(side) if isinstance(part, ast.Binary)]
        for part in compared:
            if part.op in units.COMPARISONS:
                yield from units.compared(part, METRICS, bound)
        written = expressions(declared)
    else:
        written = iter([*(p.default for p in declared.parameters if p.default is not None), *declared.output])
    for expression in written:
        if any(expression is side for side in asked):
            continue
        for part in parts(expression):
            found = units.stray(part) if isinstance(part, ast.Number) else None
            if found is not None:
                yield found


def _bound(layer: ast.Layer) -> Collection[str]:
    """The names that a layer gives to something."""
    ports = (*layer.inputs, *layer.outputs)
    sizes = {size.id for port in ports for size in port.sizes or () if isinstance(size, ast.Name)}
    lines = {line.name.id for line in layer.body if isinstance(line, ast.Bind)}
    return sizes | lines | {each.name.id for each in (*layer.parameters, *ports)}
