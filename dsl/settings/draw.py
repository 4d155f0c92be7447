"""What a field holds where its number is drawn anew for each task."""

from __future__ import annotations

from abc import ABC, abstractmethod


class Draw(ABC):
    """A number drawn anew for each task, written after `~`."""

    @abstractmethod
    def sample(self, u: float) -> int | float:
        """The number at quantile `u`, 0 <= u < 1."""

    @property
    @abstractmethod
    def low(self) -> int | float:
        """The smallest that can come."""

    @property
    @abstractmethod
    def high(self) -> int | float:
        """The largest that can come."""
