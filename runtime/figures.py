"""Figures in words, the same in tables, pages and cards: accuracies as percent, their differences in points."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def interval(mean: float | None, half: float | None, measure: str) -> str:
    """A mean with half of its 95 % interval; None where it is not finite."""
    if mean is None or half is None:
        return "not finite"
    return f"{100 * mean:.2f} ± {100 * half:.2f} %" if measure == "accuracy" else f"{mean:.4f} ± {half:.4f}"


def difference(mean: float | None, half: float | None, measure: str, sign: str = "+") -> str:
    """A difference with half of its 95 % interval, of accuracies in points; `sign` is how Python formats it."""
    if mean is None or half is None:
        return "not finite"
    times, digits = (100, 2) if measure == "accuracy" else (1, 4)
    return f"{times * mean:{sign}.{digits}f} ± {times * half:.{digits}f}"


def value(number: float, goal: str) -> str:
    """A value of a goal."""
    if goal == "accuracy":
        return f"{100 * number:.2f} %"
    return f"{number:,.0f}" if float(number).is_integer() else f"{number:.4g}"


def asked(protocol: Mapping[str, Any]) -> str:
    """The tasks that figures are about."""
    if "mix" in protocol:
        return f"{protocol['tasks']:,} tasks of held-out classes or functions, mixed"
    ways = "".join(f"{protocol[key]}-{key} " for key in ("way", "shot") if isinstance(protocol.get(key), int))
    return f"{protocol['tasks']:,} {ways}tasks of held-out {'classes' if protocol.get('way') else 'functions'}"
