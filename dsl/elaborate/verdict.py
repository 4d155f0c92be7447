"""Which of the places that refuse something are told, and the decisions under which they do."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, cast

from atnas.dsl.cases import FALSE, TRUE, Cases, apply, both, choose, either, member, only, under
from atnas.dsl.elaborate.cause import STEPS_OF_CAUSES, Cause, cause
from atnas.dsl.elaborate.limits import met
from atnas.dsl.elaborate.mismatch import Failure, Refusal
from atnas.dsl.elaborate.needed import needed
from atnas.dsl.meter import Meter, TooLarge, metered

if TYPE_CHECKING:
    from atnas.dsl.elaborate.build import Builder

STEPS_OF_NEED: Final = 20_000
"""Work after which it is not found out where a condition asks nothing."""


def settle(builder: Builder, outputs: Sequence[int]) -> None:
    """Tells what does not fit in architectures that the constraints on decisions let through, once for each place."""
    if not builder.refusals:
        return
    allowed = _allowed(builder, outputs)
    places: dict[object, list[Refusal]] = defaultdict(list)
    for refusal in builder.refusals:
        places[refusal.place].append(refusal)
    meter = Meter(STEPS_OF_CAUSES)
    for refusals in places.values():
        if (worst := _worst(builder, refusals, allowed, meter)) is not None:
            _tell(builder, *worst)


def _worst(
    builder: Builder, refusals: Sequence[Refusal], allowed: _Allowed, meter: Meter
) -> tuple[Refusal, Cause] | None:
    """Of refusals at one place the first that takes the fewest decisions, and those; None where nothing breaks."""
    found: tuple[Refusal, Cause] | None = None
    for refusal in refusals:
        why = cause(allowed.breaks(builder, refusal), meter) or _inexcusable(refusal, meter)
        if why is not None and (found is None or len(why.smallest) < len(found[1].smallest)):
            found = refusal, why
        if found is not None and not found[1].smallest:
            break
    return found


def _inexcusable(refusal: Refusal, meter: Meter) -> Cause | None:
    """Why something does not fit of which nothing is made, so that it is wrong wherever it is."""
    return None if refusal.is_excusable else cause(_fails(refusal), meter)


def _fails(refusal: Refusal) -> Cases[bool]:
    return apply(lambda value: isinstance(value, Failure), refusal.cases)


def _tell(builder: Builder, refusal: Refusal, why: Cause) -> None:
    failure = under(refusal.cases, why.case).value
    assert isinstance(failure, Failure)
    builder.calls[:] = [] if refusal.call is None else [refusal.call]
    finding = refusal.finding(builder, failure, why.case)
    builder.tell(replace(finding, when=builder.words(why.smallest) or None))


@dataclass(frozen=True)
class _Allowed:
    """The architectures that the constraints on decisions let through.

    `surely`: whichever of their decisions are needed. `possibly`: with those in which a constraint asks nothing since
    a decision that it names is not needed; there a mistake counts only at a node that is itself, else any value of
    that decision would do. `nodes`: where each node is needed.
    """

    surely: Cases[bool]
    possibly: Cases[bool]
    nodes: Sequence[Cases[bool]] = ()

    def breaks(self, builder: Builder, refusal: Refusal) -> Cases[bool]:
        """Where it breaks an architecture; NEVER where there is none, or where it is not known what comes."""
        fails = choose(_come(builder, refusal), (True, False), (_fails(refusal), FALSE))
        if self.surely is TRUE:
            return fails
        counts = self.surely
        for node in self.nodes[slice(*refusal.nodes)]:
            counts = either(counts, both(self.possibly, node))
        return choose(fails, (True, False), (only(counts, TRUE), only(self.possibly, FALSE)))


def _come(builder: Builder, refusal: Refusal) -> Cases[bool]:
    """Where a refusal is come to."""
    come = refusal.guard
    for decision, position in refusal.members:
        about = builder.decisions[decision]
        if about is not None and decision not in builder.undone:
            subsets = list(enumerate(cast("Sequence[list[int]]", about.options)))
            chosen = frozenset(option for option, positions in subsets if position in positions)
            come = both(come, member(decision, len(subsets), chosen))
    return come


def _allowed(builder: Builder, outputs: Sequence[int]) -> _Allowed:
    surely = met(builder.constraints)
    found = _Allowed(surely, surely)
    if surely is not TRUE and outputs:
        meter = Meter(STEPS_OF_NEED)
        with suppress(TooLarge, RecursionError), metered(meter):
            decisions = [decision for decision in builder.decisions if decision is not None]
            where = needed(builder.whole(), outputs, decisions)
            everywhere = met(builder.constraints, where.decisions)
            found = _Allowed(surely, everywhere, where.nodes) if meter.spent <= meter.most else found
    # That they leave nothing is told; it is no reason to be silent on everything else.
    return _Allowed(TRUE, TRUE) if found.possibly is FALSE else found
