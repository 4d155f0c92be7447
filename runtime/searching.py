"""The search of a run: generations of architectures proposed, scored and kept as a history of trials."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import islice
from math import ceil, isfinite
from typing import TYPE_CHECKING, Final

from atnas.dsl.errors import Unable
from atnas.runtime.attempt import attempt
from atnas.runtime.events import Events
from atnas.runtime.experiment import Interleaved, Search
from atnas.runtime.failures import Failed
from atnas.runtime.files import append_line
from atnas.runtime.records import line_of
from atnas.runtime.search.domain import SearchDomain
from atnas.runtime.search.searcher import Goal, Trial, best, fitting, leaders
from atnas.runtime.seeds import stream
from atnas.runtime.watch import Progress

if TYPE_CHECKING:
    from atnas.compiler.encoding import Genotype
    from atnas.compiler.space import Compiled
    from atnas.runtime.evaluation import Evaluation
    from atnas.runtime.folder import RunFolder
    from atnas.runtime.search.objectives import Measurement

IN_ROW: Final = 20
"""Architectures that fail one after another before the search gives up."""


class Searching:
    """A history of trials, each of them a line in the folder, and what follows from it. It stores nothing else.

    `finals` are the scores of the finalists on the same tasks, once they were compared.
    `told` hears of every evaluation; it may raise to stop, and what was evaluated by then is never done again.
    """

    def __init__(
        self,
        search: Search,
        space: Compiled,
        evaluation: Evaluation,
        seed: int,
        folder: RunFolder,
        told: Callable[[Progress], None],
    ) -> None:
        self.search = search
        self.space = space
        self.evaluation = evaluation
        self.seed = seed
        self.file = folder.trials
        self.told = told
        self.trials: list[Trial] = fitting(folder.read_trials(), space.net.decisions, search.goals)
        self.finals: dict[Genotype, tuple[float, ...]] = {}
        self._events = Events(folder.events_of_search, len(self.trials))
        self._populations: dict[int, list[Genotype]] = {}

    @property
    def interleaved(self) -> Interleaved | None:
        """The schedule where generations stand between meta steps."""
        schedule = self.search.schedule
        return schedule if isinstance(schedule, Interleaved) else None

    def due(self, step: int) -> int | None:
        """The generation that comes before a meta step; None where there is none.

        Those beyond the algorithm's own narrow its last population.
        """
        schedule = self.interleaved
        number = schedule.generation(step) if schedule else None
        if schedule is None or number is None or number < self.search.algorithm.budget:
            return number
        return number if schedule.narrow and len(self._survivors(number - 1)) > 1 else None

    def remaining(self, iterations: int) -> range:
        """The generations that come after so many meta steps."""
        before = sum(self.due(step) is not None for step in range(iterations))
        return range(before, self.search.algorithm.budget)

    def population(self, step: int) -> list[Genotype]:
        """The survivors of the generations that came before a meta step, best first; none where there are none."""
        schedule = self.interleaved
        return self._survivors((step - schedule.warmup) // schedule.every) if schedule else []

    def generation(self, number: int) -> None:
        """Scores what the algorithm proposes, every architecture on the same tasks with the weights as they are."""
        candidates = self._candidates(number)
        done = {t.genotype for t in self.trials if t.generation == number}
        began = time.monotonic()
        for i, genotype in enumerate((g for g in candidates if g not in done), start=1):
            self._try(genotype, number)
            now = self._progress(number, len(done) + i, len(candidates))
            self.told(replace(now, score=self._top(), rate=i / (time.monotonic() - began)))

    def choose(self) -> Genotype:
        """The winner: the best few of the history once more, on more tasks that none of them was scored on.

        Raises `Unable` where the search found nothing.
        """
        finalists = list(islice(leaders(self.trials, self.search.goals), self.search.finalists))
        if not finalists:
            raise Unable(f"the search found nothing: {self._reason()}")
        goal = self.search.goals[0]
        if goal.objective.name != self.evaluation.measure:
            return finalists[0]
        winner, top = finalists[0], float("-inf")
        for i, genotype in enumerate(finalists, start=1):
            scores = self.evaluation.tried([genotype] * self.search.final_tasks, "val", "finals")
            self.finals[genotype] = tuple(scores)
            score = sum(scores) / len(scores)
            if goal.weight * score > top:
                winner, top = genotype, goal.weight * score
            self.told(Progress("finals", i, len(finalists), score=goal.weight * top))
        return winner

    @cached_property
    def domain(self) -> SearchDomain:
        """The architectures that may be proposed."""
        _, cheapest = self.space.costs.extreme("params", largest=False)
        return SearchDomain(self.space.encoding, self.space.encoding.allowed, (cheapest,))

    def _candidates(self, number: int) -> list[Genotype]:
        """New architectures; where the weights have moved since, the survivors are scored again beside them.

        Only these where a generation narrows the population.
        """
        if number >= self.search.algorithm.budget:
            return self._survivors(number - 1)
        history = [t for t in self.trials if t.generation < number]
        rng = stream(self.seed, "search", number)
        new = self.search.algorithm.ask(history, self.domain, self.search.goals, rng)
        return new if self.interleaved is None else self._survivors(number - 1) + new

    def _survivors(self, number: int) -> list[Genotype]:
        """The population after a generation that is complete, best first."""
        number = min(number, self.trials[-1].generation if self.trials else 0)
        if number not in self._populations:
            narrowed = number >= self.search.algorithm.budget
            self._populations[number] = self._half(number) if narrowed else self._alive(number)
        return self._populations[number]

    def _alive(self, number: int) -> list[Genotype]:
        past = [t for t in self.trials if t.generation <= number]
        return [t.genotype for t in self.search.algorithm.survivors(past, self.search.goals)]

    def _half(self, number: int) -> list[Genotype]:
        """The better half by the scores of a generation; of those that all failed the half that was better before."""
        before = self._survivors(number - 1)
        ranked = list(leaders([t for t in self.trials if t.generation == number], self.search.goals))
        return (ranked or before)[: ceil(len(before) / 2)]

    def _try(self, genotype: Genotype, generation: int) -> None:
        """One trial; that the evaluation failed is one too."""
        began = time.monotonic()
        values: dict[str, float] | None = None
        errors: dict[str, float] = {}
        failure = None
        try:
            found = attempt(
                lambda: measured(genotype, self.search.goals, self.evaluation),
                self.search.seconds,
                self.evaluation.workers,
            )
            values = {name: measurement.value for name, measurement in found.items()}
            errors = {name: measurement.standard_error for name, measurement in found.items()}
        except Failed as error:
            failure = str(error)
        seconds = time.monotonic() - began
        words, costs = self.space.encoding.decode(genotype), self.space.costs.of(genotype)
        kept = {name: costs[name] for name in ("params", "macs")}
        trial = Trial(len(self.trials), generation, genotype, values, errors, failure, seconds, words, kept)
        append_line(self.file, line_of(trial.to_record()))
        self.trials.append(trial)
        self._events.add(trial.number, {f"search/{name}": value for name, value in (values or {}).items()})
        recent = [each.failure for each in self.trials[-IN_ROW:]]
        if len(recent) == IN_ROW and all(recent):
            most, times = Counter(recent).most_common(1)[0]
            raise Unable(
                f"{IN_ROW} architectures in a row could not be evaluated, {times} of them since: {most}; "
                f"`atnas reduce {self.file.parent}` shows where that comes from"
            )

    def _reason(self) -> str:
        if not self.trials:
            return "no architecture meets the constraints"
        failures = (t.failure for t in self.trials)
        return next((f for f in failures if f), "no architecture had a score")

    def _progress(self, generation: int, done: int, count: int) -> Progress:
        budget = self.search.algorithm.budget
        if generation >= budget:
            return Progress("narrowing", done, count)
        return Progress("search", generation * count + done, budget * count)

    def _top(self) -> float | None:
        """The value of the first goal that is best so far."""
        top = best(self.trials, self.search.goals)
        return top.values[self.search.goals[0].objective.name] if top is not None and top.values else None


def measured(genotype: Genotype, goals: Sequence[Goal], evaluation: Evaluation) -> dict[str, Measurement]:
    """What the goals ask for, by their names. Raises `Failed` where it is no number."""
    found = {goal.objective.name: goal.objective.evaluate(genotype, evaluation) for goal in goals}
    missing = [name for name, measurement in found.items() if not isfinite(measurement.value)]
    if missing:
        raise Failed(f"{missing[0]} is no finite number; a lower inner or outer rate may help")
    return found
