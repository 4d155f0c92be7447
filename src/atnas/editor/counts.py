"""How many architectures there are of a part of a program: of a space, of one use of an op, up to a binding.

A part is counted as a space of its own: what is bound before it stands in the body, it is the output, and inputs and
parameters that nobody gives are stand-ins.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from atnas.dsl.elaborate.space import work_out
from atnas.dsl.modules import Declared
from atnas.dsl.net import Net
from atnas.dsl.operator import Shape
from atnas.dsl.source import Span
from atnas.dsl.syntax import ast
from atnas.dsl.syntax.walk import expressions, parts, words
from atnas.editor.meaning import operator_parameters, own_parameters

MOST_NODES: Final = 5_000
"""Nodes of a space beyond which nothing is counted while somebody waits."""

MOST_NETS: Final = 64
DEEPEST: Final = 8

STAND_IN: Final = 16
SHAPES: Final[tuple[Shape, ...]] = ((16, 32, 32), (64, 16), (16,))
"""What is tried as an input of unknown shape: a map, a sequence, a vector."""

PART: Final = "the part"
OUTPUT: Final = "out of it"
INPUT: Final = "into it"
"""Names that no program can have."""


class Counts:
    """Counts nets, each once, as long as there are not too many."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[Net, int]] = {}

    def of(self, net: Net) -> int | None:
        """How many architectures there are, with the conditions on decisions; None where that takes too long."""
        if len(net.nodes) > MOST_NODES:
            return None
        if id(net) not in self._known:
            from atnas.compiler.space import compile  # brings networkx, a third of a second

            if len(self._known) >= MOST_NETS:
                self._known.clear()
            self._known[id(net)] = net, compile(net).encoding.count()
        return self._known[id(net)][1]


def use(callee: Declared) -> Net | None:
    """One use of an op or cell by itself; None where no stand-ins suit it."""
    syntax = callee.syntax
    if not isinstance(syntax, ast.Layer) or syntax.keyword == "space":
        return None
    value, span = _call(callee), syntax.name.span
    inputs: list[ast.Port | None] = [*syntax.inputs] or [None]
    for shape in SHAPES:
        ports = tuple(_port(port, f"{INPUT} {i}", shape, span) for i, port in enumerate(inputs))
        given = ports[0].name if len(ports) == 1 else ast.List(span, tuple(port.name for port in ports))
        part = ast.Bind(span, ast.Name(span, PART), ast.Pipe(span, given, value))
        net = _net(callee, (), ports, (part,), _outputs(syntax))
        if net is not None:
            return net
    return None


def binding(name: ast.Name, around: Declared) -> Net | None:
    """The body around a binding up to there; None where it is no tensor."""
    syntax = around.syntax
    assert isinstance(syntax, ast.Layer)
    parameters = tuple(
        p if p.default is not None else replace(p, default=_stand_in(around, p.name.id)) for p in syntax.parameters
    )
    for shape in SHAPES:
        ports = tuple(_port(port, port.name.id, shape, name.span) for port in syntax.inputs)
        net = _net(around, parameters, ports, tuple(_before(syntax, name)), [name])
        if net is not None:
            return net
    return None


