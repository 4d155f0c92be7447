"""Arguments against parameters, as far as names and places tell, and what is said where they do not fit."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

from atnas.dsl.findings.diagnostics import Diagnostic, Edit
from atnas.dsl.findings.edits import around, without_item
from atnas.dsl.findings.names import misspelt
from atnas.dsl.syntax import ast
from atnas.dsl.syntax.unparse import text

NO_EDITS: Final[tuple[Edit, ...]] = ()

MOST_LISTED: Final = 20
"""Names that a finding lists."""

_NEEDLESS: Final = {
    "there is no padding: stride 1 keeps the size": ("padding", "pad", "pads", "padding_mode", "output_padding"),
    "the input's channels are inferred: leave it out": ("in_channels", "in_planes", "num_channels", "cin"),
    "the input's size is inferred: leave it out": ("in_features", "num_features", "normalized_shape", "input_size"),
    "there is nothing to set: leave it out": ("inplace", "device", "dtype", "eps", "affine", "ceil_mode"),
}
"""Arguments of other frameworks by what is said of them."""

Call = ast.Call | ast.Name
"""A bare name is a call without arguments."""


def matched(
    call: Call, names: Sequence[str], required: Collection[str]
) -> tuple[dict[str, ast.Argument], list[Diagnostic]]:
    """The argument of each parameter that has one, and findings on what is too many, unknown, twice or missing.

    `names` are the parameters in the order of their places, `required` those without a default.
    """
    _, arguments = _parts(call)
    places = [argument for argument in arguments if argument.name is None]
    if len(places) > len(names):
        return {}, [_too_many(call, names, places)]
    found = dict(zip(names, places, strict=False))
    findings: list[Diagnostic] = []
    known = frozenset(names)
    free: list[str] | None = None
    for argument in arguments:
        if argument.name is None:
            continue
        name = argument.name.id
        if name in found:
            findings.append(_twice(call, found[name], argument))
        elif name in known:
            found[name] = argument
        else:
            free = _free(names, arguments) if free is None else free
            findings.append(_no_such(call, argument.name, free, names))
    missing = [name for name in names if name in required and name not in found]
    if missing and free is None:  # an unknown one may be the one that is missing
        findings.append(_lacking(call, missing))
    return found, findings


def nameless(call: ast.Call) -> list[Diagnostic]:
    """Findings on the names of arguments of `add` and its like, which take tensors."""
    word = call.function.id
    found: list[Diagnostic] = []
    for i, argument in enumerate(call.arguments):
        if argument.name is None:
            continue
        does = "it joins along the first size, the channels" if word == "concat" else "it takes tensors without names"
        message = f"`{word}` has no argument `{argument.name.id}`"
        fix = left_out(call, i)
        found.append(Diagnostic("E203", argument.name.span, message, f"{does}: leave it out", fix=fix))
    return found


def left_out(call: ast.Call, at: int) -> tuple[Edit, ...]:
    """What leaves one argument out."""
    places = [argument.span for argument in call.arguments]
    return without_item(places, at) if len(places) > 1 else ()


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


def _twice(call: Call, first: ast.Argument, second: ast.Argument) -> Diagnostic:
    """An argument that its place gives and its name, too: after PyTorch's channels of the input, perhaps."""
    assert isinstance(call, ast.Call) and second.name is not None
    message = f"`{second.name.id}` is given twice"
    named = [argument for argument in call.arguments if argument.name is not None]
    if second.name.id != "kernel" or call.arguments.index(first) != 1 or len(named) > 1:
        return Diagnostic("E203", second.span, message, "keep one of the two")
    rest = ", ".join(" ".join(argument.span.text.split()) for argument in call.arguments[1:])
    cure = f"the input's channels are inferred: write {call.function.id}({rest})"
    return Diagnostic("E203", second.span, message, cure, fix=left_out(call, 0))


def _no_such(call: Call, name: ast.Name, free: Sequence[str], names: Sequence[str]) -> Diagnostic:
    """An argument of a name that the callee has no parameter of."""
    word, arguments = _parts(call)
    message = f"`{word.id}` has no argument `{name.id}`"
    cure = next((cure for cure, words in _NEEDLESS.items() if name.id in words), None)
    if cure is None or isinstance(call, ast.Name):
        return misspelt("E203", name, free, message, f"it takes {_listing(names) or 'no arguments'}")
    at = next(i for i, argument in enumerate(arguments) if argument.name is name)
    return Diagnostic("E203", name.span, message, cure, fix=left_out(call, at))


def _too_many(call: Call, names: Sequence[str], places: Sequence[ast.Argument]) -> Diagnostic:
    word, first = _parts(call)[0], places[0].value
    cure, fix = f"it takes {_listing(names)}", NO_EDITS
    if not names and isinstance(first, ast.Number):
        cure, fix = f"the input's sizes are inferred: write {word.id}", (Edit(call.span, word.id),)
    elif not names:
        cure = f"it takes none; a layer is applied with `->`: {text(first)} -> {word.id}"
    return Diagnostic("E203", places[len(names)].span, f"`{word.id}` has too many arguments", cure, fix=fix)


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
