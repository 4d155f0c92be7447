"""Extensions found through entry points: operators, task sources, trainers, objectives, searchers.

What is built in comes through the same door: see `[project.entry-points]` in pyproject.toml.
"""

from __future__ import annotations

from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Literal

from atnas.dsl.errors import Unable

Group = Literal["ops", "tasks", "trainers", "objectives", "searchers"]
GROUPS: tuple[Group, ...] = ("ops", "tasks", "trainers", "objectives", "searchers")


@cache
def entries(group: Group) -> dict[str, EntryPoint]:
    """Every extension of a group by its name in the language; nothing is imported."""
    found = entry_points(group=f"atnas.{group}")
    return {entry.name: entry for entry in sorted(found, key=lambda e: e.name)}


@cache
def load(group: Group, name: str) -> Any:
    """Imports one extension. Raises KeyError where there is none of that name, `Unable` where it does not import."""
    entry = entries(group)[name]
    try:
        return entry.load()
    except Exception as error:  # an extension's import may fail in any way
        raise Unable(f"`{name}`, installed under atnas.{group}, cannot be loaded: {error}") from error
