"""Small random spaces of toy operators, and what is true of one architecture, worked out by walking
through it.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import product
from typing import Any, ClassVar

import pytest
from hypothesis import strategies as st
from nets import Builder, span

from atnas.dsl import plugins
from atnas.dsl.cases import apply, values
from atnas.dsl.net import (
    Arith,
    ChoiceNode,
    Compare,
    Condition,
    Constraint,
    Edge,
    Guard,
    InputNode,
    LayerNode,
    Metric,
    Net,
    Num,
    Pick,
    Read,
    number,
)
from atnas.dsl.operator import Cost, Operator, Shape

# Toy operators


@dataclass(frozen=True)
class Toy(Operator):
    """Everything about it depends on its size and its input."""

    size: int

    def shape(self, *inputs: Shape) -> Shape:
        return (self.size + sum(inputs[0]) % 3,)

    def cost(self, *inputs: Shape) -> Cost:
        return Cost(self.size * (1 + sum(inputs[0])), self.size + 7 * sum(inputs[0]), self.size)

    def layers(self, *inputs: Shape) -> int:
        del inputs
        return self.size % 3

    def build(self, *inputs: Shape) -> Any:
        raise NotImplementedError


@dataclass(frozen=True)
class Join(Operator):
    """Merges, and costs something, unlike `add`."""

    variadic: ClassVar[bool] = True

    def shape(self, *inputs: Shape) -> Shape:
        return (sum(sum(x) for x in inputs),)

    def cost(self, *inputs: Shape) -> Cost:
        return Cost(len(inputs), sum(sum(x) for x in inputs), 1)

    def layers(self, *inputs: Shape) -> int:
        del inputs
        return 1

    def build(self, *inputs: Shape) -> Any:
        raise NotImplementedError


@contextmanager
def toys() -> Iterator[None]:
    """Has `toy` and `join` as operators beside those there are."""
    load, mine = plugins.load, {"toy": Toy, "join": Join}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plugins, "load", lambda group, name: mine.get(name) or load(group, name))
        yield


# Random spaces


@st.composite
def spaces(draw: st.DrawFn, constrained: bool = True) -> Net:
    """Spaces with nested and tied numbers, choices between tensors, depths, guarded merges and
    constraints.
    """
    b = Builder()
    for i, options in enumerate(draw(st.lists(st.integers(1, 3), min_size=1, max_size=5))):
        b.decide(f"d{i}", list(range(options)))
    b.input(draw(st.integers(1, 3)))
    for _ in range(draw(st.integers(2, 9))):
        _add_node(draw, b)
    outputs = [len(b.nodes) - 1, *draw(st.lists(st.integers(0, len(b.nodes) - 1), max_size=1))]
    many = draw(st.integers(0, 2)) if constrained else 0
    return b.net(*outputs, constraints=[_constraint(draw, b) for _ in range(many)])


def _add_node(draw: st.DrawFn, b: Builder) -> None:
    # Late nodes are likelier, so that spaces are deep.
    earlier = st.integers(0, 2).map(lambda back: max(0, len(b.nodes) - 1 - back)) | st.integers(0, len(b.nodes) - 1)
    match draw(st.sampled_from(["toy", "join", "choice"])):
        case "toy":
            source = draw(earlier)
            size = draw(_nums(b) | st.just(Read(apply(sum, b.shapes[source]))))
            b.layer("toy", source, size=size)
        case "join":
            b.layer("join", *draw(st.lists(st.builds(Edge, earlier, _guards(b)), min_size=1, max_size=3)))
        case _:
            selector = draw(_nums(b))
            keys = values(number(selector))
            # A key that never is selected, too.
            keys += draw(st.sampled_from([[], [-1]]))
            b.choice(selector, [draw(earlier) for _ in keys], keys)


def _decisions(b: Builder) -> st.SearchStrategy[int]:
    return st.integers(0, len(b.decisions) - 1)


def _guards(b: Builder) -> st.SearchStrategy[Guard | None]:
    def guard(decision: int) -> st.SearchStrategy[Guard]:
        options = st.sampled_from(range(len(b.decisions[decision].options)))
        return st.frozensets(options).map(lambda allowed: Guard(decision, allowed))

    return st.none() | _decisions(b).flatmap(guard)


def _nums(b: Builder) -> st.SearchStrategy[Num]:
    def picks(inner: st.SearchStrategy[Num]) -> st.SearchStrategy[Num]:
        def pick(decision: int) -> st.SearchStrategy[Num]:
            options = st.tuples(*[inner] * len(b.decisions[decision].options))
            return options.map(lambda o: Pick(decision, o))

        return _decisions(b).flatmap(pick)

    plain = st.integers(0, 4)
    arith = st.builds(Arith, st.sampled_from(["+", "*"]), picks(plain), picks(plain) | plain)
    return plain | picks(plain) | picks(plain | picks(plain)) | arith


def _constraint(draw: st.DrawFn, b: Builder) -> Constraint:
    compared = st.builds(Compare, st.sampled_from(["==", "!=", "<=", ">"]), _nums(b), st.integers(0, 3))
    either_of = st.builds(Compare, st.just("in"), _nums(b), st.just((0, 2, 3)))
    measured = st.builds(
        Compare, st.just("<="), st.builds(Metric, st.sampled_from(["params", "depth"])), st.integers(0, 30)
    )
    condition = compared | either_of | st.builds(Compare, st.just("and"), compared, either_of)
    return Constraint(draw(condition | measured), draw(st.none() | compared), span("require something"))


# One architecture, worked out by walking through it


@dataclass
class Walk:
    """Runs one architecture on shapes, from the outputs back, and notes what it asks for on the way."""

    net: Net
    genotype: Sequence[int]
    decided: set[int] = field(default_factory=set)
    found: dict[int, tuple[Shape, int]] = field(default_factory=dict)
    cost: Cost = field(default_factory=Cost)

    def costs(self) -> dict[str, int]:
        depth = max(self.node(n)[1] for _, n in self.net.outputs)
        c = self.cost
        return {
            "params": c.params,
            "macs": c.macs,
            "flops": 2 * c.macs,
            "activations": c.activations,
            "depth": depth,
        }

    def node(self, n: int) -> tuple[Shape, int]:
        if n not in self.found:
            self.found[n] = self._node(n)
        return self.found[n]

    def _node(self, n: int) -> tuple[Shape, int]:
        node = self.net.nodes[n]
        match node:
            case InputNode(shape=shape):
                return shape, 0
            case ChoiceNode(selector, keys, sources):
                return self.node(sources[keys.index(self.num(selector))])
            case LayerNode(name, arguments, edges):
                made = plugins.load("ops", name)(**{key: self.num(num) for key, num in arguments})
                self.decided |= {e.guard.decision for e in edges if e.guard}
                taken = [e for e in edges if not e.guard or self.genotype[e.guard.decision] in e.guard.allowed]
                if not taken:
                    return (), 0
                inputs = [self.node(e.node) for e in taken]
                shapes = [shape for shape, _ in inputs]
                self.cost += made.cost(*shapes)
                return made.shape(*shapes), made.layers(*shapes) + max(depth for _, depth in inputs)

    def num(self, num: Num) -> Any:
        match num:
            case Pick(decision, options):
                self.decided.add(decision)
                return self.num(options[self.genotype[decision]])
            case Arith(op, left, right):
                return OPS[op](self.num(left), self.num(right))
            case Read(cases):
                while cases.children:
                    cases = cases.children[self.genotype[cases.decision]]
                return cases.value
            case _:
                return num


OPS = {
    "+": operator.add,
    "*": operator.mul,
    "==": operator.eq,
    "!=": operator.ne,
    "<=": operator.le,
    ">": operator.gt,
    "in": lambda a, b: a in b,
    "and": lambda a, b: a and b,
}


@dataclass(frozen=True)
class Truth:
    """What is true of one assignment: the decisions it needs, its costs, the constraints it meets."""

    decided: frozenset[int]
    costs: Mapping[str, int]
    feasible: bool
    allowed: bool

    def architecture(self, genotype: Sequence[int]) -> tuple[int, ...]:
        """The assignment without what it does not need."""
        return tuple(g if i in self.decided else -1 for i, g in enumerate(genotype))


def truths(net: Net) -> dict[tuple[int, ...], Truth]:
    """Every assignment of a small space."""
    every = product(*(range(len(d.options)) for d in net.decisions))
    return {genotype: truth(net, genotype) for genotype in every}


def truth(net: Net, genotype: tuple[int, ...]) -> Truth:
    walk = Walk(net, genotype)
    costs = walk.costs()
    plain = [c for c in net.constraints if not _measured(c.condition)]
    return Truth(
        frozenset(walk.decided),
        costs,
        all(_met(walk, c, costs) for c in plain),
        all(_met(walk, c, costs) for c in net.constraints),
    )


def _measured(condition: Condition) -> bool:
    if isinstance(condition, Compare):
        return _measured(condition.left) or _measured(condition.right)
    return isinstance(condition, Metric)


def _met(walk: Walk, constraint: Constraint, costs: Mapping[str, int]) -> bool:
    asking = Walk(walk.net, walk.genotype)

    def value(condition: Condition) -> Any:
        match condition:
            case Compare(op, left, right):
                return OPS[op](value(left), value(right))
            case Metric(name):
                return costs[name]
            case _:
                return asking.num(condition)

    if constraint.guard is not None and not value(constraint.guard):
        return True
    held = value(constraint.condition)
    return bool(held) or not asking.decided <= walk.decided
