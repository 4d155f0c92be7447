"""Words that operators take, as in `upsample(2, mode = bilinear)`. They need no quotes where nothing is called so."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from atnas.dsl.findings.diagnostics import Diagnostic, Edit
from atnas.dsl.findings.suggest import nearest
from atnas.dsl.operator import Operator, ParameterInfo, parameters
from atnas.dsl.syntax import ast

WORDED: Final = (ast.Name, ast.String, ast.Choice)


def wanted(call: ast.Call, operator: type[Operator]) -> dict[int, ParameterInfo]:
    """The parameters that take words and are given a name, or a choice, by the `id` of its syntax."""
    infos = parameters(operator)
    if not any(info.words for info in infos):
        return {}
    known = {info.name: info for info in infos}
    places = [a for a in call.arguments if a.name is None]
    pairs = [
        *zip(places, infos, strict=False),
        *((a, known[a.name.id]) for a in call.arguments if a.name is not None and a.name.id in known),
    ]
    return {id(a.value): info for a, info in pairs if info.words and isinstance(a.value, WORDED)}


def quoted(node: ast.Expr, info: ParameterInfo, is_other: Callable[[str], bool]) -> Iterator[Diagnostic]:
    """Findings on words in quotes; `is_other` says what stands for something else without them."""
    for option in node.options if isinstance(node, ast.Choice) else (node,):
        if not isinstance(option, ast.String) or is_other(option.value):
            continue
        word = option.value if option.value in info.words else nearest(option.value, info.words)
        if word is not None:
            message = f"`{info.name}` takes a word, not a text in quotes"
            cure = f"write {word}" if word == option.value else f"did you mean `{word}`?"
            yield Diagnostic("E201", option.span, message, cure, fix=(Edit(option.span, word),))
