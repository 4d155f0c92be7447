"""`require` lines as conditions on an architecture.

Those that speak of decisions alone are `Cases`, so that counting and sampling respect them exactly. Those
that speak of metrics can only be asked of one architecture at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import reduce

from atnas.compiler.activity import Activity, Genotype, demands, implies, true
from atnas.compiler.factors import otherwise
from atnas.dsl.cases import TRUE, Cases, at, both
from atnas.dsl.net import Arith, Compare, Condition, Constraint, Metric, Num, evaluate

Allowed = Callable[[Genotype], bool]


def speaks_of_metrics(constraint: Constraint) -> bool:
    """Whether a metric stands in the condition or after its `if`."""
    return _has_metric(constraint.condition) or _has_metric(constraint.guard)


def condition(constraint: Constraint, activity: Activity) -> Cases[bool]:
    """Where a constraint on decisions alone is met. Where a decision it needs is inactive it is."""
    met = true(_with_costs(constraint.condition, {}))
    if constraint.guard is not None:
        met = implies(true(_with_costs(constraint.guard, {})), met)
    # NEVER is a number read off a tensor that is not there.
    return implies(_applies(constraint, activity), otherwise(met, True))


def predicate(
    constraints: Iterable[Constraint], activity: Activity, costs: Callable[[Genotype], Mapping[str, int]]
) -> Allowed:
    """Whether an architecture meets all the constraints; `costs` gives its metrics and is asked only if
    need be.
    """
    exact = [condition(c, activity) for c in constraints if not speaks_of_metrics(c)]
    measured = [(_applies(c, activity), c) for c in constraints if speaks_of_metrics(c)]

    def allowed(genotype: Genotype) -> bool:
        if not all(at(met, genotype) for met in exact):
            return False
        asked = [constraint for applies, constraint in measured if at(applies, genotype)]
        return not asked or _met(asked, genotype, costs(genotype))

    return allowed


def _met(constraints: Iterable[Constraint], genotype: Genotype, costs: Mapping[str, int]) -> bool:
    def holds(condition: Condition) -> bool:
        return bool(evaluate(_with_costs(condition, costs), genotype))

    return all((c.guard is not None and not holds(c.guard)) or holds(c.condition) for c in constraints)


def _applies(constraint: Constraint, activity: Activity) -> Cases[bool]:
    """Where every decision that the constraint needs is active."""
    asked = [
        implies(where, activity.decisions[decision])
        for part in (constraint.condition, constraint.guard)
        for decision, where in demands(_with_costs(part, None), TRUE)
    ]
    return reduce(both, asked, TRUE)


def _with_costs(condition: Condition, costs: Mapping[str, int] | None) -> Num:
    """The condition as a number, with the metrics' values in it, or 0 where only its decisions matter."""
    match condition:
        case Metric(name):
            return 0 if costs is None else costs[name]
        case Compare(op, left, right):
            return Arith(op, _with_costs(left, costs), _with_costs(right, costs))
        case _:
            return condition


def _has_metric(condition: Condition) -> bool:
    match condition:
        case Metric():
            return True
        case Compare(_, left, right):
            return _has_metric(left) or _has_metric(right)
        case _:
            return False
