"""Arguments against parameters, as far as names and places tell, and what is said where they do not fit."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

from atnas.dsl.findings.diagnostics import Diagnostic
from atnas.dsl.findings.edits import around
from atnas.dsl.findings.names import misspelt
from atnas.dsl.syntax import ast
from atnas.dsl.syntax.unparse import text

MOST_LISTED: Final = 20
"""Names that a finding lists."""

Call = ast.Call | ast.Name
"""A bare name is a call without arguments."""


def matched(
    call: Call, names: Sequence[str], required: Collection[str]
) -> tuple[dict[str, ast.Argument], list[Diagnostic]]:
    """The argument of each parameter that has one, and findings on what is too many, unknown, twice or missing.

    `names` are the parameters in the order of their places, `required` those without a default.
    """
    word, arguments = _parts(call)
    places = [argument for argument in arguments if argument.name is None]
    if len(places) > len(names):
        return {}, [_too_many(word, names, places)]
    found = dict(zip(names, places, strict=False))
    findings: list[Diagnostic] = []
    known = frozenset(names)
    free: list[str] | None = None
    for argument in arguments:
        if argument.name is None:
            continue
        name = argument.name.id
        if name in found:
            findings.append(Diagnostic("E203", argument.span, f"`{name}` is given twice", "keep one of the two"))
        elif name in known:
            found[name] = argument
        else:
            free = _free(names, arguments) if free is None else free
            message = f"`{word.id}` has no argument `{name}`"
            cure = f"it takes {_listing(names) or 'no arguments'}"
            findings.append(misspelt("E203", argument.name, free, message, cure))
    missing = [name for name in names if name in required and name not in found]
    if missing and free is None:  # an unknown one may be the one that is missing
        findings.append(_lacking(call, missing))
    return found, findings


def lone(call: Call, takes: str) -> Diagnostic | None:
    """What is wrong with a call of `chain` or `range`, which take one argument without a name."""
    word, arguments = _parts(call)
    if len(arguments) == 1 and arguments[0].name is None:
        return None
    message = f"`{word.id}` takes one argument, {takes}"
    if word.id != "chain":
        return Diagnostic("E204", call.span, message, "range(n) counts from 0 to n - 1")
    if not arguments or any(argument.name is not None for argument in arguments):
        return Diagnostic("E204", call.span, message, "write chain([..])")
    listed = ", ".join(text(argument.value) for argument in arguments)
    fix = around(arguments[0].span.to(arguments[-1].span), "[", "]")
    return Diagnostic("E204", call.span, message, f"write chain([{listed}])", fix=fix)


def _parts(call: Call) -> tuple[ast.Name, tuple[ast.Argument, ...]]:
    return (call.function, call.arguments) if isinstance(call, ast.Call) else (call, ())


def _too_many(word: ast.Name, names: Sequence[str], places: Sequence[ast.Argument]) -> Diagnostic:
    applied = f"it takes none; a layer is applied with `->`: {text(places[0].value)} -> {word.id}"
    cure = f"it takes {_listing(names)}" if names else applied
    return Diagnostic("E203", places[len(names)].span, f"`{word.id}` has too many arguments", cure)


def _free(names: Sequence[str], arguments: Sequence[ast.Argument]) -> list[str]:
    """The parameters that no argument is given for."""
    places = sum(argument.name is None for argument in arguments)
    given = {argument.name.id for argument in arguments if argument.name is not None}
    return [name for name in names[places:] if name not in given]


def _lacking(call: Call, missing: Sequence[str]) -> Diagnostic:
    word, arguments = _parts(call)
    named = [f"{name} = .." for name in missing[:MOST_LISTED]]
    cure = f"add {', '.join(f'`{n}`' for n in named)}" if arguments else f"write {word.id}({', '.join(named)})"
    return Diagnostic("E204", call.span, f"`{word.id}` needs {_listing(missing)}", cure)


def _listing(names: Sequence[str]) -> str:
    more = [".."] * (len(names) > MOST_LISTED)
    return ", ".join([*(f"`{name}`" for name in names[:MOST_LISTED]), *more])
