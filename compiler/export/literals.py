"""Values and names as they are written in source."""

from __future__ import annotations

import json
import re
from keyword import iskeyword
from typing import Any

from torch import nn


class Unwritable(Exception):
    """There is no text for this: a function that is none of torch's, or a value that is no literal."""


def literal(value: Any) -> str:
    """A number, word, tuple or list of them, or a class of torch's. Raises `Unwritable` for anything else."""
    match value:
        case bool() | None | int():
            return str(value)
        case float():
            is_whole = value.is_integer() and abs(value) < 1e15
            return str(int(value)) if is_whole else f"float({str(value)!r})" if value - value else repr(value)
        case str():
            return json.dumps(value)
        case tuple() | list():
            inside = ", ".join(map(literal, value))
            return f"({inside}{',' * (len(value) == 1)})" if isinstance(value, tuple) else f"[{inside}]"
    name = getattr(value, "__name__", "")
    if isinstance(value, type) and getattr(nn, name, None) is value:
        return f"nn.{name}"
    raise Unwritable(repr(value))


def identifier(word: str) -> str:
    """A name for Python: `lambda` is `lambda_`."""
    name = re.sub(r"\W", "_", word)
    if not name.isidentifier():
        name = f"x{name}"
    return f"{name}_" if iskeyword(name) else name
