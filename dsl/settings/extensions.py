"""The installed extensions that a setting may name."""

from __future__ import annotations

import inspect

from atnas.dsl.errors import Unable
from atnas.dsl.plugins import Group, entries, load
from atnas.dsl.settings.accepts import Accepts
from atnas.dsl.settings.model import Settings


def loaded(group: Group, word: str) -> type[Settings]:
    """The class of an extension. Raises `Unable` where it cannot be had."""
    found = load(group, word)
    if not (isinstance(found, type) and issubclass(found, Settings)) or inspect.isabstract(found):
        raise Unable(f"`{word}`, installed under atnas.{group}, is no settings class that can be built")
    return found


def fitting(accept: Accepts) -> list[str]:
    """The installed extensions that may stand there; one that cannot be loaded may not."""
    assert accept.extension is not None
    group = accept.extension.group
    return [word for word in entries(group) if _fits(group, word, accept)]


def _fits(group: Group, word: str, accept: Accepts) -> bool:
    try:
        return issubclass(loaded(group, word), accept.classes)
    except Unable:
        return False
