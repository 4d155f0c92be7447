"""What a run found, adapted to a task that nobody has seen: its weights alone, or its architecture and its weights.

All that is known of the task is its support set. Architectures are compared by cross-validation within it: adapted to
all but a part of every class, and asked about that part.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from atnas.compiler.encoding import Genotype
from atnas.compiler.supernet import buffers
from atnas.compiler.survey import Share, interval
from atnas.runtime.learn.adapt import evaluate
from atnas.runtime.learn.model import Model
from atnas.runtime.learn.plans import grouped
from atnas.runtime.learn.trainer import Norm, Weights
from atnas.runtime.search.domain import SearchDomain
from atnas.runtime.search.operators import mate, mutate
from atnas.runtime.search.searcher import leaders
from atnas.runtime.seeds import stream
from atnas.runtime.tasks.stack import stack
from atnas.runtime.tasks.support import Support
from atnas.runtime.tasks.task import Task
from atnas.runtime.trained import Trained

POPULATION: Final = 12
GENERATIONS: Final = 4
CROSSED: Final = 0.5
"""How often a child has two parents."""


@dataclass(frozen=True)
class Scored:
    """An architecture, and how many of the images that were held out, in so many parts, it answered rightly."""

    genotype: Genotype
    right: int = 0
    asked: int = 0
    parts: int = 0

    @property
    def share(self) -> Share | None:
        """With Wilson's 95 % interval; None where nothing could be held out."""
        return interval(self.right, self.asked) if self.asked else None


@dataclass(frozen=True)
class Adapted:
    """An architecture with weights for the task; `tried` is how many were compared, `seconds` what it all took.

    `averages` are what its batch norms go by: the running ones of the run, or those of the support rows.
    """

    scored: Scored
    weights: Weights
    averages: Weights
    tried: int
    seconds: float

    def state(self, run: Trained) -> Weights:
        """All numbers of the plain network."""
        _, numbers = run.supernet.plain(self.scored.genotype, "running")
        return {**numbers, **self.weights, **self.averages}


def adapt(run: Trained, genotype: Genotype, support: Support) -> Adapted:
    """The weights of one architecture, adapted to all of the support set."""
    began = time.monotonic()
    scored = score(run, genotype, support.folds())
    weights = _adapted(run, genotype, support.whole)
    averages = _averages(run, genotype, weights, support.whole)
    return Adapted(scored, weights, averages, 1, time.monotonic() - began)


def search(run: Trained, genotype: Genotype, support: Support, told: Callable[[int], None]) -> Adapted:
    """Architecture and weights: a short evolution from what the run found and the best of its trials.

    Where a class has one image nothing can be held out: then it is `genotype`, the best by meta-fitness. `told` hears
    how many architectures were compared so far.
    """
    began = time.monotonic()
    folds = support.folds()
    if not folds:
        return adapt(run, genotype, support)
    rng = stream(run.plan.settings.seed, "adapt")
    known: dict[Genotype, Scored] = {}

    def compare(candidates: Sequence[Genotype]) -> None:
        for candidate in candidates:
            if candidate not in known:
                known[candidate] = score(run, candidate, folds)
                told(len(known))

    domain = SearchDomain(run.space.encoding, run.space.encoding.allowed, (genotype,))
    past = leaders(run.trials, run.plan.search.goals) if run.plan.search else ()
    seeds = dict.fromkeys([genotype, *islice(past, POPULATION // 2)])
    compare([*seeds, *domain.fresh(POPULATION - len(seeds), seeds, rng)])
    for _ in range(GENERATIONS):
        parents = _ranked(known)[: POPULATION // 2]
        compare(_children(parents, domain, rng))
    winner = _ranked(known)[0]
    weights = _adapted(run, winner.genotype, support.whole)
    averages = _averages(run, winner.genotype, weights, support.whole)
    return Adapted(winner, weights, averages, len(known), time.monotonic() - began)


def score(run: Trained, genotype: Genotype, folds: Sequence[Task]) -> Scored:
    """An architecture by cross-validation."""
    model = _model(run, genotype)
    right = asked = 0
    for task in folds:
        (found,) = evaluate(model, run.plan.train.learner, stack([task]))
        assert found.accuracy is not None
        right += round(found.accuracy * len(task.query_y))
        asked += len(task.query_y)
    return Scored(genotype, right, asked, len(folds))


def _adapted(run: Trained, genotype: Genotype, task: Task) -> Weights:
    weights = run.plan.train.learner.adapt(_model(run, genotype), stack([task]))
    return {name: weight.squeeze(0) for name, weight in weights.items()}


def _averages(run: Trained, genotype: Genotype, weights: Weights, task: Task) -> Weights:
    path = run.supernet.path(genotype)
    running = run.plan.train.norm == "running"
    return buffers(path.averages() if running else path.observed(weights, task.support_x))


def _model(run: Trained, genotype: Genotype) -> Model:
    """As a model will answer: to each image by itself, so that a run whose queries were asked together goes by the
    support rows here.
    """
    path = run.supernet.path(genotype)
    norm: Norm = "running" if run.plan.train.norm == "running" else "support"
    return Model(path, grouped(path), norm, path.weights(), run.beside.of(path))


def _ranked(known: dict[Genotype, Scored]) -> list[Scored]:
    """The best first; of equals the one that was known first, which the run preferred."""
    return sorted(known.values(), key=lambda scored: -scored.right)


def _children(parents: Sequence[Scored], domain: SearchDomain, rng: random.Random) -> list[Genotype]:
    found: dict[Genotype, None] = {}
    for _ in range(POPULATION):
        mother = rng.choice(parents).genotype
        crossed = rng.random() < CROSSED
        child = mate(mother, rng.choice(parents).genotype, domain.encoding, rng) if crossed else mother
        child = mutate(child, domain.encoding, None, rng)
        if domain.allowed(child):
            found[child] = None
    return list(found)
