"""The bounds of a field, and `setting`, which declares them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import MISSING
from math import isfinite
from typing import Any, NamedTuple


def setting(
    default: Any = MISSING,
    *,
    ge: float | None = None,
    gt: float | None = None,
    le: float | None = None,
    lt: float | None = None,
    finite: bool = False,
    min_length: int | None = None,
    max_length: int | None = None,
    doc: str = "",
) -> Any:
    """A field of a `Settings`: its default, the bounds of its numbers, one line of documentation.

    `ge`, `gt`, `le` and `lt` are bounds as in "greater or equal"; `finite` refuses what is not a finite number; the
    lengths are those of lists and texts. It may stand in `Annotated`, too, for a type with bounds of its own:
    `Share = Annotated[float, setting(ge=0, lt=1)]`.
    """
    limits = Limits(ge, gt, le, lt, finite, min_length, max_length)
    return dataclasses.field(default=default, metadata={"limits": limits, "doc": doc})


class Limits(NamedTuple):
    """The bounds of a field."""

    ge: float | None = None
    gt: float | None = None
    le: float | None = None
    lt: float | None = None
    finite: bool = False
    min_length: int | None = None
    max_length: int | None = None

    def of_number(self, value: Any) -> str | None:
        """What a number must be that this one is not."""
        if self.finite and not isfinite(value):
            return "must be a finite number"
        if self.le is not None and not value <= self.le:
            return f"must be at most {plain(self.le)}"
        if self.lt is not None and not value < self.lt:
            return f"must be less than {plain(self.lt)}"
        if self.ge is not None and not value >= self.ge:
            return f"must be at least {plain(self.ge)}"
        if self.gt is not None and not value > self.gt:
            return f"must be more than {plain(self.gt)}"
        return None

    def of_text(self, value: str) -> str | None:
        """What a text must be that this one is not."""
        if self.min_length is not None and len(value) < self.min_length:
            return f"must be no shorter than {self.min_length} characters"
        if self.max_length is not None and len(value) > self.max_length:
            return f"must be no longer than {self.max_length} characters"
        return None

    def of_list(self, count: int) -> str | None:
        """What a list must have that one of so many items has not."""
        if self.min_length is not None and count < self.min_length:
            return f"must have no fewer than {self.min_length} items"
        if self.max_length is not None and count > self.max_length:
            return f"must have no more than {self.max_length} items"
        return None

    def words(self) -> Iterator[str]:
        """The bounds of numbers in words: "at least 1", "below 2"."""
        bounds = (("at least", self.ge), ("above", self.gt), ("at most", self.le), ("below", self.lt))
        return (f"{text} {bound}" for text, bound in bounds if bound is not None)


def plain(value: float) -> float:
    """A bound as people write it: 0, not 0.0."""
    return int(value) if isinstance(value, float) and value.is_integer() else value
