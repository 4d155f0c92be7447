"""What is said where shapes do not fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from atnas.dsl.cases import NEVER, Cases, apply, values, witness
from atnas.dsl.findings.diagnostics import Label
from atnas.dsl.net import Edge, Num
from atnas.dsl.operator import Shape
from atnas.dsl.source import Span
from atnas.dsl.syntax import ast
from atnas.dsl.syntax.unparse import text

if TYPE_CHECKING:
    from atnas.dsl.elaborate.build import Builder


@dataclass(frozen=True)
class Failure:
    """Stands in `Cases` where an operator refused its inputs."""

    text: str
    shapes: tuple[Shape, ...]


@dataclass(frozen=True)
class Merge:
    """How the tensors of an `add` or `concat` were written: where each stands, and what cures it if they do not fit."""

    spans: tuple[Span, ...]
    cure: str | None = None


@dataclass(frozen=True)
class Refusal:
    """A use of an operator that fails in some cases."""

    operator: str
    cases: Cases[Shape | Failure]
    edges: tuple[Edge, ...]
    span: Span
    merge: Merge | None
    arguments: tuple[tuple[str, Num], ...] = ()
    call: Span | None = None


def failing(cases: Cases[Shape | Failure]) -> dict[int, int] | None:
    """The smallest assignment under which an operator refuses its inputs."""
    if not any(isinstance(value, Failure) for value in values(cases)):
        return None
    # Asked of where it fails alone: that the shapes differ from case to case does not matter.
    return witness(apply(lambda s: isinstance(s, Failure), cases), bool)


def tell(builder: Builder, refusal: Refusal, case: dict[int, int]) -> None:
    """Makes a finding of a refusal; `case` is the assignment to show."""
    cases: Cases[Any] = refusal.cases
    while cases.children:
        cases = cases.children[case.get(cases.decision, 0)]
    failure: Failure = cases.value
    when = builder.words(case) or None
    if not failure.shapes:
        builder.report("E213", refusal.span, failure.text, "choose at least one: 1..2 of [..]", when=when)
    elif refusal.merge is None:
        message, _, cure = failure.text.partition(": ")
        builder.report("E302", refusal.span, message, _inferred(refusal, failure) or cure or None, when=when)
    else:
        labels = _branches(builder, case, refusal.merge.spans, refusal.edges)
        cure = "give both branches the same channels and stride"
        if refusal.operator == "concat":
            cure = "concat joins along the channels; the other sizes must agree"
        builder.report(
            "E301",
            labels[0].span,
            "these branches have different shapes",
            refusal.merge.cure or cure,
            inner=labels[0].message,
            when=when,
            labels=labels[1:],
        )


def _inferred(refusal: Refusal, failure: Failure) -> str | None:
    """The cure of `conv(3, 16, 3)` on three channels, where PyTorch's order of arguments was meant."""
    given = dict(refusal.arguments)
    kernel, stride = given.get("kernel"), given.get("stride")
    if given.get("channels") != failure.shapes[0][0] or not isinstance(kernel, int) or not isinstance(stride, int):
        return None
    meant = f"{refusal.operator}({kernel}, {stride})"
    return f"the input's channels are inferred: write {meant}" if kernel > stride > 1 and stride % 2 else None


def _branches(
    builder: Builder, case: dict[int, int], spans: Sequence[Span], edges: Sequence[Edge]
) -> tuple[Label, ...]:
    """Two branches that differ, each with its shape."""
    found: list[Label] = []
    for edge, span in zip(edges, spans, strict=True):
        if edge.guard and case.get(edge.guard.decision, 0) not in edge.guard.allowed:
            continue
        shape = builder.shapes[edge.node]
        while shape.children:
            shape = shape.children[case.get(shape.decision, 0)]
        label = Label(span, "" if shape is NEVER else written(shape.value))
        if shape is not NEVER and all(label.message != other.message for other in found):
            found.append(label)
    return tuple(found[:2])


def declared(port: ast.Port) -> str:
    """The shape of a port as it is declared: `(c, 32, 32)`."""
    return f"({', '.join(map(text, port.sizes or ()))})"


def written(shape: Shape) -> str:
    """A shape as it stands in the language: `(3, 32, 32)`."""
    return f"({', '.join(map(str, shape))})"
