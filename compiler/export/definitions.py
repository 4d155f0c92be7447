"""The classes and functions of a file, a statement a line."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from atnas.compiler.export.calls import text, texts
from atnas.compiler.export.layout import INDENT
from atnas.compiler.export.literals import literal
from atnas.compiler.export.naming import Parameter
from atnas.compiler.export.parts import Block, Chain, Layer, Part
from atnas.compiler.export.reduced import Carried
from atnas.compiler.export.templates import Found, Template

Lines = list[str]


def definitions(root: Part, found: Found) -> list[Lines]:
    """Everything that the network is made of, each after what it speaks of; the network itself comes last."""
    own = [_function(t, found) if isinstance(t.uses[0], Chain) else _class(t, found) for t in found.order]
    whole = [list(_row(root, found))] if isinstance(root, Chain) else []
    return [*(list(carried.lines) for carried in classes(root)), *own, *whole]


def classes(root: Part) -> list[Carried]:
    """The classes that are carried over, each after those that it makes modules of."""
    found: dict[Carried, None] = {}

    def add(carried: Carried) -> None:
        for inner in carried.inside:
            if any(re.search(rf"\b{inner.name}\(", line) for line in carried.lines):
                add(inner)
        found.setdefault(carried)

    for layer in _layers(root):
        if isinstance(layer.cls, Carried):
            add(layer.cls)
    return list(found)


def _layers(part: Part) -> Iterator[Layer]:
    match part:
        case Layer():
            yield part
        case Chain(parts=parts):
            for inner in parts:
                yield from _layers(inner)
        case Block(members=members):
            for _, inner in members:
                yield from _layers(inner)


def _function(template: Template, found: Found) -> Lines:
    outside = {part: other for part, other in found.of.items() if other is not template}
    inside = texts(tuple(template.uses), template.names, outside)
    return [
        f"def {template.name}({_listed(template.parameters)}) -> nn.Sequential:",
        f"{INDENT}return nn.Sequential({', '.join(inside)})",
    ]


def _class(template: Template, found: Found) -> Lines:
    block = template.uses[0]
    assert isinstance(block, Block)
    made = {name: text(row, template.names, found.of) for name, row in template.inside}
    given = ", ".join(["self", *filter(None, [_listed(template.parameters)])])
    taken = ", ".join(["self", *(f"{name}: Tensor" for name in block.inputs)])
    gives = "Tensor" if block.outputs == 1 else f"tuple[{', '.join(['Tensor'] * block.outputs)}]"
    return [
        f"class {template.name}(nn.Module):",
        f"{INDENT}def __init__({given}) -> None:",
        f"{INDENT}{INDENT}super().__init__()",
        *(f"{INDENT}{INDENT}self.{name} = {made.get(name, name)}" for name, _ in template.members),
        "",
        f"{INDENT}def forward({taken}) -> {gives}:",
        *(f"{INDENT}{INDENT}{line}" for line in block.forward),
    ]


def _row(root: Chain, found: Found) -> Lines:
    return [
        f"class {found.name}(nn.Sequential):",
        f"{INDENT}def __init__(self) -> None:",
        f"{INDENT}{INDENT}super().__init__({', '.join(texts((root,), {}, found.of))})",
    ]


def _listed(parameters: Sequence[Parameter]) -> str:
    return ", ".join(
        f"{p.name}: {p.annotation}" + (f" = {literal(p.default)}" if p.has_default else "") for p in parameters
    )
