"""What recording costs a run, and how fast a large one is opened again.

    python benchmarks/recording.py [--rounds 3]

A run of the quickstart whose writes are timed as they happen: metrics, events, trials, checkpoints, progress, each with
what it waits for the disk. Then a run of 100,000 trials, made up, is listed and reported by the command line. Prints
Markdown; exits with 1 where a goal is missed.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from lines import Line, printed

from atnas.cli.progress import Lines
from atnas.runtime import searching
from atnas.runtime.events import Events
from atnas.runtime.experiments import chosen
from atnas.runtime.folder import RunFolder
from atnas.runtime.launch import launch
from atnas.runtime.records import document_of, line_of
from atnas.runtime.training import Training

ROOT = Path(__file__).resolve().parent.parent
TRIALS = 100_000
SHARE = 0.02
SECONDS = 5.0


def main() -> int:
    """Measures both and prints a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with TemporaryDirectory() as folder:
        return printed(chain(recording(Path(folder)), opening(Path(folder), options.rounds)))


def recording(folder: Path) -> Iterator[Line]:
    """The share of a run that goes into writing down what it does."""
    spent: Counter[str] = Counter()
    for holder, name, what in (
        (RunFolder, "log", "metrics"),
        (Events, "add", "events"),
        (searching, "append_line", "trials"),
        (Training, "checkpoint", "checkpoints"),
        (RunFolder, "save", "best weights"),
        (Lines, "progress", "progress"),
    ):
        setattr(holder, name, timed(getattr(holder, name), spent, what))
    began = time.monotonic()
    launch(chosen(str(ROOT / "examples" / "quickstart.atnas"), None), folder / "quickstart", watcher=Lines())
    whole = time.monotonic() - began
    share = sum(spent.values()) / whole
    each = ", ".join(f"{what} {1000 * seconds:.0f} ms" for what, seconds in spent.most_common())
    measured = f"{100 * share:.2f} % of {whole:.0f} s: {each}"
    yield Line("recording of the quickstart", measured, f"{100 * SHARE:.0f} %", share < SHARE)


def timed(function: Callable[..., Any], spent: Counter[str], what: str) -> Callable[..., Any]:
    """The same, its seconds added up; what one of them calls of another is counted once."""

    def wrapped(*arguments: Any, **named: Any) -> Any:
        began, before = time.perf_counter(), sum(spent.values())
        found = function(*arguments, **named)
        inner = sum(spent.values()) - before
        spent[what] += time.perf_counter() - began - inner
        return found

    return wrapped


def opening(folder: Path, rounds: int) -> Iterator[Line]:
    """How long the command line takes for a run of many trials."""
    run = folder / "quickstart"
    grown(run)
    for name, command in (
        ("runs", ["runs", str(folder)]),
        ("report", ["report", str(run), "-o", str(folder / "report.html")]),
    ):
        took = []
        for _ in range(rounds):
            began = time.monotonic()
            subprocess.run([sys.executable, "-m", "atnas", *command], check=True, capture_output=True)
            took.append(time.monotonic() - began)
        measured = f"{median(took):.2f} s ({min(took):.2f} to {max(took):.2f})"
        yield Line(f"`atnas {name}` of {TRIALS:,} trials", measured, f"{SECONDS:.0f} s", median(took) < SECONDS)
    size = (folder / "report.html").stat().st_size
    yield Line("the page", f"{size / 1024:.0f} KiB", "some hundred", size < 1_000_000)


def grown(run: Path) -> None:
    """The trials of a run, again and again, as if it had looked at so many architectures."""
    trials = [json.loads(line) for line in (run / "trials.jsonl").read_text().splitlines()]
    for trial in trials:
        del trial["crc32"]
    with (run / "trials.jsonl").open("w") as file:
        for number in range(TRIALS):
            like, rest = trials[number % len(trials)], number // len(trials)
            genotype = [*like["genotype"], rest]
            file.write(line_of(like | {"number": number, "generation": number // 1000, "genotype": genotype}) + "\n")
    result = json.loads((run / "result.json").read_text())
    del result["crc32"]
    result["search"]["trials"] = TRIALS
    (run / "result.json").write_text(document_of(result))


if __name__ == "__main__":
    raise SystemExit(main())
