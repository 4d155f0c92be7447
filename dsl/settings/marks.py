"""What `Annotated` can say of a field: where its value comes from, and what it is measured in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from atnas.dsl.plugins import Group
from atnas.dsl.syntax import ast

if TYPE_CHECKING:
    from atnas.dsl.settings.model import Settings


class Extension:
    """Marks a field that takes an extension by name: `learner: Annotated[Trainer, Extension("trainers")]`.

    `learner = maml(order = 1)` then loads `maml` from that group, a `Settings`, and builds it from its
    arguments.
    """

    def __init__(self, group: Group) -> None:
        self.group = group


class Variants:
    """Marks a field that takes one of a closed set of words, each a `Settings` of its own.

    `outer: Annotated[Adam | SGD, Variants(adam=Adam, sgd=SGD)]` takes `outer = sgd(lr = 0.1)`; a word without
    parentheses is built from its defaults.
    """

    def __init__(self, **words: type[Settings]) -> None:
        self.words: Mapping[str, type[Settings]] = MappingProxyType(words)


class Reference:
    """Marks a field that takes the name of a declaration of the program.

    `tasks: Annotated[str, Reference("tasks")]` holds the name. With `arguments`, as in
    `space: Annotated[Ref, Reference("space", arguments=True)]`, the field holds a `Ref`.
    """

    def __init__(self, keyword: Literal["space", "tasks", "train", "search"], arguments: bool = False) -> None:
        self.keyword = keyword
        self.arguments = arguments


class Bare:
    """Marks a text that is written as a bare word, whatever it is: `device: Annotated[str, Bare("a device")]`."""

    def __init__(self, kind: str) -> None:
        self.kind = kind


class Unit:
    """Marks a number that may carry a unit: "s" takes `20ms` and `30min`, "B" takes `2GB`."""

    def __init__(self, unit: Literal["s", "B"]) -> None:
        self.unit = unit


@dataclass(frozen=True)
class Ref:
    """A declaration and the arguments it is used with, as written: `conv_cells(C = 32)`."""

    name: str
    call: ast.Call | ast.Name
