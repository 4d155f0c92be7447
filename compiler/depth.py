"""The depth of an architecture: the layers with weights along its longest way from an input to an output.

Depth does not add up over the graph, but mostly along it: see `Chain`. Where it does not, its extremes are found by
branch and bound: the bound lets every choice decide for itself, as if no decision were tied to another; where two
choices then want different options of one decision, that decision is branched on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from heapq import heappop, heappush
from itertools import count
from typing import NamedTuple

from atnas.compiler.activity import Activity, Genotype, takes
from atnas.compiler.chain import Chain, Ways, chain
from atnas.compiler.configuration import configurations
from atnas.compiler.graph import Graph
from atnas.dsl.cases import LEAF, NEVER, Cases, apply, at, choose, leaf, only, otherwise, values
from atnas.dsl.extern import layer_class
from atnas.dsl.net import ChoiceNode, InputNode, LayerNode, NetNode, number
from atnas.dsl.operator import Operator

Assignment = dict[int, int]


class _Bound(NamedTuple):
    """What the depth cannot pass, the options that would attain it, and a decision they cannot agree on."""

    depth: int
    options: Assignment
    conflict: int | None


class Depth:
    """The depth of every architecture of a graph."""

    def __init__(self, graph: Graph, activity: Activity) -> None:
        self._graph = graph
        self._steps: dict[int, Cases[Ways]] = {}
        tails: dict[int, tuple[int, int]] = {}
        for n, node in graph.nodes.items():
            step = apply(lambda ways: _joined(ways, tails), _ways(graph, node, activity.nodes[n]))
            if step.decision == LEAF and len(step.value) == 1:
                tails[n] = step.value[0]
            else:
                tails[n] = n, 0
                self._steps[n] = step
        self._ends = tuple(tails[n] for _, n in graph.outputs)

    def of(self, genotype: Sequence[int]) -> int:
        """The depth of one architecture."""
        depths: dict[int, int] = {}
        for n, step in self._steps.items():
            depths[n] = _longest(at(step, genotype), depths)
        return _longest(self._ends, depths)

    @cached_property
    def chain(self) -> Chain | None:
        """The depth as a sum, where it is one."""
        return chain(self._steps, self._ends)

    def extreme(self, largest: bool, complete: Callable[[Assignment], Genotype | None]) -> tuple[int, Genotype] | None:
        """The smallest or largest depth and an architecture that has it, whether or not there is a chain; None where
        there is no architecture.

        `complete` finds an architecture that has the given options, or None.
        """
        sign = -1 if largest else 1
        serial = count()
        queue: list[tuple[int, int, Assignment, _Bound]] = []

        def push(assigned: Assignment) -> None:
            bound = self._bound(assigned, largest)
            heappush(queue, (sign * bound.depth, next(serial), assigned, bound))

        push({})
        while queue:
            _, _, assigned, bound = heappop(queue)
            if complete(assigned) is None:
                continue
            genotype = complete(bound.options) if bound.conflict is None else None
            if genotype is not None:
                return bound.depth, genotype
            branch = next(d for d in (bound.conflict, *bound.options) if d is not None and d not in assigned)
            for option in range(self._graph.options(branch)):
                push({**assigned, branch: option})
        return None

    @cached_property
    def _situations(self) -> dict[int, list[tuple[Assignment, Ways]]]:
        return {n: list(_paths(step)) for n, step in self._steps.items()}

    def _bound(self, assigned: Assignment, largest: bool) -> _Bound:
        best = max if largest else min
        depths: dict[int, int] = {}
        for n, situations in self._situations.items():
            depths[n] = best(_longest(ways, depths) for options, ways in situations if _agree(options, assigned))
        chosen, conflict = self._traced(depths, assigned, largest)
        return _Bound(_longest(self._ends, depths), chosen, conflict)

    def _traced(self, depths: dict[int, int], assigned: Assignment, largest: bool) -> tuple[Assignment, int | None]:
        """The options that attain the bound: along one longest way for the largest, along all for the
        smallest.
        """
        chosen = dict(assigned)
        todo = _followed(self._ends, depths, largest)
        seen: set[int] = set()
        while todo:
            n = todo.pop()
            if n in seen:
                continue
            seen.add(n)
            fitting = [
                (options, ways)
                for options, ways in self._situations[n]
                if _agree(options, assigned) and _longest(ways, depths) == depths[n]
            ]
            options, ways = next((s for s in fitting if _agree(s[0], chosen)), fitting[0])
            for decision, option in options.items():
                if chosen.setdefault(decision, option) != option:
                    return chosen, decision
            todo += _followed(ways, depths, largest)
        return chosen, None


def _ways(graph: Graph, node: NetNode, where: Cases[bool]) -> Cases[Ways]:
    """The sources of a node with its own layers; the value where it is inactive does not matter."""
    match node:
        case InputNode():
            return leaf(())
        case ChoiceNode(selector=selector, keys=keys, sources=sources):
            return otherwise(choose(number(selector), keys, [leaf(((s, 0),)) for s in sources]), ())
        case LayerNode(edges=edges):
            taken = [condition for _, condition in takes(graph, node)]
            return apply(
                lambda layers, *held: tuple(
                    (edge.node, layers) for edge, is_held in zip(edges, held, strict=True) if is_held
                ),
                _layers(graph, node, where),
                *taken,
            )


def _layers(graph: Graph, node: LayerNode, where: Cases[bool]) -> Cases[int]:
    cls = layer_class(node.operator)
    if cls.layers is Operator.layers:
        return leaf(0)
    made = only(where, configurations(graph, node, where))
    counted = apply(lambda each: 0 if each is None else each.layer.layers(*each.inputs), made)
    found = values(counted)
    return leaf(found[0]) if len(found) == 1 else otherwise(counted, 0)


def _joined(ways: Ways, tails: dict[int, tuple[int, int]]) -> Ways:
    """The same ways from the last step before each; of several from one step, the longest."""
    longest: dict[int, int] = {}
    for source, layers in ways:
        step, before = tails[source]
        longest[step] = max(longest.get(step, 0), before + layers)
    return tuple(longest.items())


def _longest(ways: Ways, depths: dict[int, int]) -> int:
    return max([depths[step] + layers for step, layers in ways], default=0)


def _followed(ways: Ways, depths: dict[int, int], largest: bool) -> list[int]:
    """The steps that the longest of the ways rests on; for a smallest depth all of them do."""
    if not largest:
        return [step for step, _ in ways]
    return [max(ways, key=lambda way: depths[way[0]] + way[1])[0]] if ways else []


def _agree(options: Assignment, others: Assignment) -> bool:
    return all(others.get(decision, option) == option for decision, option in options.items())


def _paths(cases: Cases[Ways]) -> Iterator[tuple[Assignment, Ways]]:
    """Every path of a diagram with the options it takes."""
    if cases.decision == LEAF:
        if cases is not NEVER:
            yield {}, cases.value
        return
    for option, child in enumerate(cases.children):
        for options, ways in _paths(child):
            yield {cases.decision: option, **options}, ways
