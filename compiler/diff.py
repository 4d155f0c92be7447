"""What changed from one space to another: decisions, options, constraints, counts, and which contains the other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from atnas.compiler.contain import contains
from atnas.compiler.identity import digest
from atnas.compiler.space import Compiled
from atnas.dsl.net import Decision


@dataclass(frozen=True)
class Change:
    """A decision that both spaces have, with the options that only one of them has, as they are written."""

    name: str
    added: tuple[str, ...]
    removed: tuple[str, ...]


@dataclass(frozen=True)
class SpaceDiff:
    """From an old space to a new one. `is_same` says that they mean the same, whatever things are called.

    `keeps` says whether every old architecture is a new one, `adds_none` whether every new one is an old; None where
    that cannot be told.
    """

    is_same: bool
    counts: tuple[int, int]
    added: tuple[Decision, ...]
    removed: tuple[Decision, ...]
    changed: tuple[Change, ...]
    constraints_added: tuple[str, ...]
    constraints_removed: tuple[str, ...]
    keeps: bool | None
    adds_none: bool | None


def diff(old: Compiled, new: Compiled) -> SpaceDiff:
    """What changed. Decisions are known by their names."""
    before, after = ({d.name: d for d in space.net.decisions} for space in (old, new))
    lines = [Counter(c.span.text for c in space.net.constraints) for space in (old, new)]
    is_same = digest(old.net) == digest(new.net)
    return SpaceDiff(
        is_same,
        (old.encoding.count(), new.encoding.count()),
        tuple(d for name, d in after.items() if name not in before),
        tuple(d for name, d in before.items() if name not in after),
        tuple(change for n in after if n in before and (change := _change(before[n], after[n])) is not None),
        tuple(set(lines[1]) - set(lines[0])),
        tuple(set(lines[0]) - set(lines[1])),
        True if is_same else contains(new, old),
        True if is_same else contains(old, new),
    )


def _change(old: Decision, new: Decision) -> Change | None:
    """None where the options are the same, in whatever order."""
    change = Change(old.name, _without(new.words, old.words), _without(old.words, new.words))
    return change if change.added or change.removed else None


def _without(words: Iterable[str], others: Iterable[str]) -> tuple[str, ...]:
    """The words that the others lack, in order; one that stands more often there than here as often."""
    left = Counter(others)
    found = []
    for word in words:
        if left[word]:
            left[word] -= 1
        else:
            found.append(word)
    return tuple(found)
