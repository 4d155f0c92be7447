"""What may be written where the cursor stands, the likeliest first."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from typing import Final

from atnas.dsl.elaborate.builtins import BUILTINS
from atnas.dsl.errors import Unable
from atnas.dsl.plugins import entries
from atnas.dsl.syntax import ast
from atnas.editor.cursor import ENDING, Arguments, Cursor, cursor, in_condition, names_in_scope
from atnas.editor.meaning import Builtin, Declaration, Standard
from atnas.editor.proposals import (
    DECLARING,
    INFIX,
    TRUTHS,
    Proposal,
    arguments,
    keywords,
    layers,
    metrics,
    proposal,
)
from atnas.editor.setting_values import in_settings, settings_signature
from atnas.editor.signature import Signature, signature
from atnas.editor.workspace import View, Workspace, libraries, library
from atnas.runtime.program import MODELS

USED: Final = re.compile(r'\s*use\s+"(?P<folder>([^"\n]*/)?)[^"\n/]*')
"""A line up to the cursor in the path of a file that is used."""


def complete(workspace: Workspace, view: View, offset: int) -> list[Proposal]:
    """The proposals at an offset, each label once."""
    line = view.source.text.rfind("\n", 0, offset) + 1
    used = USED.fullmatch(view.source.text, line, offset)
    if used is not None:
        return sorted(_files(used["folder"], workspace, view), key=lambda p: (p.rank, p.label))
    at = cursor(view.source, offset)
    if at is None:
        return []
    found: dict[str, Proposal] = {}
    for each in _proposals(at, workspace, view):
        found.setdefault(each.label, each)
    return sorted(found.values(), key=lambda p: p.rank)


def called(at: Cursor, view: View) -> tuple[Signature, Arguments] | None:
    """The innermost call around the cursor; None where there is none or nothing is known of what is called."""
    for depth, bracket in reversed([*enumerate(at.brackets)]):
        given = at.arguments(bracket)
        if given is None:
            continue
        made = _callee(at, view, given, at.brackets[:depth])
        return None if made is None else (made, given)
    return None


def _callee(at: Cursor, view: View, given: Arguments, outside: list[int]) -> Signature | None:
    word = at.text(given.callee)
    if _keyword(at) in MODELS:
        return settings_signature(at, view.module, word, outside)
    if word in dict(names_in_scope(at)):
        return None
    declared = view.module.names.get(word)
    if declared is not None:
        return signature(Declaration(declared))
    if word in BUILTINS:
        return signature(Builtin(word))
    return signature(Standard(word)) if word in entries("ops") else None


def _proposals(at: Cursor, workspace: Workspace, view: View) -> Iterator[Proposal]:
    keyword = _keyword(at)
    if keyword == "use" and (at.brackets or not at.begins_line):
        yield from _use(at, workspace, view)
    elif not keyword or (not at.brackets and (at.before == "RBRACE" or (at.begins_line and at.before in ENDING))):
        yield from keywords(DECLARING, 1)
    elif keyword in MODELS:
        yield from in_settings(at, view.module, keyword)
    elif _expects_value(at):
        yield from _in_layer(at, view)


def _keyword(at: Cursor) -> str:
    """The keyword of the declaration around the cursor, or of the last one before it."""
    return "" if at.declaration is None else at.text(at.declaration)


def _expects_value(at: Cursor) -> bool:
    """Whether the cursor stands in the body or short form of a layer, or at a parameter's default."""
    return at.in_body or (at.before == "EQUAL" and bool(at.brackets))


def _in_layer(at: Cursor, view: View) -> Iterator[Proposal]:
    if at.begins_statement and at.brackets and at.tokens.kind(at.brackets[-1]) == "LBRACE":
        yield from keywords(("require",), 1)
        return
    if at.before in ENDING:
        yield from keywords(INFIX, 1)
        return
    call = called(at, view)
    if call is not None and at.arguments(at.brackets[-1]) == call[1]:
        yield from _arguments(*call)
    names = names_in_scope(at)
    yield from (Proposal(name, "name", 2, kind) for name, kind in names if name != at.word or kind != "binding")
    if in_condition(at):
        yield from metrics(3)
    first = at.declaration
    own = "" if first is None else at.text(first + 1)  # an op may not reach itself
    yield from (layer for layer in layers(view.module, 4) if layer.label != own)
    yield from keywords(TRUTHS, 6)


def _arguments(callee: Signature, given: Arguments) -> Iterator[Proposal]:
    """What can stand as an argument besides any expression: a parameter's name, or one of the words that it takes."""
    name = given.current or callee.filled(given.before)
    parameter = callee.parameter(name) if name else None
    for word in parameter.choices if parameter is not None else ():
        yield Proposal(word, "word", 0, f"for `{name}`")
    if given.fresh:
        filled = {n or callee.filled(given.before[:i]) for i, n in enumerate(given.before)}
        yield from arguments((p for p in callee.parameters if p.name not in filled), 1)


# use


def _use(at: Cursor, workspace: Workspace, view: View) -> Iterator[Proposal]:
    if at.before in ("USE", "DOT"):
        for name in libraries():
            label = name.removeprefix("std.") if at.before == "DOT" else name
            yield Proposal(label, "library", 1, "a file of the standard library")
    elif at.before in ("LPAR", "COMMA") and at.brackets:
        yield from _names_of(at, workspace, view)


def _files(folder: str, workspace: Workspace, view: View) -> Iterator[Proposal]:
    """The files of the project as they are written from here, behind the folder that is written already."""
    here = workspace.beside(view.source.path, folder)
    for path in workspace.files():
        written = posixpath.relpath(path, here)
        if path != view.source.path and not (folder and written.startswith("../")):
            yield Proposal(written, "library", written.count("/"), "a file of this project")


def _names_of(at: Cursor, workspace: Workspace, view: View) -> Iterator[Proposal]:
    """What the file declares that is used here."""
    first = at.declaration
    assert first is not None
    start, end = at.tokens.span(first + 1).start, at.tokens.span(at.brackets[0] - 1).end
    written = view.source.text[start:end]
    path = library(f"<{written}>") or workspace.beside(view.source.path, written.strip('"'))
    try:
        other = workspace.view(path)
    except Unable:
        return
    for declared in other.module.own():
        if not (isinstance(declared.syntax, ast.Settings) and declared.syntax.keyword == "experiment"):
            yield proposal(declared.name, Declaration(declared), 1)
