"""The fewest decisions that break something.

Where something breaks is a function of the decisions. An assignment of some of them under which it does, whatever the
others are, is an implicant of it; here the smallest is wanted. One that leaves the first decision open is one of what
all its options have in common (Coudert and Madre, "Implicit and incremental computation of primes and essential primes
of Boolean functions", 1992; here decisions have many values, and there are cases that cannot be).
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
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
        search = _Search()
        smallest = search.without_idle(breaks, way)
        smaller = (search.within(breaks, most) for most in range(len(smallest)))
        smallest = next((case for case in smaller if case is not None), smallest)
    meter.spent += min(mine.spent, mine.most)
    rest = witness(fixed(breaks, smallest), bool)
    return Cause(dict(sorted(smallest.items())), {**smallest, **(rest or {})})


class _Search:
    """A search for one cause, which remembers what it has seen."""

    def __init__(self) -> None:
        self._ends: dict[Cases[bool], frozenset[bool]] = {NEVER: frozenset()}
        self._none: set[tuple[Cases[bool], int]] = set()

    def without_idle(self, breaks: Cases[bool], way: Case) -> Case:
        """The same without decisions of which it breaks whatever they are."""
        for decision in way:
            rest = {other: option for other, option in way.items() if other != decision}
            if self.ends(fixed(breaks, rest)) == {True}:
                return self.without_idle(breaks, rest)
        return way

    def within(self, breaks: Cases[bool], most: int) -> Case | None:
        """An assignment of at most so many decisions; None where there is none."""
        ends = self.ends(breaks)
        if ends == {True}:
            return {}
        if not most or True not in ends or (breaks, most) in self._none:
            return None
        spend(1 + len(breaks.children) // WALKED)
        for option, child in enumerate(breaks.children):
            if (rest := self.within(child, most - 1)) is not None:
                return {breaks.decision: option, **rest}
        found = self.within(in_common(breaks.children), most)
        if found is None:
            self._none.add((breaks, most))
        return found

    def ends(self, cases: Cases[bool]) -> frozenset[bool]:
        """The values that can be."""
        if cases not in self._ends:
            spend(1)
            ends = map(self.ends, cases.children)
            self._ends[cases] = frozenset[bool]().union(*ends) if cases.children else frozenset({cases.value})
        return self._ends[cases]


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
