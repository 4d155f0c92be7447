"""Extensions found through entry points: operators, task sources, trainers, objectives, searchers.

What is built in comes through the same door: see `[project.entry-points]` in pyproject.toml.

`importlib.metadata` finds them too, and takes as long to import as a whole check. Where packages lie in plain folders,
as installers leave them, their `entry_points.txt` are read here. Wherever else they may lie, in an archive on the path
or behind a finder of somebody's own, it is asked.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from importlib import import_module
from importlib.machinery import PathFinder
from operator import attrgetter
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

from atnas.dsl.errors import Unable

Group = Literal["extern", "ops", "tasks", "trainers", "objectives", "searchers"]
GROUPS: tuple[Group, ...] = ("ops", "tasks", "trainers", "objectives", "searchers")

PREFIX: Final = "atnas."
FOLDERS: Final = (".dist-info", ".egg-info")
"""How folders end in which installers leave what a package says of itself."""


class Entry(NamedTuple):
    """One extension: `value` is `module:name`, `package` who brings it."""

    group: str
    name: str
    value: str
    package: str

    def load(self) -> Any:
        """Imports it."""
        module, _, attribute = re.sub(r"\[.*", "", self.value).replace(" ", "").partition(":")
        found = import_module(module)
        return attrgetter(attribute)(found) if attribute else found


@cache
def entries(group: Group) -> dict[str, Entry]:
    """Every extension of a group by its name in the language; nothing is imported.

    Raises `Unable` where two packages bring one name.
    """
    return by_name(group, _installed())


@cache
def load(group: Group, name: str) -> Any:
    """Imports one extension. Raises KeyError where there is none of that name, `Unable` where it does not import."""
    entry = entries(group)[name]
    try:
        return entry.load()
    except Exception as error:  # an extension's import may fail in any way
        raise Unable(f"`{name}`, installed under atnas.{group}, cannot be loaded: {error}") from error


def by_name(group: Group, found: Iterable[Entry]) -> dict[str, Entry]:
    """Those of a group by their name. Raises `Unable` where two packages bring one."""
    named: dict[str, Entry] = {}
    for entry in sorted(entry for entry in found if entry.group == PREFIX + group):
        other = named.setdefault(entry.name, entry)
        if other.package != entry.package:
            raise Unable(
                f"two packages, {other.package} and {entry.package}, bring a `{entry.name}` under {entry.group}: "
                "uninstall one of them"
            )
    return named


def installed(path: Sequence[str]) -> tuple[Entry, ...]:
    """All extensions of the packages that a path for imports leads to."""
    return tuple(_in_folders(path) if _is_plain(path) else _by_metadata(path))


@cache
def _installed() -> tuple[Entry, ...]:
    return installed(sys.path)


def _is_plain(path: Iterable[str]) -> bool:
    """Whether packages lie in the folders of the path, and nowhere else."""
    finders = [finder for finder in sys.meta_path if hasattr(finder, "find_distributions")]
    return finders == [PathFinder] and not any(place.endswith(".egg") or Path(place).is_file() for place in path)


def _in_folders(path: Iterable[str]) -> Iterator[Entry]:
    """What stands in the folders of a path; of two packages of one name the first counts, as it does for imports."""
    seen: set[str] = set()
    for folder, package in (found for place in path for found in _packages(Path(place))):
        if _normal(package) not in seen:
            seen.add(_normal(package))
            yield from _read(folder, package)


def _normal(package: str) -> str:
    return re.sub(r"[-_.]+", "_", package).lower()


def _packages(place: Path) -> Iterator[tuple[Path, str]]:
    """Folders that describe a package, and its name: `net-1.0.dist-info`, `net.egg-info`."""
    try:
        folders = [folder for folder in place.iterdir() if folder.name.endswith(FOLDERS)]
    except OSError:
        return
    for folder in folders:
        yield folder, folder.stem.partition("-")[0]


def _read(folder: Path, package: str) -> Iterator[Entry]:
    try:
        lines = (folder / "entry_points.txt").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return
    group = ""
    for line in map(str.strip, lines):
        name, equal, value = (part.strip() for part in line.partition("="))
        if line.startswith("[") and line.endswith("]"):
            group = line[1:-1]
        elif equal and group.startswith(PREFIX) and not line.startswith("#"):
            yield Entry(group, name, value, package)


def _by_metadata(path: Iterable[str]) -> Iterator[Entry]:
    from importlib.metadata import distributions

    seen: set[str] = set()
    for package in distributions(path=list(path)):
        name = package.metadata["Name"] or ""
        if _normal(name) not in seen:
            seen.add(_normal(name))
            points = (point for point in package.entry_points if point.group.startswith(PREFIX))
            yield from (Entry(point.group, point.name, point.value, name) for point in points)
