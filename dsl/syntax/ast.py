"""The program as written: one frozen class a rule of the grammar. Spans do not take part in equality.

That they are frozen is for the type checker: what dataclasses would write into each class to enforce it takes longer
than all the rest of a short check.
"""

from __future__ import annotations

from dataclasses import Field, dataclass, field
from typing import Any, ClassVar, TypeVar, dataclass_transform

from atnas.dsl.source import Part, Source, Span

C = TypeVar("C")


@dataclass_transform(frozen_default=True)
def node(cls: type[C]) -> type[C]:
    """A dataclass that compares, hashes and shows itself as `Node` says."""
    return dataclass(eq=False, repr=False)(cls)


@node
class Node:
    """Equal to another of its class whose fields are equal, its place aside."""

    __match_args__: ClassVar[tuple[str, ...]]
    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]
    span: Span

    def _values(self) -> list[Any]:
        return [getattr(self, name) for name in self.__match_args__[1:]]

    def __eq__(self, other: object) -> bool:
        return self is other or (type(self) is type(other) and self._values() == other._values())

    def __hash__(self) -> int:
        return hash((type(self).__name__, *self._values()))

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.__match_args__[1:])
        return f"{type(self).__name__}({shown})"


# Expressions


@node
class Name(Node):
    id: str


@node
class Number(Node):
    """A number with its unit applied: `60k` is 60000, `10%` is 0.1, `20ms` is 0.02 s, `2GB` is 2e9 bytes.

    `text` is what was written. `unit` is one of "", "s", "B", "%"; `k` and `M` leave it empty.
    """

    value: int | float
    text: str
    unit: str = ""


@node
class String(Node):
    value: str


@node
class Bool(Node):
    value: bool


@node
class List(Node):
    """`[a, b, c]`"""

    items: tuple[Expr, ...]


@node
class Each(Node):
    """`[item for names in source]`"""

    item: Expr
    names: tuple[Name, ...]
    source: Expr


@node
class Argument(Node):
    """`value` or `name = value` between the parentheses of a call."""

    name: Name | None
    value: Expr


@node
class Call(Node):
    """`function(arguments)`; the function of a call is always a name."""

    function: Name
    arguments: tuple[Argument, ...]


@node
class Index(Node):
    """`target[index]`"""

    target: Expr
    index: Expr


@node
class Range(Node):
    """`low..high step step`, both ends included."""

    low: Expr
    high: Expr
    step: Expr | None


@node
class Subset(Node):
    """`count of items`; the count is a number or a range."""

    count: Expr
    items: Expr


@node
class Binary(Node):
    """`left op right` with op one of `* / % + -` and, in constraints, `== != < <= > >= in and`."""

    op: str
    left: Expr
    right: Expr


@node
class Negate(Node):
    """`-operand`"""

    operand: Expr


@node
class Pipe(Node):
    """`left -> right`"""

    left: Expr
    right: Expr


@node
class Choice(Node):
    """`a | b | c`, flat: at least two options."""

    options: tuple[Expr, ...]


Expr = Name | Number | String | Bool | List | Each | Call | Index | Range | Subset | Binary | Negate | Pipe | Choice

# Statements of a body


@node
class Bind(Node):
    """`name = value`"""

    name: Name
    value: Expr


@node
class Require(Node):
    """`require condition if guard`"""

    condition: Expr
    guard: Expr | None


@node
class Draw(Node):
    """`name ~ value`, in `tasks` only"""

    name: Name
    value: Expr


@node
class Goal(Node):
    """`maximize objective` or `minimize objective`, in `search` only; direction is the keyword"""

    direction: str
    objective: Expr


# Declarations


@node
class Parameter(Node):
    """`name` or `name = default`"""

    name: Name
    default: Expr | None


@node
class Port(Node):
    """`name`, `name: (sizes)` or `(sizes)` alone is not allowed; sizes are numbers or names."""

    name: Name
    sizes: tuple[Expr, ...] | None


@node
class Layer(Node):
    """An `op`, `cell` or `space`.

    The short form `op f(p) = expression` has `short` set and neither ports nor body.
    `doc` is the text of the `##` lines before it.
    """

    keyword: str
    name: Name
    parameters: tuple[Parameter, ...]
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    body: tuple[Bind | Require, ...]
    short: Expr | None
    doc: str = ""


@node
class TypedParameter(Node):
    """`name: type` or `name: type = default`, in `extern op` only"""

    name: Name
    type: Name
    default: Expr | None


@node
class Extern(Node):
    """`extern op name(p: int = 3) [x: (n, h, w)] -> (c, h, w) = "module:Class"`; `output` are its sizes"""

    name: Name
    parameters: tuple[TypedParameter, ...]
    inputs: tuple[Port, ...]
    output: tuple[Expr, ...]
    target: String
    doc: str = ""

    keyword: ClassVar[str] = "extern op"


@node
class Settings(Node):
    """A `tasks`, `train`, `search` or `experiment`; `tasks t = mix(..)` is the short form."""

    keyword: str
    name: Name
    body: tuple[Bind | Draw | Goal | Require, ...]
    short: Expr | None
    doc: str = ""


@node
class Use(Node):
    """`use std.spaces (a, b)` or `use "file.atnas" (a)`; `path` is the string or the dotted name as text"""

    path: String | Name
    names: tuple[Name, ...]
    doc: str = ""


Declaration = Layer | Extern | Settings | Use


@dataclass(frozen=True)
class Chunk:
    """The declarations of one part of a file. It is sound where the parser had nothing to report."""

    part: Part
    doc: str
    declarations: tuple[Declaration, ...]
    tokens: int
    sound: bool


@dataclass(frozen=True)
class Program:
    """What a file declares, in order; `chunks` hold the same by the parts of the text, each of which was read alone."""

    source: Source
    declarations: tuple[Declaration, ...]
    chunks: tuple[Chunk, ...] = field(default=(), compare=False, repr=False)
