"""Where things were given their names, and where else they stand."""

from __future__ import annotations

from collections.abc import Iterator

from atnas.dsl.modules import Declared
from atnas.dsl.source import Source, Span
from atnas.editor.index import Index, Occurrence
from atnas.editor.meaning import Declaration, File, Local, Meaning, named, origin
from atnas.editor.workspace import View, Workspace, library


def definition(workspace: Workspace, view: View, offset: int) -> Span | None:
    """Where the word at an offset was given its name, or the file that a `use` names; None for what is built in."""
    found = view.index.at(offset)
    if found is None:
        return None
    if isinstance(found.meaning, File):
        return _file(workspace, view, found.meaning.path)
    return named(found.meaning)


def references(workspace: Workspace, view: View, offset: int) -> list[Occurrence]:
    """Every place of the word at an offset, in this file and all others, its definition included.

    Of what the language brings, the places in this file.
    """
    found = view.index.at(offset)
    if found is None:
        return []
    return highlights(view, offset) if origin(found.meaning) is None else everywhere(workspace, view, found.meaning)


def highlights(view: View, offset: int) -> list[Occurrence]:
    """The places in its own file of the word at an offset."""
    found = view.index.at(offset)
    if found is None:
        return []
    wanted = origin(found.meaning)
    if wanted is None:
        return [o for o in view.index.occurrences if o.meaning == found.meaning]
    return view.index.of(wanted)


def everywhere(workspace: Workspace, view: View, meaning: Meaning) -> list[Occurrence]:
    """The places of a thing with a name in all files."""
    wanted = origin(meaning)
    assert wanted is not None
    found = {
        (o.span.source.path, o.span.start): o for index in _indices(workspace, view, meaning) for o in index.of(wanted)
    }
    return list(found.values())


def _indices(workspace: Workspace, view: View, meaning: Meaning) -> Iterator[Index]:
    """The files in which it may stand: that in use, its own, and those in which its name, or its owner's, does."""
    yield view.index
    owner = home(meaning)
    if owner is None or (isinstance(meaning, Local) and meaning.kind != "parameter"):
        return
    if owner.module.source.path != view.source.path:
        yield Index(owner.module)
    yield from (other.index for other in workspace.mentioning(owner.name))


def home(meaning: Meaning) -> Declared | None:
    """The declaration that a thing is, or stands in; None for what is built in."""
    match meaning:
        case Declaration(declared):
            return declared
        case Local(owner=owner):
            return owner
        case _:
            return None


def _file(workspace: Workspace, view: View, written: str) -> Span | None:
    """The beginning of the file that a `use` names."""
    path = f"<{written}>"
    if library(path) is None:
        path = workspace.beside(view.source.path, written)
        if not workspace.has(path):
            return None
    return Span(Source(path, ""), 0, 0)
