"""The folder of a run: nothing that was saved is ever lost, whatever befalls files, disks and owners."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import pytest
import torch
from commands import run, sentence, spawned
from runs import AFTER, INTERLEAVED, Folder, at, contents, left, program

from atnas.runtime import files, training
from atnas.runtime.lock import locked, sign

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


# Damage


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


# The disk


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


# Whose folder it is


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
