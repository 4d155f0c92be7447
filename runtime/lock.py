"""One process at a time in a folder: a lock of the system's, which ends with the process however that ends."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from atnas.dsl.errors import Unable
from atnas.runtime.files import content, write
from atnas.runtime.records import plain

NAME: Final = "lock"
LONGEST: Final = 1_000
"""Bytes that are read of what an owner wrote."""


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Nobody else is at work in a folder that is there, for as long as this lasts.

    Raises `Unable`, which names who has signed, where another process is. Where the system or the disk knows no such
    locks, there is none.
    """
    handle = _taken(folder)
    try:
        yield
    finally:
        if handle is not None:
            with suppress(OSError):
                (folder / NAME).unlink(missing_ok=True)
            os.close(handle)


def is_locked(folder: Path) -> bool:
    """Whether another process is at work in a folder; also no where that cannot be told."""
    try:
        handle = _taken(folder)
    except Unable:
        return True
    if handle is not None:
        os.close(handle)
    return False


def sign(folder: Path) -> None:
    """Writes who is at work in a folder, for others to be told. Raises `Unable` where the disk refuses."""
    about = {"process": os.getpid(), "host": platform.node(), "since": f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC"}
    write(folder / NAME, plain(about).encode())


def _taken(folder: Path) -> int | None:
    """A handle of a folder that no other process has locked; None where there are no locks."""
    try:
        import fcntl

        handle = os.open(folder, os.O_RDONLY)
    except (ImportError, OSError):
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        raise Unable(f"another process is at work in {folder}{_owner(folder)}") from None
    except OSError:
        os.close(handle)
        return None
    return handle


def _owner(folder: Path) -> str:
    """Who it is, in words; nothing where that cannot be told."""
    try:
        about = json.loads(content(folder / NAME, LONGEST))
        return f": process {int(about['process'])} on {str(about['host'])[:80]}, since {str(about['since'])[:80]}"
    except (Unable, ValueError, KeyError, TypeError):
        return ""
