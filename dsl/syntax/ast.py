"""The program as written: one frozen class a rule of the grammar. Spans do not take part in equality."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from atnas.dsl.source import Source, Span


@dataclass(frozen=True)
class Node:
    span: Span = field(compare=False, repr=False)


# Expressions


@dataclass(frozen=True)
class Name(Node):
    id: str


@dataclass(frozen=True)
class Number(Node):
    """A number with its unit applied: `60k` is 60000, `10%` is 0.1, `20ms` is 0.02 s, `2GB` is 2e9 bytes.

    `text` is what was written. `unit` is one of "", "s", "B", "%"; `k` and `M` leave it empty.
    """

    value: int | float
    text: str
    unit: str = ""


@dataclass(frozen=True)
class String(Node):
    value: str


@dataclass(frozen=True)
class Bool(Node):
    value: bool


@dataclass(frozen=True)
class List(Node):
    """`[a, b, c]`"""

    items: tuple[Expr, ...]


@dataclass(frozen=True)
class Each(Node):
    """`[item for names in source]`"""

    item: Expr
    names: tuple[Name, ...]
    source: Expr


@dataclass(frozen=True)
class Argument(Node):
    """`value` or `name = value` between the parentheses of a call."""

    name: Name | None
    value: Expr


@dataclass(frozen=True)
class Call(Node):
    """`function(arguments)`; the function of a call is always a name."""

    function: Name
    arguments: tuple[Argument, ...]


@dataclass(frozen=True)
class Index(Node):
    """`target[index]`"""

    target: Expr
    index: Expr


@dataclass(frozen=True)
class Range(Node):
    """`low..high step step`, both ends included."""

    low: Expr
    high: Expr
    step: Expr | None


@dataclass(frozen=True)
class Subset(Node):
    """`count of items`; the count is a number or a range."""

    count: Expr
    items: Expr


@dataclass(frozen=True)
class Binary(Node):
    """`left op right` with op one of `* / % + -` and, in constraints, `== != < <= > >= in and`."""

    op: str
    left: Expr
    right: Expr


@dataclass(frozen=True)
class Negate(Node):
    """`-operand`"""

    operand: Expr


@dataclass(frozen=True)
class Pipe(Node):
    """`left -> right`"""

    left: Expr
    right: Expr


@dataclass(frozen=True)
class Choice(Node):
    """`a | b | c`, flat: at least two options."""

    options: tuple[Expr, ...]


Expr = Name | Number | String | Bool | List | Each | Call | Index | Range | Subset | Binary | Negate | Pipe | Choice

# Statements of a body


@dataclass(frozen=True)
class Bind(Node):
    """`name = value`"""

    name: Name
    value: Expr


@dataclass(frozen=True)
class Require(Node):
    """`require condition if guard`"""

    condition: Expr
    guard: Expr | None


@dataclass(frozen=True)
class Draw(Node):
    """`name ~ value`, in `tasks` only"""

    name: Name
    value: Expr


@dataclass(frozen=True)
class Goal(Node):
    """`maximize objective` or `minimize objective`, in `search` only; direction is the keyword"""

    direction: str
    objective: Expr


# Declarations


@dataclass(frozen=True)
class Parameter(Node):
    """`name` or `name = default`"""

    name: Name
    default: Expr | None


@dataclass(frozen=True)
class Port(Node):
    """`name`, `name: (sizes)` or `(sizes)` alone is not allowed; sizes are numbers or names."""

    name: Name
    sizes: tuple[Expr, ...] | None


@dataclass(frozen=True)
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


@dataclass(frozen=True)
class TypedParameter(Node):
    """`name: type` or `name: type = default`, in `extern op` only"""

    name: Name
    type: Name
    default: Expr | None


@dataclass(frozen=True)
class Extern(Node):
    """`extern op name(p: int = 3) [x: (n, h, w)] -> (c, h, w) = "module:Class"`; `output` are its sizes"""

    name: Name
    parameters: tuple[TypedParameter, ...]
    inputs: tuple[Port, ...]
    output: tuple[Expr, ...]
    target: String
    doc: str = ""

    keyword: ClassVar[str] = "extern op"


@dataclass(frozen=True)
class Settings(Node):
    """A `tasks`, `train`, `search` or `experiment`; `tasks t = mix(..)` is the short form."""

    keyword: str
    name: Name
    body: tuple[Bind | Draw | Goal | Require, ...]
    short: Expr | None
    doc: str = ""


@dataclass(frozen=True)
class Use(Node):
    """`use std.spaces (a, b)` or `use "file.atnas" (a)`; `path` is the string or the dotted name as text"""

    path: String | Name
    names: tuple[Name, ...]
    doc: str = ""


Declaration = Layer | Extern | Settings | Use


@dataclass(frozen=True)
class Program:
    source: Source
    declarations: tuple[Declaration, ...]
