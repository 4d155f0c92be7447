"""What an experiment means, whatever things are called: its space, narrowed, and every setting with its value."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any, Final

from atnas.compiler.identity import form, hash_of
from atnas.dsl.settings import Settings
from atnas.runtime.program import Plan
from atnas.runtime.tasks.mixture import Mixture

NAMES: Final = {"experiment": ("space", "tasks", "train", "search"), "search": ("constraints",)}
"""Settings that only name what is compared itself."""


def digest(plan: Plan) -> str:
    """The identity of an experiment: SHA-256, in hexadecimal, of its space and settings."""
    return hash_of({"space": form(plan.narrowed), "settings": settings(plan)})


def settings(plan: Plan) -> dict[str, Any]:
    """Every setting by its path, `train.learner.steps`, defaults too; what is not a number or a word as text."""
    parts: dict[str, Any] = {"experiment": plan.settings, "train": plan.train, "search": plan.search}
    if isinstance(plan.tasks, Mixture):
        for i, (_, weight, tasks) in enumerate(plan.tasks.parts):
            parts |= {f"tasks[{i}]": tasks, f"tasks[{i}].weight": weight}
    else:
        parts["tasks"] = plan.tasks
    found = dict(line for name, part in parts.items() if part is not None for line in _lines(name, part))
    return {path: value for path, value in found.items() if not _is_name(path)}


def changed(old: Plan, new: Plan) -> list[tuple[str, Any, Any]]:
    """The settings that differ, with both values; None where there is none."""
    before, after = settings(old), settings(new)
    paths = dict.fromkeys([*after, *before])
    return [(path, before.get(path), after.get(path)) for path in paths if before.get(path) != after.get(path)]


def _is_name(path: str) -> bool:
    return any(path.startswith(f"{part}.{name}") for part, names in NAMES.items() for name in names)


def _lines(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Settings):
        yield path, type(value).__name__
        for name in value.__settings__:
            yield from _lines(f"{path}.{name}", getattr(value, name))
    elif isinstance(value, tuple | list):
        for i, item in enumerate(value):
            yield from _lines(f"{path}[{i}]", item)
    elif is_dataclass(value) and not isinstance(value, type):
        yield path, type(value).__name__
        for field in fields(value):
            yield from _lines(f"{path}.{field.name}", getattr(value, field.name))
    else:
        yield path, value if value is None or isinstance(value, bool | int | float | str) else str(value)
