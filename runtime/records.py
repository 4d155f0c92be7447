"""Standard JSON on disk: documents and lines, each with a checksum as its last entry.

The checksum is the CRC-32 of all that stands before its digits; a line or document whose digits do not fit is damaged.
JSON readers see one more entry, `crc32`, and need nothing of it.
"""

from __future__ import annotations

import json
from binascii import crc32
from collections.abc import Mapping
from typing import Any, Final

Json = Any

CHECKSUM: Final = "crc32"
LARGEST: Final = 1e100
"""Floats beyond it are kept as if they were not finite: with their squares and sums they soon would not be."""

_MARK: Final = f'"{CHECKSUM}": "'.encode()


def line_of(event: Mapping[str, Json]) -> str:
    """One line without its end; a number that is not finite becomes null."""
    text = json.dumps(_finite(event), ensure_ascii=False, allow_nan=False)
    return _sealed(text[:-1] + (", " if event else "")) + "}"


def document_of(document: Mapping[str, Json]) -> str:
    """For people to read; a number that is not finite becomes null."""
    text = plain(document)[:-2].rstrip()  # without the end of the last line
    return _sealed(text + (",\n  " if document else "\n  ")) + "\n}\n"


def plain(document: Mapping[str, Json]) -> str:
    """A document without a checksum, which others are to read as it is."""
    return json.dumps(_finite(document), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def record_of(text: bytes, sealed: bool) -> dict[str, Json]:
    """What was written. Raises ValueError where it is damaged, or has no checksum and `sealed` says that it has one."""
    text = text.strip()
    before, mark, after = text.rpartition(_MARK)
    if mark:
        digits, end = after[:9], after[9:]
        if digits != b'%08x"' % crc32(mark, crc32(before)) or end.strip() != b"}":
            raise ValueError("the checksum does not fit")
    elif sealed:
        raise ValueError("the checksum is missing")
    found = parsed(text.decode())
    found.pop(CHECKSUM, None)
    return found


def parsed(text: str) -> dict[str, Json]:
    """An object of finite numbers and of words that can be written again. Raises ValueError where it is none."""
    try:
        found, end = _decoded(text)
    except RecursionError as error:
        raise ValueError("it is nested too deep") from error
    if not isinstance(found, dict) or end < len(text):
        raise ValueError("it is no object")
    if "\\ud" in text or "\\uD" in text:  # halves of a letter may be written so
        json.dumps(found, ensure_ascii=False).encode()
    return found


def _float(text: str) -> float:
    number = float(text)
    if not abs(number) <= LARGEST:
        raise ValueError(f"{text} is beyond all numbers that are written")
    return number


_decoded: Final = json.JSONDecoder(parse_float=_float, parse_constant=_float).raw_decode


def _sealed(text: str) -> str:
    """With the checksum, where only brackets are to follow."""
    begun = text + _MARK.decode()
    return f'{begun}{crc32(begun.encode()):08x}"'


def _finite(value: Json) -> Json:
    """JSON has no word for numbers that are not finite."""
    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not abs(value) <= LARGEST else value
