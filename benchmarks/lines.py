"""The table that a benchmark prints: what was measured, what is to be reached, and whether it was."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class Line(NamedTuple):
    """A line of the table."""

    what: str
    measured: str
    goal: str
    met: bool


def printed(lines: Iterable[Line]) -> int:
    """Prints the lines as Markdown, each as soon as it is there. The exit code: 1 where a goal is not met."""
    print("| what | measured: median (least to most) | goal | met |\n| --- | --- | --- | --- |", flush=True)
    met = True
    for line in lines:
        print(f"| {line.what} | {line.measured} | {line.goal} | {'yes' if line.met else 'NO'} |", flush=True)
        met &= line.met
    return 0 if met else 1
