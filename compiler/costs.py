"""What architectures cost, and the cheapest and dearest of a space, exactly."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property, lru_cache, partial
from typing import Any, Final

from atnas.compiler.activity import Activity, Genotype, activity, takes
from atnas.compiler.constraints import condition, speaks_of_metrics
from atnas.compiler.depth import Assignment, Depth
from atnas.compiler.factors import COUNT, LARGEST, SMALLEST, Semiring, eliminate, lifted, otherwise
from atnas.compiler.graph import Graph
from atnas.dsl.cases import FALSE, Cases, apply, at, choose, leaf, only, split, support
from atnas.dsl.extern import layer_class
from atnas.dsl.net import Constraint, InputNode, LayerNode, Metric, NetNode, Static, number
from atnas.dsl.operator import Cost, Operator, Shape

ADDITIVE: Final[dict[str, Callable[[Cost], int]]] = {
    "params": lambda cost: cost.params,
    "macs": lambda cost: cost.macs,
    "flops": lambda cost: 2 * cost.macs,
    "activations": lambda cost: cost.activations,
}
"""Metrics that add up over the active layers."""

NOTHING: Final = Cost()


class Costs:
    """The costs of every architecture of a graph, for one example.

    Each layer's cost is worked out once for every case of its arguments and input shapes. Layers that depend
    on the same decisions are added together, so that the cost of one architecture is a few look-ups.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.activity: Activity = activity(graph)
        self._additive: dict[Metric, list[Cases[int]]] = {}

    def of(self, genotype: Sequence[int]) -> dict[str, int]:
        """Every metric of one architecture."""
        total = sum((at(term, genotype) for term in self._terms), NOTHING)
        return {name: of(total) for name, of in ADDITIVE.items()} | {"depth": self._depth.of(genotype)}

    def measure(self, genotype: Sequence[int]) -> Callable[[Metric], int]:
        """The metrics of one architecture, of all of it or of a part; each is worked out when it is asked for."""
        whole: dict[str, int] = {}

        def value(metric: Metric) -> int:
            if metric.nodes is not None:
                return sum(at(term, genotype) for term in self.terms(metric))
            if not whole:
                whole.update(self.of(genotype))
            return whole[metric.name]

        return value

    def terms(self, metric: Metric) -> list[Cases[int]]:
        """Costs that add up to a metric other than depth, each a function of a few decisions."""
        if metric not in self._additive:
            terms = self._terms if metric.nodes is None else self._terms_between(*metric.nodes)
            self._additive[metric] = [apply(ADDITIVE[metric.name], term) for term in terms]
        return self._additive[metric]

    def extreme(
        self, metric: str, largest: bool, constraints: Iterable[Constraint] | None = None
    ) -> tuple[int, Genotype]:
        """The smallest or largest value of a metric over the space, and an architecture that attains it.

        Constraints on decisions are respected, those of the graph or those given; constraints on metrics are not.
        Raises ValueError where no architecture meets the former.
        """
        among = list(self.graph.constraints if constraints is None else constraints)
        if metric == "depth":
            found = self._depth.extreme(largest, partial(self._completed, among))
        else:
            found = self._extreme_sum(metric, largest, among)
        if found is None:
            raise ValueError(f"no architecture of `{self.graph.name}` meets its constraints")
        return found[0], self.activity.canonical(found[1])

    def _extreme_sum(
        self, metric: str, largest: bool, constraints: Sequence[Constraint]
    ) -> tuple[int, Genotype] | None:
        semiring = LARGEST if largest else SMALLEST
        factors = [*self.terms(Metric(metric)), *self.feasible(semiring, constraints)]
        elimination = eliminate(factors, self.options, semiring)
        return None if elimination.total == semiring.zero else (elimination.total, elimination.best())

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

    def _terms_between(self, first: int, last: int) -> tuple[Cases[Cost], ...]:
        """The costs of the layers from one node to before another."""
        return _summed(cost for n, cost in self._layers.items() if first <= n < last)

    @cached_property
    def _layers(self) -> dict[int, Cases[Cost]]:
        """The cost of each layer for every architecture; nothing where it is inactive."""
        return dict(self._costed())

    def _costed(self) -> Iterator[tuple[int, Cases[Cost]]]:
        for n, node in self.graph.nodes.items():
            if isinstance(node, LayerNode) and self.activity.nodes[n] is not FALSE:
                cls = layer_class(node.operator)
                if cls.cost is not Operator.cost:
                    yield n, self._layer(cls, node, self.activity.nodes[n])

    def _layer(self, cls: type[Operator], node: LayerNode, where: Cases[bool]) -> Cases[Cost]:
        names = tuple(name for name, _ in node.arguments)
        shapes = [
            choose(only(where, taken), (True, False), (_shape(self.graph.nodes[source]), leaf(None)))
            for source, taken in takes(self.graph, node)
        ]

        def cost(_: Shape, *values: Any) -> Cost:
            inputs = tuple(shape for shape in values[: len(shapes)] if shape is not None)
            return _cost(cls, names, values[len(shapes) :], inputs) if inputs else NOTHING

        settings = [only(where, number(num)) for _, num in node.arguments]
        # It has no shape where constraints leave no architecture.
        return otherwise(apply(cost, node.shape, *shapes, *settings), NOTHING)


def _summed(costs: Iterable[Cases[Cost]]) -> tuple[Cases[Cost], ...]:
    """Costs that depend on the same decisions, added up."""
    plus = lifted(Cost.__add__)
    terms: dict[frozenset[int], Cases[Cost]] = {}
    for cost in costs:
        scope = frozenset(support(cost))
        terms[scope] = plus(terms[scope], cost) if scope in terms else cost
    return tuple(terms.values())


def _shape(node: NetNode) -> Cases[Shape]:
    return leaf(node.shape) if isinstance(node, InputNode) else node.shape


@lru_cache(maxsize=100_000)
def _cost(cls: type[Operator], names: tuple[str, ...], settings: tuple[Static, ...], shapes: tuple[Shape, ...]) -> Cost:
    return cls(**dict(zip(names, settings, strict=True))).cost(*shapes)
