"""Arguments against parameters: which is which, what is missing, unknown, of the wrong kind or out of bounds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from atnas.dsl.cases import values, witness
from atnas.dsl.elaborate.build import Builder
from atnas.dsl.elaborate.values import Alternatives, Undecided, Unknown, Value, sort
from atnas.dsl.extern import Signature, layer_class
from atnas.dsl.findings.suggest import nearest
from atnas.dsl.net import Arith, Num, Pick, Read, number
from atnas.dsl.operator import ParameterInfo, parameters
from atnas.dsl.syntax import ast


@dataclass(frozen=True)
class Given:
    """One argument after its value is known."""

    syntax: ast.Argument
    value: Value


def assign(
    builder: Builder,
    call: ast.Call | ast.Name,
    given: Sequence[Given],
    names: Sequence[str],
    required: set[str],
) -> dict[str, Given] | None:
    """Parameters by name to what they are given; None where a finding was made."""
    function = call.function if isinstance(call, ast.Call) else call
    found: dict[str, Given] = {}
    good = True
    place = 0
    for argument in given:
        word = argument.syntax.name
        if word is None:
            if place >= len(names):
                cure = f"it takes {_listing(names)}" if names else "it takes none"
                builder.report("E203", argument.syntax.span, f"`{function.id}` has too many arguments", cure)
                return None
            name, place = names[place], place + 1
        else:
            name = word.id
        if name not in names:
            assert word is not None
            close = nearest(name, names)
            cure = f"did you mean `{close}`?" if close else f"it takes {_listing(names) or 'no arguments'}"
            builder.report("E203", word.span, f"`{function.id}` has no argument `{name}`", cure)
            good = False
        elif name in found:
            builder.report("E203", argument.syntax.span, f"`{name}` is given twice")
            good = False
        else:
            found[name] = argument
    missing = [n for n in names if n in required and n not in found]
    if missing and good:
        builder.report("E204", call.span, f"`{function.id}` needs {_listing(missing)}")
    return None if missing or not good else found


def settle(
    builder: Builder, call: ast.Call | ast.Name, operator: str | Signature, given: Sequence[Given]
) -> tuple[tuple[str, Num], ...] | None:
    """All parameters of an operator with their checked values; None where a finding was made."""
    if not all(isinstance(g.value, int | float | str | Undecided) for g in given):
        return _settled(builder, call, operator, given)
    # Most calls are come to many times with the same plain values.
    key = id(call), operator, *((type(v), v.name if isinstance(v, Undecided) else v) for v in (g.value for g in given))
    if key not in builder.settled:
        builder.settled[key] = _settled(builder, call, operator, given)
    return builder.settled[key]


def _settled(
    builder: Builder, call: ast.Call | ast.Name, operator: str | Signature, given: Sequence[Given]
) -> tuple[tuple[str, Num], ...] | None:
    infos = parameters(layer_class(operator))
    required = {i.name for i in infos if i.required}
    found = assign(builder, call, given, [i.name for i in infos], required)
    if found is None:
        return None
    settled: list[tuple[str, Num]] = []
    for info in infos:
        value = _checked(builder, info, found[info.name]) if info.name in found else info.default
        if not isinstance(value, Unknown):
            settled.append((info.name, value))
    return tuple(settled) if len(settled) == len(infos) else None


def _checked(builder: Builder, info: ParameterInfo, given: Given) -> Num | Unknown:
    """The value of one argument if it fits its parameter."""
    span = given.syntax.value.span
    if isinstance(given.value, Unknown):
        return given.value
    value = _plain(info, given.value)
    if _varies(info, value) or (info.words and isinstance(given.value, Alternatives)):
        builder.report(
            "E209",
            span,
            f"`{info.name}` cannot be a choice: it is not elastic",
            "choose between layers instead, each with its own value",
        )
        return Unknown()
    if isinstance(value, Unknown):
        builder.report("E201", span, f"`{info.name}` takes {_wanted(info)}, not {sort(given.value)}")
        return value
    cases = number(value)
    bad = witness(cases, lambda v: _complaint(info, v) is not None)
    if bad is None:
        return value
    node = cases
    while node.children:
        node = node.children[bad.get(node.decision, 0)]
    builder.report(
        "E201",
        span,
        f"`{info.name}` {_complaint(info, node.value)}",
        _nearest_word(info, node.value),
        when=builder.words(bad) or None,
    )
    return Unknown()


def _varies(info: ParameterInfo, value: Num | Unknown) -> bool:
    """Whether a choice stands where none may."""
    return not info.elastic and isinstance(value, Pick | Arith) and len(values(number(value))) > 1


def _plain(info: ParameterInfo, value: Value) -> Num | Unknown:
    """A number, word or truth value as it is; the name of an operator as a word, where words are wanted."""
    if isinstance(value, Undecided) and info.words:
        return value.name
    if value is None or isinstance(value, int | float | str | Pick | Arith | Read):
        return value
    return Unknown()


def _complaint(info: ParameterInfo, value: Any) -> str | None:
    """What is wrong with a value, in words that follow the parameter's name."""
    if info.words:
        return None if value in info.words else f"must be one of {', '.join(info.words)}, not {_shown(value)}"
    if info.kind is bool:
        return None if isinstance(value, bool) else f"must be true or false, not {_shown(value)}"
    if isinstance(value, bool | str) or not isinstance(value, int | float):
        return f"takes {_wanted(info)}, not {_shown(value)}"
    if info.kind is int and not isinstance(value, int):
        return f"must be a whole number, not {_shown(value)}"
    if info.low is not None and value < info.low:
        return f"must be at least {info.low:g}, not {_shown(value)}"
    if info.high is not None and value > info.high:
        return f"must be at most {info.high:g}, not {_shown(value)}"
    return None


def _wanted(info: ParameterInfo) -> str:
    if info.words:
        return f"one of {', '.join(info.words)}"
    return {int: "a whole number", float: "a number", bool: "true or false", str: "a word"}[info.kind]


def _nearest_word(info: ParameterInfo, value: object) -> str | None:
    close = nearest(value, info.words) if isinstance(value, str) else None
    return f"did you mean `{close}`?" if close else None


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"`{value}`" if isinstance(value, str) else str(value)


def _listing(names: Sequence[str]) -> str:
    return ", ".join(f"`{n}`" for n in names)
