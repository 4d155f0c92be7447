"""Which arguments have a default: what most uses give, where that says little."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

USUAL = 3
"""So many uses there are at least."""


def usual(values: Sequence[Any]) -> tuple[Any, ...]:
    """Nothing, on, off or once, or a class, where most have that, as a tuple of one; else there is none."""
    if None in values:
        return (None,)
    ((value, count),) = Counter(values).most_common(1)
    is_plain = isinstance(value, bool | type) or value == 1
    return (value,) if is_plain and 2 * count > len(values) >= USUAL else ()
