"""Uses of an op or a cell that are alike are worked out once, by themselves, and copied to where they stand.

Before: a body is worked through for each use. After: once for all uses with the same arguments and shapes; a copy costs
what it decides and puts out. Its layers are made when somebody looks at them, which checking does not.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

from atnas.dsl.cases import LEAF, NEVER, TRUE, Cases, support
from atnas.dsl.elaborate.context import Context
from atnas.dsl.elaborate.move import ALONE, Move
from atnas.dsl.elaborate.values import UNKNOWN, Call, ListOf, Tensor, Undecided, Value
from atnas.dsl.modules import Declared
from atnas.dsl.net import Arith, Pick, Read
from atnas.dsl.operator import Shape
from atnas.dsl.record import record
from atnas.dsl.syntax import ast

if TYPE_CHECKING:
    from atnas.dsl.elaborate.build import Builder

Site = tuple[str, ast.Expr]
"""What a decision was asked for by: the way to it, and where it is written."""

MOST_PARTS: Final = 256
"""Parts of an argument that are compared: one of more is worked through."""


class Unfit(Exception):
    """What was worked out by itself has a finding: what is said of it depends on where it stands."""


@record
class Use:
    """A use whose arguments and tensors say nothing of where it stands, but for the decisions that they depend on.

    In `shapes` and `arguments` these are numbered from 0 on. Some of them may be the body's own, where it was used on
    the same way before: `own` are their sites by these numbers, `before` is that use. `guard` is where it is come to,
    as far as that has to do with what it is given.
    """

    call: Call
    tensors: tuple[int, ...]
    is_list: bool
    outer: tuple[int, ...]
    own: tuple[tuple[int, Site], ...]
    before: Made | None
    guard: Cases[bool]
    shapes: tuple[Cases[Shape], ...]
    arguments: tuple[tuple[str, Value], ...]

    @property
    def key(self) -> Hashable:
        """What uses that are alike share."""
        given = tuple(_word(value) for _, value in self.arguments)
        own = tuple((number, name, id(site)) for number, (name, site) in self.own)
        return id(self.call.declared.syntax), self.is_list, self.shapes, given, own, self.guard

    def alone(self) -> tuple[Call, Value, Context]:
        """The use by itself: what is called on what, and where the body stands."""
        tensors = tuple(map(Tensor, range(len(self.tensors))))
        way = self.call.way if _is_cell(self.call) else ALONE
        call = Call(self.call.declared, self.arguments, way, ALONE, self.call.span)
        cx = Context(call.declared.module, dict(self.arguments), way, ALONE, {}, self.guard)
        return call, ListOf(tensors) if self.is_list else tensors[0], cx


@record
class Template:
    """A use that was worked out by itself.

    The nodes of `body` begin with so many inputs, its decisions with those that inputs and arguments depend on. Uses
    nest in it as deep as its height.
    """

    body: Builder
    result: Value
    inputs: int
    height: int

    @property
    def is_whole(self) -> bool:
        """Whether all of it could be worked out."""
        return not self.body.undone and all(isinstance(output, Tensor) for output in _each(self.result))


class Made(NamedTuple):
    """A template and the numbers that its decisions have where it is used."""

    template: Template
    numbers: Mapping[int, int]

    @property
    def sites(self) -> dict[int, Site]:
        """The sites of the decisions that are its own, by their numbers there."""
        return {self.numbers[i]: site for i, site in self.template.body.own.items() if i in self.numbers}

    def within(self, places: Mapping[int, int]) -> Iterator[tuple[tuple[int, str], Made]]:
        """The uses in it, as they are where its decisions are renumbered once more."""
        for key, (template, numbers) in self.template.body.made.items():
            there = {i: self.numbers[n] for i, n in numbers.items() if n in self.numbers}
            yield key, Made(template, {i: places[n] for i, n in there.items() if n in places})


class Copy(NamedTuple):
    """A template where it is used."""

    template: Template
    move: Move


def use(builder: Builder, call: Call, given: Value, guard: Cases[bool]) -> Use | None:
    """A use apart from where it stands; None where that matters."""
    values = given.items if isinstance(given, ListOf) else (given,)
    tensors = tuple(value.node for value in values if isinstance(value, Tensor))
    shapes = tuple(builder.shapes[tensor] for tensor in tensors)
    if len(tensors) < len(values) or not call.way or NEVER in shapes:
        return None
    room = MOST_PARTS
    outer: set[int] = set()
    for _, value in call.arguments:
        if (room := _read(value, room, outer)) < 0:
            return None
    for shape in shapes:
        if shape.decision != LEAF:
            outer |= support(shape)
    is_list = isinstance(given, ListOf)
    if not outer:
        return Use(call, tensors, is_list, (), (), None, TRUE, shapes, call.arguments)
    before = builder.made.get((id(call.declared.syntax), call.way))
    sites = {} if before is None else before.sites
    if outer.isdisjoint(sites):
        before, sites = None, {}
    outer |= sites.keys()
    where = TRUE
    if guard is not TRUE and not (told := support(guard)).isdisjoint(outer):
        outer, where = outer | told, guard
    order = tuple(sorted(outer))
    move = Move({decision: i for i, decision in enumerate(order)}, (), 0, TRUE, "")
    arguments = tuple((name, _apart(value, move)) for name, value in call.arguments)
    own = tuple((i, sites[decision]) for i, decision in enumerate(order) if decision in sites)
    return Use(call, tensors, is_list, order, own, before, move.cases(where), tuple(map(move.cases, shapes)), arguments)


def copied(builder: Builder, template: Template, use: Use, guard: Cases[bool], place: str) -> Value | None:
    """Adds a template where it is used. None, with nothing done that working it through would not do as well,
    where names have to be told apart here that are not there."""
    body, way = template.body, use.call.way
    for (name, _), (site, told) in body.ways.items():
        if builder.way(_here(name, way), site) != _here(told, way):
            return None
    numbers, before = dict(enumerate(use.outer)), len(builder.decisions)
    for name, site in body.sites:
        numbers[len(numbers)] = builder.reserve(_here(name, way), site)
    again = {numbers[i] for i in range(len(use.outer), len(numbers)) if numbers[i] < before}
    if again and _is_entangled(body, use, guard, again, list(numbers.values())):
        return None
    for number in range(len(use.outer), len(numbers)):
        made = body.decisions[number]
        assert made is not None
        if not builder.decide(numbers[number], made.kind, made.options, made.ordered, made.span):
            return UNKNOWN
    builder.made[id(use.call.declared.syntax), way] = Made(template, numbers)
    move = Move(numbers, use.tensors, len(builder.nodes), guard if use.guard is TRUE else TRUE, place)
    builder.copy(Copy(template, move))
    for asked in body.asked:
        builder.require(move.asked(asked))
    for output in _each(template.result):
        assert isinstance(output, Tensor)
        if output.node >= template.inputs:
            builder.shapes[move.node(output.node)] = move.cases(body.shapes[output.node])
    return move.value(template.result)


def _is_entangled(body: Builder, use: Use, guard: Cases[bool], again: set[int], numbers: list[int]) -> bool:
    """Whether decisions of a body that were made before have to do with what it is given, or come in another order
    than in it, so that what depends on them would have to be worked out anew."""
    if not again.isdisjoint(use.outer) or (guard is not TRUE and not again.isdisjoint(support(guard))):
        return True
    return body.varies and any(a >= b for a, b in pairwise(numbers))


def _is_cell(call: Call) -> bool:
    """Whether its decisions are named in the same way wherever it is used."""
    syntax = call.declared.syntax
    return isinstance(syntax, ast.Layer) and syntax.keyword == "cell"


def _here(name: str, way: str) -> str:
    return way + name[len(ALONE) :] if name.startswith(ALONE) else name


def _each(value: Value) -> Iterator[Value]:
    if isinstance(value, ListOf):
        for item in value.items:
            yield from _each(item)
    else:
        yield value


# Arguments


def _read(value: Value, room: int, outer: set[int]) -> int:
    """How many parts there is room for after those of an argument; below 0 where that says where it stands.

    The decisions that it depends on come to `outer`.
    """
    if room < 0:
        return room
    match value:
        case int() | float() | str() | None | Undecided():
            return room - 1
        case ListOf(items) | Pick(options=items):
            if isinstance(value, Pick):
                outer.add(value.decision)
            room -= len(items)
            for item in items if room >= 0 else ():
                room = _read(item, room, outer)
            return room
        case Arith(_, left, right):
            return _read(right, _read(left, room - 1, outer), outer)
        case Read(cases):
            outer |= support(cases)
            return room - 1
        case _:
            return -1


def _apart(value: Value, move: Move) -> Value:
    """An argument of other decisions."""
    match value:
        case ListOf(items):
            return ListOf(tuple(_apart(item, move) for item in items))
        case Pick() | Arith() | Read():
            return move.number(value)
        case _:
            return value


def _word(value: Value) -> Hashable:
    """What two arguments share that are the same; 1 is not `true`."""
    match value:
        case Undecided(name, Declared(syntax=syntax), node):
            return name, id(syntax), node.span
        case Undecided(name, target, node):
            return name, target, node.span
        case ListOf(items):
            return tuple(map(_word, items))
        case Pick(decision, options):
            return Pick, decision, tuple(map(_word, options))
        case Arith(op, left, right):
            return op, _word(left), _word(right)
        case _:
            return type(value), value
