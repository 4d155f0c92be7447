"""Spaces built by hand, node by node, for tests of the compiler."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any

from atnas.dsl import plugins
from atnas.dsl.cases import Cases, apply, choose, leaf, member
from atnas.dsl.net import (
    ChoiceNode,
    Constraint,
    Decision,
    Edge,
    Guard,
    InputNode,
    Json,
    Kind,
    LayerNode,
    Net,
    NetNode,
    Num,
    Pick,
    Static,
    number,
)
from atnas.dsl.source import Source, Span


def span(text: str = "") -> Span:
    return Span(Source("test.atnas", text), 0, len(text))


class Builder:
    """Adds nodes one by one and works out their shapes; each method returns the number of what it added."""

    def __init__(self) -> None:
        self.nodes: list[NetNode] = []
        self.shapes: list[Cases[Any]] = []
        self.decisions: list[Decision] = []
        self.inputs: list[int] = []

    def decide(self, name: str, options: Sequence[Json], kind: Kind = "number") -> int:
        self.decisions.append(Decision(name, kind, tuple(options), kind in ("number", "depth"), span()))
        return len(self.decisions) - 1

    def pick(self, decision: int, options: Sequence[Num] = ()) -> Pick:
        return Pick(decision, tuple(options) or tuple(range(len(self.decisions[decision].options))))

    def input(self, *shape: int) -> int:
        self.inputs.append(self._add(InputNode(f"in{len(self.nodes)}", shape), leaf(shape)))
        return self.inputs[-1]

    def layer(self, operator: str, *sources: int | Edge, **arguments: Num) -> int:
        edges = tuple(s if isinstance(s, Edge) else Edge(s) for s in sources)
        cls = plugins.load("ops", operator)
        taken = [self._taken(edge) for edge in edges]

        def shape(*values: Any) -> tuple[int, ...]:
            shapes = [v for v in values[: len(edges)] if v is not None]
            settings = dict(zip(arguments, values[len(edges) :], strict=True))
            made: tuple[int, ...] = cls(**settings).shape(*shapes) if shapes else ()
            return made

        cases = apply(shape, *taken, *map(number, arguments.values()))
        place = f"n{len(self.nodes)}_{operator}"
        return self._add(LayerNode(operator, tuple(arguments.items()), edges, place, cases, span()), cases)

    def choice(self, selector: Num, sources: Sequence[int], keys: Sequence[Static] = ()) -> int:
        keys = tuple(keys) or tuple(range(len(sources)))
        cases = choose(number(selector), keys, [self.shapes[s] for s in sources])
        return self._add(ChoiceNode(selector, keys, tuple(sources), cases, span()), cases)

    def either(self, decision: int, *sources: int) -> int:
        return self.choice(self.pick(decision), sources)

    def subset(self, decision: int, sources: Sequence[int]) -> list[Edge]:
        """The sources as edges that are taken where the decision's option, a list of positions, names
        them.
        """
        options: Sequence[Any] = self.decisions[decision].options
        allowed = [frozenset(o for o, chosen in enumerate(options) if i in chosen) for i in range(len(sources))]
        return [Edge(s, Guard(decision, a)) for s, a in zip(sources, allowed, strict=True)]

    def net(self, *outputs: int, constraints: Sequence[Constraint] = ()) -> Net:
        named = tuple((f"out{i}", n) for i, n in enumerate(outputs))
        return Net("hand", tuple(self.inputs), named, tuple(self.nodes), tuple(self.decisions), tuple(constraints))

    def _taken(self, edge: Edge) -> Cases[Any]:
        if edge.guard is None:
            return self.shapes[edge.node]
        held = member(edge.guard.decision, len(self.decisions[edge.guard.decision].options), edge.guard.allowed)
        return choose(held, (True, False), (self.shapes[edge.node], leaf(None)))

    def _add(self, node: NetNode, shape: Cases[Any]) -> int:
        self.nodes.append(node)
        self.shapes.append(shape)
        return len(self.nodes) - 1


def nas_bench_201(channels: int = 16, cells: int = 5) -> Net:
    """Dong and Yang, arXiv 2001.00326: six edges of five operators, tied over all cells."""
    b = Builder()
    edges = {pair: b.decide(f"dag.{pair}", OPS_201, "layer") for pair in ("01", "02", "12", "03", "13", "23")}

    def unit(x: int, c: int, k: int) -> int:
        return b.layer("bn", b.layer("conv", b.layer("relu", x), channels=c, kernel=k))

    def edge(x: int, c: int, pair: str) -> int:
        ways = (b.layer("none", x), b.layer("skip", x), unit(x, c, 1), unit(x, c, 3))
        return b.either(edges[pair], *ways, b.layer("avg_pool", x, kernel=3, stride=1))

    def dag(x: int, c: int) -> int:
        tensors = [x]
        for i in (1, 2, 3):
            tensors.append(b.layer("add", *(edge(t, c, f"{j}{i}") for j, t in enumerate(tensors))))
        return tensors[-1]

    x = b.layer("bn", b.layer("conv", b.input(3, 32, 32), channels=channels, kernel=3))
    for stage in range(3):
        if stage:
            x = b.layer("res_block", x, channels=channels * 2**stage, stride=2)
        for _ in range(cells):
            x = dag(x, channels * 2**stage)
    x = b.layer("global_avg_pool", b.layer("relu", b.layer("bn", x)))
    return b.net(b.layer("linear", x, features=10))


OPS_201 = ["none", "skip", "unit(c, 1)", "unit(c, 3)", "avg_pool(3, stride = 1)"]


def darts(channels: int = 36, cells: int = 6) -> Net:
    """Liu et al., arXiv 1806.09055: two cells of four nodes, each adding two earlier tensors, seven
    operators.
    """
    b = Builder()
    pairs = {
        (cell, i): b.decide(f"{cell}.n{i}", [list(p) for p in combinations(range(i + 2), 2)], "subset")
        for cell in ("normal", "reduce")
        for i in range(4)
    }
    edges = {
        (cell, i, j): b.decide(f"{cell}.n{i}.edge[{j}]", OPS_DARTS, "layer")
        for cell in ("normal", "reduce")
        for i in range(4)
        for j in range(i + 2)
    }

    def edge(key: tuple[str, int, int], x: int, c: int, s: int) -> int:
        pools = [b.layer(op, x, kernel=3, stride=s) for op in ("max_pool", "avg_pool")]
        convs = [b.layer(op, x, channels=c, kernel=k, stride=s) for op in ("sep_conv", "dil_conv") for k in (3, 5)]
        return b.either(edges[key], b.layer("skip", x, stride=s), *pools, *convs)

    def cell(name: str, c: int, before: int, a: int, x: int) -> int:
        def fit(t: int, stride: int) -> int:
            return b.layer("bn", b.layer("conv", b.layer("relu", t), channels=c, kernel=1, stride=stride))

        tensors = [fit(a, before), fit(x, 1)]
        for i in range(4):
            stride = 2 if name == "reduce" else 1
            found = [edge((name, i, j), t, c, stride if j < 2 else 1) for j, t in enumerate(tensors)]
            tensors.append(b.layer("add", *b.subset(pairs[name, i], found)))
        return b.layer("concat", *tensors[2:])

    stem = b.layer("bn", b.layer("conv", b.input(3, 32, 32), channels=3 * channels, kernel=3))
    last, c, before = (stem, stem), channels, 1
    for stage in range(3):
        if stage:
            c *= 2
            last, before = (last[1], cell("reduce", c, 1, *last)), 2
        for _ in range(cells):
            last, before = (last[1], cell("normal", c, before, *last)), 1
    return b.net(b.layer("linear", b.layer("global_avg_pool", last[1]), features=10))


OPS_DARTS = ["skip", "max_pool", "avg_pool", "sep3", "sep5", "dil3", "dil5"]


def once_for_all() -> Net:
    """Cai et al., arXiv 1908.09791: five stages of two to four blocks, three kernels and three expansions
    each.
    """
    b = Builder()
    x = b.layer("conv", b.input(3, 224, 224), channels=16, kernel=3, stride=2)
    for s, (c, stride) in enumerate([(24, 2), (40, 2), (80, 2), (112, 1), (160, 2)]):
        turns = [x]
        for i in range(4):
            kernel = b.decide(f"stage{s}.mb[{i}].kernel", [3, 5, 7])
            expand = b.decide(f"stage{s}.mb[{i}].expand", [3, 4, 6])
            arguments = {"kernel": b.pick(kernel, [3, 5, 7]), "expand": b.pick(expand, [3, 4, 6])}
            x = b.layer("mbconv", x, channels=c, stride=stride if i == 0 else 1, **arguments)
            turns.append(x)
        depth = b.decide(f"stage{s}.depth", [1, 2, 3], "depth")
        x = b.choice(b.pick(depth, [1, 2, 3]), turns[2:], keys=[1, 2, 3])
    return b.net(b.layer("linear", b.layer("global_avg_pool", x), features=1000))
