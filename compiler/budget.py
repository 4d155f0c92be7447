"""Architectures within limits on a cost that adds up: counted, and drawn uniformly, without trying any.

The costs are put on a grid. What bucket elimination then adds up and multiplies are polynomials, whose coefficient of
x^c counts the architectures of c cells. A polynomial is one large integer with a slot of so many bits for each
coefficient (Kronecker substitution), so that Python's own arithmetic does the work, exactly.

Every cost is rounded down to the grid, and the limits are widened by as much: none that meets them is left out, and
those few that do not are left for the exact condition to turn away. Where all costs are multiples of the grid's step
there are none.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache, reduce
from itertools import accumulate
from random import Random
from typing import Final

from atnas.compiler.activity import Genotype
from atnas.compiler.factors import Elimination, Part, Semiring, eliminate
from atnas.dsl.cases import Cases, apply, at, values

CELLS: Final = 1_000
"""Cells of the grid from the cheapest architecture to the limit."""

FEWEST: Final = 50
"""Cells of a grid on which it still pays to count."""

KNOTS: Final = 500
"""How much constraints may tie a space together (`Costs.knots`) for polynomials to be added up in seconds."""

BITS: Final = 100_000_000
"""About what all polynomials together may hold; of very many decisions the grid has fewer cells."""


@dataclass(frozen=True)
class Range:
    """What a cost may be, both ends included; None where there is no end."""

    low: int | None = None
    high: int | None = None

    def __contains__(self, cost: int) -> bool:
        return (self.low is None or cost >= self.low) and (self.high is None or cost <= self.high)

    def __and__(self, other: Range) -> Range:
        lows = [low for low in (self.low, other.low) if low is not None]
        highs = [high for high in (self.high, other.high) if high is not None]
        return Range(max(lows, default=None), min(highs, default=None))

    @property
    def negative(self) -> Range:
        """The same of the cost with the other sign."""
        return Range(None if self.high is None else -self.high, None if self.low is None else -self.low)


@dataclass(frozen=True)
class Grid:
    """Cells of `step` from `start` on; `exact` where every cost lies on a cell's lower end."""

    start: int
    step: int
    exact: bool


