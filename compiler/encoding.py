"""Architectures as tuples of option numbers: their JSON, their identity, their number, and uniform samples.

What is counted and drawn are canonical genotypes: those in which every inactive decision takes option 0.
There is one for each architecture.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from functools import cached_property
from hashlib import sha256
from random import Random

from atnas.compiler.activity import Genotype
from atnas.compiler.constraints import Allowed, predicate, speaks_of_metrics
from atnas.compiler.costs import Costs
from atnas.compiler.factors import COUNT, Elimination, eliminate
from atnas.compiler.graph import Graph
from atnas.compiler.sampling import DRAWS, Sampler
from atnas.dsl.cases import TRUE, Cases, choose, leaf, split
from atnas.dsl.net import Constraint, Decision, Json

__all__ = ["Encoding", "Genotype"]


class Encoding:
    """The decisions of a space and the architectures they make."""

    def __init__(self, graph: Graph, costs: Costs | None = None) -> None:
        self.decisions: tuple[Decision, ...] = graph.decisions
        self._graph = graph
        self._costs = costs or Costs(graph)
        self._activity = self._costs.activity

    def active(self, genotype: Sequence[int]) -> tuple[bool, ...]:
        """Which decisions an output needs."""
        return self._activity.of(genotype)

    def canonical(self, genotype: Sequence[int]) -> Genotype:
        """The same architecture with 0 for every inactive decision."""
        return self._activity.canonical(genotype)

    def decode(self, genotype: Sequence[int]) -> dict[str, Json]:
        """The active decisions by name. An option that stands a second time is written `"skip #2"`."""
        return {
            decision.name: self._words[i][genotype[i]]
            for i, (decision, active) in enumerate(zip(self.decisions, self.active(genotype), strict=True))
            if active
        }

    def encode(self, architecture: Mapping[str, Json]) -> Genotype:
        """The canonical genotype of an architecture; inactive decisions may be left out.

        Raises ValueError for a name that is no decision, a value that is no option, and an active decision
        left out.
        """
        numbers = {decision.name: i for i, decision in enumerate(self.decisions)}
        genes = [0] * len(self.decisions)
        for name, value in architecture.items():
            if name not in numbers:
                raise ValueError(_unknown(name, numbers))
            genes[numbers[name]] = self._gene(numbers[name], value)
        for decision, active in zip(self.decisions, self.active(genes), strict=True):
            if active and decision.name not in architecture:
                raise ValueError(f"`{decision.name}` is not decided; {_choices(decision)}")
        return self.canonical(genes)

    def read(self, text: str) -> Genotype:
        """The canonical genotype of an architecture in JSON.

        Raises ValueError, whose message goes on where what was read is named, as `encode` does and for what is no
        JSON object.
        """
        example = json.dumps({d.name: d.options[0] for d in self.decisions[:1]}, ensure_ascii=False)
        try:
            found = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise ValueError(f"is no JSON ({error}): write one object, such as {example}") from error
        if not isinstance(found, dict):
            raise ValueError(f"is no JSON object: write one, such as {example}")
        try:
            return self.encode(found)
        except ValueError as error:
            raise ValueError(f"is no architecture of `{self._graph.name}`: {error}") from error

    def key(self, genotype: Sequence[int]) -> str:
        """The identity of an architecture: SHA-256, in hexadecimal, of its active decisions by name."""
        return sha256(json.dumps(self.decode(genotype), sort_keys=True).encode()).hexdigest()

    def count(self) -> int:
        """How many architectures there are, with the constraints on decisions; see `exact` for those on
        metrics.
        """
        total: int = self._elimination.total
        return total

    def count_with(self, constraints: Iterable[Constraint]) -> int:
        """The same with other constraints in the place of the space's own."""
        factors = [*self._canonical_factors, *self._costs.feasible(COUNT, constraints)]
        total: int = eliminate(factors, self._costs.options, COUNT).total
        return total

    @property
    def exact(self) -> bool:
        """Whether `count` respects every constraint: it does unless one speaks of metrics."""
        return not any(speaks_of_metrics(c) for c in self._graph.constraints)

    def allowed(self, genotype: Genotype) -> bool:
        """Whether an architecture meets every constraint, those on metrics too."""
        return self._allowed(genotype)

    def unrank(self, index: int) -> Genotype:
        """The `index`-th of the `count()` architectures, in a fixed order. Raises IndexError outside of
        them.
        """
        if not 0 <= index < self.count():
            raise IndexError(f"there are {self.count()} architectures; {index} is not among them")
        return self._elimination.unrank(index)

    def sample(self, rng: Random) -> Genotype:
        """One of the architectures that meet every constraint, each as likely as any other.

        Raises ValueError where there are none, or so few that none is found.
        """
        if self.count() == 0:
            raise ValueError(f"no architecture of `{self._graph.name}` meets its constraints")
        if self.exact:
            return self.unrank(rng.randrange(self.count()))
        genotype = self._sampler.draw(rng)
        if genotype is None:
            lines = " and ".join(f"`{c.span.text}`" for c in self._graph.constraints if speaks_of_metrics(c))
            raise ValueError(f"none of {DRAWS:,} architectures drawn at random meets {lines}; loosen the constraint")
        return genotype

    @property
    def acceptance(self) -> float:
        """The share of the draws behind `sample` that meet every constraint: the others are drawn again."""
        return 1.0 if self.exact else self._sampler.acceptance

    @cached_property
    def _allowed(self) -> Allowed:
        return predicate(self._graph.constraints, self._activity, self._costs.measure)

    @cached_property
    def _sampler(self) -> Sampler:
        return Sampler(self._elimination, self.factors, self._costs, self._graph.constraints, self._allowed)

    @cached_property
    def _elimination(self) -> Elimination:
        return eliminate(self.factors, self._costs.options, COUNT)

    @cached_property
    def factors(self) -> list[Cases[int]]:
        """What `count` adds the products of: 1 for genotypes that are canonical and meet the constraints on
        decisions, else 0.
        """
        return [*self._canonical_factors, *self._costs.feasible(COUNT)]

    @cached_property
    def _canonical_factors(self) -> list[Cases[int]]:
        options = self._costs.options
        return [_canonical(i, n, self._activity.decisions[i]) for i, n in enumerate(options)]

    @cached_property
    def _words(self) -> tuple[tuple[Json, ...], ...]:
        return tuple(_distinct(decision.options) for decision in self.decisions)

    def _gene(self, number: int, value: Json) -> int:
        """The position of a value among a decision's options."""
        wanted = _spelling(value)
        for option, word in enumerate(self._words[number]):
            if _spelling(word) == wanted:
                return option
        decision = self.decisions[number]
        raise ValueError(f"`{decision.name}` cannot be {json.dumps(value)}; {_choices(decision)}")


def _canonical(decision: int, options: int, active: Cases[bool]) -> Cases[int]:
    """1 where the decision is active or takes option 0, else 0."""
    first = split(decision, [leaf(1 if option == 0 else 0) for option in range(options)])
    return leaf(1) if active is TRUE else choose(active, (True, False), (leaf(1), first))


def _distinct(options: Sequence[Json]) -> tuple[Json, ...]:
    seen: dict[str, int] = {}
    found: list[Json] = []
    for option in options:
        spelling = _spelling(option)
        seen[spelling] = count = seen.get(spelling, 0) + 1
        text = option if isinstance(option, str) else spelling
        found.append(option if count == 1 else f"{text} #{count}")
    return tuple(found)


def _spelling(value: Json) -> str:
    """A value as JSON text, 3.0 as 3: JSON does not tell them apart."""
    return json.dumps(int(value) if isinstance(value, float) and value.is_integer() else value)


def _unknown(name: str, numbers: Mapping[str, int]) -> str:
    close = get_close_matches(name, numbers, n=1)
    return f"there is no decision `{name}`" + (f"; did you mean `{close[0]}`?" if close else "")


def _choices(decision: Decision) -> str:
    return f"its options are {', '.join(json.dumps(option) for option in decision.options)}"
