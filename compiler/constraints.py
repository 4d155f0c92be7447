"""`require` lines as conditions on an architecture.

Those that speak of decisions alone are `Cases`, so that counting and sampling respect them exactly. Those
that speak of metrics can only be asked of one architecture at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import reduce

from atnas.compiler.activity import Activity, Genotype, demands, implies, true
from atnas.dsl.cases import TRUE, Cases, at, both, otherwise
from atnas.dsl.net import Condition, Constraint, Metric, evaluate, numeric, speaks_of

Allowed = Callable[[Genotype], bool]
Measure = Callable[[Metric], int]
"""A metric's value for one architecture."""


def speaks_of_metrics(constraint: Constraint) -> bool:
    """Whether a metric stands in the condition or after its `if`."""
    return speaks_of(constraint.condition, Metric) or speaks_of(constraint.guard, Metric)


def condition(constraint: Constraint, activity: Activity) -> Cases[bool]:
    """Where a constraint on decisions alone is met. Where a decision it needs is inactive it is."""
    met = true(numeric(constraint.condition))
    if constraint.guard is not None:
        met = implies(true(numeric(constraint.guard)), met)
    # NEVER is a number read off a tensor that is not there.
    return implies(_applies(constraint, activity), otherwise(met, True))


def predicate(constraints: Iterable[Constraint], activity: Activity, measure: Callable[[Genotype], Measure]) -> Allowed:
    """Whether an architecture meets all the constraints; `measure` is asked for its metrics only if need be."""
    exact = [condition(c, activity) for c in constraints if not speaks_of_metrics(c)]
    measured = [(_applies(c, activity), c) for c in constraints if speaks_of_metrics(c)]

    def allowed(genotype: Genotype) -> bool:
        if not all(at(met, genotype) for met in exact):
            return False
        asked = [constraint for applies, constraint in measured if at(applies, genotype)]
        return not asked or _met(asked, genotype, measure(genotype))

    return allowed


def _met(constraints: Iterable[Constraint], genotype: Genotype, measure: Measure) -> bool:
    def holds(condition: Condition) -> bool:
        return bool(evaluate(numeric(condition, measure), genotype))

    return all((c.guard is not None and not holds(c.guard)) or holds(c.condition) for c in constraints)


def _applies(constraint: Constraint, activity: Activity) -> Cases[bool]:
    """Where every decision that the constraint needs is active."""
    asked = [
        implies(where, activity.decisions[decision])
        for part in (constraint.condition, constraint.guard)
        for decision, where in demands(numeric(part), TRUE)
    ]
    return reduce(both, asked, TRUE)
