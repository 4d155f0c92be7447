"""What `require` lines ask: comparisons of numbers, choices, costs and counts."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from operator import itemgetter
from typing import TYPE_CHECKING, Final

from atnas.dsl.cases import TRUE, Cases, values
from atnas.dsl.devices import device, misnamed
from atnas.dsl.elaborate.comparisons import TEXT, comparable, kinds_of, no_list
from atnas.dsl.elaborate.context import Context
from atnas.dsl.elaborate.template import Unfit
from atnas.dsl.elaborate.values import (
    LAYERS,
    NUMBERS,
    UNKNOWN,
    Alternatives,
    Call,
    Chosen,
    ListOf,
    Tensor,
    Undecided,
    Unknown,
    Value,
    sort,
)
from atnas.dsl.findings.diagnostics import Edit
from atnas.dsl.findings.names import unknown
from atnas.dsl.findings.suggest import nearest
from atnas.dsl.findings.units import compared
from atnas.dsl.latency import NANOSECONDS, metric
from atnas.dsl.modules import Declared
from atnas.dsl.net import (
    Asked,
    ChoiceNode,
    Compare,
    Condition,
    Count,
    LayerNode,
    Members,
    Metric,
    Pick,
    number,
    speaks_of,
)
from atnas.dsl.syntax import ast
from atnas.dsl.syntax.unparse import text
from atnas.dsl.syntax.walk import decision, parts, words

if TYPE_CHECKING:
    from atnas.dsl.elaborate.expressions import Elaborator

METRICS: Final = ("params", "macs", "flops", "activations", "depth")
MEASURED: Final = ("latency", "count")
"""Metrics that take an argument."""

OTHER_METRICS: Final = f"the metrics are {', '.join(METRICS)} and latency(device)"
"""The cure for a metric that there is none of."""

WHOLE: Final = ("depth",)
"""Metrics of whole spaces only."""

COMPARISONS: Final = ("==", "!=", "<", "<=", ">", ">=", "in", "and")
CHOOSING: Final = ("==", "!=", "in")
"""What compares a choice with its alternatives."""


def constraint(elab: Elaborator, statement: ast.Require, cx: Context, outputs: Sequence[Value] = ()) -> Asked | None:
    """A `require` line; it asks nothing where the body it stands in, with these outputs, is not used."""
    sides = [statement.condition] if statement.guard is None else [statement.condition, statement.guard]
    wanted, *rest = [condition(elab, side, cx) for side in sides]
    if isinstance(wanted, Unknown) or any(isinstance(r, Unknown) for r in rest):
        return None
    if not all(holds(elab, side, found) for side, found in zip(sides, (wanted, *rest), strict=True)):
        return None
    guards = [r for r in rest if not isinstance(r, Unknown)]
    if cx.nodes is not None and speaks_of(wanted, Metric | Count):  # what is not used has some too: zero
        used = Count(tuple((out.node, cx.guard) for out in outputs if isinstance(out, Tensor)))
        guards.insert(0, Compare(">=", used, 1))
    return Asked(wanted, cx.guard, tuple(guards), statement.span)


def holds(elab: Elaborator, node: ast.Expr, found: Condition | Unknown) -> bool:
    """Whether a condition is true or false, as a comparison is and a number is not; reports it where it is not."""
    if isinstance(found, Unknown) or (isinstance(found, Compare) and found.op in COMPARISONS):
        return True
    counted = isinstance(found, Metric | Count | Members | Compare | tuple)
    if not counted and all(isinstance(v, bool) for v in values(number(found))):  # type: ignore[arg-type]
        return True
    rest = isinstance(node, ast.Binary) and node.op == "%"
    cure, fix = (f"write {text(node)} == 0", (Edit(node.span, f"{node.span.text} == 0"),)) if rest else (None, ())
    cure = cure or f"write {text(node)} <= .."
    elab.builder.report("E404", node.span, "this is a number, and a condition compares", cure, fix=fix)
    return False


def condition(elab: Elaborator, node: ast.Expr, cx: Context) -> Condition | Unknown:
    """Comparisons of numbers, choices, metrics and counts, joined by `and`."""
    match node:
        case ast.Binary(op=op) if op in COMPARISONS:
            return _comparison(elab, node, cx)
        case ast.Binary() if _measures(node, cx):
            return _arithmetic(elab, node, cx)
        case ast.Name(id=word) if word in METRICS and word not in cx.scope:
            if cx.nodes is not None and word in WHOLE:
                elab.builder.report("E407", node.span, *beyond(node))
                return UNKNOWN
            return Metric(word, cx.nodes)
        case ast.Call(function=function) if function.id in MEASURED and elab.lookup(function.id, cx) is None:
            return _count(elab, node, cx) if function.id == "count" else _latency(elab, node, cx)
        case ast.Number(value=value, unit="s"):
            return _nanoseconds(value)
        case ast.List(items=items):
            fixed = tuple(_item(elab, item, cx) for item in items)
            if all(isinstance(f, int | float | str) for f in fixed):
                return fixed  # type: ignore[return-value]
            if not any(isinstance(f, Unknown) for f in fixed):
                elab.builder.report("E404", node.span, "a condition compares with a list of fixed numbers")
            return UNKNOWN
        case _:
            return _plain(elab, node, cx)


def _comparison(elab: Elaborator, node: ast.Binary, cx: Context) -> Condition | Unknown:
    units = list(compared(node, METRICS, cx.scope)) if node.op != "and" else []
    if units:
        for finding in units:
            elab.builder.tell(finding)
        return UNKNOWN
    chosen = _chosen(elab, node.left, cx) if node.op in CHOOSING else None
    if chosen is not None:
        return _with_alternative(elab, node, chosen)
    first = condition(elab, node.left, cx)
    second = UNKNOWN if isinstance(first, Unknown) else condition(elab, node.right, cx)
    if isinstance(first, Unknown) or isinstance(second, Unknown):
        return UNKNOWN
    if node.op == "and":
        fits = holds(elab, node.left, first) and holds(elab, node.right, second)
    else:
        fits = comparable(elab, node, first, second)
    return Compare(node.op, first, second) if fits else UNKNOWN


def _item(elab: Elaborator, node: ast.Expr, cx: Context) -> Value:
    """One of the values that a condition compares with."""
    if isinstance(node, ast.Number) and node.unit == "s":
        return _nanoseconds(node.value)
    return elab.value(node, elab.inside(node, cx))


def _measures(node: ast.Expr, cx: Context) -> bool:
    """Whether a metric, a count or a time stands in an expression."""
    timed = any(isinstance(part, ast.Number) and part.unit == "s" for part in parts(node))
    return timed or any(word.id in (*METRICS, *MEASURED) and word.id not in cx.scope for word in words(node))


def _arithmetic(elab: Elaborator, node: ast.Binary, cx: Context) -> Condition | Unknown:
    """Sums and their like of metrics, counts and numbers."""
    sides = [condition(elab, side, cx) for side in (node.left, node.right)]
    for side, found in zip((node.left, node.right), sides, strict=True):
        if isinstance(found, Unknown):
            return UNKNOWN
        compares = isinstance(found, Compare) and found.op in COMPARISONS
        if isinstance(found, tuple) or compares or TEXT in kinds_of(found):
            elab.builder.report("E208", side.span, f"`{node.op}` works on numbers, and this is none")
            return UNKNOWN
    return Compare(node.op, *sides)  # type: ignore[arg-type]


def _plain(elab: Elaborator, node: ast.Expr, cx: Context) -> Condition | Unknown:
    """A number; anything else is a finding."""
    if (made := decision(node)) is not None:
        elab.builder.report(
            "E404",
            made.span,
            "a condition compares, and decides nothing itself",
            "give the choice a name and compare that; write a set of values as a list",
        )
        return UNKNOWN
    value = _named(elab, node, cx)
    if isinstance(value, (*NUMBERS, Unknown)):
        return value
    cure = "compare it with one of its alternatives by `==`" if _is_choice(elab, value, cx) else None
    message = f"a condition compares numbers, choices and metrics, and this is {sort(value)}"
    elab.builder.report("E404", node.span, message, cure or "compare a number that the choice depends on")
    return UNKNOWN


def _named(elab: Elaborator, node: ast.Expr, cx: Context) -> Value:
    if isinstance(node, ast.Name) and elab.lookup(node.id, cx) is None:
        elab.builder.tell(unknown(node, chain(cx.scope, METRICS), OTHER_METRICS))
        return UNKNOWN
    return elab.value(node, elab.inside(node, cx))


# Choices between layers or tensors


def _chosen(elab: Elaborator, node: ast.Expr, cx: Context) -> int | None:
    """The decision between layers or tensors that a name stands for; None where it stands for none."""
    if not isinstance(node, ast.Name) or node.id not in cx.scope:
        return None
    return _decision(elab, cx.scope[node.id], cx)


def _is_choice(elab: Elaborator, value: Value, cx: Context) -> bool:
    return _decision(elab, value, cx) is not None


def _decision(elab: Elaborator, value: Value, cx: Context) -> int | None:
    match value:
        case Alternatives(selector=Pick(decision=number)):
            return number
        case Call(
            declared=Declared(
                syntax=ast.Layer(
                    short=short,
                )
            ) as declared
        ) if short is not None:
            inner = Context(declared.module, dict(value.arguments), value.way, value.place, {}, cx.guard)
            inner = elab.inside(short, inner)
            return _decision(elab, elab.value(short, inner), inner)
        case Tensor(node):
            made = elab.builder.whole()[node]
            if isinstance(made, ChoiceNode) and isinstance(made.selector, Pick):
                about = elab.builder.decisions[made.selector.decision]
                return made.selector.decision if about is not None and about.kind == "tensor" else None
    return None


def _with_alternative(elab: Elaborator, node: ast.Binary, chosen: int) -> Condition | Unknown:
    """`edge == skip`: the option that the decision takes, by how it is written."""
    about = elab.builder.decisions[chosen]
    assert about is not None
    if chosen < elab.builder.outer:  # what its options are called depends on where this stands
        raise Unfit
    words = [str(option) for option in about.options]
    listed = node.op == "in"
    if listed and not isinstance(node.right, ast.List):
        no_list(elab, node)
        return UNKNOWN
    wanted = node.right.items if isinstance(node.right, ast.List) else (node.right,)
    for item in wanted:
        if text(item) not in words:
            _no_alternative(elab, node.left, item, words)
            return UNKNOWN
    found = tuple(text(item) for item in wanted)
    return Compare(node.op, Pick(chosen, tuple(words)), found if listed else found[0])


def _no_alternative(elab: Elaborator, choice: ast.Expr, item: ast.Expr, words: list[str]) -> None:
    close = nearest(text(item), words)
    cure = f"did you mean `{close}`?" if close else f"its alternatives are {', '.join(f'`{w}`' for w in words)}"
    fix = (Edit(item.span, close),) if close else ()
    message = f"`{text(choice)}` has no alternative `{text(item)}`"
    elab.builder.report("E404", item.span, message, cure, fix=fix)


# Counts


def _count(elab: Elaborator, node: ast.Call, cx: Context) -> Condition | Unknown:
    """`count(op)`: its active uses in this body; `count(list)`: the members that are chosen."""
    if len(node.arguments) != 1 or node.arguments[0].name is not None:
        elab.builder.report("E204", node.span, "`count` takes one argument, an op or a chosen list")
        return UNKNOWN
    given = node.arguments[0].value
    value = _named(elab, given, cx)
    match value:
        case Unknown():
            return UNKNOWN
        case Undecided() if not elab.builder.nodes:
            message = "a search knows no uses to count"
            elab.builder.report("E407", node.span, message, "move the line to the space, the op or the cell")
            return UNKNOWN
        case Undecided(target=target):
            return Count(tuple(_uses(elab, target, cx)))
        case Chosen(decision, picks):
            return Members(decision, tuple(map(len, picks)))
        case ListOf(items):
            return len(items)
    message = f"`count` takes an op or a chosen list, and this is {sort(value)}"
    cure = "name the op without parentheses" if isinstance(value, LAYERS) else None
    elab.builder.report("E404", given.span, message, cure)
    return UNKNOWN


def _uses(elab: Elaborator, target: object, cx: Context) -> list[tuple[int, Cases[bool]]]:
    first, last = cx.nodes or (0, len(elab.builder.nodes))
    nodes = elab.builder.whole()
    if isinstance(target, Declared):
        uses = elab.builder.uses
        found = [(n, where) for syntax, n, where in uses if syntax is target.syntax and first <= n < last]
        return sorted(found, key=itemgetter(0))
    return [
        (n, TRUE) for n in range(first, last) if isinstance(made := nodes[n], LayerNode) and made.operator == target
    ]


def beyond(node: ast.Name) -> tuple[str, str]:
    """What is said of a metric that cannot be had, and the cure."""
    return (
        f"`{node.id}` is measured for whole spaces, not for one op or cell",
        "move the line to the space or the search, or compare numbers here",
    )


# Latencies


def _latency(elab: Elaborator, node: ast.Call, cx: Context) -> Metric | Unknown:
    """`latency(phone)`, whatever else is called `phone`."""
    found = device(node)
    if found is None:
        elab.builder.tell(misnamed(node))
        return UNKNOWN
    return Metric(metric(found.id), cx.nodes)


def _nanoseconds(time: float) -> int:
    """Seconds as latencies are counted."""
    return round(time * NANOSECONDS)
