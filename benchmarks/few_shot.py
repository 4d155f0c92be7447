"""The figures of docs/results.md: whole runs, each by the command line as a user would type it.

    python benchmarks/few_shot.py conv4 glyphs-after glyphs-interleaved omniglot-after omniglot-interleaved

Runs lie in `runs/benchmarks/`; one that is finished is not run again. Prints a Markdown table.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
RUNS = ROOT / "runs" / "benchmarks"

AFTER = ["--set", "search.schedule=after", "--set", "train.paths=uniform"]
INTERLEAVED = ["--set", "search.schedule=interleaved(warmup = 300, every = 100)", "--set", "train.paths=population"]

LETTERS = ["--set", "tasks.query=1", "--set", "train.outer.lr=1e-3"]

COMMANDS = {
    "conv4": ["conv4"],
    "conv4-5way": ["conv4", *LETTERS, "--set", "train.batch=32", "--set", "train.iterations=12k"],
    "glyphs-after": ["quickstart"],
    "glyphs-interleaved": ["quickstart", *INTERLEAVED],
    "omniglot-after": ["omniglot", *AFTER],
    "omniglot-interleaved": ["omniglot"],
}


def main(names: list[str]) -> None:
    """Runs what is asked for and prints the table."""
    unknown = [n for n in names if n not in COMMANDS]
    if unknown or not names:
        raise SystemExit(f"name some of {', '.join(COMMANDS)}")
    for name in names:
        run(name)
    print("| run | found | mean of random | the largest | found - random | found - largest | seconds |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for name in names:
        print(row(name))


def run(name: str) -> None:
    """One run, its wall time written beside its result."""
    folder = RUNS / name
    if (folder / "result.json").exists():
        return
    example, *settings = COMMANDS[name]
    began = time.monotonic()
    program = ROOT / "examples" / f"{example}.atnas"
    subprocess.run([sys.executable, "-m", "atnas", "run", program, "--out", folder, *settings], check=True)
    (folder / "wall_seconds.txt").write_text(f"{time.monotonic() - began:.0f}\n")


def row(name: str) -> str:
    """A line of the table."""
    folder = RUNS / name
    result = json.loads((folder / "result.json").read_text())
    controls = result["controls"]
    cells = [
        name,
        shown(result),
        *(shown(controls[c]) if c in controls else "" for c in ("random", "largest")),
        *(difference(controls[c]) if c in controls else "" for c in ("random", "largest")),
        (folder / "wall_seconds.txt").read_text().strip(),
    ]
    return f"| {' | '.join(cells)} |"


def shown(row: dict[str, Any]) -> str:
    """Accuracy with its interval, and parameters."""
    return f"{100 * row['score']:.2f} ± {100 * row['ci95']:.2f} % ({row['params']:,})"


def difference(control: dict[str, Any]) -> str:
    """A paired difference with its interval."""
    return f"{100 * control['difference']['mean']:+.2f} ± {100 * control['difference']['ci95']:.2f}"


if __name__ == "__main__":
    main(sys.argv[1:])
