"""Standard output for tables and markup."""

from __future__ import annotations

import sys

from rich.console import Console

WIDE = 1000
"""Columns where there is no terminal: nothing is cut or wrapped in a file or a pipe."""


class Output(Console):
    """Rich's console, whose reader may go away: that is for the command line to hear of, not the end of the process."""

    def on_broken_pipe(self) -> None:
        """Raises the `BrokenPipeError` that it is called for."""
        raise


def output() -> Console:
    """Writes to standard output; markup is drawn on a terminal and left out elsewhere."""
    return Output(highlight=False, width=None if sys.stdout.isatty() else WIDE)


def printable(text: str) -> str:
    """What neither ends a line nor speaks to a terminal."""
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text)
