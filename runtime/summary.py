"""Runs in short, as far as their folders tell it without being opened whole."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from atnas.dsl.errors import Unable
from atnas.runtime.folder import ABOUT, PROGRAM, RunFolder
from atnas.runtime.lock import is_locked
from atnas.runtime.records import Json, record_of

State = Literal["finished", "at work", "stopped", "damaged"]

COMPARED: Final = ("source", "mix", "way", "shot", "query", "norm", "split", "tasks", "weights")
"""What figures share that may stand in one table. The learner is what they compare."""

DEEPEST: Final = 4
"""Folders below each other in which runs are looked for."""

LAST: Final = 65_536
"""Bytes from the end of the metrics that are looked at."""


@dataclass(frozen=True)
class Summary:
    """A run: what it is, how far it has come, and what it found. `result` is there where it is finished.

    `step` is the last meta step that the metrics tell of. `trouble` says what is wrong with a damaged one.
    """

    root: Path
    state: State
    about: Mapping[str, Json]
    result: Mapping[str, Json] | None = None
    step: int = 0
    trouble: str = ""

    @property
    def protocol(self) -> tuple[tuple[str, Json], ...]:
        """What its figures have to share with others to stand in one table; nothing where there are none."""
        if self.result is None:
            return ()
        of = self.result["protocol"]
        shared = tuple((key, of[key]) for key in COMPARED if of.get(key) is not None)
        return (("measure", self.result["measure"]), *shared)


def runs(root: Path) -> list[Summary]:
    """All runs in a folder and in those below it, by name. Raises `Unable` where it is no folder."""
    if not root.is_dir():
        raise Unable(f"{root} is no folder; name the one that holds runs")
    return [summary(folder) for folder in _folders(root)]


def summary(root: Path) -> Summary:
    """One run. That something in it is damaged is its state."""
    folder = RunFolder(root)
    about: Mapping[str, Json] = {}
    try:
        about = folder.read(ABOUT)
        if folder.result.exists():
            return Summary(root, "finished", about, folder.read(folder.result.name), _step(folder))
        return Summary(root, "at work" if is_locked(root) else "stopped", about, None, _step(folder))
    except Unable as error:
        return Summary(root, "damaged", about, trouble=str(error))


def _folders(root: Path) -> Iterator[Path]:
    """Those that hold runs; links are not followed, and what lies in a run is part of it."""
    base = len(root.parts)
    for here, below, files in os.walk(root):
        path = Path(here)
        if PROGRAM in files:
            below.clear()
            yield path
        elif len(path.parts) - base >= DEEPEST:
            below.clear()
        below.sort()


def _step(folder: RunFolder) -> int:
    """The last step that the metrics tell of; 0 where they tell of none, or are no file."""
    if not folder.metrics.is_file():
        return 0
    try:
        with folder.metrics.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - LAST))
            lines = file.read().splitlines()
    except OSError:
        return 0
    for line in reversed(lines):
        try:
            return int(record_of(line, sealed=False)["step"])
        except (ValueError, KeyError, TypeError):
            continue
    return 0
