"""The folder that a program may read from: its project."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from atnas.dsl.errors import Unable
from atnas.dsl.modules import Reader

MARKS: Final = (".git", "pyproject.toml")
"""What lies in the folder of a project."""


def project(program: Path) -> Path:
    """The nearest folder above a program that holds a mark; without one the working folder, or the program's own."""
    here = program.resolve().parent
    marked = (folder for folder in (here, *here.parents) if any((folder / mark).exists() for mark in MARKS))
    found = next(marked, None)
    if found is not None:
        return found
    working = Path.cwd()
    return working if here.is_relative_to(working) else here


def inside(program: str, read: Reader) -> Reader:
    """`read`, held to the project of a program: links are followed first. What lies elsewhere is `Unable`."""
    root = project(Path(program))

    def held(path: str) -> str:
        try:
            whole = Path(path).resolve()
        except (OSError, RuntimeError, ValueError):  # links in a ring, or no path at all: reading tells of it
            return read(path)
        if not whole.is_relative_to(root):
            raise Unable(f"{path} lies outside of the project folder, {root}")
        return read(path)

    return held
