"""Places and files as an editor names them: lines and columns in code units, URIs.

An editor counts lines and columns from 0, and columns in the units of an encoding, UTF-16 if it asks for no other.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from pathlib import PurePosixPath
from typing import Final, Literal, NamedTuple
from urllib.parse import quote, unquote, urlsplit

from atnas.dsl.source import Span

Encoding = Literal["utf-8", "utf-16", "utf-32"]

DRIVE: Final = re.compile(r"/[A-Za-z]:")
"""How the path of a URI begins where it names a drive of Windows."""


class Place(NamedTuple):
    """A line and a column, both from 0."""

    line: int
    column: int


class Lines:
    """The lines of a text, and the places of its characters."""

    def __init__(self, text: str, encoding: Encoding = "utf-16") -> None:
        self._text = text
        self._encoding = encoding
        self._starts = [0, *(i + 1 for i, c in enumerate(text) if c == "\n")]

    def place(self, offset: int) -> Place:
        """Where a character stands. An offset beyond the text is its end."""
        offset = min(max(offset, 0), len(self._text))
        line = bisect_right(self._starts, offset) - 1
        return Place(line, self._width(self._text[self._starts[line] : offset]))

    def offset(self, place: Place) -> int:
        """The character at a place. A column beyond a line is its end, a line beyond the text the text's end."""
        if place.line >= len(self._starts):
            return len(self._text)
        start = self._starts[max(place.line, 0)]
        end = self._text.find("\n", start)
        line = self._text[start : len(self._text) if end < 0 else end].removesuffix("\r")
        if line.isascii() or self._encoding == "utf-32":
            return start + min(max(place.column, 0), len(line))
        width = 0
        for i, character in enumerate(line):
            width += self._width(character)
            if width > place.column:
                return start + i
        return start + len(line)

    def ends(self, span: Span) -> tuple[Place, Place]:
        """The first place of a span and the one after its last."""
        return self.place(span.start), self.place(span.end)

    def _width(self, text: str) -> int:
        """The code units of a text."""
        if text.isascii() or self._encoding == "utf-32":
            return len(text)
        if self._encoding == "utf-16":
            return len(text) + sum(c > "\uffff" for c in text)
        return len(text.encode(errors="surrogatepass"))


def readable(text: str) -> str:
    """The text of a document as the language reads it, character for character: each line ends in `\\n` or `\\r\\n`."""
    return re.sub(r"\r(?!\n)", "\n", text)


def path_of(uri: str) -> str:
    """The path of a document: that of a file, with slashes, and for what is no file the URI itself.

    `file:///C%3A/nets/a.atnas` is `c:/nets/a.atnas`; `file://server/nets/a.atnas` is `//server/nets/a.atnas`.
    """
    try:
        scheme, host, path, _, _ = urlsplit(uri.replace("#", "%23").replace("?", "%3F"))
    except ValueError:  # such as an address in brackets that is none
        return uri
    path = unquote(path)
    if scheme != "file" or not path or "\0" in path:
        return uri
    if host and host != "localhost":
        return f"//{host}{path}"
    return path[1].lower() + path[2:] if DRIVE.match(path) else path


def uri_of(path: str) -> str:
    """The URI of a file's path; what is no path of a file is a URI already."""
    if not is_file(path):
        return path
    if path.startswith("//"):
        return f"file:{quote(path)}"
    return f"file://{quote(path)}" if path.startswith("/") else f"file:///{quote(path, safe='/')}"


def is_file(path: str) -> bool:
    """Whether a path, as `path_of` gives it, is one of a file."""
    return PurePosixPath(path).is_absolute() or DRIVE.match(f"/{path}/") is not None


def fixed(span: Span) -> Span:
    """The place where a span stands now, though its part may move."""
    return Span(span.source, span.start, span.end)
