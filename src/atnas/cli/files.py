"""Files as the command line takes them: sources, folders of them, standard input, artifacts."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from atnas.dsl.errors import Unable
from atnas.dsl.source import Source

LARGEST = 50_000_000


def read_bytes(path: str) -> bytes:
    """The content of a file. Raises `Unable` with the reason."""
    try:
        if Path(path).is_dir():
            raise Unable(f"{path} is a folder; name a file in it")
        if Path(path).stat().st_size > LARGEST:
            raise Unable(f"{path} is larger than {LARGEST // 1_000_000} MB: it is no source of atnas")
        return Path(path).read_bytes()
    except FileNotFoundError:
        raise Unable(f"{path} is not there") from None
    except OSError as error:
        raise Unable(f"{path} cannot be read: {error.strerror or error}") from error
    except ValueError as error:
        raise Unable(f"that is no path of a file: {error}") from error


def read_text(path: str) -> str:
    """The text of a source. Raises `Unable` where it is none."""
    return decoded(read_bytes(path), path)


def decoded(content: bytes, path: str) -> str:
    """UTF-8 with or without a byte order mark; line ends become `\\n`."""
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
        return Source("<stdin>", decoded(sys.stdin.buffer.read(), "standard input"))
    return Source(path, read_text(path))


def sources(paths: Sequence[str]) -> list[Source]:
    """The sources that paths name: files, `-`, and every .atnas file below a folder."""
    found: list[Source] = []
    for path in paths:
        if path != "-" and Path(path).is_dir():
            files = sorted(p for p in Path(path).rglob("*.atnas") if p.is_file())
            if not files:
                raise Unable(f"there is no .atnas file below {path}")
            found += [source(str(p)) for p in files]
        else:
            found.append(source(path))
    return found
