"""What a report is made of: the files of a run, read without opening its program or its weights."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import isfinite
from pathlib import Path
from typing import Any

from atnas.dsl.errors import Unable
from atnas.runtime.files import LINES, content
from atnas.runtime.folder import RunFolder
from atnas.runtime.records import record_of
from atnas.runtime.report.contributions import Contribution, contributions
from atnas.runtime.search.searcher import Trial
from atnas.runtime.stored import Event, checked
from atnas.runtime.summary import Summary, summary

Scores = Sequence[float]


@dataclass(frozen=True)
class Material:
    """A run. What it has not come to yet is empty."""

    summary: Summary
    metrics: Sequence[Mapping[str, Any]]
    trials: Sequence[Trial]
    tests: Mapping[str, Sequence[Mapping[str, Any]]]
    """By `found` and the names of controls: architectures with their scores on every test task."""

    @property
    def name(self) -> str:
        """What the folder is called."""
        return self.summary.root.resolve().name

    @property
    def result(self) -> Mapping[str, Any]:
        """result.json; empty before there is one."""
        return self.summary.result or {}

    @property
    def measure(self) -> str:
        """`accuracy` or `loss`."""
        if self.result:
            return str(self.result["measure"])
        return "accuracy" if any("accuracy" in event for event in self.metrics) else "loss"

    @property
    def higher_is_better(self) -> bool:
        return self.measure == "accuracy"

    @cached_property
    def goals(self) -> tuple[str, ...]:
        """What trials are scored by, the primary first."""
        return next((tuple(trial.values) for trial in self.trials if trial.values), ())

    @property
    def directions(self) -> Mapping[str, str]:
        """Of each goal whether it is to `maximize` or to `minimize`."""
        told = self.summary.about.get("goals", {})
        return {goal: told.get(goal, "maximize" if goal == "accuracy" else "minimize") for goal in self.goals}

    @cached_property
    def scored(self) -> list[Trial]:
        """Trials that have a finite value for each goal."""
        goals = set(self.goals)
        whole = (trial for trial in self.trials if trial.values and trial.values.keys() >= goals)
        return [trial for trial in whole if trial.values and all(map(isfinite, trial.values.values()))]

    @cached_property
    def latest(self) -> list[Trial]:
        """The last scored trial of each architecture."""
        return latest(self.scored)

    @cached_property
    def contributed(self) -> list[Contribution]:
        """What each decision contributes to the primary score, by the last trial of each architecture."""
        goal = self.goals[0] if self.latest else ""
        return contributions((trial.architecture, trial.values[goal]) for trial in self.latest if trial.values)


def latest(trials: Iterable[Trial]) -> list[Trial]:
    """The last of each architecture's trials: by weights of other times it would be unlike the others."""
    return list({trial.genotype: trial for trial in trials}.values())


def material(root: Path) -> Material:
    """Reads a run. Raises `Unable` where there is none, or something in it is damaged."""
    folder = RunFolder(root)
    if not folder.program.exists():
        raise Unable(f"{root} holds no run; name the folder that `atnas run` wrote")
    short = summary(root)
    if short.state == "damaged":
        raise Unable(short.trouble)
    sealed = folder.sealed
    events = [_event(folder.metrics, at, line, sealed) for at, line in enumerate(_lines(folder.metrics), start=1)]
    tests = folder.read("test.json") if (root / "test.json").exists() else {}
    trials = folder.read_trials()
    known = short.result["search"]["trials"] if short.result else 0
    if len(trials) < known:
        raise Unable(
            f"{folder.trials} has lost its last lines: the result knows of {known} trials, and {len(trials)} are left"
        )
    return Material(short, events, trials, tests)


def _event(path: Path, at: int, line: bytes, sealed: bool) -> dict[str, Any]:
    try:
        event = record_of(line, sealed)
        checked(Event, event)
    except ValueError as error:
        raise Unable(f"line {at} of {path} is damaged; remove it, and the curves are without it") from error
    return event


def _lines(path: Path) -> list[bytes]:
    """Whole lines; what was cut short at the end is left out."""
    return content(path, LINES).split(b"\n")[:-1] if path.exists() else []
