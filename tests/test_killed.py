"""A run that is killed at a hundred random moments gives what one that was left alone gives, to the last bit."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from commands import TINY, run, timeless
from safetensors import safe_open

from atnas.runtime import training

KILLS = 100

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


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no fork and no SIGKILL")
def test_a_run_that_is_killed_a_hundred_times(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "tiny.atnas"
    file.write_text(LONG)
    monkeypatch.setattr(training, "SAVE_EVERY", 0.0)
    assert run(file, tmp_path / "alone").code == 0
    script = Path(__file__).with_name("killed.py")
    command = [sys.executable, script, file, tmp_path / "killed", str(KILLS), "1"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    assert json.loads(done.stdout) == {"kills": KILLS, "code": 0}, done.stderr[-3000:]
    alone, killed = left(tmp_path / "alone"), left(tmp_path / "killed")
    assert alone.keys() == killed.keys()
    for name in alone:
        assert alone[name] == killed[name], name
