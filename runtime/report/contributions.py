"""What each decision of a space contributes to a score: means over the architectures that were tried."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from math import inf, sqrt
from typing import Any


@dataclass(frozen=True)
class Option:
    """One option of a decision: the mean score of those that take it, its standard error, and how many do."""

    name: str
    mean: float
    error: float
    count: int


@dataclass(frozen=True)
class Contribution:
    """One decision. `share` is how much of the variance among those in which it matters its options explain: the sum of
    squares between options over the total (eta squared, Fisher 1925), 0 to 1.
    """

    decision: str
    share: float
    options: tuple[Option, ...]


class Sums:
    """Of scores: how many, their sum and that of their squares, less a number that lies among them."""

    def __init__(self, scores: Sequence[float]) -> None:
        self.count, self.total, self.squares = len(scores), sum(scores), sum(score * score for score in scores)

    @property
    def mean(self) -> float:
        return self.total / self.count

    @property
    def spread(self) -> float:
        """The sum of squared distances from the mean."""
        return max(0.0, self.squares - self.total * self.mean)

    @property
    def error(self) -> float:
        """The standard error of the mean: s / sqrt(n)."""
        return sqrt(self.spread / (self.count - 1) / self.count) if self.count > 1 else inf


def contributions(tried: Iterable[tuple[Mapping[str, Any], float]]) -> list[Contribution]:
    """Of every decision of which two options were tried, those that explain most first.

    `tried`: architectures, as the decisions that matter in them with what they take, and their scores. Means say what
    went together, not what caused it: a search looks more often where it found good scores.
    """
    scores: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    among: float | None = None
    for architecture, score in tried:
        among = score if among is None else among
        less = score - among
        for decision, option in architecture.items():
            scores[decision][option if isinstance(option, str) else _word(option)].append(less)
    found = [_contribution(decision, options, among or 0.0) for decision, options in scores.items() if len(options) > 1]
    return sorted(found, key=lambda one: (-one.share, one.decision))


def _contribution(decision: str, scores: Mapping[str, Sequence[float]], among: float) -> Contribution:
    options, whole = {name: Sums(each) for name, each in scores.items()}, Sums(list(chain(*scores.values())))
    within = sum(each.spread for each in options.values())
    share = 1 - within / whole.spread if whole.spread > 0 else 0.0
    return Contribution(
        decision,
        min(1.0, max(0.0, share)),
        tuple(Option(name, among + s.mean, s.error, s.count) for name, s in sorted(options.items(), key=_order)),
    )


def _word(option: Any) -> str:
    return ", ".join(map(str, option)) if isinstance(option, list) else str(option)


def _order(option: tuple[str, Sums]) -> tuple[int, float, str]:
    """Numbers by size, before words."""
    try:
        return 0, float(option[0]), ""
    except ValueError:
        return 1, 0.0, option[0]