class Budget:
    """The assignments of decisions whose terms add up to a cost within a range.

    `terms` are the costs as functions of the decisions; `factors` are 1 where an assignment counts and else 0.
    """

    def __init__(
        self, terms: Iterable[Cases[int]], factors: Iterable[Cases[int]], options: Sequence[int], within: Range
    ) -> None:
        costs = list(terms)
        if within.high is None:  # the grid begins at the end that is limited
            within, costs = within.negative, [apply(_negated, term) for term in costs]
        assert within.high is not None
        self._slot = _slot(options)
        self.grid = _grid(costs, within.high, cells(options))
        self._last = (within.high - self.grid.start) // self.grid.step
        self._first = 0 if within.low is None else self._cell(within.low, len(costs))
        self._options = options
        self._factors = [*(self._monomials(term) for term in costs), *factors]

    @property
    def count(self) -> int:
        """How many there are; with a grid that is not exact, how many there may be at most."""
        return sum(self._counts)

    def draw(self, rng: Random) -> Genotype:
        """One of them, each as likely as any other. Raises ValueError where there are none."""
        if not self.count:
            raise ValueError("nothing is within the limits")
        cell = self._first + _drawn(self._counts, rng)
        genotype = [0] * len(self._options)
        cells: dict[int, int] = {}
        self._share(cell, self._elimination.constants, genotype, cells, rng)
        for i, bucket in reversed(list(enumerate(self._elimination.buckets))):
            ways = [self._coefficients(product)[cells[i]] for product in bucket.weights(genotype)]
            genotype[bucket.decision] = _drawn(ways, rng)
            self._share(cells[i], bucket.parts, genotype, cells, rng)
        return tuple(genotype)

    @cached_property
    def _elimination(self) -> Elimination:
        mask = (1 << self._slot * (self._last + 1)) - 1
        return eliminate(self._factors, self._options, Semiring(int.__add__, lambda a, b: a * b & mask, 0, 1))

    @cached_property
    def _counts(self) -> list[int]:
        """For each cell within the range the number of assignments."""
        if self._last < self._first:
            return []
        return list(self._coefficients(self._elimination.total)[self._first :])

    def _cell(self, low: int, terms: int) -> int:
        """The first cell in which a cost of at least `low` may be counted: each term loses less than a step."""
        over = low - self.grid.start
        return max(0, -(-over // self.grid.step) if self.grid.exact else over // self.grid.step - terms + 1)

    def _monomials(self, term: Cases[int]) -> Cases[int]:
        """x^c for each cost of c cells above the term's smallest; 0 beyond the last cell."""
        least = min(values(term))

        def monomial(cost: int) -> int:
            cell = (cost - least) // self.grid.step
            return 1 << self._slot * cell if cell <= self._last else 0

        return apply(monomial, term)

    def _share(
        self, cell: int, parts: Sequence[Part], genotype: Sequence[int], cells: dict[int, int], rng: Random
    ) -> None:
        """Draws how many of the cells each part of a product has, and notes it for those that are sums of buckets."""
        open_parts: list[tuple[int, int]] = []
        for part in parts:
            factor = at(part.factor, genotype)
            if factor & (factor - 1):
                assert part.bucket is not None
                open_parts.append((part.bucket, factor))
                continue
            mine = (factor.bit_length() - 1) // self._slot  # a single assignment
            cell -= mine
            if part.bucket is not None:
                cells[part.bucket] = mine
        befores = self._befores(tuple(factor for _, factor in open_parts))
        for (bucket, factor), before in reversed(list(zip(open_parts, befores, strict=True))):
            cells[bucket] = self._split(before, factor, cell, rng) if before > 1 else cell
            cell -= cells[bucket]

    def _split(self, left: int, right: int, cell: int, rng: Random) -> int:
        """How many of the cells of a product belong to its right side."""
        ls, rs = self._coefficients(left), self._coefficients(right)
        return _drawn([ls[cell - c] * rs[c] if rs[c] else 0 for c in range(cell + 1)], rng)

    @cached_property
    def _befores(self) -> Callable[[tuple[int, ...]], tuple[int, ...]]:
        """For each factor the product of those before it."""

        @lru_cache(maxsize=1_000)
        def products(factors: tuple[int, ...]) -> tuple[int, ...]:
            return tuple(accumulate((1, *factors[:-1]), self._elimination.semiring.times))[: len(factors)]

        return products

    @cached_property
    def _coefficients(self) -> Callable[[int], tuple[int, ...]]:
        width = self._slot // 8

        @lru_cache(maxsize=100_000)
        def read(polynomial: int) -> tuple[int, ...]:
            content = polynomial.to_bytes(width * (self._last + 1), "little")
            return tuple(int.from_bytes(content[i : i + width], "little") for i in range(0, len(content), width))

        return read


def cells(options: Sequence[int]) -> int:
    """Into how many cells costs are put where so many options are decided between."""
    return min(CELLS, BITS // (_slot(options) * max(1, len(options))))


def _slot(options: Sequence[int]) -> int:
    """Bits that hold any count of assignments, whole bytes."""
    return 8 * (1 + math.ceil(sum(map(math.log2, options))) // 8)


def _negated(cost: int) -> int:
    return -cost


def _grid(terms: Sequence[Cases[int]], high: int, most: int) -> Grid:
    """The grid from the sum of the least of each term up to a limit, of at most so many cells."""
    each = [values(term) for term in terms]
    start = sum(map(min, each))
    unit = reduce(math.gcd, (cost - min(costs) for costs in each for cost in costs), 0) or 1
    step = unit * max(1, -(-(high - start) // (unit * max(1, most))))
    return Grid(start, step, step == unit)


def _drawn(weights: Sequence[int], rng: Random) -> int:
    """A position, each as likely as its weight says."""
    index = rng.randrange(sum(weights))
    for i, weight in enumerate(weights):
        if index < weight:
            return i
        index -= weight
    raise AssertionError("an index below the sum of the weights lies within one of them")
