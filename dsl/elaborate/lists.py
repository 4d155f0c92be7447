"""Lists: comprehensions and elements."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast

from atnas.dsl.cases import apply, values
from atnas.dsl.elaborate.context import Context
from atnas.dsl.elaborate.decide import among
from atnas.dsl.elaborate.mismatch import Failure, NumberRefusal
from atnas.dsl.elaborate.values import UNKNOWN, Chosen, ListOf, Unknown, Value, sort
from atnas.dsl.net import Arith, Pick, Static, number
from atnas.dsl.syntax import ast

if TYPE_CHECKING:
    from atnas.dsl.elaborate.expressions import Elaborator


def each(elab: Elaborator, node: ast.Each, cx: Context, chosen: int | None = None) -> Value:
    """A list made from a list; `chosen` is the decision that chooses from it, if that is all it is for."""
    source = elab.value(node.source, cx)
    if not isinstance(source, ListOf | Chosen):
        if not isinstance(source, Unknown):
            elab.builder.report("E201", node.source.span, f"`for` goes over a list, not {sort(source)}")
        return UNKNOWN
    items: list[Value] = []
    for i, item in enumerate(source.items):
        names = unpacked(elab, node, item)
        if names is None:
            return UNKNOWN
        turn = cx.turn(i, {**cx.scope, **names})
        if chosen is None:
            items.append(elab.value(node.item, turn))
            continue
        with elab.builder.member(chosen, i):
            items.append(elab.value(node.item, turn))
    return replace(source, items=tuple(items))


def unpacked(elab: Elaborator, node: ast.Each, item: Value) -> dict[str, Value] | None:
    if len(node.names) == 1:
        return {node.names[0].id: item}
    if isinstance(item, ListOf) and len(item.items) == len(node.names):
        return {n.id: v for n, v in zip(node.names, item.items, strict=True)}
    if not isinstance(item, Unknown):
        has = f"has {len(item.items)}" if isinstance(item, ListOf) else f"is {sort(item)}"
        span = node.names[0].span.to(node.names[-1].span)
        elab.builder.report("E210", span, f"there are {len(node.names)} names, and an element {has}")
    return None


def index(elab: Elaborator, node: ast.Index, cx: Context) -> Value:
    target = elab.value(node.target, cx)
    index = elab.value(node.index, cx)
    if isinstance(target, Unknown) or isinstance(index, Unknown):
        return UNKNOWN
    if not isinstance(target, ListOf | Chosen):
        elab.builder.report("E201", node.target.span, f"only a list has elements, and this is {sort(target)}")
        return UNKNOWN
    size = len(target.items) if isinstance(target, ListOf) else min(len(p) for p in target.picks)
    places = _places(elab, index, size, node, cx)
    if places is None:
        return UNKNOWN
    if isinstance(target, ListOf) and len(places) == 1:
        return target.items[places[0]]
    if isinstance(target, ListOf):
        selector, keys = cast("Pick | Arith", index), places
    elif len(places) == 1:
        at = tuple(picks[places[0]] for picks in target.picks)
        selector, keys = Pick(target.decision, at), sorted(set(at))
    else:
        elab.builder.report("E201", node.index.span, "an element of a chosen list has a fixed number, not a decision")
        return UNKNOWN
    options = [target.items[k] for k in keys]
    return among(elab, selector, tuple(keys), options, [node] * len(keys), node, cx)


def _places(elab: Elaborator, index: Value, size: int, node: ast.Index, cx: Context) -> list[int] | None:
    """The positions that an index can have in a list of that size; None with a finding where one does not exist."""
    if isinstance(index, bool) or not isinstance(index, int | Pick | Arith):
        elab.builder.report("E201", node.index.span, f"an element has a whole number, not {sort(index)}")
        return None
    cases = number(index)

    def is_in(place: Static) -> bool:
        return isinstance(place, int) and not isinstance(place, bool) and -size <= place < size

    if not all(map(is_in, values(cases))):
        odd = apply(lambda i: i if is_in(i) else Failure(f"there is no element {i}: the list has {size}"), cases)
        cure = f"they are numbered 0 to {size - 1}" if size else None
        elab.builder.refuse(NumberRefusal(node.index.span, odd, cx.guard, code="E210", cure=cure))
        return None
    return [i for i in values(cases) if isinstance(i, int)]
