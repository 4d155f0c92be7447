"""What each decision of a space contributes to a score: means over the architectures that were tried."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import sqrt
from statistics import fmean, stdev
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


def contributions(tried: Iterable[tuple[Mapping[str, Any], float]]) -> list[Contribution]:
    """Of every decision of which two options were tried, those that explain most first.

    `tried`: architectures, as the decisions that matter in them with what they take, and their scores. Means say what
    went together, not what caused it: a search looks more often where it found good scores.
    """
    scores: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for architecture, score in tried:
        for decision, option in architecture.items():
            scores[decision][_word(option)].append(score)
    found = [_contribution(decision, options) for decision, options in scores.items() if len(options) > 1]
    return sorted(found, key=lambda one: (-one.share, one.decision))


def _contribution(decision: str, options: Mapping[str, list[float]]) -> Contribution:
    every = [score for scores in options.values() for score in scores]
    middle = fmean(every)
    total = sum((score - middle) ** 2 for score in every)
    between = sum(len(scores) * (fmean(scores) - middle) ** 2 for scores in options.values())
    return Contribution(
        decision,
        min(1.0, between / total) if total > 0 else 0.0,
        tuple(Option(name, fmean(s), _error(s), len(s)) for name, s in sorted(options.items(), key=_order)),
    )


def _error(scores: list[float]) -> float:
    return stdev(scores) / sqrt(len(scores)) if len(scores) > 1 else float("inf")


def _word(option: Any) -> str:
    return ", ".join(map(str, option)) if isinstance(option, list) else str(option)


def _order(option: tuple[str, list[float]]) -> tuple[int, float, str]:
    """Numbers by size, before words."""
    try:
        return 0, float(option[0]), ""
    except ValueError:
        return 1, 0.0, option[0]
