"""What words are, for an editor that colours by meaning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from atnas.dsl.source import Span
from atnas.dsl.syntax import ast
from atnas.editor.index import Index
from atnas.editor.meaning import (
    Builtin,
    Declaration,
    File,
    Local,
    Meaning,
    Metric,
    Part,
    Setting,
    Standard,
    StandardParameter,
    Word,
)

KINDS: Final = ("namespace", "class", "function", "parameter", "variable", "typeParameter", "property", "enumMember")
MODIFIERS: Final = ("declaration", "defaultLibrary", "decision")
"""A decision is a name that a choice is bound to."""

LOCALS: Final = {
    "parameter": "parameter",
    "input": "parameter",
    "size": "typeParameter",
    "binding": "variable",
    "element": "variable",
}


@dataclass(frozen=True)
class Token:
    span: Span
    kind: str
    modifiers: tuple[str, ...]


def tokens(index: Index) -> list[Token]:
    """The words of a file that have a meaning, in order, none over another."""
    found: list[Token] = []
    for occurrence in index.occurrences:
        if found and occurrence.span.start < found[-1].span.end:
            continue
        kind, *modifiers = _kind(occurrence.meaning)
        if occurrence.defines:
            modifiers.append("declaration")
        found.append(Token(occurrence.span, kind, tuple(modifiers)))
    return found


def _kind(meaning: Meaning) -> list[str]:
    match meaning:
        case Declaration(declared):
            layer = declared.syntax.keyword in ("op", "cell", "extern op")
            return ["function" if layer else "class"]
        case Local(kind=kind, value=value):
            decided = isinstance(value, ast.Choice | ast.Range | ast.Subset) and kind == "binding"
            return [LOCALS[kind], *(["decision"] if decided else [])]
        case Standard() | Builtin() | Part():
            return ["function", "defaultLibrary"]
        case Metric():
            return ["variable", "defaultLibrary"]
        case Setting() | StandardParameter():
            return ["property"]
        case File():
            return ["namespace"]
        case Word():
            return ["enumMember"]
