"""Units in layers, spaces and `extern op`: nothing there is a time or a size in bytes."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from atnas.dsl.elaborate.conditions import METRICS
from atnas.dsl.findings import units
from atnas.dsl.findings.diagnostics import Diagnostic
from atnas.dsl.syntax import ast
from atnas.dsl.syntax.walk import expressions, parts


def misplaced(declared: ast.Layer | ast.Extern) -> Iterator[Diagnostic]:
    """The findings of one declaration."""
    if isinstance(declared, ast.Extern):
        yield from _stray([p.default for p in declared.parameters if p.default is not None])
        yield from _stray(declared.output)
        return
    asked = [side for line in declared.body if isinstance(line, ast.Require) for side in (line.condition, line.guard)]
    yield from _stray([e for e in expressions(declared) if not any(e is side for side in asked)])
    bound = _bound(declared)
    for part in (part for side in asked if side is not None for part in parts(side)):
        if isinstance(part, ast.Binary) and part.op in units.COMPARISONS:
            yield from units.compared(part, METRICS, bound)


def _stray(written: Sequence[ast.Expr]) -> Iterator[Diagnostic]:
    for part in (part for expression in written for part in parts(expression)):
        found = units.stray(part) if isinstance(part, ast.Number) else None
        if found is not None:
            yield found


def _bound(layer: ast.Layer) -> Collection[str]:
    """The names that a layer gives to something."""
    ports = (*layer.inputs, *layer.outputs)
    sizes = {size.id for port in ports for size in port.sizes or () if isinstance(size, ast.Name)}
    lines = {line.name.id for line in layer.body if isinstance(line, ast.Bind)}
    return sizes | lines | {p.name.id for p in layer.parameters} | {port.name.id for port in ports}
