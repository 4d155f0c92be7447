"""Uniform draws from the architectures that meet every constraint.

Constraints on decisions are counted, so that no draw is lost to them. For constraints on metrics draws are tried and
turned away; where nearly all would be, the draws are taken from a `Budget` on the cost that leaves least.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from random import Random
from typing import Final

from atnas.compiler.activity import Genotype
from atnas.compiler.budget import FEWEST, KNOTS, Budget, Range, cells
from atnas.compiler.constraints import Allowed
from atnas.compiler.costs import Costs
from atnas.compiler.factors import Elimination
from atnas.compiler.limits import ranges
from atnas.dsl.cases import Cases
from atnas.dsl.net import Constraint, Metric

DRAWS: Final = 10_000
"""Architectures drawn in search of one that meets the constraints."""

PILOT: Final = 1_000
"""Draws that tell whether it pays to count the architectures within a limit."""

TRIED: Final = 20
"""Draws that tell whether what is drawn from a `Budget` meets the constraints."""

FEW: Final = 0.02
"""What share of the draws must meet the constraints, so that a draw from a `Budget` would be no faster."""

Draw = Callable[[Random], Genotype]


class Sampler:
    """Draws from the assignments that `counted` counts, those that are `allowed`."""

    def __init__(
        self,
        counted: Elimination,
        factors: Sequence[Cases[int]],
        costs: Costs,
        constraints: Sequence[Constraint],
        allowed: Allowed,
    ) -> None:
        self._counted = counted
        self._factors = factors
        self._costs = costs
        self._constraints = constraints
        self._allowed = allowed

    def draw(self, rng: Random) -> Genotype | None:
        """One of them, each as likely as any other; None where `DRAWS` tries find none."""
        tries = (self._proposed(rng) for _ in range(DRAWS if self._counted.total else 0))
        return next((genotype for genotype in tries if self._allowed(genotype)), None)

    @cached_property
    def acceptance(self) -> float:
        """The share of the draws that meet the constraints, by a thousand of them."""
        return self._share(self._proposed)

    @cached_property
    def _proposed(self) -> Draw:
        ranges_of = ranges(self._constraints)
        is_much = cells(self._costs.options) < FEWEST or self._costs.knots > KNOTS
        if not ranges_of or is_much or self._share(self._plain) >= FEW:
            return self._plain
        budgets = [self._budget(metric, within) for metric, within in ranges_of.items()]
        least = min(budgets, key=lambda budget: budget.count)
        # Where very many costs are put on a coarse grid, what they lose there adds up, and little that is drawn fits.
        return least.draw if least.count and self._share(least.draw, TRIED) >= FEW else self._plain

    def _plain(self, rng: Random) -> Genotype:
        return self._counted.unrank(rng.randrange(self._counted.total))

    def _budget(self, metric: Metric, within: Range) -> Budget:
        return Budget(self._costs.terms(metric), self._factors, self._costs.options, within)

    def _share(self, draw: Draw, draws: int = PILOT) -> float:
        rng = Random(0)
        return sum(self._allowed(draw(rng)) for _ in range(draws)) / draws
