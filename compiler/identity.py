"""What a space means, whatever things are called and in which order they are written: its form, and the form's digest.

Nodes and decisions are numbered as they are come to from the outputs, and names are left out. Equal forms are equal
spaces: the same networks, of which the same are allowed, chosen by the same decisions.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

from atnas.compiler.graph import numbers, picks, sources
from atnas.dsl.cases import LEAF, Cases, renamed, support
from atnas.dsl.extern import Signature
from atnas.dsl.latency import Table
from atnas.dsl.net import (
    Arith,
    ChoiceNode,
    Compare,
    Condition,
    Constraint,
    Count,
    Edge,
    InputNode,
    LayerNode,
    Members,
    Metric,
    Net,
    Num,
    Pick,
    Read,
    evaluate,
)
from atnas.dsl.operator import Shape
from atnas.dsl.syntax import ast
from atnas.dsl.syntax.unparse import text

MARK: Final = "atnas space 1"
"""What forms begin with. A version that gives another form to an old space changes it."""

WORD: Final = re.compile(r"[^\W\d]\w*")

ROUNDS: Final = 3
"""How far decisions that only constraints speak of are told apart."""

UNKNOWN: Final = -1
"""In the place of a decision that has no number yet."""

Form = Any
"""What JSON can hold."""


def digest(net: Net) -> str:
    """The identity of a space: SHA-256, in hexadecimal, of its form."""
    return hash_of(form(net))


def network_digest(net: Net, genotype: Sequence[int]) -> str:
    """The identity of one architecture as a network, whatever space it is chosen from."""
    return hash_of(form(net, genotype))


def hash_of(what: Form) -> str:
    """SHA-256, in hexadecimal, of what JSON can hold; equal in every process and on every machine."""
    return hashlib.sha256(json.dumps(what, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def form(net: Net, genotype: Sequence[int] | None = None) -> Form:
    """The form of a space, or of one of its architectures as a space of one."""
    return _Former(net, genotype).whole()


class _Former:
    def __init__(self, net: Net, genotype: Sequence[int] | None) -> None:
        self.net = net
        self.genotype = genotype
        self.order = list(self._nodes())
        self.numbers = {n: i for i, n in enumerate(self.order)}
        self.decisions: dict[int, int] = {}
        self.colours: dict[int, str] = {}
        if genotype is None:
            for decision in self._decisions():
                self.decisions.setdefault(decision, len(self.decisions))

    def whole(self) -> Form:
        decisions = [self.net.decisions[d] for d in self.decisions]
        constraints = {} if self.genotype is not None else {self._written(c): c for c in self.net.constraints}
        return {
            "is": MARK,
            "inputs": [list(shape) for shape in self._inputs()],
            "tables": [] if self.genotype is not None else sorted(map(_table, self.net.tables)),
            "nodes": [self._node(n) for n in self.order],
            "outputs": [self.numbers[self._through(n)] for _, n in self.net.outputs],
            "decisions": [[len(d.options), d.ordered] for d in decisions],
            "constraints": [self._constraint(constraints[written]) for written in sorted(constraints)],
        }

    def _inputs(self) -> Iterator[Shape]:
        for n in self.net.inputs:
            node = self.net.nodes[n]
            assert isinstance(node, InputNode)
            yield node.shape

    # The order

    def _nodes(self) -> Iterator[int]:
        """The nodes that the outputs take, each after those it takes itself."""
        done: set[int] = set()
        todo = [self._through(n) for _, n in reversed(self.net.outputs)]
        while todo:
            n = todo[-1]
            waiting = [s for s in self._taken(n) if s not in done]
            if waiting:
                todo += reversed(waiting)
                continue
            todo.pop()
            if n not in done:
                done.add(n)
                yield n

    def _taken(self, n: int) -> list[int]:
        node = self.net.nodes[n]
        if isinstance(node, LayerNode):
            return [self._through(edge.node) for edge in self._edges(node)]
        return list(sources(node))

    def _edges(self, node: LayerNode) -> list[Edge]:
        """The edges of a layer; in an architecture those that are taken."""
        genotype = self.genotype
        if genotype is None:
            return list(node.edges)
        return [Edge(e.node) for e in node.edges if e.guard is None or genotype[e.guard.decision] in e.guard.allowed]

    def _through(self, n: int) -> int:
        """The node itself; in an architecture what is chosen, where it is a choice."""
        node = self.net.nodes[n]
        while self.genotype is not None and isinstance(node, ChoiceNode):
            n = node.sources[node.keys.index(evaluate(node.selector, self.genotype))]
            node = self.net.nodes[n]
        return n

    def _decisions(self) -> Iterator[int]:
        """The decisions of nodes, then of constraints, then those that only sizes read off tensors depend on."""
        nums = [num for n in self.order for num in numbers(self.net.nodes[n])]
        for n in self.order:
            node = self.net.nodes[n]
            if isinstance(node, LayerNode):
                yield from (edge.guard.decision for edge in node.edges if edge.guard is not None)
            for num in numbers(node):
                yield from (pick.decision for pick in picks(num))
        self._colour()
        constraints = sorted(self.net.constraints, key=self._written)
        conditions = [part for c in constraints for part in (c.condition, c.guard) if part is not None]
        for condition in conditions:
            yield from _asked(condition)
        for cases in (*map(_read, nums), *map(_read_in, conditions)):
            for each in cases:
                yield from sorted(support(each))

    # What stands in it

    def _node(self, n: int) -> Form:
        match self.net.nodes[n]:
            case InputNode(shape=shape):
                return ["input", self.net.inputs.index(n), list(shape)]
            case LayerNode(operator=operator, arguments=arguments) as node:
                edges = [[self.numbers[self._through(e.node)], *self._guard(e)] for e in self._edges(node)]
                return [operator_form(operator), [[name, self._number(num)] for name, num in arguments], edges]
            case ChoiceNode(selector=selector, keys=keys, sources=among):
                return ["choose", self._number(selector), [_plain(k) for k in keys], [self.numbers[s] for s in among]]

    def _label(self, decision: int) -> int | str:
        return self.decisions.get(decision, self.colours.get(decision, UNKNOWN))

    def _guard(self, edge: Edge) -> Form:
        return [] if edge.guard is None else [self.decisions[edge.guard.decision], sorted(edge.guard.allowed)]

    def _number(self, num: Num) -> Form:
        if self.genotype is not None:
            return _plain(evaluate(num, self.genotype))
        match num:
            case Pick(decision, options):
                return ["pick", self._label(decision), [self._number(option) for option in options]]
            case Arith(op, left, right):
                return [op, self._number(left), self._number(right)]
            case Read(cases):
                return self._cases(cases)
            case _:
                return _plain(num)

    def _cases(self, cases: Cases[Any]) -> Form:
        """A diagram as a list of its nodes, each after those it leads to."""
        if not support(cases) <= self.decisions.keys():
            return ["cases", UNKNOWN]
        lines: dict[Cases[Any], int] = {}
        listed: list[Form] = []

        def go(node: Cases[Any]) -> int:
            if node not in lines:
                line = [_plain(node.value)] if node.decision == LEAF else [node.decision, *map(go, node.children)]
                lines[node] = len(listed)
                listed.append(line)
            return lines[node]

        go(renamed(cases, self.decisions))
        return ["cases", listed]

    def _constraint(self, constraint: Constraint) -> Form:
        guard = None if constraint.guard is None else self._condition(constraint.guard)
        return [self._condition(constraint.condition), guard]

    def _colour(self) -> None:
        """Tells decisions that only constraints speak of apart, by all that is said of them (colour refinement)."""
        parts = [part for c in self.net.constraints for part in (c.condition, c.guard) if part is not None]
        asked = {d: None for part in parts for d in _asked(part) if d not in self.decisions}
        sizes = {d: f"{len(self.net.decisions[d].options)} options" for d in asked}
        self.colours.update(sizes)
        for _ in range(ROUNDS if len(asked) > 1 else 0):
            found = {}
            for d in asked:
                known = self.colours[d]
                self.colours[d] = "here"
                found[d] = hash_of([known, sorted(map(self._written, self.net.constraints))])
                self.colours[d] = known
            self.colours.update(found)

    def _written(self, constraint: Constraint) -> str:
        """By which constraints are sorted: decisions that only they speak of are alike until they have numbers."""
        return json.dumps(self._constraint(constraint))

    def _condition(self, condition: Condition) -> Form:
        match condition:
            case Compare(op, left, right):
                return [op, self._condition(left), self._condition(right)]
            case Metric(name=name, nodes=nodes):
                return ["metric", name, None if nodes is None else self._between(*nodes)]
            case Count(uses):
                found = [[self.numbers[n], self._cases(come_to)] for n, come_to in uses if n in self.numbers]
                return ["count", sorted(found, key=json.dumps)]
            case Members(decision, sizes):
                return ["members", self._label(decision), list(sizes)]
            case _:
                return self._number(condition)

    def _between(self, first: int, last: int) -> list[int]:
        return sorted(self.numbers[n] for n in range(first, last) if n in self.numbers)


def _table(table: Table) -> Form:
    return [table.name, sorted([repr(layer), time] for layer, time in table.layers.items())]


def operator_form(operator: str | Signature) -> Form:
    """An operator whatever an `extern op`, its inputs and their sizes are called."""
    if isinstance(operator, str):
        return operator
    names = {name: name for name, _, _ in operator.parameters}

    def written(sizes: Sequence[ast.Expr]) -> list[str]:
        return [WORD.sub(lambda word: names.setdefault(word[0], f"#{len(names)}"), text(size)) for size in sizes]

    ports = [written(sizes) for _, sizes in operator.inputs]
    parameters = [[name, kind, _plain(default)] for name, kind, default in operator.parameters]
    return ["extern", operator.target, parameters, ports, written(operator.output)]


def _plain(value: Any) -> Form:
    """A value; words are told apart from what else stands as text, and 3.0 is 3."""
    if isinstance(value, str):
        return ["word", value]
    if isinstance(value, tuple):
        return ["list", *map(_plain, value)]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _read(num: Num) -> Iterator[Cases[Any]]:
    match num:
        case Read(cases):
            yield cases
        case Pick(_, options):
            for option in options:
                yield from _read(option)
        case Arith(_, left, right):
            yield from _read(left)
            yield from _read(right)


def _asked(condition: Condition) -> Iterator[int]:
    match condition:
        case Compare(_, left, right):
            yield from _asked(left)
            yield from _asked(right)
        case Members(decision, _):
            yield decision
        case Metric() | Count():
            return
        case _:
            yield from (pick.decision for pick in picks(condition))


def _read_in(condition: Condition) -> Iterator[Cases[Any]]:
    match condition:
        case Compare(_, left, right):
            yield from _read_in(left)
            yield from _read_in(right)
        case Count(uses):
            yield from (come_to for _, come_to in uses)
        case Metric() | Members():
            return
        case _:
            yield from _read(condition)
