"""Runs that tests make, interrupt and compare."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from commands import TINY, timeless
from safetensors import safe_open

from atnas.cli.progress import Lines
from atnas.runtime.watch import Progress

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


def trials(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (out / "trials.jsonl").read_text().splitlines()]
