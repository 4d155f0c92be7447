"""Lists: comprehensions and elements."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from atnas.dsl import ast
from atnas.dsl.context import Context
from atnas.dsl.decide import among
from atnas.dsl.net import Pick
from atnas.dsl.values import UNKNOWN, Chosen, ListOf, Unknown, Value, sort

if TYPE_CHECKING:
    from atnas.dsl.elaborate import Elaborator


def each(elab: Elaborator, node: ast.Each, cx: Context) -> Value:
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
        items.append(elab.value(node.item, replace(cx, scope={**cx.scope, **names}, turns=(*cx.turns, i))))
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
    if isinstance(index, bool) or not isinstance(index, int):
        elab.builder.report("E201", node.index.span, f"an element has a whole number, not {sort(index)}")
        return UNKNOWN
    size = len(target.items) if isinstance(target, ListOf) else min(len(p) for p in target.picks)
    if not -size <= index < size:
        cure = f"they are numbered 0 to {size - 1}" if size else None
        elab.builder.report(
            "E210", node.index.span, f"there is no element {index}: the list has {size}", cure
        )
        return UNKNOWN
    if isinstance(target, ListOf):
        return target.items[index]
    at = [picks[index] for picks in target.picks]
    used = sorted(set(at))
    selector = Pick(target.decision, tuple(at))
    return among(elab, selector, tuple(used), [target.items[i] for i in used], [node] * len(used), node, cx)
