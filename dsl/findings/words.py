"""Words that operators take, as in `upsample(2, mode = bilinear)`. They need no quotes where nothing is called so."""

from __future__ import annotations

from atnas.dsl.operator import Operator, ParameterInfo, parameters
from atnas.dsl.syntax import ast


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
    return {id(a.value): info for a, info in pairs if info.words and isinstance(a.value, ast.Name | ast.Choice)}
