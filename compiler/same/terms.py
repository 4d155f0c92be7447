"""What a tensor is a function of, as a term: equal terms are one number.

Terms are simplified as they are made. Sums and products are flat and in no order; zeros vanish from sums, and make
products and functions that keep zero vanish; a linear function of a sum is a sum; what passes on is its input; a pool
of what is the same at every place is that. A layer with weights is told apart from others by its label: used twice it
is one, and two that look the same are two.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import Final, Literal, NamedTuple

from atnas.compiler.same.layers import Layer
from atnas.dsl.operator import Shape

Kind = Literal["input", "zero", "sum", "product", "join", "function", "own"]

ORDERLESS: Final = ("sum", "product")


class Term(NamedTuple):
    """`what` is the layer's operator with its arguments, or which input; `label` is 0 but for layers with weights."""

    kind: Kind
    what: Hashable
    of: tuple[int, ...]
    label: int = 0


def places(shape: Shape) -> Hashable:
    """What a map that is the same at every place is, given another number of places."""
    return "places", shape


class Terms:
    """The terms made so far; the number of a term is its place in the list, after those it is made of."""

    def __init__(self) -> None:
        self.all: list[Term] = []
        self._numbers: dict[Term, int] = {}
        self._uniform: list[bool] = []

    def input(self, index: int, is_uniform: bool = False) -> int:
        """A tensor that is given."""
        return self.number(Term("input", (index, is_uniform), ()), is_uniform)

    def zeros(self, shape: Shape) -> int:
        """Zeros of a shape."""
        return self.number(Term("zero", shape, ()), is_uniform=True)

    def is_uniform(self, number: int) -> bool:
        """Whether a term is known to be a map with the same at every place."""
        return self._uniform[number]

    def layer(self, layer: Layer, label: int, inputs: Sequence[int]) -> int:
        """The output of a layer. An operator that merges nothing gives zeros."""
        match layer.law:
            case "passes":
                return inputs[0]
            case "nothing":
                return self.zeros(layer.shape)
            case "sum":
                return self.sum(inputs, layer.shape)
            case "product" | "join":
                return self._merged(layer, inputs)
            case "own":
                return self.number(Term("own", layer.what, tuple(inputs), label), self._stays_uniform(layer, inputs))
            case _:
                return self._function(layer, inputs)

    def sum(self, inputs: Iterable[int], shape: Shape) -> int:
        """The sum of terms, each as often as it stands there; of nothing it is zeros of the shape."""
        parts = [part for i in inputs for part in self.summands(i)]
        if len(parts) < 2:
            return parts[0] if parts else self.zeros(shape)
        return self.number(Term("sum", None, tuple(sorted(parts))), all(self._uniform[i] for i in parts))

    def summands(self, number: int) -> tuple[int, ...]:
        """What a term is the sum of: nothing for zeros, itself where it is no sum."""
        term = self.all[number]
        if term.kind == "zero":
            return ()
        return term.of if term.kind == "sum" else (number,)

    def number(self, term: Term, is_uniform: bool = False) -> int:
        """The number of a term, made if need be. A uniform one is a map with the same at every place."""
        found = self._numbers.setdefault(term, len(self.all))
        if found == len(self.all):
            self.all.append(term)
            self._uniform.append(is_uniform)
        return found

    def below(self, number: int) -> list[int]:
        """A term and all it is made of, each once, every one before what it is made of."""
        seen: set[int] = set()
        todo = [number]
        while todo:
            found = todo.pop()
            if found not in seen:
                seen.add(found)
                todo += self.all[found].of
        return sorted(seen, reverse=True)

    def _function(self, layer: Layer, inputs: Sequence[int]) -> int:
        if layer.keeps_zero and self._are_zeros(inputs):
            return self.zeros(layer.shape)
        if layer.linear and self.all[inputs[0]].kind == "sum":
            return self.sum([self._function(layer, [part]) for part in self.all[inputs[0]].of], layer.shape)
        if layer.law == "pool" and self._uniform[inputs[0]]:
            same = Term("function", places(layer.shape), tuple(inputs))
            return inputs[0] if layer.keeps_shape else self.number(same, is_uniform=True)
        return self.number(Term("function", layer.what, tuple(inputs)), self._stays_uniform(layer, inputs))

    def _merged(self, layer: Layer, inputs: Sequence[int]) -> int:
        """A product or what is joined: flat, and in order only where that is told apart."""
        kind: Kind = "product" if layer.law == "product" else "join"
        zeros = [self.all[i].kind == "zero" for i in inputs]
        if all(zeros) or (kind == "product" and any(zeros)):
            return self.zeros(layer.shape)
        parts = [p for i in inputs for p in (self.all[i].of if self.all[i].kind == kind else (i,))]
        ordered = sorted(parts) if kind in ORDERLESS else parts
        return parts[0] if len(parts) == 1 else self.number(Term(kind, None, tuple(ordered)))

    def _stays_uniform(self, layer: Layer, inputs: Sequence[int]) -> bool:
        of_zeros, of_others = layer.uniform
        return of_zeros if self._are_zeros(inputs) else of_others and all(self._uniform[i] for i in inputs)

    def _are_zeros(self, inputs: Sequence[int]) -> bool:
        return all(self.all[i].kind == "zero" for i in inputs)
