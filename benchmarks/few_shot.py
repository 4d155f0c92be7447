"""The figures of docs/results.md: whole runs, each by the command line as a user would type it.

    python benchmarks/few_shot.py conv4 glyphs-after glyphs-interleaved omniglot-after omniglot-interleaved
    python benchmarks/few_shot.py conv4-5way-first conv4-5way conv4-20way pictures-1shot pictures-5shot

Runs lie in `runs/benchmarks/`; one that is finished is not run again. Prints a Markdown table for each protocol:
figures that were not come to alike do not stand in one.
"""

from __future__ import annotations

import json
import os
import platform
import shlex
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import torch

from atnas.runtime.summary import COMPARED

ROOT = Path(__file__).resolve().parent.parent
RUNS = ROOT / "runs" / "benchmarks"


def settings(*changes: str) -> list[str]:
    """As `--set` takes them."""
    return [word for change in changes for word in ("--set", change)]


AFTER = settings("search.schedule=after", "train.paths=uniform")
INTERLEAVED = settings("search.schedule=interleaved(warmup = 300, every = 100)", "train.paths=population")
FIRST = settings("tasks.query=1", "train.outer.lr=1e-3")
SECOND = settings("tasks.query=1", "train.learner.order=2", "train.batch=16", "train.validation=400")

PICTURES = "benchmarks/few_shot/pictures.atnas"

COMMANDS = {
    "conv4": ["conv4"],
    "conv4-5way-first": ["conv4", *FIRST, *settings("train.batch=32", "train.iterations=12k")],
    "conv4-5way": ["conv4", *SECOND, *settings("train.iterations=12k")],
    "conv4-20way": ["conv4", *SECOND, *settings("tasks.way=20", "train.iterations=4k")],
    "pictures-1shot": [PICTURES],
    "pictures-5shot": [PICTURES, *settings("tasks.shot=5", "train.iterations=3k")],
    "glyphs-after": ["quickstart"],
    "glyphs-interleaved": ["quickstart", *INTERLEAVED],
    "omniglot-after": ["omniglot", *AFTER],
    "omniglot-interleaved": ["omniglot"],
}


def main(names: list[str]) -> None:
    """Runs what is asked for and prints the tables."""
    unknown = [n for n in names if n not in COMMANDS]
    if unknown or not names:
        raise SystemExit(f"name some of {', '.join(COMMANDS)}")
    for name in names:
        run(name)
    print(f"{processor()}, {len(os.sched_getaffinity(0))} cores, torch {torch.__version__}")
    protocols: dict[str, list[str]] = {}
    for name in names:
        of = read(name)["protocol"]
        protocols.setdefault(", ".join(f"{key} {of[key]}" for key in COMPARED if key in of), []).append(name)
    for protocol, same in protocols.items():
        print(f"\n{protocol}:\n")
        print("| run | found | mean of random | the largest | found - random | found - largest | training | seconds |")
        print("| --- | --- | --- | --- | --- | --- | --- | --- |")
        for name in same:
            print(row(name))
    print()
    for name in names:
        example, *changes = COMMANDS[name]
        print(f"- {name}: `{shlex.join(['atnas', 'run', file(example), *changes])}`")


def file(example: str) -> str:
    """Where an example lies, below the project's folder, or another program of this name."""
    return example if example.endswith(".atnas") else f"examples/{example}.atnas"


def run(name: str) -> None:
    """One run, its wall time written beside its result."""
    folder = RUNS / name
    if (folder / "result.json").exists():
        return
    example, *changes = COMMANDS[name]
    began = time.monotonic()
    subprocess.run([sys.executable, "-m", "atnas", "run", ROOT / file(example), "--out", folder, *changes], check=True)
    (folder / "wall_seconds.txt").write_text(f"{time.monotonic() - began:.0f}\n")


def read(name: str) -> Any:
    """The result of a run."""
    return json.loads((RUNS / name / "result.json").read_text())


def row(name: str) -> str:
    """A line of a table."""
    result = read(name)
    controls, training = result["controls"], result["training"]
    cells = [
        name,
        shown(result),
        *(shown(controls[c]) if c in controls else "" for c in ("random", "largest")),
        *(difference(controls[c]) if c in controls else "" for c in ("random", "largest")),
        f"{training['tasks']:,} tasks, {100 * training['best_validation']:.1f} % on validation",
        (RUNS / name / "wall_seconds.txt").read_text().strip(),
    ]
    return f"| {' | '.join(cells)} |"


def processor() -> str:
    """The processor's own name, where the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))


def shown(row: dict[str, Any]) -> str:
    """Accuracy with its interval, and parameters."""
    return f"{100 * row['score']:.2f} ± {100 * row['ci95']:.2f} % ({row['params']:,})"


def difference(control: dict[str, Any]) -> str:
    """A paired difference with its interval."""
    return f"{100 * control['difference']['mean']:+.2f} ± {100 * control['difference']['ci95']:.2f}"


if __name__ == "__main__":
    main(sys.argv[1:])
