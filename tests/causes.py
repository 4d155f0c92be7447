"""What breaks the architectures of a program, found by running them: the judge of what `check` says about it."""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations, product

from architectures import Architecture, Place, run
from interpreted import BROKEN, FINE, Text
from tried import Oracle

from atnas.dsl.findings.diagnostics import Diagnostic

Assignment = dict[str, str]
"""Options as they are written, by decision."""


def every(program: Text, most: int) -> list[Architecture] | None:
    """All architectures; None where there are more."""
    oracle, found = Oracle(), []
    while len(found) < most:
        found.append(run(program, oracle))
        if not oracle.advance():
            return found
    return None


def drawn(program: Text, count: int, seed: int, assignment: Assignment) -> Iterator[Architecture]:
    """So many architectures at random that meet the conditions and extend an assignment, some of them alike."""
    rng, found = random.Random(seed), 0
    for _ in range(2000 * count):
        architecture = run(program, rng.randrange, assignment)
        if architecture.allowed and architecture.extends(assignment):
            yield architecture
            found += 1
            if found == count:
                return
    raise AssertionError(f"few architectures extend {assignment}")


def told(finding: Diagnostic, names: Iterable[str]) -> Assignment:
    """The assignment of a finding: `a = conv(8, 3), b.depth = 2`."""
    if finding.when is None:
        return {}
    known = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
    parts = re.split(rf"(?:^|, )({known}) = ", finding.when)
    assert parts[0] == "", (finding.when, sorted(names))
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def places_of(finding: Diagnostic, places: Iterable[Place]) -> list[Place]:
    """Where it is, in each use: what stands at its span, or the merge that holds both of its branches."""
    spans = [finding.span, *(label.span for label in finding.labels if finding.code == "E301")]
    start, end = min(span.start for span in spans), max(span.end for span in spans)
    holding = [p for p in places if p[-1][0] <= start and end <= p[-1][1]]
    assert holding, f"nothing that could break stands at {finding.span.text}"
    narrowest = min((p[-1] for p in holding), key=lambda p: p[1] - p[0])
    return [p for p in holding if p[-1] == narrowest]


def breaks(assignment: Assignment, at: Place, architectures: Iterable[Architecture]) -> bool:
    """Whether every architecture that extends an assignment breaks at a place, or before it; some do there."""
    statuses = {a.at(at) for a in architectures if a.allowed and a.extends(assignment)}
    return BROKEN in statuses and FINE not in statuses


def assert_smallest(assignment: Assignment, places: Sequence[Place], architectures: Sequence[Architecture]) -> None:
    """That an assignment breaks one of the places, and none with fewer decisions does any."""
    allowed = [a for a in architectures if a.allowed]
    assert any(breaks(assignment, at, allowed) for at in places), f"not all of {assignment} break"
    assert all(a.breaks for a in allowed if a.extends(assignment))
    for fewer in range(len(assignment)):
        for smaller in assignments(allowed, fewer):
            assert not any(breaks(smaller, at, allowed) for at in places), f"{smaller} is as bad as {assignment}"


def assignments(architectures: Iterable[Architecture], size: int) -> Iterator[Assignment]:
    """Every assignment of so many decisions."""
    options: dict[str, set[frozenset[str]]] = {}
    for architecture in architectures:
        for name, words in architecture.decided.items():
            options.setdefault(name, set()).add(words)
    for names in combinations(options, size):
        for words in product(*(options[name] for name in names)):
            yield {name: min(word) for name, word in zip(names, words, strict=True)}
