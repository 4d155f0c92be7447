"""Files that are whole or not there, and what the disk says as one sentence."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from stat import S_IMODE
from typing import BinaryIO

from atnas.dsl.errors import Unable

TEMPORARY = ".tmp"
"""How the names of files end that are being written."""


def write(path: Path, content: bytes) -> None:
    """Replaces a file: to a temporary name, to the disk, then renamed. What was there stays until then.

    The file keeps its mode.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}{TEMPORARY}")
    with told(path):
        try:
            with temporary.open("wb") as file:
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
    with told(path), path.open("ab+") as file:
        _cut(file)
        file.write(line.encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())


def content(path: Path) -> bytes:
    """What a file holds. Raises `Unable` where it cannot be read."""
    try:
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
