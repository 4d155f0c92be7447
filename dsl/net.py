"""A space with every name resolved: layers, choices and decisions in one flat, topologically ordered list.

This is what the compiler takes. Tensors are numbers of nodes. Numbers that depend on decisions are small expressions
(`Pick`, `Arith`), so that it stays known which decisions a number needs; their values for every architecture are
`Cases`.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property, partial, reduce
from types import UnionType
from typing import TYPE_CHECKING, Any, Literal, cast, overload

from atnas.dsl.cases import LEAF, TRUE, Cases, apply, at, choose, leaf, member, split
from atnas.dsl.operator import Shape
from atnas.dsl.record import record
from atnas.dsl.source import Span

if TYPE_CHECKING:
    from atnas.dsl.extern import Signature
    from atnas.dsl.latency import Table

LARGEST = 10**300
"""The largest number that arithmetic may give, so that it fits a float and a message."""

Json = int | float | bool | str | list[int]
Kind = Literal["layer", "tensor", "number", "subset", "depth"]


@record
class Decision:
    """One thing to decide. `options` are as they stand in an architecture's JSON; a gene is a position in them.

    `ordered` says that neighbouring options are near each other (numbers in a range, depths).
    """

    name: str
    kind: Kind
    options: tuple[Json, ...]
    ordered: bool
    span: Span

    def __post_init__(self) -> None:
        assert self.options

    @property
    def words(self) -> list[str]:
        """The options as they are written."""
        return [str(option).lower() if isinstance(option, bool) else str(option) for option in self.options]

    @property
    def listed(self) -> str:
        """The options as a choice is written."""
        return " | ".join(self.words)


@record
class Pick:
    """The number or word that stands at the option that `decision` takes."""

    decision: int
    options: tuple[Num, ...]

    @cached_property
    def is_plain(self) -> bool:
        """Whether every option is a value."""
        return not any(isinstance(option, Pick | Arith | Read) for option in self.options)

    @cached_property
    def cases(self) -> Cases[Static]:
        """Its value for every architecture."""
        values = [number(option) for option in self.options]
        if all(value.decision == LEAF for value in values):
            return split(self.decision, values)
        return choose(index_of(self.decision, len(self.options)), range(len(self.options)), values)


@record
class Arith:
    """`left op right`, op one of `+ - * / % == != < <= > >= in and`."""

    op: str
    left: Num
    right: Num

    @cached_property
    def cases(self) -> Cases[Static]:
        """Its value for every architecture."""
        return apply(lambda a, b: arithmetic(self.op, a, b), number(self.left), number(self.right))


@record
class Read:
    """A size read off a tensor, or whether a body is come to. It asks for no decision of its own."""

    cases: Cases[int]


Static = int | float | bool | str | None | tuple[int | float | str, ...]
Num = Static | Pick | Arith | Read


def number(num: Num) -> Cases[Static]:
    """The value of a number for every architecture."""
    match num:
        case Pick() | Arith():
            return num.cases
        case Read(cases):
            return cast("Cases[Static]", cases)
        case _:
            return leaf(num)


def equals(num: Num, value: Static) -> Cases[bool]:
    """Where a number has a value."""
    if isinstance(num, Pick) and num.is_plain:
        return member(num.decision, len(num.options), frozenset(i for i, o in enumerate(num.options) if o == value))
    return apply(lambda v: v == value, number(num))


def index_of(decision: int, options: int) -> Cases[int]:
    """The option that `decision` takes, as a number."""
    return split(decision, [leaf(i) for i in range(options)]) if options > 1 else leaf(0)


def evaluate(num: Num, genotype: Sequence[int]) -> Static:
    """The value of a number for one architecture."""
    match num:
        case Pick(decision, options):
            return evaluate(options[genotype[decision]], genotype)
        case Arith(op, left, right):
            return arithmetic(op, evaluate(left, genotype), evaluate(right, genotype))
        case Read(cases):
            return at(cases, genotype)
        case _:
            return num


def arithmetic(op: str, a: Static, b: Static) -> Static:
    """`a op b` on plain values; a number without fraction is whole.

    Raises ZeroDivisionError, TypeError, and OverflowError beyond `LARGEST`.
    """
    result: Static = OPERATIONS[op](a, b)
    if isinstance(result, int | float) and not abs(result) <= LARGEST:
        raise OverflowError
    return int(result) if isinstance(result, float) and result.is_integer() else result


OPERATIONS: Mapping[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "%": operator.mod,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "in": lambda a, b: a in b,
    "and": lambda a, b: bool(a and b),
}


@record
class Guard:
    """Holds where `decision` takes one of the allowed options: membership of one item in a chosen subset."""

    decision: int
    allowed: frozenset[int]


@record
class Edge:
    """A tensor given to a merge, and when; always where the guard is None."""

    node: int
    guard: Guard | None = None


@record
class InputNode:
    name: str
    shape: Shape


@record
class LayerNode:
    """One use of an operator, with weights of its own.

    `place` is its readable, unique name (`logits/dag[0][2]/x1/edge/conv`), the prefix of its weights; slashes, no dots.
    Operators that merge have any number of edges, perhaps guarded; all others as many as they take, unguarded.
    `shape` is the output's shape for every architecture.
    """

    operator: str | Signature
    arguments: tuple[tuple[str, Num], ...]
    edges: tuple[Edge, ...]
    place: str
    shape: Cases[Shape]
    span: Span


@record
class ChoiceNode:
    """The tensor of the source whose key is the selector's value: alternatives, depths, chosen tensors.

    A plain choice by decision d of k options has `Pick(d, (0, .., k - 1))` as its selector and 0 .. k - 1 as keys.
    """

    selector: Num
    keys: tuple[Static, ...]
    sources: tuple[int, ...]
    shape: Cases[Shape]
    span: Span


NetNode = InputNode | LayerNode | ChoiceNode


@record
class Constraint:
    """`condition` where `guard` holds. Metrics stand in it as the words `params`, `macs`, .. (see `Metric`)."""

    condition: Condition
    guard: Condition | None
    span: Span


@record
class Metric:
    """A cost: params, macs, flops, activations, depth or, in nanoseconds, `latency(phone)`.

    It is that of the nodes from .. to, or of the whole architecture.
    """

    name: str
    nodes: tuple[int, int] | None = None


@record
class Count:
    """How many of these uses are active: each its node, and where it is come to at all."""

    uses: tuple[tuple[int, Cases[bool]], ...]


@record
class Members:
    """How many members a subset has at each option of `decision`; 0 where that is inactive."""

    decision: int
    sizes: tuple[int, ...]


@record
class Compare:
    """`left op right`; sides are numbers, metrics, counts and the same again; op as in `Arith`."""

    op: str
    left: Condition
    right: Condition


Condition = Num | Metric | Count | Members | Compare


@record
class Asked:
    """A `require` line at one use: its condition, asked where its body is come to and the guards hold."""

    condition: Condition
    come: Cases[bool]
    guards: tuple[Condition, ...]
    span: Span

    @property
    def constraint(self) -> Constraint:
        """The same as one condition and its guard."""
        come: tuple[Condition, ...] = () if self.come is TRUE else (Read(apply(int, self.come)),)
        guards = (*come, *self.guards)
        return Constraint(self.condition, reduce(partial(Compare, "and"), guards) if guards else None, self.span)


def numeric(condition: Condition, measure: Callable[[Metric], int] | None = None) -> Num:
    """A condition without counts as a number, with the metrics' values in it; 0 where there is none to ask."""
    match condition:
        case Metric():
            return 0 if measure is None else measure(condition)
        case Compare(op, left, right):
            return Arith(op, numeric(left, measure), numeric(right, measure))
        case Count() | Members():
            raise ValueError("counts are numbers only where it is known what is active")
        case _:
            return condition


