"""Progress on the terminal: one line that matters; where there is no terminal, a line now and then."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from atnas.runtime.watch import Progress as Now
from atnas.runtime.watch import Watcher

QUIET = 10.0
"""Seconds between lines where there is no terminal."""

PHASES = {"train": "meta-training", "search": "search"}


@contextmanager
def watcher() -> Iterator[Watcher]:
    """What shows a run's progress on standard error."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield Lines()
        return
    columns = (
        TextColumn("{task.description:14}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[figures]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as bars:
        yield Bars(bars)


class Bars:
    """A bar for each phase."""

    def __init__(self, bars: Progress) -> None:
        self.bars = bars
        self.tasks: dict[str, object] = {}
        self.figures = Figures()

    def progress(self, now: Now) -> None:
        """Moves the bar of the phase."""
        name = PHASES.get(now.phase, now.phase)
        if name not in self.tasks:
            self.tasks[name] = self.bars.add_task(name, total=now.total, figures="")
            self.figures = Figures()
        shown = self.figures.text(now)
        self.bars.update(self.tasks[name], completed=now.done, total=now.total, figures=shown)  # type: ignore[arg-type]

    def note(self, sentence: str) -> None:
        """A line above the bars."""
        self.bars.console.print(sentence, highlight=False)


class Lines:
    """A line every few seconds, and one at the end of each phase."""

    def __init__(self) -> None:
        self.last = time.monotonic()
        self.figures = Figures()
        self.phase = ""

    def progress(self, now: Now) -> None:
        """Prints where time has come."""
        if now.phase != self.phase:
            self.phase, self.figures = now.phase, Figures()
        text = self.figures.text(now)
        if now.done < now.total and time.monotonic() - self.last < QUIET:
            return
        if now.done == now.total and not self.figures.first(now.total):
            return
        self.last = time.monotonic()
        name = PHASES.get(now.phase, now.phase)
        click.echo(f"{name:14} {now.done:>6,}/{now.total:,}  {text}", err=True)
        sys.stderr.flush()

    def note(self, sentence: str) -> None:
        """A line."""
        click.echo(sentence, err=True)


class Figures:
    """The last of each figure of a phase, in one line."""

    def __init__(self) -> None:
        self.loss: float | None = None
        self.score: float | None = None
        self.rate: float | None = None
        self.ended = -1

    def text(self, now: Now) -> str:
        """Loss smoothed over steps, the last score, the rate."""
        if now.loss is not None:
            self.loss = now.loss if self.loss is None else 0.98 * self.loss + 0.02 * now.loss
        self.score = self.score if now.score is None else now.score
        if now.rate is not None:
            self.rate = now.rate if self.rate is None else 0.95 * self.rate + 0.05 * now.rate
        unit = "tasks/s" if now.phase == "train" else "nets/s"
        word = "validation" if now.phase == "train" else "best"
        parts = [
            None if self.loss is None else f"loss {self.loss:.3f}",
            None if self.score is None else f"{word} {self.score:.3f}",
            None if self.rate is None else f"{self.rate:.1f} {unit}",
        ]
        return "  ".join(p for p in parts if p)

    def first(self, total: int) -> bool:
        """Whether the end of this total is reached for the first time."""
        if self.ended == total:
            return False
        self.ended = total
        return True
