"""The calls that make modules, as text.

What is looked at are rows: the parts that stand at one place in all uses of a class or function. Where they differ in a
number, the text has the name of a parameter there.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from atnas.compiler.export.carried import is_torch
from atnas.compiler.export.literals import literal
from atnas.compiler.export.parts import Block, Chain, Layer, Part, Weight
from atnas.compiler.export.reduced import Carried

if TYPE_CHECKING:
    from atnas.compiler.export.templates import Template

Row = tuple[Part, ...]
Values = tuple[Any, ...]
Names = Mapping[tuple[str, Values], str]
"""How the values of a role are written: `("size", (16, 32))` as `c`."""

SIZE = "size"

WIDTHS = {"c", "c_in", "c_out", "d", "channels"}
"""What the widths of layers that are not torch's are called: they are given without these names."""

ROLES = {
    **dict.fromkeys(("in_channels", "out_channels", "num_channels", "in_features", "out_features"), SIZE),
    **dict.fromkeys(("num_features", "normalized_shape", *WIDTHS), SIZE),
    "kernel_size": "kernel",
    "scale_factor": "scale",
}
"""What arguments are called that stand for the same in several layers. Others have their own names."""

VARIABLE = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)

MANY = 3
"""From so many equal modules on they are made in a loop."""

Templates = Mapping[Part, "Template"]


@dataclass(frozen=True)
class Argument:
    """An argument of a call: `values` are numbers and settings, or parts."""

    name: str
    role: str
    values: Values
    is_named: bool


def arguments(row: Row, templates: Templates) -> list[Argument]:
    """What is given to make these parts, without what are defaults."""
    first = row[0]
    if first in templates:
        return _of_template(row, templates[first])
    assert isinstance(first, Layer)
    layers = [part for part in row if isinstance(part, Layer)]
    return [a for a in _of_layers(first, layers) if not _is_silent(a, layers)]


def settings(row: Row, templates: Templates) -> Iterator[Argument]:
    """Every number and setting in these parts, in the order of the text."""
    first = row[0]
    if isinstance(first, Weight):
        yield from (Argument("", SIZE, values, False) for values in _sizes(row))
    elif isinstance(first, Chain) and first not in templates:
        for inner in rows(row, templates):
            yield from settings(inner, templates)
    else:
        for argument in arguments(row, templates):
            if isinstance(argument.values[0], Part):
                yield from settings(argument.values, templates)
            else:
                yield argument


def text(row: Row, names: Names, templates: Templates) -> str:
    """The expression that makes these parts."""
    first = row[0]
    if isinstance(first, Weight):
        sizes = ", ".join(_written(SIZE, values, names) for values in _sizes(row))
        return f"nn.{'Parameter' if first.trained else 'Buffer'}(torch.empty({sizes}))"
    if isinstance(first, Chain) and first not in templates:
        inside = texts(row, names, templates)
        if first.listed:
            return f"nn.ModuleList([{', '.join(inside)}])"
        is_one = len(inside) == 1 and not inside[0].startswith("*")
        return inside[0] if is_one else f"nn.Sequential({', '.join(inside)})"
    given = [_argument(a, names, templates) for a in arguments(row, templates)]
    return f"{_name(first, templates)}({', '.join(given)})"


def texts(row: Row, names: Names, templates: Templates) -> list[str]:
    """The modules of a chain; those that are made alike in one expression."""
    inside = [text(inner, names, templates) for inner in rows(row, templates)]
    found: list[str] = []
    while inside:
        same = next((i for i, other in enumerate(inside) if other != inside[0]), len(inside))
        found += [f"*[{inside[0]} for _ in range({same})]"] if same >= MANY else inside[:same]
        del inside[:same]
    return found


def rows(row: Row, templates: Templates) -> list[Row]:
    """The modules of a chain in a row, chains in it that have no function of their own among them."""
    chains = [part for part in row if isinstance(part, Chain)]
    return list(zip(*(_inside(chain, templates) for chain in chains), strict=True))


