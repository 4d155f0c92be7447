"""What a word of a file can mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from atnas.dsl.errors import Unable
from atnas.dsl.modules import Declared
from atnas.dsl.operator import Operator, ParameterInfo, parameters
from atnas.dsl.plugins import Group, entries, load
from atnas.dsl.settings import Settings
from atnas.dsl.source import Span
from atnas.dsl.syntax import ast

Kind = Literal["parameter", "input", "size", "binding", "element"]


@dataclass(frozen=True)
class Declaration:
    """The name of an op, cell, space, extern op, tasks, train, search or experiment."""

    declared: Declared


@dataclass(frozen=True)
class Local:
    """A name of a declaration's own: a parameter, an input, a size read off one, a binding, an element of a `for`.

    `value` is what is bound to it, or a parameter's default.
    """

    kind: Kind
    name: ast.Name
    owner: Declared
    value: ast.Expr | None = None


@dataclass(frozen=True)
class Standard:
    """An operator that is installed."""

    name: str


@dataclass(frozen=True)
class StandardParameter:
    """A parameter of an operator."""

    operator: str
    name: str


@dataclass(frozen=True)
class Builtin:
    """`chain`, `range`, `uniform`: what the language has beside operators."""

    name: str


@dataclass(frozen=True)
class Metric:
    """What a condition measures: `params`, `macs`, .."""

    name: str


@dataclass(frozen=True)
class Part:
    """A word of settings that takes arguments: an extension of `group`, or without one, a variant of a setting."""

    word: str
    model: type[Settings]
    group: Group | None = None


@dataclass(frozen=True)
class Setting:
    """A setting of `tasks`, `train`, `search` or `experiment`, or an argument of a `Part`: a field of the model.

    `of` is the keyword or word that it belongs to.
    """

    of: str
    model: type[Settings]
    name: str


@dataclass(frozen=True)
class Word:
    """One of the words that a setting takes."""

    word: str
    of: Setting


@dataclass(frozen=True)
class File:
    """What a `use` names: the path of another file, or a library."""

    path: str


Meaning = Declaration | Local | Standard | StandardParameter | Builtin | Metric | Part | Setting | Word | File

Origin = tuple[str, int]
"""A path and an offset: where something was given its name."""


def named(meaning: Meaning) -> Span | None:
    """Where a user gave it its name; None for what the language brings."""
    match meaning:
        case Declaration(declared):
            return declared.syntax.name.span
        case Local(name=name):
            return name.span
        case _:
            return None


def origin(meaning: Meaning) -> Origin | None:
    """What tells one named thing from all others; None for what the language brings."""
    span = named(meaning)
    return None if span is None else (span.source.path, span.start)


def operator(word: str) -> type[Operator] | None:
    """The class of an operator; None where there is none or it cannot be loaded."""
    if word not in entries("ops"):
        return None
    try:
        found: type[Operator] = load("ops", word)
    except Unable:
        return None
    return found


def extension(group: Group, word: str) -> type[Settings] | None:
    """The class of an extension of settings; None where there is none or it cannot be loaded."""
    if word not in entries(group):
        return None
    try:
        found = load(group, word)
    except Unable:
        return None
    return found if isinstance(found, type) and issubclass(found, Settings) else None


def operator_parameters(word: str) -> tuple[ParameterInfo, ...]:
    """The parameters of an operator; none where it merges any number of tensors."""
    found = operator(word)
    return () if found is None or found.variadic else parameters(found)


def own_parameters(declared: Declared) -> list[Local]:
    """The parameters of an op, cell, space or extern op."""
    syntax = declared.syntax
    if isinstance(syntax, ast.Settings):
        return []
    return [Local("parameter", p.name, declared, p.default) for p in syntax.parameters if p.name.id]
