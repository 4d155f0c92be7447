"""The fewest decisions that break something.

Where something breaks is a function of the decisions. An assignment of some of them under which it does, whatever the
others are, is an implicant of it; here the smallest is wanted. One that leaves the first decision open is one of what
all its options have in common (Coudert and Madre, "Implicit and incremental computation of primes and essential primes
of Boolean functions", 1992; here decisions have many values, and there are cases that cannot be).
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from functools import lru_cache
from typing import Final, NamedTuple

from atnas.dsl.cases import FALSE, NEVER, Case, Cases, cofactor, fixed, split, witness
from atnas.dsl.meter import WALKED, Meter, TooLarge, metered, spend

STEPS_OF_A_CAUSE: Final = 2_000
STEPS_OF_CAUSES: Final = 20_000
"""Work for one mistake, and for all of a space; after it an assignment is shown that may be larger than it need be."""


class Cause(NamedTuple):
    """The smallest assignment under which something breaks, and one case of it, with more decisions."""

    smallest: Case
    case: Case


def cause(breaks: Cases[bool], meter: Meter) -> Cause | None:
    """Why it is true where it is: the assignment under which it is in every case that can be, and in one.

    None where it never is. `NEVER` is what cannot be. Of assignments of one size it is the first in the order of
    decisions and options. The meter counts the search, and ends it where there is too much to search.
    """
    way = witness(breaks, bool)
    if not way:
        return None if way is None else Cause({}, {})
    mine, smallest = Meter(min(STEPS_OF_A_CAUSE, meter.most - meter.spent)), way
    with suppress(TooLarge, RecursionError), metered(mine):
        smallest = _without_idle(breaks, way)
        smaller = (_within(breaks, most) for most in range(len(smallest)))
        smallest = next((case for case in smaller if case is not None), smallest)
    meter.spent += min(mine.spent, mine.most)
    rest = witness(fixed(breaks, smallest), bool)
    return Cause(dict(sorted(smallest.items())), {**smallest, **(rest or {})})


def _without_idle(breaks: Cases[bool], way: Case) -> Case:
    """The same without decisions of which it breaks whatever they are."""
    for decision in way:
        rest = {other: option for other, option in way.items() if other != decision}
        if _always(fixed(breaks, rest)):
            return _without_idle(breaks, rest)
    return way


def _within(breaks: Cases[bool], most: int) -> Case | None:
    """An assignment of at most so many decisions; None where there is none."""
    none: set[tuple[Cases[bool], int]] = set()

    def go(node: Cases[bool], most: int) -> Case | None:
        if _always(node):
            return {}
        if not most or True not in _ends(node) or (node, most) in none:
            return None
        spend(1 + len(node.children) // WALKED)
        for option, child in enumerate(node.children):
            if (rest := go(child, most - 1)) is not None:
                return {node.decision: option, **rest}
        found = go(in_common(node.children), most)
        if found is None:
            none.add((node, most))
        return found

    return go(breaks, most)


def in_common(parts: Iterable[Cases[bool]]) -> Cases[bool]:
    """True where all parts are that can be; NEVER where none can be; else false."""
    done: dict[frozenset[Cases[bool]], Cases[bool]] = {}

    def go(parts: frozenset[Cases[bool]]) -> Cases[bool]:
        parts -= {NEVER}
        if FALSE in parts:
            return FALSE
        if len(parts) < 2:
            return next(iter(parts), NEVER)
        if parts not in done:
            top = min(part.decision for part in parts)
            options = range(max(len(part.children) for part in parts if part.decision == top))
            spend(1 + len(parts) * len(options) // WALKED)
            done[parts] = split(top, [go(frozenset(cofactor(part, top, i) for part in parts)) for i in options])
        return done[parts]

    return go(frozenset(parts))


def _always(breaks: Cases[bool]) -> bool:
    """Whether it is true in every case that can be, and in one."""
    return _ends(breaks) == {True}


@lru_cache(maxsize=10_000)
def _ends(cases: Cases[bool]) -> frozenset[bool]:
    """The values that can be."""
    spend(1)
    if cases is NEVER:
        return frozenset()
    return frozenset({cases.value}) if not cases.children else frozenset[bool]().union(*map(_ends, cases.children))
