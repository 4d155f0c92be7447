"""Runs: the same answer whatever comes between, and nothing that was saved is ever lost."""

from __future__ import annotations

import errno
import json
import math
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count, pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
from commands import TINY, atnas, run, sentence, spawned, timeless
from safetensors import safe_open

from atnas.cli.progress import Lines
from atnas.dsl.errors import Unable
from atnas.runtime import files, searching, training
from atnas.runtime.learn.adapt import Score
from atnas.runtime.learn.meta import outer_step
from atnas.runtime.learn.outer import OuterOptimizer
from atnas.runtime.learn.settings import Adam
from atnas.runtime.learn.trainer import MetaGradient
from atnas.runtime.lock import locked, sign
from atnas.runtime.search.objectives import Evaluation, Measurement, TaskLoss
from atnas.runtime.watch import Progress
from atnas.runtime.work import Serial, Unit

# Dropout draws numbers in training, too.
AFTER = TINY.replace("(relu | tanh)", "(relu | tanh) -> dropout(0.1)")
# Generations before meta steps 2 and 5 and one after training; paths follow the population.
INTERLEAVED = AFTER.replace("finalists ", "schedule    = interleaved(warmup = 2, every = 3)\n  finalists ").replace(
    "validation  ", "paths          = population\n  validation  "
)
# Generations before meta steps 1 and 2; the population of four is halved before 3 and 4, and one is left to train.
NARROWED = INTERLEAVED.replace(
    "interleaved(warmup = 2, every = 3)", "interleaved(warmup = 1, every = 1, narrow = true)"
)
NARROWED = NARROWED.replace("generations = 3", "generations = 2")
NAMES = {AFTER: "after", INTERLEAVED: "interleaved", NARROWED: "narrowed"}

PICTURES = """\
space flat [image: (c, h, w)] -> logits: (way) {
  logits = image -> flatten -> linear(way)
}

tasks mine {
  source = image_folder(root = "nowhere")
}

train meta {
  learner    = maml
  iterations = 2
}

experiment tiny {
  space = flat
  tasks = mine
  train = meta
}
"""


@dataclass(frozen=True)
class Folder:
    """What a run left, without what the clock says."""

    trials: list[Any]
    result: Any
    best: Any
    metrics: list[Any]
    weights: dict[str, dict[str, list[Any]]]


def left(out: Path) -> Folder:
    def lines(name: str) -> list[Any]:
        return [timeless(json.loads(line)) for line in (out / name).read_text().splitlines()]

    return Folder(
        lines("trials.jsonl"),
        timeless(json.loads((out / "result.json").read_text())),
        json.loads((out / "best.json").read_text()),
        lines("metrics.jsonl"),
        {name: checkpoint(out, name) for name in ("best", "step-00000008")},
    )


def checkpoint(out: Path, name: str) -> dict[str, list[Any]]:
    with safe_open(out / "checkpoints" / f"{name}.safetensors", framework="pt") as file:
        return {key: file.get_tensor(key).tolist() for key in file.keys()}  # noqa: SIM118


def contents(out: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {str(path.relative_to(out)): path.read_bytes() for path in sorted(out.rglob("*")) if path.is_file()}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Folder]:
    """Runs that nothing came between."""
    found = {}
    for text in NAMES:
        folder = tmp_path_factory.mktemp("undisturbed")
        ended = run(program(folder, text), folder / "run")
        assert ended.code == 0, ended.err
        found[text] = left(folder / "run")
    return found


def program(folder: Path, text: str = AFTER) -> Path:
    file = folder / "tiny.atnas"
    file.write_text(text)
    return file


@contextmanager
def at(phase: str, done: int, *, sudden: bool = False, apart: bool = True) -> Iterator[None]:
    """Ctrl-C at a point of the run; a sudden one ends it there and then, as a second Ctrl-C does that comes `apart`."""
    plain = Lines.progress

    def progress(self: Lines, now: Progress) -> None:
        plain(self, now)
        if (now.phase, now.done) == (phase, done):
            for _ in range(1 + sudden):
                signal.raise_signal(signal.SIGINT)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Lines, "progress", progress)
        if apart:
            patch.setattr("atnas.cli.run.ONE", 0.0)
        yield


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


# (c) Damage


@pytest.fixture
def saving(monkeypatch: pytest.MonkeyPatch) -> None:
    """A checkpoint after every step."""
    monkeypatch.setattr(training, "SAVE_EVERY", 0.0)


def cut(path: Path, share: float = 0.5) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])


@pytest.mark.usefixtures("saving")
@pytest.mark.parametrize("share", [0.0, 0.001, 0.1, 0.5, 0.999])
def test_a_checkpoint_that_was_cut_short_leaves_the_one_before_it(
    share: float, tmp_path: Path, undisturbed: dict[str, Folder]
) -> None:
    file, out = program(tmp_path, INTERLEAVED), tmp_path / "run"
    with at("train", 6):
        run(file, out)
    newest = out / "checkpoints" / "step-00000006.safetensors"
    cut(newest, share)
    ended = run(file, out)
    assert ended.code == 0
    assert f"{newest} is damaged: going on from the checkpoint before it\n" in ended.err
    assert "going on at iteration 5 of 8\n" in ended.err
    assert left(out) == undisturbed[INTERLEAVED]


