"""The documents that an editor has open, the files around them, and what is known of each.

Unsaved text comes before what is on disk. Everything that is worked out is kept with the texts that it was worked out
from, and worked out anew when one of them is another.
"""

from __future__ import annotations

import posixpath
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Final

from atnas import grammars
from atnas.dsl.errors import Unable
from atnas.dsl.findings.diagnostics import Diagnostic, Edit, Label
from atnas.dsl.modules import Module, Parsed, Reader, load
from atnas.dsl.source import Source
from atnas.editor.convert import fixed, is_file, path_of, readable, uri_of
from atnas.editor.counts import Counts
from atnas.editor.facts import Known
from atnas.editor.folders import files
from atnas.editor.index import Index
from atnas.runtime.checking import Checker
from atnas.runtime.program import Program
from atnas.runtime.project import inside

MOST_USERS: Final = 100
"""Files that are checked again because they use the one that changed."""

MOST_READ: Final = 500
"""Modules that are kept."""

Texts = Mapping[str, str | None]
"""What was read, by path; None where there was nothing to read."""


@dataclass(frozen=True)
class Document:
    """A text that an editor has open."""

    uri: str
    text: str
    version: int | None


@dataclass(frozen=True, eq=False)
class View:
    """A file as reading it shows it: its names and those that it uses."""

    module: Module
    texts: Texts

    @property
    def source(self) -> Source:
        return self.module.source

    @cached_property
    def index(self) -> Index:
        return Index(self.module)


@dataclass(frozen=True, eq=False)
class Checked(View):
    """A file as a whole check shows it."""

    program: Program
    found: tuple[Diagnostic, ...]
    counts: Counts

    @cached_property
    def facts(self) -> Known:
        return Known(self.program, self.counts)

    def findings(self, path: str) -> list[Diagnostic]:
        """What was found in one of the files that were read."""
        return [f for f in self.found if f.span.source.path == path]


