"""What fails in a run does not end it: it raises, never ends, gives no number, or takes a worker with it."""

from __future__ import annotations

import json
import math
import os
import signal
from pathlib import Path
from typing import Any

import pytest
import torch
from commands import atnas, run
from runs import AFTER, Folder, at, program, trials

from atnas.dsl.errors import Unable
from atnas.runtime import searching
from atnas.runtime.learn.adapt import Score
from atnas.runtime.learn.meta import outer_step
from atnas.runtime.learn.outer import OuterOptimizer
from atnas.runtime.learn.settings import Adam
from atnas.runtime.learn.trainer import MetaGradient
from atnas.runtime.search.objectives import Evaluation, Measurement, TaskLoss
from atnas.runtime.work import Serial, Unit


def test_a_candidate_that_fails_is_a_trial_that_is_never_chosen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = TaskLoss.evaluate

    def failing(self: TaskLoss, genotype: tuple[int, ...], evaluation: Evaluation) -> Measurement:
        if genotype[0] == 0:
            raise RuntimeError("not enough memory for this one")
        return plain(self, genotype, evaluation)

    monkeypatch.setattr(TaskLoss, "evaluate", failing)
    out = tmp_path / "run"
    ended = run(program(tmp_path), out)
    assert ended.code == 0, ended.err
    failed = [trial for trial in trials(out) if trial["genotype"][0] == 0]
    assert failed
    assert all(t["values"] is None and t["failure"] == "RuntimeError: not enough memory for this one" for t in failed)
    assert all(t["values"] and t["failure"] is None for t in trials(out) if t not in failed)
    result = json.loads((out / "result.json").read_text())
    assert result["search"]["failed"] == len(failed)
    assert result["architecture"]["width"] != 4


def test_a_search_in_which_everything_fails_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*_: object) -> Measurement:
        raise RuntimeError("no room")

    monkeypatch.setattr(TaskLoss, "evaluate", failing)
    ended = run(program(tmp_path), tmp_path / "run")
    assert ended.code == 2
    assert ended.err.endswith("atnas: the search found nothing: RuntimeError: no room\n")


def test_a_search_in_which_too_many_fail_in_a_row_stops_with_the_cause(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(_self: TaskLoss, genotype: tuple[int, ...], _evaluation: Evaluation) -> Measurement:
        raise IndexError("no such layer" if genotype[0] else "another thing")

    monkeypatch.setattr(searching, "IN_ROW", 7)
    monkeypatch.setattr(TaskLoss, "evaluate", failing)
    out = tmp_path / "run"
    ended = run(program(tmp_path), out)
    assert (ended.code, len(trials(out))) == (2, 7)
    common = sum(trial["failure"] == "IndexError: no such layer" for trial in trials(out))
    said = f"7 architectures in a row could not be evaluated, {common} of them since: IndexError: no such layer; "
    said += f"`atnas reduce {out}` shows where that comes from\n"
    assert ended.err.endswith(f"atnas: {said}")


def test_failures_in_a_row_are_counted_on_where_a_run_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*_: object) -> Measurement:
        raise RuntimeError("no room")

    monkeypatch.setattr(searching, "IN_ROW", 7)
    monkeypatch.setattr(TaskLoss, "evaluate", failing)
    out = tmp_path / "run"
    with at("search", 4):
        assert run(program(tmp_path), out).code == 130
    ended = run(program(tmp_path), out)
    assert (ended.code, len(trials(out))) == (2, 7)
    assert "7 architectures in a row could not be evaluated" in ended.err


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no interval timers")
def test_a_candidate_that_never_ends_has_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = TaskLoss.evaluate

    def endless(self: TaskLoss, genotype: tuple[int, ...], evaluation: Evaluation) -> Measurement:
        while genotype[0] == 0:
            pass
        return plain(self, genotype, evaluation)

    monkeypatch.setattr(TaskLoss, "evaluate", endless)
    out = tmp_path / "run"
    ended = run(program(tmp_path), out, "--set", "search.seconds=0.5")
    assert ended.code == 0, ended.err
    failures = {trial["failure"] for trial in trials(out) if trial["genotype"][0] == 0}
    assert failures == {"it took longer than 0.5 s"}
    assert json.loads((out / "result.json").read_text())["architecture"]["width"] != 4


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no interval timers")
@pytest.mark.parametrize("end", ["sleep", "kill"])
def test_a_worker_that_hangs_or_dies_is_replaced(
    end: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, undisturbed: dict[str, Folder]
) -> None:
    """Its candidate has failed, and others are evaluated by new workers with the same weights."""
    plain = TaskLoss.evaluate
    hit: list[tuple[int, ...]] = []

    def evaluate(self: TaskLoss, genotype: tuple[int, ...], evaluation: Any) -> Measurement:
        if not hit:
            hit.append(genotype)
            process = evaluation.workers._processes[0]
            os.kill(process.pid, signal.SIGSTOP if end == "sleep" else signal.SIGKILL)
        return plain(self, genotype, evaluation)

    monkeypatch.setattr(TaskLoss, "evaluate", evaluate)
    out = tmp_path / "run"
    ended = atnas("run", program(tmp_path), "--out", out, "--workers", 2, "--set", "search.seconds=10")
    assert ended.code == 0, ended.err
    failed, *others = trials(out)
    assert tuple(failed["genotype"]) == hit[0]
    said = {"sleep": "it took longer than 10 s", "kill": "a worker process ended"}[end]
    assert failed["failure"].startswith(said)
    alone = {tuple(t["genotype"]): t["values"] for t in undisturbed[AFTER].trials}
    generation = [trial for trial in others if trial["generation"] == 0]
    assert len(generation) == 3
    assert all(trial["values"] == alone[tuple(trial["genotype"])] for trial in generation)


