"""Files that are whole or not there, and what the disk says as one sentence."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from stat import S_IMODE, S_ISREG
from typing import BinaryIO, Final

from atnas.dsl.errors import Unable

TEMPORARY = ".tmp"
"""How the names of files end that are being written."""

DOCUMENT: Final = 50_000_000
LINES: Final = 2_000_000_000
"""Bytes that are read of a document, and of a history."""


def write(path: Path, content: bytes) -> None:
    """Replaces a file: to a temporary name, to the disk, then renamed. What was there stays until then.

    The file keeps its mode.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}{TEMPORARY}")
    with told(path):
        try:
            temporary.unlink(missing_ok=True)
            with temporary.open("xb") as file:  # a link of this name, made to lead elsewhere, is not followed
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            if path.exists():
                temporary.chmod(S_IMODE(path.stat().st_mode))
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise


def append_line(path: Path, line: str) -> None:
    """Adds one line, on the disk when this returns. What is left of a line that was cut short goes first."""
    if path.is_symlink():
        raise Unable(f"{path} is a link; a run writes into its own folder only")
    with told(path), path.open("ab+") as file:
        _cut(file)
        file.write(line.encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())


def within(path: Path, folder: Path) -> None:
    """Raises `Unable` where a link makes what is written to a path leave a folder."""
    if not path.resolve().is_relative_to(folder.resolve()):
        raise Unable(f"{path} is a link that leads out of {folder}: nothing is written there")


def content(path: Path, most: int = DOCUMENT) -> bytes:
    """What a file holds. Raises `Unable` where it cannot be read, is no file, or has more than so many bytes."""
    try:
        status = path.stat()
        if not S_ISREG(status.st_mode):
            raise Unable(f"{path} cannot be read: it is no file")
        if status.st_size > most:
            raise Unable(f"{path} is larger than {most // 1_000_000:,} MB: no run writes that")
        return path.read_bytes()
    except OSError as error:
        raise Unable(f"{path} cannot be read: {error.strerror or error}") from error


@contextmanager
def told(path: Path) -> Iterator[None]:
    """Turns what the disk refuses into one sentence."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise Unable(f"{path} could not be written: {reason}; what was saved before is whole") from error


def _cut(file: BinaryIO) -> None:
    """Drops what stands after the last line end, and goes to the end."""
    end = file.seek(0, os.SEEK_END)
    if end == 0:
        return
    file.seek(end - 1)
    if file.read(1) != b"\n":
        file.seek(0)
        file.truncate(file.read().rfind(b"\n") + 1)
        file.seek(0, os.SEEK_END)
