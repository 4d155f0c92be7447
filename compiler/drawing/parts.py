"""What a picture of a space is made of: each op, cell and space once, as it is written.

Names of decisions and places of layers are those within the body; `[-3]` in one stands for each turn of loop 3.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from atnas.dsl.extern import Signature
from atnas.dsl.modules import Declared
from atnas.dsl.source import Span
from atnas.dsl.syntax import ast


@dataclass(frozen=True, eq=False)
class Site:
    """Where a decision is written: it is made once for each way there."""

    name: str
    node: ast.Expr


# Values


@dataclass(frozen=True, eq=False)
class Num:
    """A number, word or truth value: what is left of its expression once what is known is put in."""

    expr: ast.Expr
    sites: tuple[Site, ...] = ()

    @property
    def is_known(self) -> bool:
        return isinstance(self.expr, ast.Number | ast.Bool | ast.String)


@dataclass(frozen=True)
class Wire:
    """An output of a node of the body."""

    node: int
    port: int = 0


@dataclass(frozen=True, eq=False)
class Items:
    """A list; of a subset all that may be chosen, `count` says how many."""

    items: tuple[Value, ...]
    chosen: Site | None = None
    count: str = ""


@dataclass(frozen=True, eq=False)
class Word:
    """The name of an operator, op or cell without parentheses; `given` where a parameter stands for it."""

    name: str
    target: Declared | str | Signature
    given: bool = False


# Layers

Arguments = tuple[tuple[str | None, Any], ...]
"""What is written between parentheses: `(name or None, value)`."""


@dataclass(frozen=True, eq=False)
class Layer:
    """An operator."""

    word: str
    operator: str | Signature
    arguments: Arguments
    place: str


@dataclass(frozen=True, eq=False)
class Use:
    """An op or cell. `given` are the values of its parameters, `way` begins the names of its decisions.

    `values` are numbers that are decided in it, where that is all that is decided.
    """

    declared: Declared
    word: str
    arguments: Arguments
    given: Mapping[str, Value]
    way: str
    place: str
    values: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Slot:
    """A layer that is given as a parameter; with arguments where what is given is the name of an op.

    `way` and `place` are those of an op that stands for it; what it is called there begins with `beneath`.
    """

    word: str
    value: Part | Word
    arguments: Arguments | None
    way: str
    beneath: str
    turns: str


@dataclass(frozen=True, eq=False)
class Serial:
    """Layers one after another; the identity where there is none."""

    parts: tuple[Part, ...]


@dataclass(frozen=True, eq=False)
class Repeat:
    """A layer so many times in a row."""

    part: Part
    times: Num
    loop: int
    span: Span


@dataclass(frozen=True, eq=False)
class Choice:
    """One of several layers; `index` is the number that says which, where it is not the site's own option. It may have
    a name."""

    site: Site | None
    options: tuple[Part, ...]
    index: Num | None = None
    name: str = ""


@dataclass(frozen=True, eq=False)
class Member:
    """A layer of a chain that is there if its number is among those chosen."""

    site: Site
    number: int
    count: str
    part: Part


@dataclass(frozen=True, eq=False)
class Group:
    """A use with what is in it: so it is drawn where each use is another. `numbers` are bound in it and not known."""

    use: Use
    body: Body
    numbers: tuple[tuple[str, Num], ...] = ()


Part = Layer | Use | Slot | Serial | Repeat | Choice | Member | Group
Value = Num | Wire | Items | Word | Part
PARTS = (Layer, Use, Slot, Serial, Repeat, Choice, Member, Group)

# Bodies


@dataclass(frozen=True, eq=False)
class Port:
    """An input."""

    name: str


@dataclass(frozen=True, eq=False)
class Merge:
    """`add`, `concat` or another operator that takes any number of tensors."""

    operator: str | Signature
    place: str


@dataclass(frozen=True, eq=False)
class Select:
    """One of several tensors."""

    site: Site | None
    index: Num | None


@dataclass(frozen=True)
class Arrow:
    """A tensor that a node takes; `member` where it is one that may be chosen: the site, its number, how many are."""

    wire: Wire
    member: tuple[Site, int, str] | None = None


@dataclass(frozen=True, eq=False)
class Node:
    """A step of a body."""

    what: Port | Merge | Select | Part
    takes: tuple[Arrow, ...] = ()


@dataclass(frozen=True, eq=False)
class Body:
    """Nodes in the order in which they are applied; `names` are those of tensors."""

    nodes: tuple[Node, ...]
    outputs: tuple[Wire, ...]
    names: Mapping[Wire, str]


@dataclass(frozen=True, eq=False)
class Panel:
    """A declaration. `defaults` are of its parameters, `numbers` those that it binds and that are not known."""

    declared: Declared
    defaults: Mapping[str, Value]
    body: Body
    numbers: tuple[tuple[str, Num], ...]

    @property
    def syntax(self) -> ast.Layer:
        assert isinstance(self.declared.syntax, ast.Layer)
        return self.declared.syntax


def numbers(arguments: Arguments) -> Iterator[Num]:
    """The numbers among arguments, those in lists too."""
    for _, value in arguments:
        yield from _numbers(value)


def _numbers(value: Value) -> Iterator[Num]:
    if isinstance(value, Num):
        yield value
    elif isinstance(value, Items):
        for item in value.items:
            yield from _numbers(item)


def sites(part: object) -> tuple[Site, ...]:
    """The sites of the numbers that stand in a part itself, each once."""
    match part:
        case Layer(arguments=arguments) | Use(arguments=arguments) | Slot(arguments=tuple() as arguments):
            found = [site for number in numbers(arguments) for site in number.sites]
        case Repeat(times=times):
            found = list(times.sites)
        case Choice(site=site, index=index) | Select(site=site, index=index):
            found = [*([] if site is None else [site]), *([] if index is None else index.sites)]
        case Member(site=site):
            found = [site]
        case _:
            found = []
    return tuple(dict.fromkeys(found))
