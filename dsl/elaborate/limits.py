"""What constraints on decisions do to a space, found out while it is worked out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from atnas.dsl.cases import TRUE, Cases, apply, both, choose, otherwise, values
from atnas.dsl.elaborate.needed import demands
from atnas.dsl.findings.diagnostics import Diagnostic
from atnas.dsl.findings.edits import without
from atnas.dsl.meter import TooLarge
from atnas.dsl.net import (
    Arith,
    Compare,
    Condition,
    Constraint,
    Count,
    Members,
    Metric,
    Pick,
    number,
    numeric,
    speaks_of,
)
from atnas.dsl.source import Span

Outcomes = Mapping[Span, frozenset[bool]]
"""What a `require` line can be, by its place."""

BOTH: Final = frozenset({True, False})


def met(constraints: Iterable[Constraint], needed: Sequence[Cases[bool]] | None = None) -> Cases[bool]:
    """Where the constraints hold, as far as they speak of decisions alone. TRUE where that is too much to say.

    Where it is known of each decision where it is needed, they ask nothing where one that they name is not. What is
    read off a tensor that is not there asks nothing either.
    """
    holds: Cases[bool] = TRUE
    for constraint in filter(_is_plain, constraints):
        try:
            where = otherwise(_where(constraint), True)
            if needed is not None:
                where = choose(_applies(constraint, needed), (True, False), (where, TRUE))
            holds = both(holds, where)
        except (TooLarge, RecursionError):
            continue
    return holds


def _applies(constraint: Constraint, needed: Sequence[Cases[bool]]) -> Cases[bool]:
    """Where every decision that a constraint names is needed."""
    applies: Cases[bool] = TRUE
    for part in (constraint.condition, constraint.guard):
        for decision, where in demands(numeric(part), TRUE):
            applies = both(applies, choose(where, (True, False), (needed[decision], TRUE)))
    return applies


def outcomes(constraints: Iterable[Constraint]) -> Outcomes:
    """What each line can be at all its uses together."""
    found: dict[Span, frozenset[bool]] = {}
    for constraint in constraints:
        found[constraint.span] = found.get(constraint.span, frozenset()) | _outcomes(constraint)
    return found


def idle(worked: Iterable[Outcomes]) -> Iterator[Diagnostic]:
    """Findings on lines that exclude nothing, or everything, in every space in which they stand."""
    said: dict[Span, frozenset[bool]] = {}
    for found in worked:
        for span, can_be in found.items():
            said[span] = said.get(span, frozenset()) | can_be
    for span, can_be in said.items():
        if can_be == {True}:
            message = "this excludes nothing: it holds whatever is decided"
            yield Diagnostic("W401", span, message, "leave it out", fix=without(span))
        elif can_be == {False}:
            yield Diagnostic("W402", span, "this never holds, whatever is decided", "loosen it, or leave it out")


def _outcomes(constraint: Constraint) -> frozenset[bool]:
    """What the condition can be; both for one that cannot be told here."""
    if not _is_plain(constraint):
        return BOTH
    if not _decides(constraint.condition) and not _decides(constraint.guard):
        # On arguments and sizes alone: it says what they must be, and some may be so.
        told = values(apply(bool, number(numeric(constraint.condition))))
        met_where = values(_where(constraint))
        return BOTH if True in told or False not in met_where else frozenset({False})
    try:
        can_be: list[bool] = values(_where(constraint))
        return frozenset(can_be)
    except (TooLarge, RecursionError):
        return BOTH


def _decides(condition: Condition) -> bool:
    """Whether a condition depends on what is decided."""
    match condition:
        case Compare(_, left, right) | Arith(_, left, right):
            return _decides(left) or _decides(right)
        case _:
            return isinstance(condition, Pick)


def _is_plain(constraint: Constraint) -> bool:
    beyond = Metric | Count | Members
    return not speaks_of(constraint.condition, beyond) and not speaks_of(constraint.guard, beyond)


def _where(constraint: Constraint) -> Cases[bool]:
    """Where a constraint on decisions holds; TRUE where its guard does not."""
    holds = apply(bool, number(numeric(constraint.condition)))
    if constraint.guard is None:
        return holds
    guard = apply(bool, number(numeric(constraint.guard)))
    return choose(guard, (True, False), (holds, TRUE))
