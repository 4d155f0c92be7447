"""Files as the command line takes them: sources, folders of them, standard input, artifacts."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from atnas.dsl.errors import Unable
from atnas.dsl.source import Source

LARGEST = 50_000_000
LARGEST_SOURCE = 20_000_000
"""Bytes: as many as the most characters that are read can take."""

FOREIGN = frozenset({"node_modules", "__pycache__"})
"""Folders that tools fill. Virtual environments and hidden folders are passed over, too."""


def read_bytes(path: str) -> bytes:
    """The content of a file. Raises `Unable` with the reason.

    A pipe may never end, and opening it may take as long: only what is a file is opened.
    """
    try:
        if Path(path).is_dir():
            raise Unable(f"{path} is a folder; name a file in it")
        if not stat.S_ISREG(Path(path).stat().st_mode):
            raise Unable(f"{path} is a pipe or device, not a file; what comes from a pipe is read as -")
        with Path(path).open("rb") as file:
            return _all(file, path)
    except FileNotFoundError:
        raise Unable(f"{path} is not there") from None
    except OSError as error:
        raise Unable(f"{path} cannot be read: {error.strerror or error}") from error
    except ValueError as error:
        raise Unable(f"that is no path of a file: {error}") from error


def stdin_bytes() -> bytes:
    """What comes from standard input. Raises `Unable` where it is too much."""
    return _all(sys.stdin.buffer, "standard input")


def _all(file: BinaryIO, path: str) -> bytes:
    content = file.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise Unable(f"{path} is larger than {LARGEST // 1_000_000} MB: it is no source of atnas")
    return content


def read_text(path: str) -> str:
    """The text of a source. Raises `Unable` where it is none."""
    return decoded(read_bytes(path), path)


def decoded(content: bytes, path: str) -> str:
    """UTF-8 with or without a byte order mark; line ends become `\\n`. Raises `Unable` where it is no source."""
    if len(content) > LARGEST_SOURCE:
        raise Unable(f"{path} is larger than {LARGEST_SOURCE // 1_000_000} MB: it is no source of atnas")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unable(f"{path} is not a text in UTF-8 (byte {error.start}); is it an .atnas file?") from error
    if "\0" in text:
        raise Unable(f"{path} is a binary file, not an .atnas file")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def source(path: str) -> Source:
    """One source; `-` is standard input."""
    if path == "-":
        return Source("<stdin>", decoded(stdin_bytes(), "standard input"))
    return Source(path, read_text(path))


@dataclass(frozen=True)
class Found:
    """The sources that paths name, and why others could not be read."""

    sources: list[Source]
    unread: list[Unable]


def sources(paths: Sequence[str]) -> Found:
    """Files, `-`, and every .atnas file below a folder, each once though several paths lead to it."""
    found: dict[str, Source] = {}
    unread: list[Unable] = []
    for path in _files(paths, unread):
        key = path if path == "-" or "\0" in path else os.path.realpath(path)
        if key in found:
            continue
        try:
            found[key] = source(path)
        except Unable as error:
            unread.append(error)
    return Found(list(found.values()), unread)


def _files(paths: Sequence[str], unread: list[Unable]) -> Iterator[str]:
    for path in paths:
        if path == "-" or not Path(path).is_dir():
            yield path if path == "-" else str(Path(path))
            continue
        below = list(_below(path, unread))
        if not below:
            unread.append(Unable(f"there is no .atnas file below {path}"))
        yield from below


def _below(folder: str, unread: list[Unable]) -> Iterator[str]:
    """The .atnas files of a folder, sorted. Links to folders are left alone, and links that lead out of it."""

    def told(error: OSError) -> None:
        unread.append(Unable(f"{error.filename} cannot be read: {error.strerror or error}"))

    root = Path(folder).resolve()
    for here, folders, names in os.walk(folder, onerror=told):
        folders[:] = sorted(name for name in folders if _is_source(Path(here, name)))
        for path in (Path(here, name) for name in sorted(names) if name.endswith(".atnas")):
            if path.is_file() and path.resolve().is_relative_to(root):
                yield str(path)


def _is_source(folder: Path) -> bool:
    """Whether a folder may hold what its author wrote."""
    hidden = folder.name.startswith(".")
    return not hidden and folder.name not in FOREIGN and not (folder / "pyvenv.cfg").exists()
