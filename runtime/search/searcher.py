"""Searching as ask and tell: a searcher proposes what to look at next, given all trials so far."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from math import isfinite, nan
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from atnas.dsl.errors import Unable
from atnas.dsl.settings import Settings
from atnas.runtime.files import LINES, content
from atnas.runtime.records import Json, record_of
from atnas.runtime.search.objectives import Objective

if TYPE_CHECKING:
    import random

    from atnas.compiler.encoding import Genotype
    from atnas.dsl.net import Decision
    from atnas.runtime.search.domain import SearchDomain


@dataclass(frozen=True)
class Goal:
    """`maximize accuracy(tasks = 50)`. Of several goals the first written is the primary one."""

    direction: Literal["maximize", "minimize"]
    objective: Objective

    @property
    def weight(self) -> float:
        """1 to maximize, -1 to minimize."""
        return 1.0 if self.direction == "maximize" else -1.0


@dataclass(frozen=True)
class Trial:
    """One architecture that was evaluated: a line of trials.jsonl.

    `number` counts trials from 0. `values` and their standard `errors` go by the objectives' names. Where
    the evaluation failed, `values` is None and `failure` says why. `seconds` is what it took, `architecture` the
    genotype in words and `costs` its params and macs, for readers that do not have the space.
    """

    number: int
    generation: int
    genotype: Genotype
    values: dict[str, float] | None
    errors: dict[str, float] = field(default_factory=dict)
    failure: str | None = None
    seconds: float = 0.0
    architecture: dict[str, Json] = field(default_factory=dict, compare=False)
    costs: dict[str, int] = field(default_factory=dict, compare=False)

    def to_record(self) -> dict[str, Json]:
        """What a line of trials.jsonl holds."""
        return asdict(self)

    @classmethod
    def from_record(cls, data: Mapping[str, Json]) -> Trial:
        """The trial in a line. Raises ValueError where it holds none; null is read as not a number."""
        try:
            return cls(
                number=int(data["number"]),
                generation=int(data["generation"]),
                genotype=tuple(map(int, data["genotype"])),
                values=_numbers(data["values"]),
                errors=_numbers(data["errors"]) or {},
                failure=None if data["failure"] is None else str(data["failure"]),
                seconds=float(data["seconds"]),
                architecture=dict(data.get("architecture", {})),
                costs={name: _cost(cost) for name, cost in data.get("costs", {}).items()},
            )
        except (KeyError, TypeError, AttributeError, OverflowError) as error:
            raise ValueError("the line is no trial") from error


def read_trials(path: Path, sealed: bool = True) -> list[Trial]:
    """The trials in a file, in order; none where there is no file. `sealed`: every line has a checksum.

    A last line without its end, which an interruption cut short, is left out. Raises `Unable` for all other damage.
    """
    if not path.exists():
        return []
    trials: list[Trial] = []
    for at, line in enumerate(content(path, LINES).split(b"\n")[:-1], start=1):
        try:
            trial = Trial.from_record(record_of(line, sealed))
            if trial.number != len(trials):
                raise ValueError("a line before it is missing")
            trials.append(trial)
        except ValueError as error:
            raise Unable(f"line {at} of {path} is damaged; remove it, or start again with --fresh") from error
    return trials


def fitting(trials: Sequence[Trial], decisions: Sequence[Decision], goals: Sequence[Goal]) -> list[Trial]:
    """The trials, if they are of a space with these decisions and have a value for each goal. Raises `Unable`."""
    counts, names = [len(decision.options) for decision in decisions], {goal.objective.name for goal in goals}
    for trial in trials:
        genes = len(trial.genotype) == len(counts) and all(map(_is_option, trial.genotype, counts))
        if not genes or (trial.values is not None and not names <= trial.values.keys()):
            raise Unable(f"trial {trial.number} is of another space or another search")
    return list(trials)


def _is_option(gene: int, count: int) -> bool:
    return 0 <= gene < count


class Searcher(Settings, ABC):
    """Base of all searchers. The fields are its parameters; it keeps no state and touches no files."""

    @property
    @abstractmethod
    def budget(self) -> int:
        """How many generations to ask for."""

    @abstractmethod
    def ask(
        self, history: Sequence[Trial], space: SearchDomain, goals: Sequence[Goal], rng: random.Random
    ) -> list[Genotype]:
        """The next generation: distinct, canonical, allowed, none of them in `history`.

        `history` holds whole generations, failures included. The same arguments give the same answer. An
        empty list says that there is nothing left to propose.
        """

    def survivors(self, history: Sequence[Trial], goals: Sequence[Goal]) -> list[Trial]:
        """The population after `history`, best first: what schedules draw paths from."""
        return front(history, goals)


def scores(trial: Trial, goals: Sequence[Goal]) -> tuple[float, ...]:
    """A successful trial's values, one for each goal, more is better."""
    assert trial.values is not None
    return tuple(goal.weight * trial.values[goal.objective.name] for goal in goals)


def latest(history: Iterable[Trial], goals: Sequence[Goal]) -> list[Trial]:
    """Each architecture's last trial with a finite value for every goal: a new one replaces the old."""
    found: dict[Genotype, Trial] = {}
    for trial in history:
        if trial.values is not None and all(map(isfinite, scores(trial, goals))):
            found[trial.genotype] = trial
    return list(found.values())


def front(history: Sequence[Trial], goals: Sequence[Goal]) -> list[Trial]:
    """The trials that no other trial dominates, best in the first goal first.

    One dominates another that is nowhere better and somewhere worse. Equals are all kept.
    """
    members: list[tuple[tuple[float, ...], Trial]] = []
    # A trial can be dominated only by one that comes before it in this order.
    for trial in sorted(latest(history, goals), key=lambda t: scores(t, goals), reverse=True):
        own = scores(trial, goals)
        if not any(_dominates(other, own) for other, _ in members):
            members.append((own, trial))
    return [trial for _, trial in members]


def _dominates(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return one != other and all(a >= b for a, b in zip(one, other, strict=True))


def best(history: Sequence[Trial], goals: Sequence[Goal]) -> Trial | None:
    """The trial with the best value of the first goal; None where every trial failed.

    Equals are told apart by the next goals, then by which came first; so it is a member of the `front`.
    """
    return max(latest(history, goals), key=lambda t: scores(t, goals), default=None)


def leaders(history: Sequence[Trial], goals: Sequence[Goal]) -> Iterator[Genotype]:
    """Distinct architectures, best in the first goal first; those whose trials all failed are left out."""
    left = history
    while (top := best(left, goals)) is not None:
        yield top.genotype
        left = [trial for trial in left if trial.genotype != top.genotype]


def _cost(data: Json) -> int:
    """Raises OverflowError where a float does not hold it."""
    return int(data) if isfinite(float(data)) else 0


def _numbers(data: dict[str, float | None] | None) -> dict[str, float] | None:
    return None if data is None else {k: nan if v is None else float(v) for k, v in data.items()}
