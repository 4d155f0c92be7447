"""A run: meta-train the supernet, search over it, judge what was found. Every step is a function of the seed and of
what the folder holds, so a run that was interrupted goes on as if it had not been.

    while a step is left:
        generation  where the schedule says so: propose, adapt inherited weights to the same tasks, keep the best
        meta_step   tasks and paths drawn, weights moved so that adaptation gets better
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import torch

from atnas.compiler.space import Compiled, compile
from atnas.compiler.supernet import Supernet
from atnas.dsl.errors import Unable
from atnas.runtime.artifact import Artifact
from atnas.runtime.evaluation import Evaluation
from atnas.runtime.experiment import Interleaved, PopulationPaths
from atnas.runtime.folder import RunFolder
from atnas.runtime.learn.meta import StepResult, outer_step
from atnas.runtime.learn.outer import OuterOptimizer
from atnas.runtime.learn.settings import rate
from atnas.runtime.program import Plan
from atnas.runtime.search.domain import SearchDomain
from atnas.runtime.search.searcher import Trial, best, read_trials
from atnas.runtime.seeds import derive, stream
from atnas.runtime.watch import Progress, Silent, Watcher
from atnas.runtime.work import Which, workers

if TYPE_CHECKING:
    from atnas.compiler.encoding import Genotype

SAVE_EVERY = 60.0
"""Seconds between checkpoints."""

LOGGED = 500
"""Lines of metrics.jsonl that training writes, about."""


class Interrupted(Exception):
    """The user stopped the run; everything done so far is saved."""


@dataclass
class Run:
    """One run of a plan in a folder. `count` is the number of workers, `stopped` is asked after every step."""

    plan: Plan
    artifact: Artifact
    folder: RunFolder
    device: torch.device
    count: int | None = None
    watcher: Watcher = field(default_factory=Silent)
    stopped: Callable[[], bool] = lambda: False

    def __post_init__(self) -> None:
        self.space: Compiled = compile(self.plan.narrowed)
        self.seed = self.plan.settings.seed
        self.supernet = Supernet(self.space.net, self.space.encoding, derive(self.seed, "weights"))
        self.supernet.to(self.device)
        self.workers = workers(self.artifact.bytes, self.plan, self.supernet, self.device, self.count)
        self.evaluation = Evaluation(self.plan, self.space, self.workers)
        self.optimizer = OuterOptimizer(self.plan.train.outer, dict(self.supernet.named_parameters()))
        self.step = 0
        self.best_score: float | None = None
        self.spent = 0.0
        self.trials: list[Trial] = read_trials(self.folder.trials)
        self._saved = time.monotonic()

    # The whole

    def train_and_search(self) -> Genotype:
        """Everything up to the found architecture; the supernet then holds the best weights by validation."""
        self._resume()
        for step in range(self.step, self.plan.train.iterations):
            for generation in self._due(step):
                self._generation(generation)
            self._meta_step(step)
        self.checkpoint()
        self._take_best()
        if self.plan.search is None:
            return self.space.encoding.canonical(tuple(0 for _ in self.space.net.decisions))
        for generation in range(self._done_before_end(), self.plan.search.algorithm.budget):
            self._generation(generation)
        return self._finals()

    # Meta-training

    def _meta_step(self, step: int) -> None:
        train = self.plan.train
        began = time.monotonic()
        genotypes = self._paths(step, train.batch)
        tasks = [Which("train", "train", step * train.batch + i) for i in range(train.batch)]
        gradients = self.workers.gradients(list(zip(genotypes, tasks, strict=True)))
        regions = [self.supernet.path(g).regions for g in genotypes]
        lr = rate(train.outer, step, train.iterations)
        result = outer_step(gradients, regions, self.optimizer, lr)
        self.step = step + 1
        self.spent += time.monotonic() - began
        speed = train.batch / (time.monotonic() - began)
        self._told(result, speed)
        if self.step % train.every == 0 or self.step == train.iterations:
            self._validate()
        if time.monotonic() - self._saved > SAVE_EVERY or self.stopped():
            self.checkpoint()
        self.breathe()

    def _paths(self, step: int, count: int) -> list[Genotype]:
        """One architecture a task, or one for all of them, drawn as `paths` says."""
        draw = self._drawer(step)
        if self.plan.train.paths.per == "batch":
            return [draw(stream(self.seed, "path", step, 0))] * count
        return [draw(stream(self.seed, "path", step, i)) for i in range(count)]

    def _drawer(self, step: int) -> Callable[[random.Random], Genotype]:
        """Uniform over architectures, or over the population where there is one."""
        population = self._population(step) if isinstance(self.plan.train.paths, PopulationPaths) else []
        if population:
            return lambda rng: population[int(rng.random() * len(population))]
        return self.space.encoding.sample

    def _validate(self) -> None:
        train = self.plan.train
        draw = self._drawer(self.step)
        genotypes = [draw(stream(self.seed, "validation path", i)) for i in range(train.validation)]
        scores = self.evaluation.scores(genotypes, "val", "validation")
        score = sum(scores) / len(scores)
        self._log({"step": self.step, self.evaluation.measure: score})
        better = self.best_score is None or self.evaluation.better(score, self.best_score)
        if better:
            self.best_score = score
            self.folder.save("best", self._weights(), {"step": self.step, "score": score})
        self._now(score=score)

    # Search

    def _due(self, step: int) -> Iterator[int]:
        """The generations that stand before a step and are not done: those that an interleaved schedule puts there."""
        search = self.plan.search
        if search is None or not isinstance(search.schedule, Interleaved):
            return
        generation = search.schedule.generation(step)
        if generation is not None and generation < search.algorithm.budget:
            self._mark(step)
            yield generation

    def _done_before_end(self) -> int:
        """Generations that stood between steps of training."""
        search = self.plan.search
        assert search is not None
        if not isinstance(search.schedule, Interleaved):
            return 0
        due = (search.schedule.generation(s) for s in range(self.plan.train.iterations))
        return min(search.algorithm.budget, sum(1 for g in due if g is not None))

    def _mark(self, step: int) -> None:
        """The weights that a generation is scored with are saved before it, so that it can go on where it stopped."""
        if self.step == step and step > 0:
            self.checkpoint()

    def _generation(self, number: int) -> None:
        """Scores one generation on the same tasks; in an interleaved run its parents too, whose weights have moved."""
        search = self.plan.search
        assert search is not None
        history = [t for t in self.trials if t.generation < number]
        proposals = search.algorithm.ask(
            history, self.domain, search.goals, stream(self.seed, "search", number)
        )
        if isinstance(search.schedule, Interleaved):
            parents = [t.genotype for t in search.algorithm.survivors(history, search.goals)]
            proposals = parents + proposals
        done = {t.genotype for t in self.trials if t.generation == number}
        began = time.monotonic()
        for i, genotype in enumerate(proposals):
            if genotype not in done:
                self._try(genotype, number)
                self.breathe()
            speed = (i + 1) / max(time.monotonic() - began, 1e-9)
            self._searching(number, i + 1, len(proposals), speed)

    def _try(self, genotype: Genotype, generation: int) -> None:
        """Evaluates one architecture; a failure is a trial too."""
        search = self.plan.search
        assert search is not None
        began = time.monotonic()
        values: dict[str, float] | None = {}
        errors: dict[str, float] = {}
        failure: str | None = None
        try:
            for goal in search.goals:
                found = goal.objective.evaluate(genotype, self.evaluation)
                values[goal.objective.name] = found.value  # type: ignore[index]
                errors[goal.objective.name] = found.standard_error
        except RuntimeError as error:
            values, failure = None, f"{type(error).__name__}: {error}"
        seconds = time.monotonic() - began
        trial = Trial(len(self.trials), generation, genotype, values, errors, failure, seconds)
        self.trials.append(trial)
        self.folder.append_line(self.folder.trials, trial.to_json())

    def _finals(self) -> Genotype:
        """The best few of the search once more, with the final weights, on more tasks that none of them has seen."""
        search = self.plan.search
        assert search is not None
        finalists = self._ranked(self.trials)
        if not finalists:
            reason = self.trials[-1].failure if self.trials else "no architecture meets the constraints"
            raise Unable(f"the search found nothing: {reason}")
        if search.goals[0].objective.name != self.evaluation.measure:
            return finalists[0]
        results: dict[Genotype, float] = {}
        for i, genotype in enumerate(finalists):
            scores = self.evaluation.scores([genotype] * search.final_tasks, "val", "finals")
            results[genotype] = sum(scores) / len(scores)
            self.watcher.progress(Progress("finals", i + 1, len(finalists), score=results[genotype]))
            self.breathe()
        return max(finalists, key=lambda g: search.goals[0].weight * results[g])

    def _ranked(self, trials: Sequence[Trial]) -> list[Genotype]:
        """Distinct architectures, best in the first goal first."""
        search = self.plan.search
        assert search is not None
        left = list(trials)
        found: list[Genotype] = []
        while left and len(found) < search.finalists:
            top = best(left, search.goals)
            if top is None:
                break
            found.append(top.genotype)
            left = [t for t in left if t.genotype != top.genotype]
        return found

    def _population(self, step: int) -> list[Genotype]:
        """What the search holds before a step: the survivors of the generations done by then."""
        search = self.plan.search
        if search is None or not isinstance(search.schedule, Interleaved):
            return []
        past = [t for t in self.trials if search.schedule.step(t.generation) <= step]
        return [t.genotype for t in search.algorithm.survivors(past, search.goals)] if past else []

    @cached_property
    def domain(self) -> SearchDomain:
        """The architectures that may be proposed."""
        _, cheapest = self.space.costs.extreme("params", largest=False)
        return SearchDomain(self.space.encoding, self.space.encoding.allowed, (cheapest,))

    # State

    def checkpoint(self) -> None:
        """Saves everything that the next step depends on and the folder does not hold yet."""
        optimizer = {f"outer/{k}": v for k, v in self.optimizer.state_dict().items()}
        weights = {f"net/{k}": v for k, v in self._weights().items()}
        about = {"step": self.step, "best_score": self.best_score, "spent": self.spent}
        self.folder.save_step(self.step, {**weights, **optimizer}, about)
        self._saved = time.monotonic()

    def _resume(self) -> None:
        found = self.folder.latest()
        if found is None:
            return
        tensors, about, damaged = found
        for sentence in damaged:
            self.watcher.note(f"{sentence} Going on from the checkpoint before it.")
        self._put({k.removeprefix("net/"): v for k, v in tensors.items() if k.startswith("net/")})
        outer = {k.removeprefix("outer/"): v for k, v in tensors.items() if k.startswith("outer/")}
        self.optimizer.load_state_dict(outer)
        self.step, self.best_score, self.spent = about["step"], about["best_score"], about["spent"]
        self.watcher.note(f"Going on at iteration {self.step:,} of {self.plan.train.iterations:,}.")

    def _take_best(self) -> None:
        weights, about = self.folder.load("best")
        self._put(weights)
        self.best_score = about["score"]

    def _weights(self) -> dict[str, torch.Tensor]:
        return dict(self.supernet.state_dict())

    def _put(self, weights: dict[str, torch.Tensor]) -> None:
        try:
            self.supernet.load_state_dict(weights)
        except RuntimeError as error:
            raise Unable(f"the checkpoint is of another space: {str(error).splitlines()[0]}") from error

    def close(self) -> None:
        """Ends the workers."""
        self.workers.close()

    # Telling

    def _told(self, result: StepResult, speed: float) -> None:
        if self.step % max(1, self.plan.train.iterations // LOGGED) == 0:
            event = {"step": self.step, "loss": result.loss, "tasks_per_second": speed}
            self._log(event if result.accuracy is None else {**event, "train_accuracy": result.accuracy})
        self._now(loss=result.loss, speed=speed)

    def _now(self, loss: float | None = None, score: float | None = None, speed: float | None = None) -> None:
        self.watcher.progress(Progress("train", self.step, self.plan.train.iterations, loss, score, speed))

    def _searching(self, generation: int, done: int, count: int, speed: float) -> None:
        search = self.plan.search
        assert search is not None
        top = best(self.trials, search.goals)
        score = top.values[search.goals[0].objective.name] if top is not None and top.values else None
        total = search.algorithm.budget * count
        self.watcher.progress(Progress("search", generation * count + done, total, None, score, speed))

    def _log(self, event: dict[str, Any]) -> None:
        self.folder.append(self.folder.metrics, event)

    def breathe(self) -> None:
        """Stops between two steps if the user asked for it."""
        if self.stopped():
            self.checkpoint()
            raise Interrupted
