"""Meta-training: the supernet's weights, and everything else that the next meta step depends on."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import isfinite, nan
from typing import TYPE_CHECKING, Any

import torch

from atnas.dsl.errors import Unable
from atnas.runtime.attempt import attempt
from atnas.runtime.evaluation import Evaluation
from atnas.runtime.failures import Failed
from atnas.runtime.folder import RunFolder
from atnas.runtime.learn.average import Regions
from atnas.runtime.learn.beside import Beside, ground
from atnas.runtime.learn.changing import used
from atnas.runtime.learn.meta import Diverged, StepResult, outer_step
from atnas.runtime.learn.outer import OuterOptimizer
from atnas.runtime.learn.settings import rate
from atnas.runtime.stored import Best, Inherited, checked
from atnas.runtime.work import ONE_BY_ONE, Which, units

if TYPE_CHECKING:
    from atnas.compiler.encoding import Genotype
    from atnas.compiler.supernet import Supernet
    from atnas.runtime.program import Plan
    from atnas.runtime.work import Route, Unit, Workers

SAVE_EVERY = 60.0
"""Seconds between checkpoints."""

LOST = 20
"""Meta steps in a row of which nothing is left before training gives up."""

NET = "net/"
BESIDE = "beside/"
OUTER = "outer/"

INHERITED = "inherited"
"""The checkpoint with weights of an earlier run, on another space."""


class Training:
    """The weights and how far they have come. `step` counts meta steps, `spent` the seconds they took, `held` the most
    bytes of memory.

    `best_score` is that of the best validation so far; the weights it was reached with are in the folder. `grouping` is
    how tasks of one path are computed side by side.
    """

    def __init__(self, plan: Plan, supernet: Supernet, beside: Beside, workers: Workers, folder: RunFolder) -> None:
        self.train = plan.train
        self._plan = plan
        self.supernet = supernet
        self.beside = beside
        self.workers = workers
        self.folder = folder
        self.optimizer = OuterOptimizer(plan.train.outer, dict(supernet.named_parameters()), beside.tensors)
        self.grouping = ONE_BY_ONE
        self.step = 0
        self.spent = 0.0
        self.held = 0
        self.best_score: float | None = None
        self.reasons: set[str] = set()
        self._lost = 0
        self._seconds = plan.search.seconds if plan.search else None
        self._saved_step = 0
        self._saved_at = time.monotonic()

    @property
    def done(self) -> bool:
        """Whether every meta step was made."""
        return self.step >= self.train.iterations

    def meta_step(self, routes: Sequence[Route]) -> StepResult:
        """Task i of this step goes along way i; the weights move so that adapting them gets better.

        What fails is left out, and its cause is among the `reasons`; the loss of a step of which all failed is not a
        number. Raises `Unable` where that comes too often in a row, or there is one architecture only.
        """
        began = time.monotonic()
        tasks = [Which("train", "train", self.step * self.train.batch + i) for i in range(len(routes))]
        shared = units(list(zip(routes, tasks, strict=True)), self.grouping)
        try:
            result = self._moved(shared)
            self._lost = 0
        except (Failed, Diverged) as error:
            self._lost += 1
            if self._lost >= (LOST if self._plan.net.decisions else 1):
                raise Unable(str(error)) from error
            result = StepResult(nan, None, nan, len(shared))
            self.reasons.add(str(error))
        self.step += 1
        self.spent += time.monotonic() - began
        return result

    def _moved(self, shared: Sequence[Unit]) -> StepResult:
        """A step along those meta-gradients that there are. Raises `Failed` or `Diverged` where there is none."""
        progress = self.step / self.train.iterations
        answers = attempt(lambda: self.workers.gradients(shared, progress), self._seconds, self.workers)
        failures = [answer for answer in answers if isinstance(answer, Failed)]
        self.reasons |= set(map(str, failures))
        if len(failures) == len(answers):
            raise failures[0]
        gradients = [answer for answer in answers if not isinstance(answer, Failed)]
        routes = [u.route for u, answer in zip(shared, answers, strict=True) if not isinstance(answer, Failed)]
        lr = rate(self.train.outer, self.step, self.train.iterations)
        result = outer_step(gradients, [self._regions(route) for route in routes], self.optimizer, lr)
        if result.left_out:
            self.reasons.add("its loss or its gradient is not finite")
        return replace(result, left_out=result.left_out + len(failures))

    def _regions(self, route: Route) -> Regions:
        paths = [self.supernet.path(genotype) for genotype in route]
        if len(paths) > 1:
            reached = paths if self.train.learner.through else paths[-1:]
            return used(reached, dict(self.supernet.named_parameters()))
        return {**paths[0].regions, **self.beside.regions(paths[0])}

    @property
    def validation_due(self) -> bool:
        """Whether these weights are to be validated."""
        return self.step % self.train.every == 0 or self.done

    def validate(self, genotypes: Sequence[Genotype], evaluation: Evaluation) -> float:
        """The mean score on the validation tasks, one for each architecture; the best weights so far are saved."""
        scores = [s for s in evaluation.tried(genotypes, "val", "validation") if isfinite(s)]
        score = sum(scores) / len(scores) if scores else nan
        better = self.best_score is None or evaluation.better(score, self.best_score)
        if better and isfinite(score):
            self.best_score = score
            self.folder.save("best", self._weights(), {"step": self.step, "score": score})
        return score

    def take_best(self) -> None:
        """From here on the weights are the best by validation. Raises `Unable` where there are none."""
        if self.best_score is None:
            why = f": {min(self.reasons)}" if self.reasons else "; lower the inner or the outer rate"
            raise Unable(f"training diverged: no validation gave a finite loss{why}")
        try:
            weights, about = self.folder.load("best")
            checked(Best, about)
        except (Unable, ValueError) as error:
            raise Unable(f"{error}, and it held the best weights: start anew with --fresh") from error
        self._put(weights)
        self.best_score = about["score"]

    # State

    def checkpoint(self, trials: int) -> None:
        """Saves what the next step depends on, where it is not saved yet. `trials`: how many the search has made."""
        if self.step == self._saved_step:
            return
        weights = {NET + name: tensor for name, tensor in self._weights().items()}
        optimizer = {OUTER + name: tensor for name, tensor in self.optimizer.state_dict().items()}
        self.held = max(self.held, self.workers.held())
        about = {
            "step": self.step,
            "best_score": self.best_score,
            "spent": self.spent,
            "held": self.held,
            "lost": self._lost,
            "trials": trials,
        }
        self.folder.save_step(self.step, weights | optimizer, about)
        self._saved_step, self._saved_at = self.step, time.monotonic()

    @property
    def checkpoint_due(self) -> bool:
        """Whether enough would be lost."""
        return self.done or time.monotonic() - self._saved_at > SAVE_EVERY

    def resume(self, trials: int) -> list[str]:
        """Goes back to the newest checkpoint that is whole; says, in sentences, what there is to know.

        `trials`: how many there are of the search.
        """
        found = self.folder.latest(trials)
        if found is None:
            self.folder.rewind(0)
            return self._inherit()
        tensors, about, damaged = found
        self._put(network_weights(tensors))
        try:
            self.optimizer.load_state_dict(_below(OUTER, tensors))
        except ValueError as error:
            raise Unable(f"the checkpoint is of another run: {error}") from error
        self.step, self.best_score, self.spent = about["step"], about["best_score"], about["spent"]
        self.held, self._lost = about.get("held", 0), about.get("lost", 0)
        self._saved_step = self.step
        lost = self.folder.rewind(self.step)
        return [
            *(f"{sentence}: going on from the checkpoint before it" for sentence in damaged),
            *([f"{lost} lines of {self.folder.metrics} are damaged and left out"] if lost else []),
            f"going on at iteration {self.step:,} of {self.train.iterations:,}",
        ]

    def _inherit(self) -> list[str]:
        """Begins with the weights that an earlier run left, if one did."""
        if not self.folder.has(INHERITED):
            return []
        weights, about = self.folder.load(INHERITED)
        try:
            checked(Inherited, about)
        except ValueError as error:
            raise Unable("what the run began with is damaged: start anew with --fresh and --from") from error
        self._put(weights)
        anew = ground(self.supernet, self._plan.tasks, self._plan.settings.seed)
        begun = Beside.begun(self.train.learner, anew)  # beside what was inherited
        for name, tensor in begun.tensors.items():
            self.beside.tensors[name].copy_(tensor)
        return [f"beginning with weights of {about['from']}: {about['numbers']:,} of {about['of_numbers']:,} numbers"]

    def _weights(self) -> dict[str, Any]:
        return dict(self.supernet.state_dict()) | {BESIDE + name: t for name, t in self.beside.tensors.items()}

    def _put(self, weights: dict[str, torch.Tensor]) -> None:
        try:
            self.supernet.load_state_dict(of_supernet(weights))
            for name, tensor in beside_weights(weights).items():
                self.beside.tensors[name].copy_(tensor)
        except (RuntimeError, KeyError) as error:
            raise Unable(f"the checkpoint is of another space: {str(error).splitlines()[0]}") from error


def of_supernet(weights: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Without what a trainer learned beside them."""
    return {name: tensor for name, tensor in weights.items() if not name.startswith(BESIDE)}


def beside_weights(weights: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """What a trainer learned beside them, by its own names."""
    return _below(BESIDE, weights)


def network_weights(tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Of a checkpoint of all that training goes on from, without the optimizer's: as `best` holds them."""
    return _below(NET, tensors)


def _below(prefix: str, tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
