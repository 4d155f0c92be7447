"""A run that is ended at random moments, or whose clock jumps, gives what one left alone gives, to the last bit."""

from __future__ import annotations

import itertools
import json
import math
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from commands import TINY, run, timeless
from safetensors import safe_open

from atnas.runtime import batching, training

TIMES = {"SIGKILL": 100, "SIGTERM": 15, "SIGINT": 15}

LONG = (
    TINY.replace("(relu | tanh)", "(relu | tanh) -> dropout(0.1)")
    .replace("finalists ", "schedule    = interleaved(warmup = 20, every = 15)\n  finalists ")
    .replace("validation  ", "paths          = population\n  validation  ")
    .replace("iterations     = 8", "iterations     = 240")
    .replace("validate_every = 3", "validate_every = 10")
    .replace("generations = 3", "generations = 8")
    .replace("test_tasks      = 6", "test_tasks      = 300")
)


def left(out: Path) -> dict[str, Any]:
    """Every file of a finished run but those of TensorBoard, without what the clock says."""
    files = {p.relative_to(out).as_posix(): p for p in out.rglob("*") if p.is_file() and "tfevents" not in p.name}
    return {name: content(path) for name, path in files.items()}


def content(path: Path) -> Any:
    if path.suffix == ".jsonl":
        return [timeless(json.loads(line)) for line in path.read_text().splitlines()]
    if path.suffix == ".json":
        return timeless(json.loads(path.read_text()))
    if path.suffix != ".safetensors" or path.stem == "best":
        return path.read_bytes()
    with safe_open(path, framework="pt") as file:
        about = json.loads(file.metadata()["atnas"])
        return {key: file.get_tensor(key).tolist() for key in file.keys()}, timeless(about)  # noqa: SIM118


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a program, and what is left of its run."""
    root = tmp_path_factory.mktemp("alone")
    (root / "tiny.atnas").write_text(LONG)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "SAVE_EVERY", 0.0)
        assert run(root / "tiny.atnas", root / "run").code == 0
    return root


def same(one: Path, other: Path) -> None:
    """Two runs left the same files."""
    mine, others = left(one), left(other)
    assert mine.keys() == others.keys()
    for name in mine:
        assert mine[name] == others[name], name


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no fork and no SIGKILL")
@pytest.mark.parametrize("name", TIMES)
def test_a_run_that_is_ended_many_times(name: str, alone: Path, tmp_path: Path) -> None:
    script = Path(__file__).with_name("killed.py")
    number, times = getattr(signal, name), TIMES[name]
    command = [sys.executable, script, alone / "tiny.atnas", tmp_path / "run", str(int(number)), str(times), "1"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    assert json.loads(done.stdout) == {"ended": times, "code": 0}, done.stderr[-3000:]
    same(tmp_path / "run", alone / "run")


def test_a_clock_that_jumps_changes_nothing(alone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By years, back and forth; and one that never goes back leaps over hours, as after a sleep."""
    rng, leaps = random.Random(1), itertools.count(0.0, 3_600.0)
    monkeypatch.setattr(time, "time", lambda: rng.uniform(0, 4e9))
    monkeypatch.setattr(time, "monotonic", lambda: next(leaps))
    monkeypatch.setattr(batching, "SHORT", math.inf)  # else it measures what is fastest, by that clock
    monkeypatch.setattr(training, "SAVE_EVERY", 0.0)
    ended = run(alone / "tiny.atnas", tmp_path / "run")
    assert ended.code == 0, ended.err
    same(tmp_path / "run", alone / "run")
