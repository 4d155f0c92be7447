"""Tensors against the shapes that ports declare."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from atnas.dsl.cases import LEAF, NEVER, Cases, apply, both, only, values
from atnas.dsl.elaborate.context import Context
from atnas.dsl.elaborate.mismatch import Failure, PortRefusal, declared, written
from atnas.dsl.elaborate.values import Tensor, Unknown, Value
from atnas.dsl.net import Read, number
from atnas.dsl.operator import Shape
from atnas.dsl.source import Span
from atnas.dsl.syntax import ast

if TYPE_CHECKING:
    from atnas.dsl.elaborate.expressions import Elaborator


Come = tuple[Cases[bool], Cases[Shape]]
"""Where something is come to, and the shape that a tensor has there."""


def sizes(
    elab: Elaborator, port: ast.Port, tensor: Tensor, scope: dict[str, Value], cx: Context, call: Span | None
) -> Cases[bool]:
    """Reads the names in a port's shape off the tensor, into the scope, and compares the numbers with it.

    Returns where what follows is come to: where the body is, NEVER where the tensor does not fit. `call` is the use to
    blame then; without one it is the body's own output.
    """
    assert port.sizes is not None
    rank, nodes = len(port.sizes), (tensor.node, tensor.node + 1)
    blame = PortRefusal(call or port.span, NEVER, cx.guard, nodes=nodes, port=port)
    shape = elab.builder.shapes[tensor.node]
    come = cx.guard, shape
    if shape.decision != LEAF:  # in some cases there may be no tensor
        come = both(cx.guard, apply(lambda _: True, shape)), shape
    come = _fitting(elab, blame, come, lambda s: len(s) == rank, "")
    for i, size in enumerate(port.sizes):
        if isinstance(size, ast.Name) and size.id not in scope:
            actual: Cases[int] = apply(lambda s, i=i: s[i], come[1])
            known = values(actual)
            scope[size.id] = known[0] if len(known) == 1 else Read(actual)
            continue
        value = elab.value(size, cx.seeing(scope))
        if not isinstance(value, Unknown):
            known_as = f" with {size.id} = {{}}" if isinstance(size, ast.Name) else ""
            come = _fitting(elab, blame, come, lambda s, want, i=i: s[i] == want, known_as, number(value))  # type: ignore[arg-type]
    return come[0]


def _fitting(
    elab: Elaborator, blame: PortRefusal, come: Come, fits: Callable[..., bool], known: str, *wanted: Cases[Any]
) -> Come:
    """What is come to where a tensor fits; where it does not, `blame` is refused. `known` has a place for the size
    that was wanted."""
    guard, shape = come
    if all(values(apply(fits, shape, *wanted))):
        return come
    cases = apply(_compared(fits, blame.port, known), only(guard, shape), *wanted)
    if any(isinstance(value, Failure) for value in values(cases)):
        elab.builder.refuse(replace(blame, cases=cases, guard=guard))
    fitting = apply(lambda value: not isinstance(value, Failure), cases)
    return both(guard, only(fitting, fitting)), only(fitting, shape)


def _compared(fits: Callable[..., bool], port: ast.Port, known: str) -> Callable[..., Shape | Failure]:
    """A shape, or what is said where it does not fit; `known` with the size in it that was wanted."""

    def compared(shape: Shape, *wanted: Any) -> Shape | Failure:
        if fits(shape, *wanted):
            return shape
        text = f"`{port.name.id}` is declared as {declared(port)}{known.format(*wanted)}, and {written(shape)} came"
        return Failure(text, (shape,))

    return compared