def numbered(part: Part, templates: Templates, name: str = "") -> Iterator[tuple[str, str]]:
    """Where the numbers of a part lie in the module that is written, and where in the network's state."""
    dot = f"{name}." if name else ""
    match part:
        case Layer(numbers=numbers) | Weight(numbers=numbers):
            yield name, numbers
        case Chain(listed=listed):
            inside = _inside(part, templates)
            if len(inside) == 1 and not listed and name and part not in templates:
                yield from numbered(inside[0], templates, name)
            else:
                for i, inner in enumerate(inside):
                    yield from numbered(inner, templates, f"{dot}{i}")
        case Block(members=members):
            for member, inner in members:
                yield from numbered(inner, templates, f"{dot}{member}")


def _inside(chain: Chain, templates: Templates) -> list[Part]:
    """The modules of a chain, those of chains in it among them that are no calls themselves."""
    found: list[Part] = []
    for part in chain.parts:
        if isinstance(part, Chain) and not part.listed and part not in templates:
            found += _inside(part, templates)
        else:
            found.append(part)
    return found


def _of_template(row: Row, template: Template) -> list[Argument]:
    uses = [template.index[part] for part in row]
    found = []
    for p in template.parameters:
        values = tuple(p.values[use] for use in uses)
        if not (p.has_default and all(value == p.default for value in values)):
            found.append(Argument(p.name, p.role, values, p.role != SIZE))
    return found


def _of_layers(first: Layer, layers: Sequence[Layer]) -> Iterator[Argument]:
    if isinstance(first.cls, Carried):
        parameters = list(first.cls.parameters)
        bare = {p.name for p in takewhile(lambda p: p.name in WIDTHS and p.kind is not p.KEYWORD_ONLY, parameters)}
    else:
        parameters = [p for p in inspect.signature(first.cls).parameters.values() if p.kind not in VARIABLE]
        bare = {p.name for p in parameters if p.default is p.empty}
    for p in parameters:
        if p.name in ("device", "dtype"):
            continue
        values = tuple(_plain(layer.arguments[p.name]) for layer in layers)
        if not all(type(value) is type(p.default) and value == p.default for value in values):
            is_number = all(isinstance(value, int) for value in values)
            yield Argument(p.name, ROLES.get(p.name, p.name) if is_number else p.name, values, p.name not in bare)


def _is_silent(argument: Argument, layers: Sequence[Layer]) -> bool:
    """Whether an argument of a pool says what is so without it: its stride is its window, if nobody says otherwise."""
    given = [layer.arguments for layer in layers]
    if not is_torch(layers[0].cls) or "Pool" not in layers[0].cls.__name__:
        return False
    if argument.name == "count_include_pad":
        return all(g["padding"] == 0 for g in given)
    return argument.name == "stride" and all(g["stride"] == g["kernel_size"] for g in given)


def _plain(value: Any) -> Any:
    """A value that can be compared and looked up; a window as wide as high by one number."""
    if isinstance(value, list | tuple):
        return value[0] if len(value) == 1 else tuple(value)
    return value


def _argument(argument: Argument, names: Names, templates: Templates) -> str:
    name = f"{argument.name}=" if argument.is_named else ""
    if isinstance(argument.values[0], Part):
        return f"{name}{text(argument.values, names, templates)}"
    return f"{name}{_written(argument.role, argument.values, names)}"


def _written(role: str, values: Values, names: Names) -> str:
    if (role, values) in names:
        return names[role, values]
    assert len(set(values)) == 1
    return literal(values[0])


def _sizes(row: Row) -> list[Values]:
    return list(zip(*(part.shape for part in row if isinstance(part, Weight)), strict=True))


def _name(part: Part, templates: Templates) -> str:
    if part in templates:
        return templates[part].name
    assert isinstance(part, Layer)
    return part.cls.name if isinstance(part.cls, Carried) else f"nn.{part.cls.__name__}"