@pytest.mark.usefixtures("saving")
def test_where_no_checkpoint_is_left_nothing_is_thrown_away(tmp_path: Path) -> None:
    file, out = program(tmp_path), tmp_path / "run"
    with at("train", 6):
        run(file, out)
    for path in (out / "checkpoints").glob("step-*"):
        cut(path)
    before = contents(out)
    ended = run(file, out)
    assert ended.code == 2
    assert "no checkpoint is left to go on from, so start anew with --fresh" in sentence(ended)
    assert contents(out) == before


def test_without_the_best_weights_there_is_no_search(tmp_path: Path) -> None:
    file, out = program(tmp_path), tmp_path / "run"
    with at("search", 1):
        run(file, out)
    cut(out / "checkpoints" / "best.safetensors")
    ended = run(file, out)
    assert ended.code == 2
    assert "best.safetensors is damaged, and it held the best weights: start anew with --fresh" in ended.err


@pytest.mark.parametrize("name", ["trials.jsonl", "metrics.jsonl"])
def test_a_last_line_that_was_cut_short_is_dropped(name: str, tmp_path: Path, undisturbed: dict[str, Folder]) -> None:
    file, out = program(tmp_path), tmp_path / "run"
    with at("search", 6):
        run(file, out)
    (out / name).write_bytes((out / name).read_bytes()[:-20])
    assert run(file, out).code == 0
    assert left(out).trials == undisturbed[AFTER].trials
    assert left(out).result == undisturbed[AFTER].result
    assert [json.loads(line) for line in (out / name).read_text().splitlines()]


def test_a_damaged_line_in_the_middle_is_told(tmp_path: Path) -> None:
    file, out = program(tmp_path), tmp_path / "run"
    with at("search", 6):
        run(file, out)
    lines = (out / "trials.jsonl").read_text().splitlines()
    (out / "trials.jsonl").write_text("\n".join([lines[0], lines[1][:30], *lines[2:], ""]))
    ended = run(file, out)
    assert ended.code == 2
    assert f"line 2 of {out / 'trials.jsonl'} is damaged" in sentence(ended)


def test_a_damaged_result_is_made_anew(tmp_path: Path, undisturbed: dict[str, Folder]) -> None:
    file, out = program(tmp_path), tmp_path / "run"
    run(file, out)
    cut(out / "result.json")
    ended = run(file, out)
    assert ended.code == 2
    assert sentence(ended) == f"{out / 'result.json'} is damaged; move it away, and the same command makes it anew"
    (out / "result.json").unlink()
    assert run(file, out).code == 0
    assert left(out) == undisturbed[AFTER]


def test_what_a_dead_process_left_half_written_is_swept_up(tmp_path: Path) -> None:
    file, out = program(tmp_path), tmp_path / "run"
    with at("train", 3):
        run(file, out)
    for orphan in (out / ".run.json.1.tmp", out / "checkpoints" / ".best.safetensors.1.tmp"):
        orphan.write_bytes(b"half")
    assert run(file, out).code == 0
    assert not [name for name in contents(out) if name.endswith(".tmp")]


# (d) The disk


@pytest.mark.parametrize("writes", [0, 1, 2, 5, 9, 14, 20, 26, 27])
def test_a_full_disk_loses_nothing(
    writes: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, undisturbed: dict[str, Folder]
) -> None:
    file, out = program(tmp_path), tmp_path / "run"
    room, real = count(writes, -1), os.fsync

    def fsync(handle: int) -> None:
        if next(room) <= 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(handle)

    with monkeypatch.context() as patch:
        patch.setattr(files.os, "fsync", fsync)
        ended = run(file, out)
    assert ended.code == 2
    assert "could not be written: No space left on device; what was saved before is whole" in ended.err
    assert "Traceback" not in ended.err
    assert not [name for name in contents(out) if name.endswith(".tmp")]
    assert run(file, out).code == 0
    assert left(out) == undisturbed[AFTER]


@contextmanager
def disk(folder: Path, size: str) -> Iterator[Path]:
    """A file system of its own, where this system lets us make one."""
    folder.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "none", folder], capture_output=True, check=False
    )
    if made.returncode != 0:
        pytest.skip("a small file system needs root on Linux; the full disk is simulated in the tests beside this one")
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


