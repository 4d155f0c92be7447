"""Sums over all architectures without visiting them: bucket elimination over decision diagrams.

Given factors f, each a `Cases` over a few decisions, it finds the sum over all assignments of the product of
the factors, one decision after another (Dechter, "Bucket elimination: a unifying framework for reasoning",
1999). What "sum" and "product" are is the semiring's affair: (+, *) counts, (min, +) and (max, +) find
extremes of sums. The work grows with how entangled the factors are, not with the number of architectures.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from heapq import heapify, heappop, heappush
from typing import Any, Final

from atnas.dsl.cases import LEAF, Cases, at, cofactor, leaf, split, support

Value = Any
"""A number; infinities stand for the zero of (min, +) and (max, +)."""


@dataclass(frozen=True)
class Semiring:
    """`plus` with its neutral element `zero`, `times` with its neutral element `one`."""

    plus: Callable[[Value, Value], Value]
    times: Callable[[Value, Value], Value]
    zero: Value
    one: Value


COUNT: Final = Semiring(operator.add, operator.mul, 0, 1)
SMALLEST: Final = Semiring(min, operator.add, math.inf, 0)
LARGEST: Final = Semiring(max, operator.add, -math.inf, 0)


@dataclass(frozen=True)
class Part:
    """A factor of a product, and the bucket whose sum it is; None where it is a factor that was given."""

    factor: Cases[Value]
    bucket: int | None = None


@dataclass(frozen=True)
class Bucket:
    """A decision and the product of the factors that were left over it when it was eliminated."""

    decision: int
    options: int
    product: Cases[Value]
    parts: tuple[Part, ...]

    def weights(self, genotype: list[int]) -> list[Value]:
        """The product for each option, the decisions eliminated later being as in the genotype."""
        found = []
        for option in range(self.options):
            genotype[self.decision] = option
            found.append(at(self.product, genotype))
        return found


@dataclass(frozen=True)
class Elimination:
    """The total, the constants that it is the product of, and the buckets in order of elimination.

    Assignments are read off the buckets backwards.
    """

    semiring: Semiring
    total: Value
    constants: tuple[Part, ...]
    buckets: tuple[Bucket, ...]

    def best(self) -> tuple[int, ...]:
        """An assignment that attains the total of (min, +) or (max, +): the first option wherever options
        tie.
        """
        genotype = [0] * len(self.buckets)
        for bucket in reversed(self.buckets):
            weights = bucket.weights(genotype)
            genotype[bucket.decision] = weights.index(reduce(self.semiring.plus, weights))
        return tuple(genotype)

    def unrank(self, index: int) -> tuple[int, ...]:
        """The `index`-th of the `total` assignments that (+, *) counted; another for every 0 <= index <
        total.

        At each bucket `index` is one of (completions of the buckets still open) x (this bucket's sum)
        numbers; it is split into the two parts, the second says which option, and the rest goes on.
        """
        genotype = [0] * len(self.buckets)
        for bucket in reversed(self.buckets):
            weights = bucket.weights(genotype)
            outer, inner = divmod(index, sum(weights))
            option = 0
            while inner >= weights[option]:
                inner -= weights[option]
                option += 1
            genotype[bucket.decision] = option
            index = outer * weights[option] + inner
        return tuple(genotype)


def eliminate(factors: Iterable[Cases[Value]], options: Sequence[int], semiring: Semiring) -> Elimination:
    """Sums the product of the factors over all assignments; decision d has `options[d]` options."""
    plus, times = lifted(semiring.plus), lifted(semiring.times)
    given = [(support(f), Part(f)) for f in factors]
    order = elimination_order([scope for scope, _ in given], len(options))
    rank = {decision: i for i, decision in enumerate(order)}
    waiting: list[list[Part]] = [[] for _ in order]
    constants: list[Part] = []

    def hand_on(scope: set[int], part: Part) -> None:
        (waiting[min(rank[d] for d in scope)] if scope else constants).append(part)

    for scope, part in given:
        hand_on(scope, part)
    buckets = []
    for i, (decision, parts) in enumerate(zip(order, waiting, strict=True)):
        product = reduce(times, (part.factor for part in parts), leaf(semiring.one))
        buckets.append(Bucket(decision, options[decision], product, tuple(parts)))
        message = summed_out(product, decision, options[decision], plus)
        hand_on(support(message), Part(message, i))
    total = reduce(semiring.times, (part.factor.value for part in constants), semiring.one)
    return Elimination(semiring, total, tuple(constants), tuple(buckets))


def elimination_order(scopes: Iterable[set[int]], decisions: int) -> list[int]:
    """Fewest neighbours first; where they tie fewest factors, then the later decision: it stands lower in the diagrams.

    A decision that all others are entangled with by many factors would have to be summed out of the product of all of
    these, which is far larger than the sum of its parts.
    """
    neighbours: list[set[int]] = [set() for _ in range(decisions)]
    factors: list[set[int]] = [set() for _ in range(decisions)]
    for number, scope in enumerate(scopes):
        for decision in scope:
            neighbours[decision] |= scope - {decision}
            factors[decision].add(number)

    def rank(decision: int) -> tuple[int, int, int]:
        return len(neighbours[decision]), len(factors[decision]), -decision

    queue = [rank(decision) for decision in range(decisions)]
    heapify(queue)
    order: list[int] = []
    done: set[int] = set()
    while queue:
        ranked = heappop(queue)
        decision = -ranked[2]
        if decision in done or ranked != rank(decision):
            continue
        done.add(decision)
        order.append(decision)
        first = min(factors[decision], default=0)
        for near in neighbours[decision]:
            neighbours[near] |= neighbours[decision]
            neighbours[near] -= {near, decision}
            factors[near] = (factors[near] - factors[decision]) | {first}
            heappush(queue, rank(near))
    return order


Binary = Callable[[Cases[Value], Cases[Value]], Cases[Value]]


def lifted(function: Callable[[Any, Any], Any]) -> Binary:
    """A function of two values as one of two diagrams, which remembers what it worked out."""
    memo: dict[tuple[int, int], tuple[Cases[Value], Cases[Value], Cases[Value]]] = {}

    def go(a: Cases[Value], b: Cases[Value]) -> Cases[Value]:
        key = id(a), id(b)
        if key in memo:
            return memo[key][0]
        top = min(a.decision, b.decision)
        if top == LEAF:
            result: Cases[Value] = leaf(function(a.value, b.value))
        else:
            width = len((a if a.decision == top else b).children)
            result = split(top, [go(cofactor(a, top, i), cofactor(b, top, i)) for i in range(width)])
        # The operands are kept with the result: an id means nothing once its object is gone.
        memo[key] = result, a, b
        return result

    return go


def summed_out(factor: Cases[Value], decision: int, options: int, plus: Binary) -> Cases[Value]:
    """The sum of the factor over the options of one decision, wherever that stands in the diagram."""
    memo: dict[int, Cases[Value]] = {}

    def go(node: Cases[Value]) -> Cases[Value]:
        if node.decision > decision:
            return reduce(plus, [node] * options)
        if node.decision == decision:
            return reduce(plus, node.children)
        if id(node) not in memo:
            memo[id(node)] = split(node.decision, [go(child) for child in node.children])
        return memo[id(node)]

    return go(factor)
