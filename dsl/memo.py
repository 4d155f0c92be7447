"""Work that need not be done again while what it was done on is the same."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, TypeVar

T = TypeVar("T")


class Memo:
    """Results by the identity of what they were made from. What a round does not ask for, the next forgets."""

    def __init__(self) -> None:
        self._kept: dict[Hashable, tuple[tuple[object, ...], Any]] = {}
        self._before: dict[Hashable, tuple[tuple[object, ...], Any]] = {}

    def begin(self) -> None:
        """Begins a round."""
        self._before, self._kept = self._kept, {}

    def __call__(self, make: Callable[[], T], *of: object, also: Hashable = None) -> T:
        """What `make` gives, or gave for the very same objects and an equal `also`."""
        key = (*map(id, of), also)
        if key not in self._kept:
            # The objects are held, so that no other can take their identity.
            self._kept[key] = self._before.get(key) or (of, make())
        found: T = self._kept[key][1]
        return found
