"""Runs: the same answer whatever comes between, and what a run does."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
from commands import TINY, atnas, run, spawned
from runs import AFTER, INTERLEAVED, NAMES, NARROWED, Folder, at, left, program, trials
from safetensors import safe_open

from atnas.runtime.learn.trainer import MetaGradient
from atnas.runtime.work import Serial, Unit

# (a) Going on


@pytest.mark.parametrize("sudden", [False, True], ids=["one Ctrl-C", "two"])
@pytest.mark.parametrize(
    ("text", "phase", "done"),
    [
        (AFTER, "train", 1),
        (AFTER, "train", 5),
        (AFTER, "train", 8),
        (AFTER, "search", 6),
        (AFTER, "search", 12),
        (AFTER, "finals", 1),
        (AFTER, "test: random", 6),
        (INTERLEAVED, "train", 2),
        (INTERLEAVED, "search", 3),
        (INTERLEAVED, "train", 4),
        (INTERLEAVED, "search", 13),
        (INTERLEAVED, "search", 21),
        (INTERLEAVED, "test: largest", 6),
        (NARROWED, "train", 3),
        (NARROWED, "narrowing", 3),
        (NARROWED, "narrowing", 2),
        (NARROWED, "train", 6),
    ],
    ids=lambda value: NAMES.get(value, str(value)),
)
def test_a_run_that_was_interrupted_goes_on_as_if_it_had_not_been(
    text: str, phase: str, done: int, sudden: bool, tmp_path: Path, undisturbed: dict[str, Folder]
) -> None:
    file, out = program(tmp_path, text), tmp_path / "run"
    with at(phase, done, sudden=sudden):
        ended = run(file, out)
    assert ended.code == 130, f"the run never came to {phase} {done}: {ended.err}"
    assert "Traceback" not in ended.err
    assert not (out / "result.json").exists()
    if not sudden:
        assert f"everything is saved in {out}, and the same command goes on from here" in ended.err
    again = run(file, out)
    assert again.code == 0, again.err
    assert left(out) == undisturbed[text]


def test_a_run_may_be_interrupted_at_every_step(tmp_path: Path, undisturbed: dict[str, Folder]) -> None:
    file, out = program(tmp_path, INTERLEAVED), tmp_path / "run"
    for step in range(1, 9):
        with at("train", step):
            assert run(file, out).code == 130
    assert run(file, out).code == 0
    assert left(out) == undisturbed[INTERLEAVED]


def test_a_signal_that_is_sent_twice_at_once_is_one(tmp_path: Path) -> None:
    """As `timeout` and batch systems send it: to the process and to its group."""
    file, out = program(tmp_path), tmp_path / "run"
    with at("train", 3, sudden=True, apart=False):
        ended = run(file, out)
    assert (ended.code, "everything is saved" in ended.err) == (130, True)
    assert (out / "checkpoints" / "step-00000003.safetensors").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no process groups")
def test_ctrl_c_in_a_terminal_reaches_the_workers_too(tmp_path: Path) -> None:
    """The terminal sends the signal to every process of the group."""
    file, out = program(tmp_path, AFTER.replace("= 8", "= 50k")), tmp_path / "run"
    command = [sys.executable, "-m", "atnas", "run", file, "--out", out, "--workers", "2"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)
    deadline = time.monotonic() + 60
    while not (out / "metrics.jsonl").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 130
    assert [line for line in said.splitlines()[1:] if "side by side" not in line] == [
        "stopping after this step; once more ends at once",
        f"stopped; everything is saved in {out}, and the same command goes on from here",
    ]
    assert len(list((out / "checkpoints").glob("step-*.safetensors"))) == 1


# (b) Workers


@pytest.mark.parametrize("text", NAMES, ids=NAMES.values())
def test_the_number_of_workers_changes_nothing(text: str, tmp_path: Path, undisturbed: dict[str, Folder]) -> None:
    out = tmp_path / "run"
    ended = spawned("run", program(tmp_path, text), "--out", out, "--workers", 2)
    assert ended.code == 0, ended.err
    assert left(out) == undisturbed[text]


# (c) What a run does


def test_the_best_state_by_validation_is_kept(tmp_path: Path) -> None:
    out = tmp_path / "run"
    # At this rate it soon gets worse again.
    ended = run(program(tmp_path, TINY), out, "--set", "train.outer=adam(lr = 1)", "--set", "train.validate_every=1")
    assert ended.code == 0
    events = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    # A step's own loss is told with its speed, the loss on validation tasks without.
    losses = {event["step"]: event["loss"] for event in events if "tasks_per_second" not in event}
    assert sorted(losses) == list(range(1, 9))
    best = min(losses, key=lambda step: losses[step])
    assert best < 8
    with safe_open(out / "checkpoints" / "best.safetensors", framework="pt") as file:
        assert {"step": best, "score": losses[best]}.items() <= json.loads(file.metadata()["atnas"]).items()
    assert json.loads((out / "result.json").read_text())["training"]["best_validation"] == losses[best]


def params(genotype: list[int]) -> int:
    """Weights of one or two layers of 4, 8 or 12 units on one number, and of the head, counted by hand."""
    width, deeper = 4 * (genotype[0] + 1), genotype[1]
    return 2 * width + deeper * (width + 1) * width + width + 1


def test_constraints_hold_for_every_trial_and_control(tmp_path: Path) -> None:
    out = tmp_path / "run"
    text = TINY.replace("finalists ", "require params <= 40\n  finalists ")
    assert run(program(tmp_path, text), out).code == 0
    # 13, 25 and 37 weights in one layer, 33 in two of 4: with their activations ten architectures.
    assert {params(t["genotype"]) for t in trials(out)} <= {13, 25, 37, 33}
    assert len(trials(out)) == 10
    result = json.loads((out / "result.json").read_text())
    assert result["params"] <= 40
    assert result["controls"]["random"]["params"] <= 40


@pytest.mark.parametrize("text", [AFTER, INTERLEAVED], ids=["after", "interleaved"])
def test_everything_that_is_compared_saw_the_same_tasks(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[str, str, list[int]]] = []
    plain = Serial.scores

    def scores(self: Serial, units: list[Unit]) -> list[Any]:
        tasks = [which for unit in units for which in unit.tasks]
        seen.append((tasks[0].purpose, tasks[0].split, [which.index for which in tasks]))
        return plain(self, units)

    monkeypatch.setattr(Serial, "scores", scores)
    out = tmp_path / "run"
    assert run(program(tmp_path, text), out).code == 0
    for purpose, split, size in (("fitness", "val", 4), ("finals", "val", 4), ("test", "test", 6)):
        asked = [(s, indices) for p, s, indices in seen if p == purpose]
        assert len(asked) > 1
        assert all(one == (split, list(range(size))) for one in asked)
    assert sum(purpose == "fitness" for purpose, _, _ in seen) == len(trials(out))
    assert sum(purpose == "test" for purpose, _, _ in seen) == 1 + 2 + 1


def test_no_architecture_is_paid_for_twice(tmp_path: Path) -> None:
    out = tmp_path / "run"
    assert run(program(tmp_path), out, "--set", "search.algorithm.generations=8").code == 0
    genotypes = [tuple(trial["genotype"]) for trial in trials(out)]
    # The space has 18 architectures, and 8 generations of 4 would be more.
    assert len(genotypes) == len(set(genotypes)) == 18


def test_survivors_are_scored_again_once_weights_have_moved(undisturbed: dict[str, Folder]) -> None:
    by_generation = [[t for t in undisturbed[INTERLEAVED].trials if t["generation"] == n] for n in range(3)]
    assert [len(trials) for trials in by_generation] == [4, 8, 8]
    for before, after in pairwise(by_generation):
        ranked = sorted(before, key=lambda t: t["values"]["loss"])
        assert [t["genotype"] for t in after[:4]] == [t["genotype"] for t in ranked[:4]]
        assert [t["values"] for t in after[:4]] != [t["values"] for t in ranked[:4]]
        assert not {tuple(t["genotype"]) for t in after[4:]} & {tuple(t["genotype"]) for t in before}
    assert [trial["number"] for trial in undisturbed[INTERLEAVED].trials] == list(range(20))


def test_a_population_is_halved_until_one_is_left(undisturbed: dict[str, Folder]) -> None:
    by_generation = [[t for t in undisturbed[NARROWED].trials if t["generation"] == n] for n in range(6)]
    assert [len(trials) for trials in by_generation] == [4, 8, 4, 2, 0, 0]
    for before, after, kept in zip(by_generation[1:], by_generation[2:4], (4, 2), strict=False):
        ranked = sorted(before, key=lambda t: t["values"]["loss"])
        assert [t["genotype"] for t in after] == [t["genotype"] for t in ranked[:kept]]
        assert [t["values"] for t in after] != [t["values"] for t in ranked[:kept]]


def test_what_is_left_of_a_population_is_trained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[set[Any]] = []
    plain = Serial.gradients

    def gradients(self: Serial, units: Sequence[Unit], progress: float) -> list[MetaGradient]:
        taken.append({unit.genotype for unit in units})
        return plain(self, units, progress)

    monkeypatch.setattr(Serial, "gradients", gradients)
    out = tmp_path / "run"
    assert run(program(tmp_path, NARROWED), out).code == 0
    last = [t for t in trials(out) if t["generation"] == 3]
    winner = min(last, key=lambda t: t["values"]["loss"])
    assert taken[-4:] == [{tuple(winner["genotype"])}] * 4


def test_a_network_without_weights_can_be_judged(tmp_path: Path) -> None:
    text = TINY.replace("layer(width) * 1..2 -> linear(1)", "(relu | tanh)")
    ended = run(program(tmp_path, text), tmp_path / "run")
    assert ended.code == 0, ended.err
    assert json.loads((tmp_path / "run" / "result.json").read_text())["params"] == 0


def test_a_run_tells_what_it_is(tmp_path: Path) -> None:
    file, out = program(tmp_path), tmp_path / "run"
    ended = run(file, out)
    about = json.loads((out / "run.json").read_text())
    assert (about["experiment"], about["seed"], about["device"]) == (
        "tiny",
        3,
        "cpu" if not torch.cuda.is_available() else "cuda",
    )
    assert about["torch"] == torch.__version__
    opening, *lines = ended.err.splitlines()
    assert re.sub(", [0-9]+ MiB of memory", "", opening) == (
        f"tiny: 18 architectures of 13 to 193 params, seed 3, {about['device']}, in {out}"
    )
    phases = [line.split("  ")[0].strip() for line in lines]
    assert phases == [
        *("meta-training", "search", "finals", "test: found", "test: random", "test: largest"),
        f"{out} holds the run",
    ]
    compiled = atnas("compile", file, "-o", tmp_path / "same.atnasc")
    assert compiled.code == 0
    assert (tmp_path / "same.atnasc").read_bytes() == (out / "program.atnasc").read_bytes()


def test_every_test_task_is_told_by_its_score(tmp_path: Path) -> None:
    out = tmp_path / "run"
    assert run(program(tmp_path), out).code == 0
    tests = json.loads((out / "test.json").read_text())
    result = json.loads((out / "result.json").read_text())
    (found,) = tests["found"]
    assert found["architecture"] == result["architecture"]
    assert len(found["scores"]) == 6
    assert sum(found["scores"]) / 6 == pytest.approx(result["score"])
    random = [sum(row["scores"]) / 6 for row in tests["random"]]
    assert sum(random) / len(random) == pytest.approx(result["controls"]["random"]["score"])