class Workspace:
    """Open documents by path, and folders. `read` gives the text of a file on disk, or raises `Unable`."""

    def __init__(self, read: Reader) -> None:
        self.documents: dict[str, Document] = {}
        self._read = read
        self._folders: tuple[str, ...] = ()
        self._files: list[str] | None = None
        self._disk: dict[str, tuple[tuple[int, int], str]] = {}
        self._views: dict[str, View] = {}
        self._parsed = Parsed()
        self._checked: dict[str, Checked] = {}
        self._checkers: dict[str, Checker] = {}
        self._counts = Counts()

    # Documents and files

    def put(self, uri: str, text: str, version: int | None) -> str:
        """Opens a document or changes its text, and gives its path."""
        path = path_of(uri)
        self.documents[path] = Document(uri, readable(text), version)
        return path

    def close(self, uri: str) -> str:
        """From now on the file on disk counts."""
        path = path_of(uri)
        self.documents.pop(path, None)
        return path

    def forget(self, wanted: Collection[str]) -> None:
        """Keeps of what was checked only these files. Called from the thread that checks."""
        for path in [path for path in self._checkers if path not in wanted]:
            del self._checkers[path]
            self._checked.pop(path, None)

    def folders(self, uris: Iterable[str]) -> None:
        """Takes the folders that are open; files are looked for when they are asked for."""
        self._folders = tuple(path for path in map(path_of, uris) if is_file(path))
        self._files = None

    def changed_on_disk(self) -> None:
        """Files came, went or changed."""
        self._files = None

    def files(self) -> list[str]:
        """The paths of every source that is open or lies in an open folder."""
        if self._files is None:
            self._files = files(self._folders)
        return sorted({*self._files, *self.documents})

    def uri(self, path: str) -> str:
        """How the editor calls a file; a file of the library lies where it is installed."""
        document = self.documents.get(path)
        return document.uri if document is not None else uri_of(library(path) or path)

    def text(self, path: str) -> str:
        """The text of a file, unsaved text first. Raises `Unable`."""
        document = self.documents.get(path)
        if document is not None:
            return document.text
        try:
            stat = Path(path).stat()
        except (OSError, ValueError):
            return self._read(path)
        stamp = (stat.st_mtime_ns, stat.st_size)
        kept = self._disk.get(path)
        if kept is None or kept[0] != stamp:
            kept = self._disk[path] = (stamp, self._read(path))
        return kept[1]

    # What is known of a file

    def view(self, path: str) -> View:
        """A file and the names in it, at the speed of reading. Raises `Unable` where there is none."""
        kept = self._views.get(path)
        if kept is not None and self.is_current(kept.texts):
            return kept
        texts, read = self._recorded(path)
        module, _ = load(Source(path, read(path)), self._reader(path, read), self._parsed)
        if len(self._views) >= MOST_READ:
            self._views.clear()
            self._parsed = Parsed()
        view = self._views[path] = View(module, texts)
        return view

    def check(self, path: str) -> Checked:
        """A file checked with everything it uses; slow. Raises `Unable` where there is none.

        Called from one thread only: what the checker keeps is not made for two.
        """
        kept = self._checked.get(path)
        if kept is not None and self.is_current(kept.texts):
            return kept
        texts, read = self._recorded(path)
        checker = self._checkers.setdefault(path, Checker())
        program = checker.check(Source(path, read(path)), self._reader(path, read))
        found = tuple(map(_kept, program.findings))
        checked = self._checked[path] = Checked(program.module, texts, program, found, self._counts)
        return checked

    def is_current(self, texts: Texts) -> bool:
        """Whether these are still the texts of these files."""
        return all(self._now(path) == text for path, text in texts.items())

    def beside(self, path: str, written: str) -> str:
        """The path of a file that another names by its path from there."""
        return posixpath.normpath(posixpath.join(posixpath.dirname(path), written))

    def has(self, path: str) -> bool:
        """Whether there is a text of that path."""
        return self._now(path) is not None

    def users(self, paths: Iterable[str]) -> list[str]:
        """These files and those that use them, directly or through others, as far as their texts show."""
        texts = {path: self._now(path) or "" for path in self.files()}
        found = dict.fromkeys(paths)
        most = len(found) + MOST_USERS
        waiting = deque(found)
        while waiting:
            word = f'{PurePosixPath(waiting.popleft()).name}"'
            new = [path for path, text in texts.items() if path not in found and word in text]
            found |= dict.fromkeys(new[: most - len(found)])
            waiting.extend(path for path in new if path in found)
        return list(found)

    def mentioning(self, word: str) -> Iterator[View]:
        """The files in which a word stands."""
        for path in self.files():
            if self.has(path) and word in self.text(path):
                yield self.view(path)

    def _recorded(self, root: str) -> tuple[dict[str, str | None], Reader]:
        """A reader, and what it has read so far."""
        texts: dict[str, str | None] = {}

        def read(path: str) -> str:
            if path != root and not is_file(root):
                raise Unable("save this text as a file: what it uses is found from there")
            texts[path] = self._now(path)
            return self.text(path)

        return texts, read

    @staticmethod
    def _reader(root: str, read: Reader) -> Reader:
        return inside(root, read) if is_file(root) else read

    def _now(self, path: str) -> str | None:
        try:
            return self.text(path)
        except Unable:
            return None


def _kept(finding: Diagnostic) -> Diagnostic:
    """A finding where it stands now: the parts of a file move when it is read again."""
    labels = tuple(Label(fixed(label.span), label.message) for label in finding.labels)
    fix = tuple(Edit(fixed(edit.span), edit.text) for edit in finding.fix)
    return replace(finding, span=fixed(finding.span), labels=labels, fix=fix)


def library(path: str) -> str | None:
    """Where a file of the standard library lies, by its name, such as `<std.spaces>`; None for other paths."""
    name = path[5:-1]
    if path != f"<std.{name}>" or not name.isidentifier():
        return None
    file = (grammars.path("std") / f"{name}.atnas").resolve()
    return file.as_posix() if file.is_file() else None


def libraries() -> list[str]:
    """The files of the standard library, as a `use` names them."""
    return sorted(f"std.{file.stem}" for file in grammars.path("std").glob("*.atnas"))
