"""What architectures cost, and the cheapest and dearest of a space, exactly."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property, lru_cache, partial
from operator import add
from typing import Any, Final, TypeVar

from atnas.compiler.activity import Activity, Genotype, activity
from atnas.compiler.configuration import Configuration, configurations
from atnas.compiler.constraints import condition, speaks_of_metrics
from atnas.compiler.depth import Assignment, Depth
from atnas.compiler.factors import COUNT, LARGEST, SMALLEST, Semiring, eliminate, lifted
from atnas.compiler.graph import Graph
from atnas.compiler.latencies import latencies
from atnas.compiler.sweep import Sweep
from atnas.dsl.cases import FALSE, Cases, apply, at, leaf, size, split, support
from atnas.dsl.extern import layer_class
from atnas.dsl.latency import Table, is_latency
from atnas.dsl.net import Constraint, LayerNode, Metric
from atnas.dsl.operator import Cost, Operator

ADDITIVE: Final[dict[str, Callable[[Cost], int]]] = {
    "params": lambda cost: cost.params,
    "macs": lambda cost: cost.macs,
    "flops": lambda cost: 2 * cost.macs,
    "activations": lambda cost: cost.activations,
}
"""Metrics that add up over the active layers, beside latencies."""

SWEPT: Final = ("params", "macs", "activations")

FEW: Final = 10
TIED: Final = 200
"""Constraints on more decisions than a few, whose diagrams together have more nodes than this, tie a space together."""

NOTHING: Final = Cost()

C = TypeVar("C")


def adds_up(metric: Metric) -> bool:
    """Whether a metric is a sum over the active layers."""
    return metric.name in ADDITIVE or is_latency(metric.name)


class Costs:
    """The costs of every architecture of a graph, for one example.

    Each layer's cost is worked out once for every case of its arguments and input shapes. Layers that depend
    on the same decisions are added together, so that the cost of one architecture is a few look-ups.
    """

    def __init__(self, graph: Graph, tables: Iterable[Table] = ()) -> None:
        self.graph = graph
        self.activity: Activity = activity(graph)
        self._tables = {table.metric: table for table in tables}
        self._additive: dict[Metric, list[Cases[int]]] = {}
        self._latencies: dict[str, dict[int, Cases[int]]] = {}
        self._sweeps: dict[tuple[bool, tuple[Constraint, ...]], Sweep | None] = {}

    def of(self, genotype: Sequence[int]) -> dict[str, int]:
        """Every metric of one architecture, latencies in nanoseconds."""
        total = sum((at(term, genotype) for term in self._terms), NOTHING)
        found = {name: of(total) for name, of in ADDITIVE.items()} | {"depth": self._depth.of(genotype)}
        return found | {name: _sum(self.terms(Metric(name)), genotype) for name in self._tables}

    def measure(self, genotype: Sequence[int]) -> Callable[[Metric], int]:
        """The metrics of one architecture, of all of it or of a part; each is worked out when it is asked for."""
        whole: dict[str, int] = {}

        def value(metric: Metric) -> int:
            if metric.nodes is not None or is_latency(metric.name):
                return _sum(self.terms(metric), genotype)
            if not whole:
                whole.update(self.of(genotype))
            return whole[metric.name]

        return value

    def terms(self, metric: Metric) -> list[Cases[int]]:
        """Costs that add up to a metric other than depth, each a function of a few decisions.

        Raises `Unable` where the table of a device lacks a layer.
        """
        if metric not in self._additive:
            self._additive[metric] = self._added(metric)
        return self._additive[metric]

    def _added(self, metric: Metric) -> list[Cases[int]]:
        if is_latency(metric.name):
            return list(_summed(_between(self._latency(metric.name), metric)))
        terms = self._terms if metric.nodes is None else _summed(_between(self._layers, metric))
        return [apply(ADDITIVE[metric.name], term) for term in terms]

    def extreme(
        self, metric: str, largest: bool, constraints: Iterable[Constraint] | None = None
    ) -> tuple[int, Genotype]:
        """The smallest or largest value of a metric over the space, and an architecture that attains it.

        Constraints on decisions are respected, those of the graph or those given; constraints on metrics are not.
        Raises ValueError where no architecture meets the former.
        """
        among = list(self.graph.constraints if constraints is None else constraints)
        if metric == "flops":  # twice the macs: what is found for one is found for the other
            macs, genotype = self.extreme("macs", largest, among)
            return 2 * macs, genotype
        sweep = self._swept(among, metric)
        if sweep is not None:
            found = sweep.extreme(SWEPT.index(metric) if metric in SWEPT else 0, largest)
        elif metric == "depth":
            found = self._extreme_depth(largest, among)
        else:
            found = self._extreme_sum(metric, largest, among)
        if found is None:
            raise ValueError(f"no architecture of `{self.graph.name}` meets its constraints")
        return found[0], self.activity.canonical(found[1])

    def _swept(self, among: Sequence[Constraint], metric: str) -> Sweep | None:
        """All extremes at once, where constraints tie so much together that eliminating is slow."""
        if metric not in (*SWEPT, "depth"):
            return None
        key = metric == "depth", tuple(among)
        if key not in self._sweeps:
            met = [condition(c, self.activity) for c in among if not speaks_of_metrics(c)]
            is_tied = _knots(met) > TIED
            terms = (self._depths() if metric == "depth" else self._sums()) if is_tied else None
            sweep = Sweep(terms, met, self.options) if terms else None
            self._sweeps[key] = None if sweep is None or sweep.given_up else sweep
        return self._sweeps[key]

    def _sums(self) -> list[Cases[tuple[int, ...]]]:
        return [apply(lambda c: tuple(ADDITIVE[name](c) for name in SWEPT), term) for term in self._terms]

    def _depths(self) -> list[Cases[tuple[int, ...]]] | None:
        terms = self._depth.chain.terms if self._depth.chain is not None else None
        return None if terms is None else [apply(lambda layers: (layers,), term) for term in terms]

    @cached_property
    def knots(self) -> int:
        """How much the constraints on decisions tie the space together: the nodes of diagrams of more than a few."""
        return _knots(condition(c, self.activity) for c in self.graph.constraints if not speaks_of_metrics(c))

    def _extreme_sum(
        self, metric: str, largest: bool, constraints: Sequence[Constraint]
    ) -> tuple[int, Genotype] | None:
        semiring = LARGEST if largest else SMALLEST
        factors = [*self.terms(Metric(metric)), *self.feasible(semiring, constraints)]
        elimination = eliminate(factors, self.options, semiring)
        return None if elimination.total == semiring.zero else (elimination.total, elimination.best())

    def _extreme_depth(self, largest: bool, constraints: Sequence[Constraint]) -> tuple[int, Genotype] | None:
        if self._depth.chain is None:
            return self._depth.extreme(largest, partial(self._completed, constraints))
        feasible = self.feasible(LARGEST if largest else SMALLEST, constraints)
        return self._depth.chain.extreme(largest, feasible, self.options)

    def _completed(self, constraints: Sequence[Constraint], assigned: Assignment) -> Genotype | None:
        """An assignment with these options that meets the constraints on decisions."""
        given = [
            split(d, [leaf(1 if o == option else 0) for o in range(self.options[d])]) for d, option in assigned.items()
        ]
        elimination = eliminate([*given, *self.feasible(COUNT, constraints)], self.options, COUNT)
        return elimination.unrank(0) if elimination.total else None

    def feasible(self, semiring: Semiring, constraints: Iterable[Constraint] | None = None) -> list[Cases[Any]]:
        """The constraints on decisions as factors: one where they are met, else zero. See `extreme` for which."""
        among = self.graph.constraints if constraints is None else constraints
        met = [condition(c, self.activity) for c in among if not speaks_of_metrics(c)]
        return [apply(lambda ok: semiring.one if ok else semiring.zero, cases) for cases in met]

    @cached_property
    def options(self) -> list[int]:
        """How many options each decision has."""
        return [len(decision.options) for decision in self.graph.decisions]

    @cached_property
    def _depth(self) -> Depth:
        return Depth(self.graph, self.activity)

    @cached_property
    def _terms(self) -> tuple[Cases[Cost], ...]:
        return _summed(self._layers.values())

    def _latency(self, name: str) -> dict[int, Cases[int]]:
        """The latency of each layer on a device for every architecture."""
        if name not in self._latencies:
            self._latencies[name] = latencies(self.graph, self._tables[name])
        return self._latencies[name]

    @cached_property
    def _layers(self) -> dict[int, Cases[Cost]]:
        """The cost of each layer for every architecture; nothing where it is inactive."""
        return dict(self._costed())

    def _costed(self) -> Iterator[tuple[int, Cases[Cost]]]:
        for n, node in self.graph.nodes.items():
            if not isinstance(node, LayerNode) or self.activity.nodes[n] is FALSE:
                continue
            if layer_class(node.operator).cost is not Operator.cost:
                yield n, apply(_cost, configurations(self.graph, node, self.activity.nodes[n]))


def _knots(met: Iterable[Cases[bool]]) -> int:
    return sum(size(each) for each in met if len(support(each)) > FEW)


def _summed(costs: Iterable[Cases[C]]) -> tuple[Cases[C], ...]:
    """Costs that depend on the same decisions, added up."""
    plus = lifted(add)
    terms: dict[frozenset[int], Cases[C]] = {}
    for cost in costs:
        scope = frozenset(support(cost))
        terms[scope] = plus(terms[scope], cost) if scope in terms else cost
    return tuple(terms.values())


def _between(costs: Mapping[int, Cases[C]], metric: Metric) -> Iterator[Cases[C]]:
    """The costs of the layers that a metric speaks of."""
    first, last = metric.nodes or (0, math.inf)
    return (cost for n, cost in costs.items() if first <= n < last)


def _sum(terms: Iterable[Cases[int]], genotype: Sequence[int]) -> int:
    return sum(at(term, genotype) for term in terms)


@lru_cache(maxsize=100_000)
def _cost(configuration: Configuration | None) -> Cost:
    return NOTHING if configuration is None else configuration.layer.cost(*configuration.inputs)