def test_a_score_that_is_not_finite_is_no_score(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = Serial.scores

    def scores(self: Serial, units: list[Unit]) -> list[Any]:
        found = plain(self, units)
        diverged = [u.genotype[0] == 0 and which.purpose != "validation" for u in units for which in u.tasks]
        return [Score(math.nan, None) if lost else score for score, lost in zip(found, diverged, strict=True)]

    monkeypatch.setattr(Serial, "scores", scores)
    out = tmp_path / "run"
    # Networks of width 4, on the other hand, are among the random controls: their row has no figures.
    ended = run(program(tmp_path), out, "--set", "experiment.random_controls=12")
    assert ended.code == 0, ended.err
    assert "NaN" not in "".join(path.read_text() for path in out.glob("*.json*"))
    result = json.loads((out / "result.json").read_text())
    assert result["architecture"]["width"] != 4
    assert result["controls"]["random"]["score"] is None
    assert "not finite" in ended.out


BROKEN = {
    "raises": ("IndexError: no such layer", "IndexError: no such layer"),
    "is no number": ("its loss or its gradient is not finite", "is no finite number"),
}


@pytest.mark.parametrize("how", BROKEN)
def test_an_architecture_that_cannot_be_trained_ends_no_run(
    how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Networks of width 4 are among paths, validation, candidates and controls."""
    gradient, scores = Serial._gradient, Serial._scores

    def broken(unit: Unit) -> bool:
        if unit.genotype[0] == 0 and how == "raises":
            raise IndexError("no such layer")
        return unit.genotype[0] == 0

    def broken_gradient(self: Serial, unit: Unit, progress: float) -> MetaGradient:
        found = gradient(self, unit, progress) if not broken(unit) else None
        return found or MetaGradient(torch.full((len(unit.tasks),), math.nan), None, {})

    def broken_scores(self: Serial, unit: Unit) -> list[Score]:
        return [Score(math.nan, None)] * len(unit.tasks) if broken(unit) else scores(self, unit)

    monkeypatch.setattr(Serial, "_gradient", broken_gradient)
    monkeypatch.setattr(Serial, "_scores", broken_scores)
    out = tmp_path / "run"
    ended = run(program(tmp_path), out, "--set", "experiment.random_controls=12", "--set", "train.iterations=12")
    assert ended.code == 0, ended.err
    assert ended.err.count(f"a path is left out: {BROKEN[how][0]}") == 1
    events = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    assert 0 < sum(event.get("left_out", 0) for event in events) < 2 * 12
    failed = [trial for trial in trials(out) if trial["genotype"][0] == 0]
    assert failed and all(BROKEN[how][1] in trial["failure"] for trial in failed)
    assert json.loads((out / "result.json").read_text())["architecture"]["width"] != 4


def test_what_is_left_out_leaves_the_rest_of_a_step_as_it_is() -> None:
    def optimizer() -> OuterOptimizer:
        return OuterOptimizer(Adam(lr=0.1), {"w": torch.ones(3)}, {})

    good = MetaGradient(torch.tensor([1.0]), None, {"w": torch.tensor([1.0, 2.0, 3.0])})
    bad = MetaGradient(torch.tensor([1.0]), None, {"w": torch.tensor([1.0, math.nan, 3.0])})
    alone, beside = optimizer(), optimizer()
    assert outer_step([good], [{"w": None}], alone, 0.1).left_out == 0
    assert outer_step([bad, good], [{"w": None}] * 2, beside, 0.1).left_out == 1
    assert torch.equal(alone.parameters["w"], beside.parameters["w"])
    with pytest.raises(Unable, match="diverged"):
        outer_step([bad], [{"w": None}], beside, 0.1)
    assert torch.equal(alone.parameters["w"], beside.parameters["w"])


def test_training_that_diverges_says_so(tmp_path: Path) -> None:
    ended = run(program(tmp_path), tmp_path / "run", "--set", "train.learner.inner.lr=1e30")
    assert ended.code == 2
    assert "diverged" in ended.err
    assert "lower the inner or the outer rate" in ended.err
    assert "Traceback" not in ended.err
