"""The answer of a run: the found architecture on tasks of held-out classes, beside controls on the same tasks."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import exp, isnan, log, nan
from typing import TYPE_CHECKING, Any

from pydantic_core import to_jsonable_python

from atnas.dsl.latency import NANOSECONDS
from atnas.runtime.device import MIB
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
    """Some architectures on the test tasks: of each architecture the scores, one for each task."""

    genotypes: tuple[Genotype, ...]
    by_task: tuple[tuple[float, ...], ...]

    @property
    def scores(self) -> list[float]:
        """Of each task, averaged over the architectures."""
        return [sum(task) / len(task) for task in zip(*self.by_task, strict=True)]


@dataclass(frozen=True)
class Answer:
    """What a run found out: `result` in short, `tests` task by task."""

    result: dict[str, Any]
    tests: dict[str, Any]


def answer(run: Run, found: Genotype) -> Answer:
    """What result.json and test.json hold.

    The found architecture, `random_controls` random ones of the space and its largest, each adapted to the same
    `test_tasks` tasks of test classes with the same inherited weights. Intervals are 95 % over tasks; differences
    are paired by task.
    """
    began = time.monotonic()
    judged = {"found": _judge(run, "found", [found])}
    if run.searching and run.space.net.decisions:
        judged |= _controls(run, run.searching)
    return Answer(_result(run, found, judged, began), {name: _tested(run, each) for name, each in judged.items()})


def _result(run: Run, found: Genotype, judged: Mapping[str, Judged], began: float) -> dict[str, Any]:
    training, mine = run.training, judged["found"]
    trials = run.searching.trials if run.searching else []
    return {
        "experiment": run.plan.name,
        "space": run.space.net.name,
        "architectures": str(run.space.encoding.count()),
        "architecture": run.space.encoding.decode(found),
        "measure": run.evaluation.measure,
        **_described(run, mine),
        "controls": {
            name: {**_described(run, each), "count": len(each.genotypes), "difference": _difference(mine, each)}
            for name, each in judged.items()
            if name != "found"
        },
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
        "memory_mib": round(max(training.held, run.workers.held()) / MIB),
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


def _controls(run: Run, searching: Searching) -> dict[str, Judged]:
    rng = stream(run.seed, "random controls")
    drawn = searching.domain.fresh(run.plan.settings.random_controls, (), rng)
    largest = run.space.costs.extreme("params", largest=True)[1]
    return {"random": _judge(run, "random", drawn), "largest": _judge(run, "largest", [largest])}


def _judge(run: Run, name: str, genotypes: Sequence[Genotype]) -> Judged:
    count = run.plan.settings.test_tasks
    found = []
    for n, genotype in enumerate(genotypes):
        scores: list[float] = []
        for first in range(0, count, PORTION):
            size = min(PORTION, count - first)
            lost = any(map(isnan, scores))  # then its mean is none, and it may take as long again to fail
            scores += [nan] * size if lost else run.evaluation.tried([genotype] * size, "test", "test", first)
            run.tell(Progress(f"test: {name}", n * count + first + size, count * len(genotypes)))
        found.append(tuple(scores))
    return Judged(tuple(genotypes), tuple(found))


def _tested(run: Run, judged: Judged) -> list[dict[str, Any]]:
    """The score on every test task, which are the same for all runs of one seed and one distribution."""
    pairs = zip(judged.genotypes, judged.by_task, strict=True)
    return [{"architecture": run.space.encoding.decode(genotype), "scores": scores} for genotype, scores in pairs]


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
