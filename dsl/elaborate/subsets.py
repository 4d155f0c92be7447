"""Where subsets are decided: `k of xs`."""

from __future__ import annotations

from itertools import combinations
from math import comb
from typing import TYPE_CHECKING

from atnas.dsl.elaborate.build import MOST_OPTIONS
from atnas.dsl.elaborate.context import Context
from atnas.dsl.elaborate.decide import empty, undone
from atnas.dsl.elaborate.lists import each
from atnas.dsl.elaborate.numbers import whole
from atnas.dsl.elaborate.values import UNKNOWN, Chosen, ListOf, Unknown, Value, sort
from atnas.dsl.syntax import ast
from atnas.dsl.syntax.unparse import text

if TYPE_CHECKING:
    from atnas.dsl.elaborate.expressions import Elaborator


def subset(elab: Elaborator, node: ast.Subset, cx: Context) -> Value:
    decision = elab.builder.reserve(cx.name(node), node)
    source = offered(elab, node.items, cx, decision)
    counts = sizes(elab, node.count, cx)
    if isinstance(source, Unknown) or counts is None:
        return undone(elab, decision)
    if not isinstance(source, ListOf):
        elab.builder.report("E201", node.items.span, f"`of` chooses from a list, not {sort(source)}")
        return undone(elab, decision)
    n = len(source.items)
    if counts[-1] > n or counts[0] < 0:
        elab.builder.report("E402", node.span, f"{text(node.count)} cannot be chosen of a list of {n}")
        return undone(elab, decision)
    if (total := sum(comb(n, k) for k in counts)) > MOST_OPTIONS:
        elab.builder.report("E405", node.span, f"this choice has {total:,} options; at most {MOST_OPTIONS:,} are taken")
        return undone(elab, decision)
    elab.spend(total)
    picks = tuple(p for k in counts for p in combinations(range(n), k))
    fits = elab.builder.decide(decision, "subset", [list(p) for p in picks], False, node.span)
    return Chosen(decision, picks, source.items) if fits else UNKNOWN


def sizes(elab: Elaborator, node: ast.Expr, cx: Context) -> range | None:
    if isinstance(node, ast.Range):
        low, high = (whole(elab, elab.value(e, cx), e.span, "a count") for e in (node.low, node.high))
        if low is None or high is None:
            return None
        if low > high:
            empty(elab, node, low, high)
            return None
        return range(low, high + 1)
    size = whole(elab, elab.value(node, cx), node.span, "a count")
    return None if size is None else range(size, size + 1)


def offered(elab: Elaborator, node: ast.Expr, cx: Context, decision: int) -> Value:
    """The list from which a decision chooses; what is written in it is come to where it is chosen."""
    if isinstance(node, ast.Each):
        return each(elab, node, cx, decision)
    if not isinstance(node, ast.List):
        return elab.value(node, cx)
    items: list[Value] = []
    for i, item in enumerate(node.items):
        with elab.builder.member(decision, i):
            items.append(elab.value(item, cx))
    return ListOf(tuple(items))
