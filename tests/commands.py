"""The command line, run in this process, and a program small enough to be run in a fraction of a second."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch

from atnas.cli.main import guarded

TINY = """\
op layer(c) = linear(c) -> (relu | tanh)

space mlp [x: (1)] -> y: (1) {
  width = 4..12 step 4
  y     = x -> layer(width) * 1..2 -> linear(1)
}

tasks waves {
  source = sinusoid
  shot   = 4
  query  = 4
}

train meta {
  learner        = maml(order = 1, inner = sgd(lr = 0.01), steps = 1)
  batch          = 2
  iterations     = 8
  validation     = 4
  validate_every = 3
}

search evolve {
  algorithm   = evolution(population = 4, generations = 3)
  minimize      loss(tasks = 4)
  finalists   = 2
  final_tasks = 4
}

experiment tiny {
  space           = mlp
  tasks           = waves
  train           = meta
  search          = evolve
  seed            = 3
  test_tasks      = 6
  random_controls = 2
}
"""


MEASURED = {"spent", "held", "memory_mib", "crc32"}


@dataclass(frozen=True)
class Ended:
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str


def atnas(*arguments: object, stdin: str | bytes = b"") -> Ended:
    """`atnas ARGUMENTS`, by one thread, so that results do not depend on the machine."""
    torch.set_num_threads(1)
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True) for _ in range(2))
    given = stdin if isinstance(stdin, bytes) else stdin.encode()
    with redirect_stdout(out), redirect_stderr(err), patch("sys.stdin", io.TextIOWrapper(io.BytesIO(given))):
        code = guarded([str(a) for a in arguments])
    return Ended(code, *(stream.buffer.getvalue().decode() for stream in (out, err)))  # type: ignore[attr-defined]


def spawned(*arguments: object, code: str = "from atnas.cli.main import main; main()", **more: str) -> Ended:
    """The command line in a process of its own."""
    command = [sys.executable, "-c", code, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | more, timeout=60, check=False)
    return Ended(done.returncode, done.stdout, done.stderr)


def run(file: Path, out: Path, *arguments: object) -> Ended:
    """`atnas run` without further processes."""
    return atnas("run", file, "--out", out, "--workers", 1, *arguments)


def settings(changes: dict[str, object]) -> list[str]:
    """As `--set` takes them."""
    return [word for key, value in changes.items() for word in ("--set", f"{key}={value}")]


def sentence(ended: Ended) -> str:
    """The one sentence that an error is told in; before it stands at most what a run says when it begins."""
    assert ended.out == ""
    assert "Traceback" not in ended.err
    assert ended.err.endswith("\n")
    *before, last = ended.err.splitlines()
    assert last.startswith("atnas: ")
    assert all(" params, seed " in line for line in before), ended.err
    return last.removeprefix("atnas: ")


def timeless(document: Any) -> Any:
    """A document without what the clock says, what memory was taken, and the checksum over it."""
    if isinstance(document, list):
        return [timeless(item) for item in document]
    if not isinstance(document, dict):
        return document
    return {key: timeless(value) for key, value in document.items() if "second" not in key and key not in MEASURED}
