"""The net under construction: nodes, decisions and findings, and the shape of every node for every architecture."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, cast

from atnas.dsl.cases import LEAF, NEVER, Cases, apply, choose, leaf, member, only, otherwise, size, values
from atnas.dsl.elaborate.mismatch import Failure, LayerRefusal, Member, Merge, Refusal
from atnas.dsl.elaborate.naming import Unique
from atnas.dsl.elaborate.shapes import ABSENT, shape_of, shapes
from atnas.dsl.elaborate.template import Copy, Made, Site, Template, Unfit, Use
from atnas.dsl.extern import Signature, layer_class
from atnas.dsl.findings.diagnostics import Diagnostic, Edit, Label
from atnas.dsl.meter import WALKED, TooLarge, hurry, spend
from atnas.dsl.net import (
    Arith,
    Asked,
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
    Pick,
    Read,
    Static,
    number,
)
from atnas.dsl.operator import Operator, Shape
from atnas.dsl.source import Source, Span
from atnas.dsl.syntax import ast

LARGEST_NET = 100_000
"""Nodes after which a space is refused, so that a hostile file costs bounded time and memory."""

MOST_CASES = 1_000_000
"""Cases of all shapes together after which a space is refused."""

STEPS_OF_A_CONDITION = 4
"""What a `require` line costs in each copy of its body."""

UNDONE = (0,)
"""The options of a decision of which nothing is known."""

MOST_OPTIONS = 10_000
"""Options of one decision and turns of one repeat that a program may have."""


@dataclass(eq=False)
class Builder:
    """Collects one space, or what is worked out by itself. Findings are told once for each code and place.

    What is worked out by itself is `alone`: its first decisions, so many as `outer`, are those that it was given.
    Where a builder is `strict`, what does not fit is not worked out further. `varies`: some shape depends on decisions.
    """

    source: Source
    findings: list[Diagnostic]
    templates: dict[Hashable, Template | None] = field(default_factory=dict)
    settled: dict[Hashable, tuple[tuple[str, Num], ...] | None] = field(default_factory=dict)
    _cells: Unique = field(default_factory=Unique)
    outer: int = 0
    is_alone: bool = False
    is_strict: bool = False
    varies: bool = False
    is_adrift: bool = False
    nodes: list[NetNode | None] = field(default_factory=list)
    shapes: dict[int, Cases[Shape]] = field(default_factory=dict)
    decisions: list[Decision | None] = field(default_factory=list)
    uses: list[tuple[ast.Layer, int, Cases[bool]]] = field(default_factory=list)
    asked: dict[Asked, None] = field(default_factory=dict)
    sites: list[Site] = field(default_factory=list)
    own: dict[int, Site] = field(default_factory=dict)
    made: dict[tuple[int, str], Made] = field(default_factory=dict)
    ways: dict[tuple[str, int], tuple[ast.Expr, str]] = field(default_factory=dict)
    _cases: int = 0
    _used: int = 0
    _made: int = 0
    refusals: list[Refusal] = field(default_factory=list)
    _members: tuple[Member, ...] = ()
    _names: list[str] = field(default_factory=list)
    _numbers: dict[str, int] = field(default_factory=dict)
    seen: dict[int, dict[int, Cases[Shape]]] = field(default_factory=dict)
    _copies: list[Copy] = field(default_factory=list)
    _shown: set[Builder] = field(default_factory=set)
    calls: list[Span] = field(default_factory=list)
    undone: set[int] = field(default_factory=set)
    """Decisions whose options could not be found out, for which there is a finding."""
    _sites: Unique = field(default_factory=Unique)
    _ways: Unique = field(default_factory=Unique)
    _places: dict[str, int] = field(default_factory=dict)
    _told: set[tuple[str, Span]] = field(default_factory=set)

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
        fix: tuple[Edit, ...] = (),
    ) -> None:
        """Adds a finding, unless this one was made there before."""
        self.tell(Diagnostic(code, span, message, cure, when, inner, labels, fix))

    def tell(self, finding: Diagnostic) -> None:
        """Adds a finding, unless one of its code was made there before. Raises `Unfit` where it is worked out alone."""
        if self.is_alone:
            raise Unfit
        call = self._own_call()
        if call is not None and finding.span.source.is_library:
            finding = finding.used(call)
        if (finding.code, finding.span) not in self._told:
            self._told.add((finding.code, finding.span))
            self.findings.append(finding)

    def _own_call(self) -> Span | None:
        """The innermost use that is worked through and is not written in the library."""
        return next((call for call in reversed(self.calls) if not call.source.is_library), None)

    # Decisions

    def reserve(self, name: str, site: ast.Expr) -> int:
        """The number of the decision made at a site on the way of that name: on the same way it is the same one."""
        unique = self._sites(name, site)
        if unique not in self._numbers:
            self._numbers[unique] = len(self.decisions)
            self._names.append(unique)
            self.sites.append((name, site))
            self.own[len(self.decisions)] = name, site
            self.decisions.append(None)
        return self._numbers[unique]

    def cell(self, syntax: ast.Layer) -> str:
        """What the names of a cell's decisions begin with: its name, or another where two files have one so called."""
        return self._cells(syntax.name.id, syntax)

    def way(self, name: str, site: ast.Expr) -> str:
        """The way into an op that is not named where it is used."""
        unique = self._ways(name, site)
        self.ways.setdefault((name, id(site)), (site, unique))
        return unique

    def deepen(self, number: int) -> None:
        """A number that counts the turns of a repeat is a depth."""
        decision = self.decisions[number]
        if decision is not None:
            self.decisions[number] = replace(decision, kind="depth")

    def decide(self, number: int, kind: Kind, options: Sequence[Json], ordered: bool, span: Span) -> bool:
        """Fixes the options of a reserved decision. Where it was made before, they must be the same: False if not."""
        before = self.decisions[number]
        name = self._names[number]
        decision = Decision(name, kind, tuple(options), ordered, span)
        if before is None or number in self.undone:
            self.decisions[number] = decision
            self.undone.discard(number)
        elif before.options != decision.options:
            self.report(
                "E403",
                span,
                f"`{name}` is decided once for all uses of this cell, and two uses offer different options",
                "give both uses the same arguments, or make it an `op`, which decides at each use",
                inner=f"here {decision.listed}, before {before.listed}",
            )
            return False
        return True

    def require(self, asked: Asked | None) -> None:
        """Adds a constraint, once: every use of a cell asks the same."""
        if asked is not None:
            self.asked.setdefault(asked)

    @cached_property
    def constraints(self) -> tuple[Constraint, ...]:
        """What is asked, once all is worked out."""
        return tuple(asked.constraint for asked in self.asked)

    def refuse(self, refusal: Refusal) -> None:
        """Notes what does not fit: it is told once it is known what the conditions leave. Raises `Unfit` as `tell`."""
        if self.is_alone:
            raise Unfit
        if refusal.cases.decision == LEAF and not refusal.is_excusable:
            self.tell(refusal.finding(self, refusal.cases.value, {}))
            return
        hurry()
        self.refusals.append(replace(refusal, members=self._members, call=self._own_call()))

    @contextmanager
    def member(self, decision: int, position: int) -> Iterator[None]:
        """Within it that element of a list is worked out of which `decision` chooses a subset."""
        before = self._members
        self._members = (*before, Member(decision, position))
        try:
            yield
        finally:
            self._members = before

    @contextmanager
    def adrift(self, is_adrift: bool) -> Iterator[None]:
        """Within it, if so, what is worked out has no shape where it is not come to: its inputs do not fit there."""
        before = self.is_adrift
        self.is_adrift |= is_adrift
        try:
            yield
        finally:
            self.is_adrift = before

    def see(self, node: ast.Expr, tensor: int) -> None:
        """Notes the shape of an expression."""
        self._see(id(node), self.shapes[tensor])

    def _see(self, node: int, shape: Cases[Shape]) -> None:
        self.seen.setdefault(node, {})[id(shape)] = shape

    # Nodes

    def input(self, name: str, shape: Shape) -> int:
        return self.add(InputNode(name, shape), leaf(shape))

    def layer(
        self,
        operator: str | Signature,
        arguments: tuple[tuple[str, Num], ...],
        edges: tuple[Edge, ...],
        place: str,
        span: Span,
        guard: Cases[bool],
        merge: Merge | None = None,
    ) -> int | None:
        """One use of an operator; its shape is proved for every architecture in which the guard holds.

        None where it does not fit, and what follows from that is not to be worked out.
        """
        cls = layer_class(operator)
        shape = None if self.is_adrift else self._plain_shape(cls, arguments, edges)
        if shape is None:
            first: Cases[Any] = self.shapes[edges[0].node]
            first = first if edges[0].guard is None else otherwise(first, ABSENT)
            cases = shapes(cls, str(operator), arguments, only(guard, first), [self._taken(edge) for edge in edges])
            if edges[0].guard is not None:  # a sum of none of them, the first of which has no shape
                cases = only(apply(lambda shape: shape != ABSENT, cases), cases)
            if any(isinstance(value, Failure) for value in values(cases)):
                at = len(self.nodes), len(self.nodes) + 1
                blame = LayerRefusal(
                    span, cases, guard, nodes=at, operator=operator, arguments=arguments, edges=edges, merge=merge
                )
                self.refuse(blame)
                if self.is_strict:
                    return None
                cases = only(apply(lambda s: not isinstance(s, Failure), cases), cases)
            shape = cast("Cases[Shape]", cases)
        return self.add(LayerNode(operator, arguments, edges, self.place(place), shape, span), shape)

    def _plain_shape(
        self,
        cls: type[Operator],
        arguments: tuple[tuple[str, Num], ...],
        edges: tuple[Edge, ...],
    ) -> Cases[Shape] | None:
        """The shape of a layer that has one only, in whichever architecture; None where there may be others."""
        given = [self.shapes[edge.node] for edge in edges]
        if any(shape.decision != LEAF or shape is NEVER for shape in given):
            return None
        if any(edge.guard is not None for edge in edges):
            return given[0] if cls.has_zero and all(shape is given[0] for shape in given) else None
        if any(isinstance(value, Pick | Arith | Read) for _, value in arguments):
            return None
        names, values = tuple(name for name, _ in arguments), tuple(value for _, value in arguments)
        found = shape_of(cls, names, values, tuple(shape.value for shape in given))
        return None if isinstance(found, Failure) else leaf(found)

    def choice(self, selector: Num, keys: tuple[Static, ...], sources: tuple[int, ...], span: Span) -> int:
        """The source whose key the selector takes."""
        shape = choose(number(selector), keys, [self.shapes[s] for s in sources])
        return self.add(ChoiceNode(selector, keys, sources, shape, span), shape)

    def add(self, node: NetNode, shape: Cases[Shape]) -> int:
        """A node whose shape is known."""
        spend(1)
        self._grow(1, size(shape))
        self.nodes.append(node)
        self.shapes[len(self.nodes) - 1] = shape
        self.varies |= shape.decision != LEAF
        return len(self.nodes) - 1

    def use(self, syntax: ast.Layer, node: int, guard: Cases[bool]) -> None:
        """Notes a use of an op or cell, by its first output and where it is come to."""
        self.uses.append((syntax, node, guard))
        self._use(1)

    def _use(self, count: int) -> None:
        self._used += count
        if self._used > LARGEST_NET:
            raise TooLarge(f"the space has more than {LARGEST_NET:,} uses of ops and cells")

    def copy(self, copy: Copy) -> None:
        """The nodes of a template; they are made when they are looked at."""
        body, size = copy.template.body, len(copy.template.body.nodes) - copy.template.inputs
        spend(size // WALKED + len(body.sites) + 2 * len(body.ways) + STEPS_OF_A_CONDITION * len(body.asked))
        self._grow(size, body._cases)
        self._use(body._used)
        self.varies |= body.varies
        self.nodes += [None] * size
        self._copies.append(copy)
        if body not in self._shown:  # one shape or another, it is the same in all copies
            self._shown.add(body)
            for node, shapes in body.seen.items():
                for shape in shapes.values():
                    self._see(node, copy.move.cases(shape))

    def _grow(self, nodes: int, cases: int) -> None:
        if len(self.nodes) + nodes > LARGEST_NET:
            raise TooLarge(f"the space has more than {LARGEST_NET:,} layers and choices")
        self._cases += cases
        if self._cases > MOST_CASES:
            raise TooLarge(f"the shapes of the space depend on its decisions in more than {MOST_CASES:,} ways")

    def whole(self) -> list[NetNode]:
        """All nodes, those of copies too; the uses in them are then among `uses`."""
        for template, move in self._copies[self._made :]:
            nodes = [move.layer(node) for node in template.body.whole()[template.inputs :]]
            uses = [(syntax, move.node(n), move.come(guard)) for syntax, n, guard in template.body.uses]
            self.nodes[move.first : move.first + len(nodes)] = nodes
            self.uses += uses
            self._made += 1
        return cast("list[NetNode]", self.nodes)

    def alone(self, use: Use) -> Builder:
        """Another, in which a use is worked out by itself."""
        shapes, outer = use.shapes, use.outer
        body = Builder(self.source, [], self.templates, self.settled, self._cells, len(outer), is_alone=True)
        body.varies = any(shape.decision != LEAF for shape in shapes)
        body.nodes += [InputNode("", ())] * len(shapes)
        body.shapes.update(enumerate(shapes))
        body.decisions += [self.decisions[decision] for decision in outer]
        body._names += [self._names[decision] for decision in outer]
        for decision, site in use.own:
            body._numbers[body._sites(*site)] = decision
            body.own[decision] = site
        if use.before is not None:
            body.made.update(use.before.within({decision: i for i, decision in enumerate(outer)}))
        return body

    def place(self, place: str) -> str:
        """A name for weights that nothing else has: a second use gets `~2`."""
        count = self._places[place] = self._places.get(place, 0) + 1
        return place if count == 1 else f"{place}~{count}"

    def _taken(self, edge: Edge) -> Cases[Any]:
        """The shape along an edge, ABSENT where the edge is not taken."""
        shape = self.shapes[edge.node]
        if edge.guard is None:
            return shape
        decision = self.decisions[edge.guard.decision]
        assert decision is not None
        is_in = member(edge.guard.decision, len(decision.options), edge.guard.allowed)
        return choose(is_in, (True, False), [shape, leaf(ABSENT)])

    def words(self, case: dict[int, int]) -> str:
        """An assignment as people read it: `edge = skip, kernel = 5`."""
        return ", ".join(
            f"{d.name} = {d.words[option]}"
            for i, option in case.items()
            if (d := self.decisions[i]) is not None and option < len(d.options) and d.options != UNDONE
        )