def speaks_of(condition: Condition, kinds: type | UnionType) -> bool:
    """Whether something of these kinds stands in a condition."""
    if isinstance(condition, Compare):
        return speaks_of(condition.left, kinds) or speaks_of(condition.right, kinds)
    return isinstance(condition, kinds)


def metrics(constraints: Iterable[Constraint]) -> set[str]:
    """The names of the metrics that stand in constraints."""
    found: set[str] = set()
    parts = [part for constraint in constraints for part in (constraint.condition, constraint.guard)]
    while parts:
        part = parts.pop()
        if isinstance(part, Compare):
            parts += [part.left, part.right]
        elif isinstance(part, Metric):
            found.add(part.name)
    return found


class Nodes(Sequence[NetNode]):
    """So many nodes, made when one is first looked at."""

    def __init__(self, size: int, make: Callable[[], Sequence[NetNode]]) -> None:
        self._size = size
        self._make = make

    @cached_property
    def made(self) -> tuple[NetNode, ...]:
        return tuple(self._make())

    def __len__(self) -> int:
        return self._size

    @overload
    def __getitem__(self, at: int) -> NetNode: ...
    @overload
    def __getitem__(self, at: slice) -> tuple[NetNode, ...]: ...
    def __getitem__(self, at: int | slice) -> NetNode | tuple[NetNode, ...]:
        return self.made[at]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and self.made == tuple(other)

    def __hash__(self) -> int:
        return hash(self.made)


@record
class Net:
    """A space. Node i may only refer to nodes before i. `tables` are those of the devices that it is measured on."""

    name: str
    inputs: tuple[int, ...]
    outputs: tuple[tuple[str, int], ...]
    nodes: Sequence[NetNode]
    decisions: tuple[Decision, ...]
    constraints: tuple[Constraint, ...] = ()
    tables: tuple[Table, ...] = ()
