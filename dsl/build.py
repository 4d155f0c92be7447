"""The net under construction: nodes, decisions and findings, and the shape of every node for every architecture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from atnas.dsl.cases import LEAF, NEVER, Cases, apply, choose, leaf, nodes, only, witness
from atnas.dsl.diagnostics import Diagnostic, Label
from atnas.dsl.net import (
    ChoiceNode,
    Constraint,
    Decision,
    Edge,
    InputNode,
    Json,
    Kind,
    LayerNode,
    NetNode,
    Num,
    Static,
    index_of,
    number,
)
from atnas.dsl.operator import Operator, Shape, ShapeError
from atnas.dsl.plugins import load
from atnas.dsl.source import Source, Span

LARGEST_NET = 200_000
"""Nodes after which a space is refused, so that a hostile file costs bounded time and memory."""

LARGEST_DIAGRAM = 50_000
"""Cases of one shape or number after which a space is refused."""


MOST_OPTIONS = 10_000
"""Options of one decision and turns of one repeat that a program may have."""


class TooLarge(Exception):
    """The space is larger than this program takes. The text says what is too large."""


@dataclass(frozen=True)
class _Failure:
    """Stands where an operator refused its inputs."""

    text: str
    shapes: tuple[Shape, ...]


@dataclass
class Builder:
    """Collects one space. Findings are told once for each code and place."""

    source: Source
    findings: list[Diagnostic]
    nodes: list[NetNode] = field(default_factory=list)
    shapes: list[Cases[Shape]] = field(default_factory=list)
    decisions: list[Decision | None] = field(default_factory=list)
    constraints: list[Constraint] = field(default_factory=list)
    _names: dict[str, int] = field(default_factory=dict)
    _places: dict[str, int] = field(default_factory=dict)

    def report(
        self,
        code: str,
        span: Span,
        message: str,
        cure: str | None = None,
        *,
        inner: str = "",
        when: str | None = None,
        labels: tuple[Label, ...] = (),
    ) -> None:
        """Adds a finding, unless this one was made there before."""
        if not any(f.code == code and f.span == span for f in self.findings):
            self.findings.append(Diagnostic(code, span, message, cure, when, inner, labels))

    # Decisions

    def reserve(self, name: str) -> int:
        """The number of the decision of that name; on the same way it is the same decision."""
        if name not in self._names:
            self._names[name] = len(self.decisions)
            self.decisions.append(None)
        return self._names[name]

    def deepen(self, number: int) -> None:
        """A number that counts the turns of a repeat is a depth."""
        decision = self.decisions[number]
        if decision is not None:
            self.decisions[number] = replace(decision, kind="depth")

    def decide(self, number: int, kind: Kind, options: Sequence[Json], ordered: bool, span: Span) -> None:
        """Fixes the options of a reserved decision; where it was made before, they must be the same."""
        before = self.decisions[number]
        name = next(name for name, n in self._names.items() if n == number) if before is None else before.name
        decision = Decision(name, kind, tuple(options), ordered, span)
        if before is None:
            self.decisions[number] = decision
        elif before.options != decision.options:
            self.report(
                "E403",
                span,
                f"`{name}` is decided once for all uses of this cell, and two uses offer different options",
                "give both uses the same arguments, or make it an `op`, which decides at each use",
                inner=f"here {_listed(decision.options)}, before {_listed(before.options)}",
            )

    # Nodes

    def input(self, name: str, shape: Shape) -> int:
        return self._add(InputNode(name, shape), leaf(shape))

    def layer(
        self,
        operator: str,
        arguments: tuple[tuple[str, Num], ...],
        edges: tuple[Edge, ...],
        place: str,
        span: Span,
        guard: Cases[bool],
        spans: Sequence[Span] = (),
    ) -> int:
        """One use of an operator; its shape is proved for every architecture in which the guard holds."""
        cls: type[Operator] = load("ops", operator)
        taken = [self._taken(edge, guard) for edge in edges]
        names = tuple(name for name, _ in arguments)

        def rule(first: Shape, *values: Any) -> Shape | _Failure:
            shapes = tuple(v for v in values[: len(edges)] if v != ABSENT)
            if not shapes:
                return first if operator == "add" else _Failure(f"`{operator}` of nothing", ())
            return _shape(cls, names, values[len(edges) :], shapes)

        first = only(guard, self.shapes[edges[0].node])
        raw = apply(rule, first, *taken, *(only(guard, number(n)) for _, n in arguments))
        shape = self._settled(raw, operator, span, spans, edges)
        return self._add(LayerNode(operator, arguments, edges, self.place(place), shape, span), shape)

    def choice(self, selector: Num, keys: tuple[Static, ...], sources: tuple[int, ...], span: Span) -> int:
        """The source whose key the selector takes."""
        shape = choose(number(selector), keys, [self.shapes[s] for s in sources])
        return self._add(ChoiceNode(selector, keys, sources, shape, span), shape)

    def _add(self, node: NetNode, shape: Cases[Shape]) -> int:
        if len(self.nodes) >= LARGEST_NET:
            raise TooLarge(f"the space has more than {LARGEST_NET:,} layers and choices")
        if shape.decision != LEAF and sum(1 for _ in nodes(shape)) > LARGEST_DIAGRAM:
            raise TooLarge(f"the shape here depends on the decisions in more than {LARGEST_DIAGRAM:,} ways")
        self.nodes.append(node)
        self.shapes.append(shape)
        return len(self.nodes) - 1

    def place(self, place: str) -> str:
        """A name for weights that nothing else has: a second use gets `~2`."""
        count = self._places[place] = self._places.get(place, 0) + 1
        return place if count == 1 else f"{place}~{count}"

    def _taken(self, edge: Edge, guard: Cases[bool]) -> Cases[Any]:
        """The shape along an edge, ABSENT where the edge is not taken, NEVER where the guard does not hold."""
        shape = only(guard, self.shapes[edge.node])
        if edge.guard is None:
            return shape
        decision = self.decisions[edge.guard.decision]
        assert decision is not None
        allowed = edge.guard.allowed
        selector = only(guard, index_of(edge.guard.decision, len(decision.options)))
        is_in = apply(lambda i: i in allowed, selector)
        return choose(is_in, (True, False), [shape, leaf(ABSENT)])

    # Shapes

    def _settled(
        self,
        raw: Cases[Shape | _Failure],
        operator: str,
        span: Span,
        spans: Sequence[Span],
        edges: Sequence[Edge],
    ) -> Cases[Shape]:
        """The shapes without failures; the first failure becomes a finding."""
        case = witness(raw, lambda s: isinstance(s, _Failure))
        if case is None:
            return raw  # type: ignore[return-value]
        node = raw
        while node.decision != LEAF:
            node = node.children[case.get(node.decision, 0)]
        failure = node.value
        assert isinstance(failure, _Failure)
        when = self.words(case) or None
        if operator in ("add", "concat") and spans:
            labels = self._branches(case, spans, edges)
            self.report(
                "E301",
                labels[0].span,
                "these branches have different shapes",
                "give both branches the same channels and stride"
                if operator == "add"
                else "concat joins along the channels; the other sizes must agree",
                inner=labels[0].message,
                when=when,
                labels=labels[1:],
            )
        else:
            self.report("E302", span, failure.text, when=when)
        return apply(lambda s: s, _without_failures(raw))

    def _branches(
        self, case: dict[int, int], spans: Sequence[Span], edges: Sequence[Edge]
    ) -> tuple[Label, ...]:
        found: list[Label] = []
        for edge, span in zip(edges, spans, strict=True):
            if (
                edge.guard
                and edge.guard.decision in case
                and case[edge.guard.decision] not in edge.guard.allowed
            ):
                continue
            shape = self.shapes[edge.node]
            while shape.decision != LEAF:
                shape = shape.children[case.get(shape.decision, 0)]
            if shape is not NEVER:
                found.append(Label(span, written(shape.value)))
        distinct: list[Label] = []
        for label in found:
            if all(label.message != d.message for d in distinct):
                distinct.append(label)
        return tuple(distinct[:2] if len(distinct) > 1 else found[:1])

    def words(self, case: dict[int, int]) -> str:
        """An assignment as people read it: `edge = skip, kernel = 5`."""
        return ", ".join(
            f"{d.name} = {d.options[option]}"
            for i, option in case.items()
            if (d := self.decisions[i]) is not None
        )


ABSENT = "absent"


@lru_cache(maxsize=100_000)
def _shape(
    cls: type[Operator], names: tuple[str, ...], settings: tuple[Static, ...], shapes: tuple[Shape, ...]
) -> Shape | _Failure:
    try:
        return cls(**dict(zip(names, settings, strict=True))).shape(*shapes)
    except ShapeError as error:
        return _Failure(str(error), shapes)


def _without_failures(raw: Cases[Shape | _Failure]) -> Cases[Shape]:
    good = apply(lambda s: not isinstance(s, _Failure), raw)
    return only(good, raw)  # type: ignore[arg-type]


def written(shape: Shape) -> str:
    """A shape as it stands in the language: `(3, 32, 32)`."""
    return f"({', '.join(map(str, shape))})"


def _listed(options: Sequence[Json]) -> str:
    return " | ".join(map(str, options))