@pytest.mark.skipif(sys.platform != "linux", reason="file systems in memory are made on Linux")
def test_a_disk_that_is_really_full_or_read_only(tmp_path: Path, undisturbed: dict[str, Folder]) -> None:
    file = program(tmp_path)
    with disk(tmp_path / "small", "24k") as small:
        full = run(file, small / "run")
        assert full.code == 2
        assert "No space left on device; what was saved before is whole" in full.err
        json.loads((small / "run" / "run.json").read_text())
        subprocess.run(["mount", "-o", "remount,ro", small], check=True)
        locked = run(file, small / "run")
        assert locked.code == 2
        assert "Read-only file system" in locked.err
        assert "Read-only file system" in sentence(run(file, small / "other"))
        subprocess.run(["mount", "-o", "remount,rw,size=10m", small], check=True)
        assert run(file, small / "run").code == 0
        assert left(small / "run") == undisturbed[AFTER]


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    file = program(tmp_path)
    ended = run(file, file / "run")
    assert ended.code == 2
    assert sentence(ended) == f"{file / 'run'} could not be written: Not a directory; what was saved before is whole"


# (e) Whose folder it is


def test_a_finished_run_shows_its_table_again(tmp_path: Path) -> None:
    file, out = program(tmp_path), tmp_path / "run"
    first = run(file, out)
    before = contents(out)
    again = run(file, out)
    assert again.code == 0
    assert again.out == first.out
    assert again.err == f"{out} is finished; --fresh starts anew\n"
    assert contents(out) == before
    # Where the terminal knows neither lines nor the plus-minus sign, too.
    plain = spawned("run", file, "--out", out, PYTHONIOENCODING="ascii")
    assert plain.code == 0
    assert "mean of 2 random" in plain.out
    assert plain.out.isascii()


def test_the_folder_of_another_run_is_left_alone_unless_it_is_to_be_moved(tmp_path: Path) -> None:
    file, out = program(tmp_path), tmp_path / "run"
    run(file, out)
    before = contents(out)
    ended = run(file, out, "--set", "train.iterations=3")
    assert ended.code == 2
    assert sentence(ended) == (
        f"{out} holds another run (train.iterations was 8 and is 3); name another folder with --out, "
        f"to which --from {out} takes the weights along, or start anew with --fresh"
    )
    assert contents(out) == before
    for aside in ("run.old", "run.old2"):
        assert run(file, out, "--set", "train.iterations=3", "--fresh").code == 0
        assert (tmp_path / aside).exists()
    assert contents(tmp_path / "run.old") == before
    assert json.loads((out / "result.json").read_text())["training"]["iterations"] == 3


@pytest.mark.parametrize("fresh", [False, True])
def test_a_folder_of_other_things_is_left_alone(fresh: bool, tmp_path: Path) -> None:
    file, out = program(tmp_path), tmp_path / "thesis"
    out.mkdir()
    (out / "chapter.txt").write_text("years of work")
    ended = run(file, out, *(["--fresh"] if fresh else []))
    assert ended.code == 2
    assert sentence(ended) == f"{out} holds other files and no run; name another folder with --out"
    assert contents(out) == {"chapter.txt": b"years of work"}


def test_what_cannot_start_moves_nothing_aside(tmp_path: Path) -> None:
    file, out = program(tmp_path), tmp_path / "run"
    run(file, out)
    before = contents(out)
    pictures = tmp_path / "pictures.atnas"
    pictures.write_text(PICTURES)
    ended = run(pictures, out, "--fresh")
    assert ended.code == 2
    assert "nowhere" in sentence(ended)
    assert run(file, out, "--fresh", "--workers", 0).code == 2
    if not torch.cuda.is_available():
        assert run(file, out, "--fresh", "--device", "cuda").code == 2
    assert contents(out) == before


@pytest.mark.skipif(sys.platform == "win32", reason="folders cannot be locked on Windows")
def test_two_processes_do_not_work_in_one_folder(tmp_path: Path) -> None:
    file, out = program(tmp_path), tmp_path / "run"
    with at("train", 3):
        run(file, out)
    with locked(out):
        sign(out)
        for arguments in ((), ("--fresh",)):
            said = sentence(run(file, out, *arguments))
            assert said.startswith(f"another process is at work in {out}: process {os.getpid()} on ")
    assert run(file, out).code == 0


def test_a_process_that_died_holds_no_lock(tmp_path: Path) -> None:
    file, out = program(tmp_path), tmp_path / "run"
    with at("train", 3):
        run(file, out)
    (out / "lock").write_text('{"process": 1, "host": "elsewhere", "since": "2020-01-01"}')
    assert run(file, out).code == 0


# (f) What a run does


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


def trials(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (out / "trials.jsonl").read_text().splitlines()]


def params(genotype: list[int]) -> int:
    """Weights of one or two layers of 4, 8 or 12 units on one number, and of the head, counted by hand."""
    width, deeper = 4 * (genotype[0] + 1), genotype[1]
    return 2 * width + deeper * (width + 1) * width + width + 1


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
    said = f"7 architectures in a row could not be evaluated, {common} of them since: IndexError: no such layer\n"
    assert ended.err.endswith(f"atnas: {said}")


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
