"""The answer of a run: the found architecture on tasks of held-out classes, beside controls on the same tasks."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import exp, log
from typing import TYPE_CHECKING, Any

from pydantic_core import to_jsonable_python

from atnas.dsl.latency import NANOSECONDS
from atnas.runtime.learn.interval import confidence, paired
from atnas.runtime.seeds import stream
from atnas.runtime.tasks.mixture import Distribution, Mixture
from atnas.runtime.watch import Progress

if TYPE_CHECKING:
    from atnas.compiler.encoding import Genotype
    from atnas.runtime.learn.trainer import Trainer
    from atnas.runtime.run import Run
    from atnas.runtime.searching import Searching


PORTION = 50
"""Test tasks between two looks at whether the user wants to stop."""


@dataclass(frozen=True)
class Judged:
    """Some architectures on the test tasks: the scores of each task, averaged over them."""

    genotypes: tuple[Genotype, ...]
    scores: tuple[float, ...]


def answer(run: Run, found: Genotype) -> dict[str, Any]:
    """What result.json holds.

    The found architecture, `random_controls` random ones of the space and its largest, each adapted to the same
    `test_tasks` tasks of test classes with the same inherited weights. Intervals are 95 % over tasks; differences
    are paired by task.
    """
    began = time.monotonic()
    mine = _judge(run, "found", [found])
    training = run.training
    trials = run.searching.trials if run.searching else []
    controls = _controls(run, run.searching, mine) if run.searching and run.space.net.decisions else {}
    return {
        "experiment": run.plan.name,
        "space": run.space.net.name,
        "architectures": str(run.space.encoding.count()),
        "architecture": run.space.encoding.decode(found),
        "measure": run.evaluation.measure,
        **_described(run, mine),
        "controls": controls,
        "protocol": protocol(run),
        "training": {
            "iterations": training.step,
            "tasks": training.step * run.plan.train.batch,
            "best_validation": training.best_score,
            "seconds": round(training.spent, 1),
        },
        "search": {
            "trials": len(trials),
            "failed": sum(t.values is None for t in trials),
            "seconds": round(sum(t.seconds for t in trials), 1),
        },
        **_finals(run),
        "test_seconds": round(time.monotonic() - began, 1),
    }


def _finals(run: Run) -> dict[str, Any]:
    """The finalists on the same tasks, and how much it depends on the task which of them is best.

    `best_on` is the share of tasks on which an architecture is; where several are, each has its part. `diversity` is
    the exponential of the shares' entropy: 1 where one architecture is best on every task, their number where each is
    as often. Chance alone spreads the shares, too: the fewer queries a task has, the more.
    """
    searching = run.searching
    if searching is None or not searching.finals:
        return {}
    finals = searching.finals
    shares = best_on(list(finals.values()), run.evaluation.better)
    rows = [
        {"architecture": run.space.encoding.decode(g), "score": mean, "ci95": half, "best_on": share}
        for (g, scores), share in zip(finals.items(), shares, strict=True)
        for mean, half in [confidence(scores)]
    ]
    tasks = searching.search.final_tasks
    return {"finals": {"tasks": tasks, "diversity": diversity(shares), "architectures": rows}}


def best_on(scores: Sequence[Sequence[float]], better: Callable[[float, float], bool]) -> list[float]:
    """For each architecture the share of tasks on which none is better, divided among equals."""
    found = [0.0] * len(scores)
    for task in zip(*scores, strict=True):
        best = [i for i, score in enumerate(task) if not any(better(other, score) for other in task)]
        for i in best:
            found[i] += 1 / len(best)
    return [each / len(scores[0]) for each in found]


def diversity(shares: Sequence[float]) -> float:
    """The exponential of the entropy of shares that add up to 1."""
    return exp(-sum(share * log(share) for share in shares if share > 0))


def protocol(run: Run) -> dict[str, Any]:
    """Everything that figures must share to stand in one table."""
    plan = run.plan
    return {
        **drawn_from(plan.tasks),
        "norm": plan.train.norm,
        **learned_by(plan.train.learner),
        "split": "test",
        "tasks": plan.settings.test_tasks,
        "weights": "inherited",
        "seed": plan.settings.seed,
        "device": run.device.type,
    }


def learned_by(learner: Trainer) -> dict[str, Any]:
    """A learner with its settings."""
    return {"learner": type(learner).__name__, **to_jsonable_python(learner)}


def drawn_from(tasks: Distribution) -> dict[str, Any]:
    """Where tasks come from, and how large they are."""
    if isinstance(tasks, Mixture):
        return {"mix": [{"name": name, "weight": weight, **drawn_from(part)} for name, weight, part in tasks.parts]}
    return {
        "source": type(tasks.source).__name__,
        "way": _number(tasks.way) if tasks.loss == "cross_entropy" else None,
        "shot": _number(tasks.shot),
        "query": tasks.query,
    }


def _number(value: Any) -> Any:
    return value if isinstance(value, int) else to_jsonable_python(value)


def _controls(run: Run, searching: Searching, mine: Judged) -> dict[str, Any]:
    rng = stream(run.seed, "random controls")
    drawn = searching.domain.fresh(run.plan.settings.random_controls, (), rng)
    largest = run.space.costs.extreme("params", largest=True)[1]
    controls = {"random": _judge(run, "random", drawn), "largest": _judge(run, "largest", [largest])}
    return {
        name: {
            **_described(run, judged),
            "count": len(judged.genotypes),
            "difference": _difference(mine, judged),
        }
        for name, judged in controls.items()
    }


def _judge(run: Run, name: str, genotypes: Sequence[Genotype]) -> Judged:
    count = run.plan.settings.test_tasks
    totals = [0.0] * count
    for n, genotype in enumerate(genotypes):
        for first in range(0, count, PORTION):
            size = min(PORTION, count - first)
            scores = run.evaluation.scores([genotype] * size, "test", "test", first)
            totals[first : first + size] = [t + s for t, s in zip(totals[first : first + size], scores, strict=True)]
            run.tell(Progress(f"test: {name}", n * count + first + size, count * len(genotypes)))
    return Judged(tuple(genotypes), tuple(t / len(genotypes) for t in totals))


def _described(run: Run, judged: Judged) -> dict[str, Any]:
    mean, half = confidence(judged.scores)
    costs = [run.space.costs.of(g) for g in judged.genotypes]
    average: Callable[[str], int] = lambda metric: round(sum(c[metric] for c in costs) / len(costs))  # noqa: E731
    latency = {table.name: average(table.metric) / NANOSECONDS for table in run.space.net.tables}
    found = {"score": mean, "ci95": half, "params": average("params"), "macs": average("macs")}
    return found | ({"latency": latency} if latency else {})


def _difference(mine: Judged, other: Judged) -> dict[str, float]:
    mean, half = paired(mine.scores, other.scores)
    return {"mean": mean, "ci95": half}
