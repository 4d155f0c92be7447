"""What takes arguments, as a line: operators, declarations, and the words of settings that have some."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from atnas.dsl.elaborate.builtins import BUILTINS
from atnas.dsl.errors import Unable
from atnas.dsl.modules import Declared
from atnas.dsl.operator import ParameterInfo
from atnas.dsl.settings.describe import describe
from atnas.dsl.syntax import ast
from atnas.dsl.syntax.unparse import text
from atnas.editor.meaning import Builtin, Declaration, Meaning, Part, Standard, operator, operator_parameters

TYPES: Final[dict[type, str]] = {int: "a whole number", float: "a number", bool: "true or false", str: "text"}


@dataclass(frozen=True)
class Given:
    """One parameter: as it stands in the line, its name, and its documentation. `choices` are the words it takes."""

    label: str
    name: str
    doc: str = ""
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Signature:
    """A callee: `head` with its parameters in parentheses, `tail` after them.

    `positional` are the parameters that arguments without a name fill, in order; the last takes all that are left
    where `starred`.
    """

    head: str
    parameters: tuple[Given, ...]
    doc: str = ""
    tail: str = ""
    positional: tuple[str, ...] = ()
    starred: bool = False

    @property
    def label(self) -> str:
        inside = ", ".join(p.label for p in self.parameters)
        return f"{self.head}({inside}){self.tail}" if inside else f"{self.head}{self.tail}"

    def parameter(self, name: str) -> Given | None:
        return next((p for p in self.parameters if p.name == name), None)

    def filled(self, before: Sequence[str | None]) -> str | None:
        """The parameter that an argument without a name fills, after arguments of these names."""
        place = sum(name is None for name in before)
        if place < len(self.positional):
            return self.positional[place]
        return self.positional[-1] if self.starred and self.positional else None


def signature(meaning: Meaning) -> Signature | None:
    """The signature of what takes arguments, or might; None for other words. Documentation is Markdown."""
    match meaning:
        case Declaration(declared):
            return _declared(declared)
        case Standard(word):
            return _operator(word)
        case Part():
            return _part(meaning)
        case Builtin(word) if word in BUILTINS:
            return Signature(word, (Given(BUILTINS[word], ""),))
        case _:
            return None


def plain(doc: str | None) -> str:
    """A docstring as Markdown."""
    return inspect.cleandoc(doc) if doc else ""


def _declared(declared: Declared) -> Signature:
    syntax = declared.syntax
    head = f"{syntax.keyword} {syntax.name.id}"
    if isinstance(syntax, ast.Settings):
        return Signature(head, (), syntax.doc)
    parameters = tuple(_own(p) for p in syntax.parameters)
    names = tuple(p.name for p in parameters)
    return Signature(head, parameters, syntax.doc, _ends(syntax), names)


def _own(parameter: ast.Parameter | ast.TypedParameter) -> Given:
    name = parameter.name.id
    kind = f": {parameter.type.id}" if isinstance(parameter, ast.TypedParameter) else ""
    default = f" = {text(parameter.default)}" if parameter.default is not None else ""
    return Given(f"{name}{kind}{default}", name)


def _ends(syntax: ast.Layer | ast.Extern) -> str:
    """The inputs and outputs, as they are declared."""
    if not syntax.inputs:
        return ""
    inputs = f" [{', '.join(map(_port, syntax.inputs))}]"
    if isinstance(syntax, ast.Extern):
        return f"{inputs} -> {_sizes(syntax.output)}"
    outputs = [_port(port) for port in syntax.outputs]
    return f"{inputs} -> {outputs[0] if len(outputs) == 1 else '[' + ', '.join(outputs) + ']'}"


def _port(port: ast.Port) -> str:
    return port.name.id if port.sizes is None else f"{port.name.id}: {_sizes(port.sizes)}"


def _sizes(sizes: Sequence[ast.Expr]) -> str:
    return f"({', '.join(map(text, sizes))})"


def _operator(word: str) -> Signature:
    found = operator(word)
    parameters = tuple(_standard(info) for info in operator_parameters(word))
    if found is not None and found.variadic:
        parameters = (Given("tensors..", ""),)
    return Signature(word, parameters, plain(found.__doc__) if found else "", "", tuple(p.name for p in parameters))


def _standard(info: ParameterInfo) -> Given:
    default = "" if info.required or info.default is None else f" = {_word(info.default)}"
    choices = info.words or (("true", "false") if info.kind is bool else ())
    kind = " | ".join(info.words) or TYPES[info.kind]
    elastic = ", elastic" if info.elastic else ""
    return Given(f"{info.name}{default}", info.name, f"{info.doc} ({kind}{elastic})".strip(), choices)


def _word(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _part(part: Part) -> Signature:
    try:
        fields = describe(part.model)
    except Unable:
        fields = []
    parameters = []
    for field in fields:
        default = "" if field.default is None else f" = {field.default}"
        parameters.append(Given(f"{field.name}{default}", field.name, f"{field.doc} ({field.type})".strip()))
    positional = tuple(name.removeprefix("*") for name in part.model.positional)
    starred = bool(part.model.positional) and part.model.positional[-1].startswith("*")
    return Signature(part.word, tuple(parameters), plain(part.model.__doc__), "", positional, starred)
