"""What a run tells whoever watches it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


class Interrupted(Exception):
    """The user stopped the run; everything done so far is saved."""


@dataclass(frozen=True)
class Progress:
    """Where a run stands. `score` is validation accuracy (loss in regression), None before the first."""

    phase: str
    done: int
    total: int
    loss: float | None = None
    score: float | None = None
    rate: float | None = None
    """Tasks per second in training, architectures per second in search."""


class Watcher(Protocol):
    """Told of every step; prints, draws, or does nothing."""

    def progress(self, now: Progress) -> None:
        """A step was done."""

    def note(self, sentence: str) -> None:
        """Something worth a line of its own."""


class Silent:
    """Tells nobody."""

    def progress(self, now: Progress) -> None:
        """Nothing."""

    def note(self, sentence: str) -> None:
        """Nothing."""
