"""Figures as TensorBoard reads them: event files, written without TensorBoard.

A file is a row of records (TFRecord: length, masked CRC-32C of it, the record, masked CRC-32C of that), each a message
`Event` in protocol buffers' wire format. Only what scalars need is written.
"""

from __future__ import annotations

import struct
import time
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Final

from atnas.runtime.files import told

VERSION: Final = b"brain.Event:2"
STARTED: Final = 1
"""`SessionLog.START`: what earlier files say of this step and later ones does not count."""

POLYNOMIAL: Final = 0x82F63B78
"""CRC-32C (Castagnoli), its bits in reverse."""


class Events:
    """An event file of a run that goes on from a step; it is made when there is something to write."""

    def __init__(self, folder: Path, step: int) -> None:
        self._folder = folder
        self._step = step
        self._path: Path | None = None

    def add(self, step: int, scalars: Mapping[str, float]) -> None:
        """Writes figures of a step, if there are any. Raises `Unable` where the disk refuses."""
        if not scalars:
            return
        values = b"".join(_field(1, _field(1, tag.encode()) + _fixed32(2, value)) for tag, value in scalars.items())
        self._append(_varint(2, step) + _field(5, values))

    def _append(self, event: bytes) -> None:
        if self._path is None:
            with told(self._folder):
                self._folder.mkdir(parents=True, exist_ok=True)
            self._path = _free(self._folder)
            with told(self._path):
                self._path.touch(exist_ok=False)  # a link of this name is not followed
            self._append(_field(3, VERSION))
            self._append(_varint(2, self._step) + _field(7, _varint(1, STARTED)))
        with told(self._path), self._path.open("ab") as file:
            file.write(record(_fixed64(1, time.time()) + event))


def _free(folder: Path) -> Path:
    """A name that no event file has."""
    now = int(time.time())
    names = (f"events.out.tfevents.{now}.{n}" for n in range(1_000_000))
    return next(folder / name for name in names if not (folder / name).exists())


def record(event: bytes) -> bytes:
    """An event as it stands in a file."""
    length = struct.pack("<Q", len(event))
    return length + struct.pack("<I", masked(length)) + event + struct.pack("<I", masked(event))


def masked(data: bytes) -> int:
    """The CRC-32C of bytes, turned and shifted, as TFRecord has it."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = _table()[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    crc ^= 0xFFFFFFFF
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF


@cache
def _table() -> tuple[int, ...]:
    def entry(value: int) -> int:
        for _ in range(8):
            value = (value >> 1) ^ (POLYNOMIAL if value & 1 else 0)
        return value

    return tuple(map(entry, range(256)))


def _key(number: int, kind: int) -> bytes:
    return bytes(_number(number << 3 | kind))


def _number(value: int) -> Iterator[int]:
    """A whole number from 0 on, seven bits a byte."""
    while value > 0x7F:
        yield value & 0x7F | 0x80
        value >>= 7
    yield value


def _varint(field: int, value: int) -> bytes:
    return _key(field, 0) + bytes(_number(value))


def _fixed64(field: int, value: float) -> bytes:
    return _key(field, 1) + struct.pack("<d", value)


def _fixed32(field: int, value: float) -> bytes:
    return _key(field, 5) + struct.pack("<f", value)


def _field(field: int, content: bytes) -> bytes:
    return _key(field, 2) + bytes(_number(len(content))) + content
