"""A term in pieces that follow one another: it is cut wherever all that depends on the input passes through one tensor.

    relu(a + b) + a + b, where a = conv(x) and b = bn(x)    is the piece    conv(x) + bn(x)    and then    relu(v) + v

A cut may lie at a sum whose summands also stand in a larger sum. Pieces cannot be cut again, so that two ways of
writing one function in a row of layers come to the same pieces.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import reduce
from math import gcd
from typing import NamedTuple

from atnas.compiler.same.terms import Terms


class Piece(NamedTuple):
    """A term as a function of the tensor `given`, which stands for the input; None where it needs none."""

    term: int
    given: int | None


def pieces(terms: Terms, whole: int) -> list[Piece]:
    """The pieces of a term, the last first, down to the input; to zeros where it is made of these alone.

    Inputs and zeros have no pieces; a term of several inputs is one.
    """
    ends = set(_ends(terms, whole))
    if len(ends) != 1:
        return [Piece(whole, None)]
    found: list[Piece] = []
    over = whole
    while over not in ends:
        cut = _cut(terms, over, ends)
        found.append(Piece(over, cut))
        over = cut
    return found


def is_constant(terms: Terms, whole: int) -> bool:
    """Whether a term needs no input."""
    return not any(terms.all[n].kind == "input" for n in terms.below(whole))


def _ends(terms: Terms, whole: int) -> list[int]:
    """The inputs in a term; the zeros in it where there are none."""
    below = terms.below(whole)
    inputs = [n for n in below if terms.all[n].kind == "input"]
    return inputs or [n for n in below if terms.all[n].kind == "zero"]


def _cut(terms: Terms, whole: int, ends: set[int]) -> int:
    """The nearest tensor below a term that all its dependence on the one end passes through."""
    below = terms.below(whole)
    up = _ways_to(terms, below, ends)
    down = _ways_from(terms, below)
    has_constants = any(terms.all[n].kind == "own" and not up[n] for n in below)
    summed = _in_larger_sums(terms, below)
    within = list(_within(terms, whole, up))
    for cut in sorted({*within, *(n for n in below if up[n])} - {whole, *ends}, reverse=True):
        if cut in within or cut in summed or has_constants:
            if _is_cut(terms, whole, cut, up, ends):
                return cut
        elif up[cut] * down[cut] == up[whole]:
            return cut
    return next(iter(ends))


def _ways_to(terms: Terms, below: Sequence[int], ends: set[int]) -> dict[int, int]:
    """On how many ways each term comes to an end: on none where it does not depend on it."""
    found: dict[int, int] = {}
    for number in reversed(below):
        found[number] = 1 if number in ends else sum(found[part] for part in terms.all[number].of)
    return found


def _ways_from(terms: Terms, below: Sequence[int]) -> dict[int, int]:
    """On how many ways the first term comes to each."""
    found = dict.fromkeys(below, 0)
    found[below[0]] = 1
    for number in below:
        for part in terms.all[number].of:
            found[part] += found[number]
    return found


def _in_larger_sums(terms: Terms, below: Sequence[int]) -> set[int]:
    """The sums all of whose summands stand in another sum as well."""
    sums = [(number, Counter(terms.all[number].of)) for number in below if terms.all[number].kind == "sum"]
    return {n for n, inner in sums if any(inner < outer for _, outer in sums)}


def _within(terms: Terms, whole: int, up: Mapping[int, int]) -> Iterator[int]:
    """Sums that are no term of their own: of the summands that depend on the input, and as often as all stand there."""
    summands = Counter(part for part in terms.summands(whole) if up[part])
    if len(summands) < 2:
        return
    often = reduce(gcd, summands.values())
    each = [part for part, count in summands.items() for _ in range(count)]
    once = [part for part, count in summands.items() for _ in range(count // often)]
    for parts in (each, once):
        if len(parts) < len(terms.summands(whole)):
            yield terms.sum(parts, ())


def _is_cut(terms: Terms, whole: int, cut: int, up: Mapping[int, int], ends: set[int]) -> bool:
    """Whether nothing that depends on the end is reached but through the cut, and no weights lie on both sides."""
    above: set[int] = set()
    todo = list(parts_over(terms, whole, cut))
    while todo:
        number = todo.pop()
        if number == cut or number in above:
            continue
        if number in ends:
            return False
        above.add(number)
        todo += parts_over(terms, number, cut)
    weights = {terms.all[n].label for n in above if not up.get(n)} - {0}
    return not weights or weights.isdisjoint(terms.all[n].label for n in terms.below(cut))


def parts_over(terms: Terms, number: int, cut: int | None) -> tuple[int, ...]:
    """What a term is made of, where a sum that holds the summands of `cut` holds `cut` itself instead."""
    term = terms.all[number]
    inner = Counter(() if cut is None else terms.summands(cut))
    if not inner or term.kind != "sum" or number == cut:
        return term.of
    held = Counter(term.of)
    times = min(held[part] // count for part, count in inner.items())
    for part, count in inner.items():
        held[part] -= times * count
    return (*held.elements(), *times * ([] if cut is None else [cut]))
