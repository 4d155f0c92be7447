"""A run: meta-train the supernet, search over it, and hand the found architecture on to be judged.

    for each meta step
        generation   where the schedule says so: propose, adapt inherited weights to the same tasks, keep the best
        meta step    draw tasks and paths, move the weights so that adapting them gets better
    generation       what the schedule leaves for the end, with the best weights by validation
    choose           the best few on more tasks

Every step is a function of the seed and of what the folder holds, so that a run that was interrupted goes on as if it
had not been.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from math import isfinite
from typing import TYPE_CHECKING

import torch

from atnas.compiler.space import Compiled, compile
from atnas.compiler.supernet import Supernet
from atnas.dsl.errors import Unable
from atnas.runtime.artifact import Artifact
from atnas.runtime.batching import batching
from atnas.runtime.drawing import Draw, Paths
from atnas.runtime.evaluation import Evaluation
from atnas.runtime.events import Events
from atnas.runtime.experiment import PopulationPaths
from atnas.runtime.folder import RunFolder
from atnas.runtime.learn.beside import Beside, ground
from atnas.runtime.learn.meta import StepResult
from atnas.runtime.memory import Memory, memory, written
from atnas.runtime.program import Plan
from atnas.runtime.records import Json
from atnas.runtime.searching import Searching
from atnas.runtime.seeds import derive, stream
from atnas.runtime.training import Training
from atnas.runtime.watch import Interrupted, Progress, Silent, Watcher
from atnas.runtime.work import Serial, workers

if TYPE_CHECKING:
    from atnas.compiler.encoding import Genotype

REASONS = 5
"""Kinds of failures in meta-training that are told."""

LOGGED = 500
"""Lines of metrics.jsonl that training writes, about."""


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
        self.seed = self.plan.settings.seed
        self.space: Compiled = compile(self.plan.narrowed)
        self.supernet = _supernet(self.space, derive(self.seed, "weights"), self.device)
        beside = Beside.begun(self.plan.train.learner, ground(self.supernet, self.plan.tasks, self.seed))
        self.workers = workers(self.artifact.bytes, self.plan, self.supernet, beside, self.device, self.count)
        self.evaluation = Evaluation(self.plan, self.space, self.workers)
        self.training = Training(self.plan, self.supernet, beside, self.workers, self.folder)
        self.searching = self._search()
        self._reasons: set[str] = set()
        self.events = Events(self.folder.root, 0)
        self.paths = Paths(self.plan.train, self.space, self.seed)

    @cached_property
    def memory(self) -> Memory | None:
        """What it takes, as far as that can be known before."""
        return memory(self.plan, self.space, self.supernet, self.training.beside, self.workers.count)

    def train_and_search(self) -> Genotype:
        """The found architecture; the supernet then holds the best weights by validation."""
        for sentence in self.training.resume(self._trials):
            self.watcher.note(sentence)
        self.events = Events(self.folder.root, self.training.step)
        self._batch()
        while not self.training.done:
            step = self.training.step
            if self.searching and (generation := self.searching.due(step)) is not None:
                self.training.checkpoint(self._trials)
                self.searching.generation(generation)
            self._meta_step(step)
        self.training.take_best()
        if self.searching is None:
            return self.space.encoding.canonical((0,) * len(self.space.net.decisions))
        for generation in self.searching.remaining(self.plan.train.iterations):
            self.searching.generation(generation)
        return self.searching.choose()

    def _batch(self) -> None:
        """Sets how many tasks go side by side."""
        here = Serial(self.plan, self.supernet, self.training.beside, self.device)
        chosen = batching(self.plan, self.space, here, self.workers.count, self.folder, self.memory)
        self.training.grouping, self.evaluation.grouping = chosen.training, chosen.scoring
        most = max(chosen.training.tasks, chosen.scoring.tasks)
        if self.memory is not None and most > 1:
            self.watcher.note(f"{most} tasks side by side: {written(self.memory.together(most))} of memory at most")

    def _meta_step(self, step: int) -> None:
        """One meta step, and a validation where one is due, along paths of the same distribution."""
        population = self._population(step)
        began = time.monotonic()
        result = self.training.meta_step(self.paths.of_step(step, population))
        speed = self.plan.train.batch / (time.monotonic() - began)
        for reason in sorted(self.training.reasons - self._reasons)[: REASONS - len(self._reasons)]:
            self._reasons.add(reason)
            self.watcher.note(f"iteration {step + 1}: a path is left out: {reason}")
        self._log(result, speed)
        score = self._validate(self.paths.draw(population)) if self.training.validation_due else None
        if self.training.checkpoint_due:
            self.training.checkpoint(self._trials)
        loss = result.loss if isfinite(result.loss) else None
        self.tell(Progress("train", step + 1, self.plan.train.iterations, loss, score, speed))

    def _population(self, step: int) -> list[Genotype]:
        """The architectures that a search has kept by a meta step, where paths follow them."""
        follows = isinstance(self.plan.train.paths, PopulationPaths)
        return self.searching.population(step) if self.searching and follows else []

    def _validate(self, draw: Draw) -> float:
        count = self.plan.train.validation
        genotypes = [draw(stream(self.seed, "validation path", i)) for i in range(count)]
        score = self.training.validate(genotypes, self.evaluation)
        self.folder.log({"step": self.training.step, self.evaluation.measure: score})
        self.events.add(self.training.step, {f"validation/{self.evaluation.measure}": score})
        return score

    @property
    def _trials(self) -> int:
        return len(self.searching.trials) if self.searching else 0

    def _search(self) -> Searching | None:
        if self.plan.search is None:
            return None
        return Searching(self.plan.search, self.space, self.evaluation, self.seed, self.folder, self.tell)

    # Telling

    def tell(self, now: Progress) -> None:
        """Says that a step was done, and stops here if the user asked for it."""
        self.watcher.progress(now)
        if self.stopped():
            self.training.checkpoint(self._trials)
            raise Interrupted

    def _log(self, result: StepResult, speed: float) -> None:
        step = self.training.step
        if result.left_out or step % max(1, self.plan.train.iterations // LOGGED) == 0:
            event: dict[str, Json] = {"step": step, "loss": result.loss, "tasks_per_second": speed}
            if result.accuracy is not None:
                event["train_accuracy"] = result.accuracy
            if result.left_out:
                event["left_out"] = result.left_out
            self.folder.log(event)
            told = {f"train/{name.removeprefix('train_')}": value for name, value in event.items() if name != "step"}
            self.events.add(step, told)

    def close(self) -> None:
        """Ends the workers."""
        self.workers.close()


def _supernet(space: Compiled, seed: int, device: torch.device) -> Supernet:
    """The supernet on its device. Raises `Unable` where it does not fit."""
    try:
        return Supernet(space.net, space.encoding, seed).to(device)
    except (MemoryError, RuntimeError) as error:
        if not isinstance(error, MemoryError | torch.OutOfMemoryError) and "allocate memory" not in str(error):
            raise
        raise Unable(f"the supernet of `{space.net.name}` does not fit into memory; narrow its widths") from error
