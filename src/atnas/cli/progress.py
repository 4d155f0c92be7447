"""Progress on the terminal: two lines that stay where they are; where there is no terminal, a line now and then."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Column

from atnas.runtime.watch import Progress as Now
from atnas.runtime.watch import Watcher

QUIET = 10.0
"""Seconds between two lines of a phase where there is no terminal; its last line comes in any case."""

LONGEST = 44
"""Columns of figures, where there are so many."""

REST = 36
"""Columns of a name, a bar, the largest counts and a time."""

PHASES = {"train": "meta-training"}


@contextmanager
def watcher() -> Iterator[Watcher]:
    """What shows a run's progress on standard error."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield Lines()
        return
    with bars(console) as shown:
        yield Bars(shown)


def bars(console: Console) -> Progress:
    """Lines of a phase, a bar, how far it is, its figures and the time that is left, as wide as the terminal."""
    whole, figures = Column(no_wrap=True), max(8, min(LONGEST, console.width - REST))
    return Progress(
        TextColumn("{task.description:13}", table_column=whole),
        BarColumn(bar_width=None, table_column=Column(ratio=1, min_width=4)),
        MofNCompleteColumn(table_column=whole),
        TextColumn("{task.fields[figures]}", table_column=Column(no_wrap=True, width=figures)),
        TimeRemainingColumn(compact=True, table_column=whole),
        console=console,
        expand=True,
    )


class Bars:
    """A line for meta-training, and one for whatever else is going on."""

    def __init__(self, bars: Progress) -> None:
        self.bars = bars
        self.lines: dict[bool, tuple[TaskID, str]] = {}
        self.figures: defaultdict[str, Figures] = defaultdict(Figures)

    def progress(self, now: Now) -> None:
        """Moves the bar of the phase."""
        figures, name = self.figures[now.phase].text(now), PHASES.get(now.phase, now.phase)
        line, shown = self.lines.get(now.phase == "train", (None, ""))
        if line is None:
            line = self.bars.add_task(name, total=now.total, figures=figures)
        elif shown != now.phase:  # the time that is left is that of the new phase
            self.bars.reset(line, total=now.total, description=name, figures=figures)
        self.lines[now.phase == "train"] = line, now.phase
        self.bars.update(line, completed=now.done, total=now.total, figures=figures)

    def note(self, sentence: str) -> None:
        """A line above the bars."""
        self.bars.console.print(sentence, highlight=False, markup=False)


class Lines:
    """At most a line every few seconds for each phase, and one at its end."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self.last: dict[str, float] = {}
        self.figures: defaultdict[str, Figures] = defaultdict(Figures)

    def progress(self, now: Now) -> None:
        """Prints where the phase has come, if it is time."""
        figures = self.figures[now.phase].text(now)
        since = self.clock() - self.last.setdefault(now.phase, self.clock())
        if since < QUIET and now.done < now.total:
            return
        self.last[now.phase] = self.clock()
        name = PHASES.get(now.phase, now.phase)
        click.echo(f"{name:14} {now.done:>6,}/{now.total:,}  {figures}".rstrip(), err=True)

    def note(self, sentence: str) -> None:
        """A line."""
        click.echo(sentence, err=True)


class Figures:
    """The last of each figure of a phase, in one line."""

    def __init__(self) -> None:
        self.loss: float | None = None
        self.score: float | None = None
        self.rate: float | None = None

    def text(self, now: Now) -> str:
        """Loss and rate smoothed over steps, and the last score."""
        self.loss = _smooth(self.loss, now.loss, 0.98)
        self.rate = _smooth(self.rate, now.rate, 0.95)
        self.score = self.score if now.score is None else now.score
        unit = "tasks/s" if now.phase == "train" else "nets/s"
        word = "validation" if now.phase == "train" else "best"
        parts = [
            None if self.loss is None else f"loss {self.loss:.3f}",
            None if self.score is None else f"{word} {self.score:.3f}",
            None if self.rate is None else f"{self.rate:.1f} {unit}",
        ]
        return "  ".join(p for p in parts if p)


def _smooth(old: float | None, new: float | None, kept: float) -> float | None:
    """The running mean of a figure that has a new value, if it has."""
    if old is None or new is None:
        return new if old is None else old
    return kept * old + (1 - kept) * new