def options(value: ast.Expr) -> int | None:
    """How many options a choice has that is written as it stands; None for other expressions."""
    match value:
        case ast.Choice(options=found):
            return len(found)
        case ast.Range(low=ast.Number(value=int(low)), high=ast.Number(value=int(high)), step=None):
            return max(0, high - low + 1)
        case ast.Range(
            low=ast.Number(value=int(low)), high=ast.Number(value=int(high)), step=ast.Number(value=int(step))
        ) if step > 0:
            return max(0, (high - low) // step + 1)
        case _:
            return None


def _net(
    home: Declared,
    parameters: tuple[ast.Parameter, ...],
    inputs: tuple[ast.Port, ...],
    body: tuple[ast.Bind | ast.Require, ...],
    outputs: Sequence[ast.Expr],
) -> Net | None:
    """A body as a space of its own."""
    name = home.syntax.name
    ports = tuple(ast.Port(name.span, ast.Name(name.span, f"{OUTPUT} {i}"), None) for i in range(len(outputs)))
    ends = (ast.Bind(name.span, port.name, value) for port, value in zip(ports, outputs, strict=True))
    part = ast.Layer(name.span, "space", name, parameters, inputs, ports, (*body, *ends), None)
    return work_out(Declared(part, home.module)).net


def _outputs(syntax: ast.Layer) -> list[ast.Expr]:
    """Each output of a part."""
    span = syntax.name.span
    part = ast.Name(span, PART)
    if len(syntax.outputs) < 2:
        return [part]
    return [ast.Index(span, part, _number(span, i)) for i in range(len(syntax.outputs))]


def _before(syntax: ast.Layer, name: ast.Name) -> Iterator[ast.Bind | ast.Require]:
    """What is bound up to a name, itself included, and the conditions that speak of nothing else."""
    bound = [s for s in syntax.body if isinstance(s, ast.Bind) and s.span.start <= name.span.start]
    known = {s.name.id for s in bound} | {p.name.id for p in syntax.parameters}
    yield from bound
    for statement in syntax.body:
        if isinstance(statement, ast.Require):
            sides = [statement.condition] + ([statement.guard] if statement.guard is not None else [])
            if all(word.id in known for side in sides for word in words(side)):
                yield statement


def _call(callee: Declared) -> ast.Expr:
    """A use with stand-ins for what has no default."""
    syntax = callee.syntax
    assert isinstance(syntax, ast.Layer)
    needed = [p for p in syntax.parameters if p.default is None]
    if not needed:
        return ast.Name(syntax.name.span, syntax.name.id)
    given = tuple(ast.Argument(p.span, p.name, _stand_in(callee, p.name.id)) for p in needed)
    return ast.Call(syntax.name.span, syntax.name, given)


def _stand_in(owner: Declared, parameter: str, deep: int = 0) -> ast.Expr:
    """A value for a parameter, of the kind that the operators want to which it is handed on."""
    syntax = owner.syntax
    number = ast.Number(syntax.name.span, STAND_IN, str(STAND_IN))
    if not isinstance(syntax, ast.Layer) or deep > DEEPEST:
        return number
    for call in (part for value in expressions(syntax) for part in parts(value) if isinstance(part, ast.Call)):
        for place, argument in enumerate(call.arguments):
            if isinstance(argument.value, ast.Name) and argument.value.id == parameter:
                found = _wanted(owner, call.function.id, argument.name.id if argument.name else place, deep)
                if found is not None and not isinstance(found, ast.Number):
                    return found
    return number


def _wanted(owner: Declared, callee: str, parameter: str | int, deep: int) -> ast.Expr | None:
    """A value for an argument of a callee."""
    span = owner.syntax.name.span
    declared = owner.module.names.get(callee)
    if declared is not None:
        names = [p.name.id for p in own_parameters(declared)]
        name = parameter if isinstance(parameter, str) else dict(enumerate(names)).get(parameter)
        return _stand_in(declared, name, deep + 1) if name in names and name is not None else None
    infos = [i for place, i in enumerate(operator_parameters(callee)) if parameter in (place, i.name)]
    if not infos:
        return None
    if infos[0].words:
        return ast.Name(span, infos[0].words[0])
    return ast.Bool(span, False) if infos[0].kind is bool else None


def _port(port: ast.Port | None, name: str, shape: Shape, span: Span) -> ast.Port:
    """An input of this shape; of another where its declaration says so."""
    sizes: tuple[ast.Expr, ...] = tuple(_number(span, size) for size in shape)
    if port is not None and port.sizes is not None:
        rank = len(port.sizes)
        stand_in = next((s for s in (shape, *SHAPES) if len(s) == rank), (STAND_IN,) * rank)
        pairs = zip(port.sizes, stand_in, strict=True)
        sizes = tuple(size if isinstance(size, ast.Number) else _number(span, n) for size, n in pairs)
    return ast.Port(span, ast.Name(span, name), sizes)


def _number(span: Span, value: int) -> ast.Number:
    return ast.Number(span, value, str(value))
