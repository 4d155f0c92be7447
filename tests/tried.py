"""Small spaces as values: their text in the language, and their shapes found by trying every architecture in torch.

Nothing of the language's implementation is used. A decision is made by asking an oracle, when the text's meaning asks
for it: a bound name is decided where it is bound, an op at each use, a cell once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from math import prod
from typing import Any

import torch
from hypothesis import strategies as st
from torch.nn import functional as F

Shape = tuple[int, ...]


class Refused(Exception):
    """The layers of this architecture do not fit each other."""


class Oracle:
    """Answers questions so that repeated runs go through all answers."""

    def __init__(self) -> None:
        self.answers: list[int] = []
        self.widths: list[int] = []
        self.asked = 0

    def __call__(self, options: int) -> int:
        if self.asked == len(self.answers):
            self.answers.append(0)
            self.widths.append(options)
        self.asked += 1
        return self.answers[self.asked - 1]

    def advance(self) -> bool:
        """Turns to the next answers; False where there are none."""
        self.asked = 0
        while self.answers and self.answers[-1] == self.widths[-1] - 1:
            del self.answers[-1], self.widths[-1]
        if self.answers:
            self.answers[-1] += 1
        return bool(self.answers)


Layer = Callable[[torch.Tensor], torch.Tensor]


@dataclass
class Scope:
    """What names stand for in one architecture, and what its cells were decided to be."""

    ask: Callable[[int], int]
    numbers: dict[str, int]
    cells: dict[str, list[int]]
    layers: dict[str, Layer] = field(default_factory=dict)
    tensors: dict[str, torch.Tensor] = field(default_factory=dict)


@dataclass(frozen=True)
class Term:
    """A piece of a program: its text and, for one architecture, what it is."""

    text: str
    mean: Callable[[Scope], Any] = field(compare=False, repr=False)


@dataclass(frozen=True)
class Tried:
    """A program of one space, and its meaning."""

    text: str
    run: Callable[[Callable[[int], int]], torch.Tensor] = field(compare=False, repr=False)

    def outcomes(self, most: int) -> tuple[set[Shape], bool] | None:
        """The shapes of all architectures and whether any is refused; None where there are more than `most`."""
        oracle, shapes, refused = Oracle(), set[Shape](), False
        for _ in range(most):
            try:
                shapes.add(tuple(self.run(oracle).shape[1:]))
            except Refused:
                refused = True
            if not oracle.advance():
                return shapes, refused
        return None


# What layers do


def rank(x: torch.Tensor, *allowed: int) -> int:
    if x.dim() - 1 not in allowed:
        raise Refused
    return x.dim() - 2


def torchs(run: Callable[[], torch.Tensor]) -> torch.Tensor:
    try:
        return run()
    except RuntimeError as error:
        raise Refused from error


def conv(channels: int, kernel: int, stride: int) -> Layer:
    def run(x: torch.Tensor) -> torch.Tensor:
        size = rank(x, 2, 3)
        weight = torch.empty(channels, x.shape[1], *[kernel] * size, device="meta")
        return (F.conv1d, F.conv2d)[size - 1](x, weight, stride=stride, padding=kernel // 2)

    return run


def pool(x: torch.Tensor) -> torch.Tensor:
    return torchs(lambda: (F.max_pool1d, F.max_pool2d)[rank(x, 2, 3) - 1](x, 2))


def linear(features: int) -> Layer:
    def run(x: torch.Tensor) -> torch.Tensor:
        rank(x, 1, 2)
        return F.linear(x, torch.empty(features, x.shape[-1], device="meta"))

    return run


PLAIN: dict[str, Layer] = {
    "relu": torch.relu,
    "skip": lambda x: x,
    "flatten": lambda x: x.flatten(1),
    "max_pool(2)": pool,
    "conv(4, 3, stride = 2)": conv(4, 3, 2),
    "conv(8, 1)": conv(8, 1, 1),
    "linear(4)": linear(4),
}


SHAPING = [Term(text, lambda _, f=f: f) for text, f in PLAIN.items() if text not in ("relu", "linear(4)")]


def added(xs: list[torch.Tensor]) -> torch.Tensor:
    return sum(alike(xs)[1:], xs[0])


def multiplied(xs: list[torch.Tensor]) -> torch.Tensor:
    return prod(alike(xs)[1:], start=xs[0])


def alike(xs: list[torch.Tensor]) -> list[torch.Tensor]:
    if any(x.shape != xs[0].shape for x in xs):
        raise Refused
    return xs


def joined(xs: list[torch.Tensor]) -> torch.Tensor:
    if any(x.dim() != xs[0].dim() for x in xs):
        raise Refused
    return torchs(lambda: torch.cat(xs, 1))


def chained(layers: list[Layer]) -> Layer:
    def run(x: torch.Tensor) -> torch.Tensor:
        for layer in layers:
            x = layer(x)
        return x

    return run


# Strategies


def choice(terms: list[Term]) -> Term:
    return Term(f"({' | '.join(t.text for t in terms)})", lambda s: terms[s.ask(len(terms))].mean(s))


def widths(names: list[str]) -> st.SearchStrategy[Term]:
    fixed = [Term(str(n), lambda _, n=n: n) for n in (2, 4, 6)]
    ties = [Term(n, lambda s, n=n: s.numbers[n]) for n in names]
    twice = [Term(f"2 * {n}", lambda s, n=n: 2 * s.numbers[n]) for n in names]
    return st.sampled_from([*fixed, choice(fixed[:2]), *ties, *twice, *ties])


def layers(numbers: list[str], leaves: list[Term], most: int = 2) -> st.SearchStrategy[Term]:
    kernel = st.sampled_from([Term("3", lambda _: 3)] * 3 + [Term("(1 | 3)", lambda s: (1, 3)[s.ask(2)])])
    stride = st.sampled_from([1, 1, 2])
    elastic = st.builds(
        lambda c, k, s: Term(f"conv({c.text}, {k.text}, stride = {s})", lambda m: conv(c.mean(m), k.mean(m), s)),
        widths(numbers),
        kernel,
        stride,
    )
    plain = st.sampled_from([Term(t, lambda _, f=f: f) for t, f in PLAIN.items()])
    leaf = plain | elastic | st.sampled_from(leaves) if leaves else plain | elastic
    return st.recursive(leaf, _composed, max_leaves=most)


def _composed(inner: st.SearchStrategy[Term]) -> st.SearchStrategy[Term]:
    few = st.lists(inner, min_size=2, max_size=2)
    chain = few.map(lambda ts: Term(f"({' -> '.join(t.text for t in ts)})", lambda s: chained([t.mean(s) for t in ts])))
    return few.map(choice) | chain | st.builds(_repeat, inner, st.sampled_from([(2, 2), (0, 2), (1, 2)]))


def _repeat(inner: Term, ends: tuple[int, int]) -> Term:
    low, high = ends
    count = str(low) if low == high else f"{low}..{high}"

    def mean(s: Scope) -> Layer:
        turns = low + s.ask(high - low + 1)
        return chained([inner.mean(s) for _ in range(turns)])

    return Term(f"({inner.text}) * {count}", mean)


@st.composite
def tensors(draw: st.DrawFn, bound: list[str], layer: st.SearchStrategy[Term], uses: list[Term]) -> Term:
    """A layer after a tensor that has a name, or several: one of them, all, or a chosen subset, merged."""

    through = draw(st.lists(layer, min_size=1, max_size=3))
    if draw(st.booleans()):  # the same text twice is two decisions, or one where a name or a cell ties
        through = [draw(st.sampled_from(uses))] * 2
    terms = [_through(draw(st.sampled_from(bound)), f) for f in through]
    if len(terms) == 1:
        return terms[0]
    word, merge = draw(st.sampled_from([("add", added), ("mul", multiplied), ("concat", joined)]))
    texts = ", ".join(t.text for t in terms)
    form = draw(st.sampled_from(["all", "chosen", "one"]))
    if form == "one":
        return choice(terms)
    if form == "all":
        return Term(f"{word}({texts})", lambda s: merge([t.mean(s) for t in terms]))
    subsets = [[a] for a in terms] + [[a, b] for i, a in enumerate(terms) for b in terms[i + 1 :]]
    return Term(f"{word}(1..2 of [{texts}])", lambda s: merge([t.mean(s) for t in subsets[s.ask(len(subsets))]]))


def _through(name: str, layer: Term) -> Term:
    return Term(f"{name} -> {layer.text}", lambda s: layer.mean(s)(s.tensors[name]))


@st.composite
def spaces(draw: st.DrawFn) -> Tried:
    """A program with an op, a cell, a tied width, a tied layer and two bound tensors."""
    body = layers(["c"], []) | st.permutations(SHAPING).map(lambda terms: choice(terms[:2]))
    op, cell = draw(body), draw(body)
    size = draw(st.sampled_from([choice([Term("2", lambda _: 2), Term("4", lambda _: 4)]), Term("4", lambda _: 4)]))
    arguments = draw(st.lists(widths(["w"]), min_size=2, max_size=2))
    leaves = [_use("f", op, arguments[0]), _use("g", cell, arguments[1], once=True)]
    tie = draw(layers(["w"], leaves))
    uses = [*leaves, Term("e", lambda s: s.layers["e"])]
    layer = layers(["w"], uses)
    a = draw(tensors(["x"], layer, uses))
    y = draw(tensors(["a", "a", "x"], layer, uses))
    text = f"""\
