"""What the architectures of a space cost, all of them or as many as are drawn, and how many meet each constraint."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil, sqrt
from random import Random
from typing import Final

from atnas.compiler.activity import Genotype
from atnas.compiler.budget import FEWEST, KNOTS, Budget, cells
from atnas.compiler.constraints import predicate, speaks_of_metrics
from atnas.compiler.costs import adds_up
from atnas.compiler.encoding import Encoding
from atnas.compiler.limits import limited
from atnas.compiler.space import Compiled
from atnas.dsl.net import Constraint
from atnas.dsl.source import Span

ALL: Final = 20_000
"""Architectures that are looked at one by one; of more, samples are."""

SAMPLES: Final = 4_000
BINS: Final = 24

DRAWN: Final = 200
"""Draws that tell how much too much a grid counts."""


@dataclass(frozen=True)
class Share:
    """What part of a space meets a constraint: exactly, or with the ends of a 95 % interval."""

    value: float
    low: float
    high: float

    @property
    def is_exact(self) -> bool:
        return self.low == self.high


@dataclass(frozen=True)
class Survey:
    """The costs of architectures: of `every` one that meets the constraints on decisions, or of uniform samples."""

    every: bool
    costs: dict[str, list[int]]
    shares: dict[Span, Share]

    def histogram(self, metric: str, bins: int = BINS) -> tuple[int, int, list[int]]:
        """The least and the largest cost that was seen, and how many lie in each of as many equal parts between."""
        found = self.costs[metric]
        least, most = min(found), max(found)
        width = max(1, ceil((most - least + 1) / bins))
        counts = [0] * ceil((most - least + 1) / width)
        for cost in found:
            counts[(cost - least) // width] += 1
        return least, most, counts


def survey(space: Compiled) -> Survey | None:
    """Looks at every architecture of a small space, at samples of a large one; None where constraints leave nothing."""
    encoding = space.encoding
    if not encoding.count():
        return None
    genotypes, every = _looked_at(encoding)
    costs = [space.costs.of(genotype) for genotype in genotypes]
    by_line: dict[Span, list[Constraint]] = {}
    for constraint in space.graph.constraints:
        by_line.setdefault(constraint.span, []).append(constraint)
    shares = {span: _share(space, lines, genotypes, every) for span, lines in by_line.items()}
    return Survey(every, {metric: [cost[metric] for cost in costs] for metric in costs[0]}, shares)


def _looked_at(encoding: Encoding) -> tuple[list[Genotype], bool]:
    count = encoding.count()
    if count <= ALL:
        return [encoding.unrank(i) for i in range(count)], True
    rng = Random(0)
    return [encoding.unrank(rng.randrange(count)) for _ in range(SAMPLES)], False


def _share(space: Compiled, line: Sequence[Constraint], genotypes: Sequence[Genotype], every: bool) -> Share:
    """The share that meets a line. One on decisions is counted in the space without it."""
    encoding = space.encoding
    if not any(map(speaks_of_metrics, line)):
        others = [c for c in space.graph.constraints if c not in line]
        return _exactly(encoding.count() / encoding.count_with(others))
    limit = limited(line[0])
    is_many = cells(space.costs.options) < FEWEST or space.costs.knots > KNOTS
    if every or is_many or len(line) > 1 or limit is None or not adds_up(limit[0]):
        allowed = predicate(line, space.costs.activity, space.costs.measure)
        met = sum(map(allowed, genotypes))
        return _exactly(met / len(genotypes)) if every else interval(met, len(genotypes))
    metric, within = limit
    budget = Budget(space.costs.terms(metric), encoding.factors, space.costs.options, within)
    return _counted(budget, encoding.count(), lambda genotype: space.costs.measure(genotype)(metric) in within)


def _counted(budget: Budget, count: int, meets: Callable[[Genotype], bool]) -> Share:
    """The share that a budget counts; what its grid counts too much is told by draws from it."""
    most = budget.count / count
    if budget.grid.exact or not budget.count:
        return _exactly(most)
    rng = Random(0)
    of = interval(sum(meets(budget.draw(rng)) for _ in range(DRAWN)), DRAWN)
    return Share(most * of.value, most * of.low, most * of.high)


def interval(hits: int, tries: int) -> Share:
    """The share of hits with Wilson's 95 % interval (Wilson, J. Am. Stat. Assoc. 22, 1927, p. 209)."""
    z = 1.96
    p, weight = hits / tries, z * z / tries
    centre = (p + weight / 2) / (1 + weight)
    reach = z / (1 + weight) * sqrt(p * (1 - p) / tries + weight / (4 * tries))
    return Share(p, max(0.0, centre - reach), min(1.0, centre + reach))


def _exactly(share: float) -> Share:
    return Share(share, share, share)
