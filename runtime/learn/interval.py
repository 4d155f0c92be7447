"""Means over tasks and how sure they are."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf, isfinite, nan, sqrt
from statistics import fmean, stdev
from typing import NamedTuple


class Interval(NamedTuple):
    """A 95 % interval: mean - half .. mean + half."""

    mean: float
    half: float


def confidence(values: Sequence[float]) -> Interval:
    """The mean and 1.96 s / sqrt(n) of n tasks, s their sample standard deviation, as in few-shot tables.

    Of a single value the half width is infinite; both are nan where a value is not finite. Raises ValueError for none.
    """
    if not values:
        raise ValueError("an interval needs at least one value")
    return Interval(mean(values), 1.96 * standard_error(values))


def mean(values: Sequence[float]) -> float:
    """The mean; nan where a value is not finite."""
    return fmean(values) if all(map(isfinite, values)) else nan


def standard_error(values: Sequence[float]) -> float:
    """Of the mean: s / sqrt(n). Of a single value infinite; nan where a value is not finite."""
    if not all(map(isfinite, values)):
        return nan
    return stdev(values) / sqrt(len(values)) if len(values) > 1 else inf


def paired(first: Sequence[float], second: Sequence[float]) -> Interval:
    """The interval of first - second on the same tasks, much narrower than the two of their own.

    Raises ValueError where the lengths differ.
    """
    return confidence([a - b for a, b in zip(first, second, strict=True)])
