"""Another name for a thing, everywhere at once; refused where the program would mean something else."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from atnas.dsl.errors import Unable
from atnas.dsl.findings.diagnostics import Edit
from atnas.dsl.plugins import entries
from atnas.dsl.source import Span
from atnas.dsl.syntax.grammar import reserved
from atnas.editor.index import Index, Occurrence
from atnas.editor.meaning import Declaration, Local, Meaning, origin
from atnas.editor.navigate import everywhere, home
from atnas.editor.workspace import View, Workspace, library

NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def renamable(view: View, offset: int) -> Span | None:
    """The word at an offset where it may have another name; None where there is nothing to rename.

    Raises `Unable` with the reason where a word belongs to the language or the library.
    """
    found = view.index.at(offset)
    if found is None:
        return None
    owner = home(found.meaning)
    if owner is None:
        raise Unable(f"`{found.span.text}` belongs to the language: it cannot be renamed")
    if library(owner.module.source.path) is not None:
        raise Unable(f"`{found.span.text}` belongs to the standard library: it cannot be renamed")
    return found.span


def rename(workspace: Workspace, view: View, offset: int, name: str) -> list[Edit]:
    """The edits that give the thing at an offset another name, in all files. Raises `Unable` with the reason."""
    if renamable(view, offset) is None:
        raise Unable("there is no name here")
    found = view.index.at(offset)
    assert found is not None
    _legal(name)
    if found.span.text == name:
        return []
    places = everywhere(workspace, view, found.meaning)
    _clashes(workspace, view, found, places, name)
    return [Edit(place.span, name) for place in places]


def _legal(name: str) -> None:
    if name in reserved():
        raise Unable(f"`{name}` is a word of the language")
    if not NAME.fullmatch(name):
        raise Unable(f"`{name}` is no name: names are made of the letters a to z, digits and `_`")


def _clashes(workspace: Workspace, view: View, found: Occurrence, places: Iterable[Occurrence], name: str) -> None:
    """Raises `Unable` where the name means something already in a place where the thing stands."""
    meaning = found.meaning
    if name in entries("ops"):
        raise Unable(f"`{name}` is an operator")
    if isinstance(meaning, Local):
        _local(meaning, name)
    for path in {place.span.source.path: None for place in places}:
        index = view.index if path == view.source.path else workspace.view(path).index
        _in_file(index, meaning, name)


def _local(meaning: Local, name: str) -> None:
    """A name of a declaration's own must be another than all those beside it."""
    for other in _beside(meaning):
        if other == name:
            raise Unable(f"`{meaning.owner.name}` has a `{name}` already")


def _beside(meaning: Local) -> Iterable[str]:
    index = Index(meaning.owner.module)
    span = meaning.owner.syntax.span
    for occurrence in index.occurrences:
        if span.start <= occurrence.span.start < span.end and isinstance(occurrence.meaning, Local):
            yield occurrence.meaning.name.id


def _in_file(index: Index, meaning: Meaning, name: str) -> None:
    """In every file that says it, the new name must be free, and mean nothing where the thing is said."""
    module = index.module
    path = module.source.path
    if isinstance(meaning, Declaration):
        if name in module.names:
            raise Unable(f"{path} has a `{name}` already")
        hiding = (o for o in index.occurrences if isinstance(o.meaning, Local) and o.meaning.name.id == name)
        if (hidden := next(hiding, None)) is not None:
            assert isinstance(hidden.meaning, Local)
            raise Unable(f"`{hidden.meaning.owner.name}` has a {hidden.meaning.kind} `{name}`, which would hide it")
        return
    owner = home(meaning)
    if owner is None or path != owner.module.source.path or name not in module.names:
        return
    target = origin(Declaration(module.names[name]))
    inside = owner.syntax.span
    if any(inside.start <= o.span.start < inside.end for o in (index.of(target) if target else [])):
        raise Unable(f"`{owner.name}` uses `{name}`, which this would hide")
