"""What is said where shapes do not fit."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from itertools import combinations
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from atnas.dsl.cases import NEVER, Case, Cases, under
from atnas.dsl.extern import Signature, layer_class
from atnas.dsl.findings.diagnostics import Diagnostic, Label
from atnas.dsl.net import Edge, Num, Static
from atnas.dsl.operator import Operator, Shape, ShapeError
from atnas.dsl.source import Span
from atnas.dsl.syntax import ast
from atnas.dsl.syntax.unparse import text

if TYPE_CHECKING:
    from atnas.dsl.elaborate.build import Builder


@dataclass(frozen=True)
class Failure:
    """Stands in `Cases` where something refused what it was given: its inputs, of these shapes, or a value."""

    text: str
    shapes: tuple[Shape, ...] = ()
    value: Static = None


@dataclass(frozen=True)
class Merge:
    """How the tensors of an `add` or `concat` were written: where each stands, and what cures it if they do not fit."""

    spans: tuple[Span, ...]
    cure: str | None = None


class Member(NamedTuple):
    """Worked out as the element at this position of a list of which `decision` chooses a subset."""

    decision: int
    position: int


@dataclass(frozen=True)
class Refusal(ABC):
    """Something that does not fit in some cases.

    `cases` are failures there, and `NEVER` where it is not known what comes. It is come to where the guard holds and
    the members around it are chosen. `nodes`, from .. to, are the layers that it is about. `call` is the innermost use
    around it that is not written in the library.
    """

    span: Span
    cases: Cases[Any]
    guard: Cases[bool]
    nodes: tuple[int, int] = field(default=(0, 0), kw_only=True)
    members: tuple[Member, ...] = field(default=(), kw_only=True)
    call: Span | None = field(default=None, kw_only=True)

    is_excusable: ClassVar[bool] = True
    """Whether conditions may leave out where it does not fit, so that nothing is wrong."""

    @property
    def place(self) -> tuple[Span, Span | None]:
        """What it has in common with all others of which one thing is said."""
        return self.span, self.call if self.span.source.is_library else None

    @abstractmethod
    def finding(self, builder: Builder, failure: Failure, case: Case) -> Diagnostic:
        """What is said of a failure; in this case it comes to it."""


@dataclass(frozen=True, kw_only=True)
class LayerRefusal(Refusal):
    """A use of an operator."""

    operator: str | Signature
    arguments: tuple[tuple[str, Num], ...]
    edges: tuple[Edge, ...]
    merge: Merge | None

    def finding(self, builder: Builder, failure: Failure, case: Case) -> Diagnostic:
        """See `Refusal`."""
        if not failure.shapes:
            return Diagnostic("E213", self.span, failure.text, "choose at least one: 1..2 of [..]")
        if self.merge is None:
            message, _, cure = failure.text.partition(": ")
            return Diagnostic("E302", self.span, message, self._inferred(failure) or cure or None)
        first, *others = self._branches(builder, case, self.merge)
        cure = "give both branches the same channels and stride"
        if self.operator == "concat":
            cure = "concat joins along the channels; the other sizes must agree"
        message, labels = "these branches have different shapes", tuple(others)
        return Diagnostic("E301", first.span, message, self.merge.cure or cure, inner=first.message, labels=labels)

    def _inferred(self, failure: Failure) -> str | None:
        """The cure of `conv(3, 16, 3)` on three channels, where PyTorch's order of arguments was meant."""
        given = dict(self.arguments)
        kernel, stride = given.get("kernel"), given.get("stride")
        if given.get("channels") != failure.shapes[0][0] or not isinstance(kernel, int) or not isinstance(stride, int):
            return None
        meant = f"{self.operator}({kernel}, {stride})"
        return f"the input's channels are inferred: write {meant}" if kernel > stride > 1 and stride % 2 else None

    def _branches(self, builder: Builder, case: Case, merge: Merge) -> tuple[Label, ...]:
        """Two branches that do not go together, each with its shape."""
        taken: list[tuple[Span, Shape]] = []
        for edge, span in zip(self.edges, merge.spans, strict=True):
            if edge.guard is None or case.get(edge.guard.decision, 0) in edge.guard.allowed:
                shape = under(builder.shapes[edge.node], case)
                assert shape is not NEVER
                taken.append((span, shape.value))
        cls = layer_class(self.operator)
        pairs = (pair for pair in combinations(taken, 2) if not _go_together(cls, *(shape for _, shape in pair)))
        return tuple(Label(span, written(shape)) for span, shape in next(pairs, taken[:2]))


@dataclass(frozen=True, kw_only=True)
class PortRefusal(Refusal):
    """A tensor that has not the shape that a port declares: the use is blamed, or the body whose own output it is.

    `span` is that use, where the port is an input.
    """

    port: ast.Port

    def finding(self, builder: Builder, failure: Failure, case: Case) -> Diagnostic:
        """See `Refusal`."""
        del builder, case
        labels = () if self.span == self.port.span else (Label(self.port.span, "declared here"),)
        return Diagnostic("E303", self.span, failure.text, labels=labels)


@dataclass(frozen=True, kw_only=True)
class NumberRefusal(Refusal):
    """A number that there cannot be. Nothing is made of it."""

    code: str
    cure: str | None = None

    is_excusable: ClassVar[bool] = False

    def finding(self, builder: Builder, failure: Failure, case: Case) -> Diagnostic:
        """See `Refusal`."""
        del builder, case
        return Diagnostic(self.code, self.span, failure.text, self.cure)


@dataclass(frozen=True, kw_only=True)
class AnswerRefusal(Refusal):
    """An output that the tasks cannot take."""

    cure: str

    def finding(self, builder: Builder, failure: Failure, case: Case) -> Diagnostic:
        """See `Refusal`."""
        del builder, case
        return Diagnostic("E514", self.span, failure.text, self.cure)


def _go_together(cls: type[Operator], *shapes: Shape) -> bool:
    """Whether an operator merges tensors of these shapes."""
    try:
        cls().shape(*shapes)
    except ShapeError:
        return False
    return True


def declared(port: ast.Port) -> str:
    """The shape of a port as it is declared: `(c, 32, 32)`."""
    return f"({', '.join(map(text, port.sizes or ()))})"


def written(shape: Shape) -> str:
    """A shape as it stands in the language: `(3, 32, 32)`."""
    return f"({', '.join(map(str, shape))})"