op f(c) = {op.text}
cell g(c) = {cell.text}
space s [x: (4, 4, 4)] -> y {{
  w = {size.text}
  e = {tie.text}
  a = {a.text}
  y = {y.text}
}}
"""

    def run(ask: Callable[[int], int]) -> torch.Tensor:
        s = Scope(ask, {}, {}, tensors={"x": torch.empty(1, 4, 4, 4, device="meta")})
        s.numbers["w"] = size.mean(s)
        s.layers["e"] = tie.mean(s)
        s.tensors["a"] = a.mean(s)
        result: torch.Tensor = y.mean(s)
        return result

    return Tried(text, run)


def _use(name: str, body: Term, argument: Term, once: bool = False) -> Term:
    def mean(s: Scope) -> Layer:
        width = argument.mean(s)
        ask = _remembered(s, name) if once else s.ask
        return body.mean(Scope(ask, {"c": width}, s.cells))  # type: ignore[no-any-return]

    return Term(f"{name}({argument.text})", mean)


def _remembered(s: Scope, cell: str) -> Callable[[int], int]:
    """Answers as at the cell's first use."""
    known, asked = s.cells.setdefault(cell, []), _counter()

    def ask(options: int) -> int:
        i = next(asked)
        if i == len(known):
            known.append(s.ask(options))
        return known[i]

    return ask


def _counter() -> Iterator[int]:
    n = 0
    while True:
        yield n
        n += 1
