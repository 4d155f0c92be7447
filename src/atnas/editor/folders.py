"""The .atnas files of the folders that an editor has open."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

MOST_FOLDERS: Final = 20_000
MOST_FILES: Final = 2_000
"""Where looking for files ends, so that an editor that opens a whole disk is not kept waiting."""

FOREIGN: Final = frozenset({"node_modules", "__pycache__"})
"""Folders that tools fill. Virtual environments and hidden folders are passed over, too."""


def files(folders: Iterable[str]) -> list[str]:
    """The paths of the sources below folders, with slashes, sorted."""
    found: dict[str, None] = {}
    budget = MOST_FOLDERS
    for folder in folders:
        for here in _below(folder):
            budget -= 1
            for path in _sources(here):
                found.setdefault(path)
            if budget <= 0 or len(found) >= MOST_FILES:
                return sorted(found)[:MOST_FILES]
    return sorted(found)


def _below(folder: str) -> Iterator[str]:
    """A folder and those in it; links are not followed."""
    for here, folders, _ in os.walk(folder):
        folders[:] = sorted(name for name in folders if _is_own(Path(here, name)))
        yield here


def _sources(folder: str) -> Iterator[str]:
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:
        return
    yield from (Path(e.path).as_posix() for e in entries if e.name.endswith(".atnas") and e.is_file())


def _is_own(folder: Path) -> bool:
    """Whether a folder may hold what its author wrote."""
    if folder.name.startswith(".") or folder.name in FOREIGN:
        return False
    return not (folder / "pyvenv.cfg").exists()
