"""What the language has beside operators: `chain(layers)` and `range(n)`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from atnas.dsl.elaborate.build import MOST_OPTIONS
from atnas.dsl.elaborate.context import Context
from atnas.dsl.elaborate.numbers import NO_EDITS, whole
from atnas.dsl.elaborate.values import (
    LAYERS,
    UNKNOWN,
    Alternatives,
    Chain,
    Chosen,
    ListOf,
    Undecided,
    Unknown,
    Value,
    sort,
)
from atnas.dsl.findings.calls import lone
from atnas.dsl.findings.edits import around
from atnas.dsl.meter import WALKED
from atnas.dsl.net import Pick
from atnas.dsl.syntax import ast
from atnas.dsl.syntax.unparse import text

if TYPE_CHECKING:
    from atnas.dsl.elaborate.expressions import Elaborator

BUILTINS: Final = {"chain": "a list of layers", "range": "a whole number"}
"""What each takes."""


def builtin(elab: Elaborator, node: ast.Call, cx: Context) -> Value:
    """What `chain(..)` or `range(..)` means here."""
    word = node.function.id
    odd = lone(node, BUILTINS[word])
    if odd is not None:
        elab.builder.tell(odd)
        return UNKNOWN
    given = node.arguments[0].value
    value = elab.value(given, cx)
    if word == "range":
        size = whole(elab, value, given.span, "the length of a list", most=MOST_OPTIONS)
        elab.spend(size or 0)
        return UNKNOWN if size is None else ListOf(tuple(range(size)))
    return _chain(elab, value, given, cx)


def _chain(elab: Elaborator, value: Value, node: ast.Expr, cx: Context) -> Value:
    """The layers of a list one after another; of a chosen list those that are chosen."""
    if isinstance(value, Chosen):
        elab.spend(len(value.items) * len(value.picks) // WALKED)
        options = [elab.layer(i, node, cx) for i in value.items]
        if any(isinstance(o, Unknown) for o in options):
            return UNKNOWN
        return Chain(
            tuple(
                Alternatives(
                    Pick(value.decision, tuple(int(i in picks) for picks in value.picks)),
                    (0, 1),
                    (Chain(()), option),  # type: ignore[arg-type]
                    node.span,
                )
                for i, option in enumerate(options)
            )
        )
    if not isinstance(value, ListOf):
        if not isinstance(value, Unknown):
            cure, fix = None, NO_EDITS
            if isinstance(value, (*LAYERS, Undecided)):
                cure, fix = f"write chain([{text(node)}])", around(node.span, "[", "]")
            elab.builder.report("E201", node.span, f"`chain` takes a list of layers, not {sort(value)}", cure, fix=fix)
        return UNKNOWN
    items = node.items if isinstance(node, ast.List) else [node] * len(value.items)
    turns = [cx.turn(i) for i in range(len(items))]
    contexts = [cx] * len(items) if isinstance(node, ast.List) else turns
    parts = [elab.layer(v, n, c) for v, n, c in zip(value.items, items, contexts, strict=True)]
    if any(isinstance(p, Unknown) for p in parts):
        return UNKNOWN
    return Chain(tuple(parts))  # type: ignore[arg-type]
