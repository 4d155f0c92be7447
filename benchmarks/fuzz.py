"""The language under attack: inputs of many kinds, what is promised of each, and each failure with its seed.

    python benchmarks/fuzz.py --inputs 200000 --jobs 2
    python benchmarks/fuzz.py --replay 1234 "turns:1000000000"

Each input is read as the command line reads a file, checked, and its findings are told in every format. What has no
syntax error is formatted, twice. A share is edited and checked again, and a share is asked about as an editor does. No
input may end in a traceback, take more than 2 seconds of the processor for any of these, or lead the process beyond
500 MB. After the seeds come all texts of `tests/hostile.py` at sizes up to the largest, and the command line on files
that are none. Exits with 1 where something fails.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "benchmarks" / "fuzzing")]

from inputs import Input, largest, made  # noqa: E402
from odd_files import COMMANDS, ran  # noqa: E402
from promises import INNER, MEGABYTES, SECONDS, Failure, Tried  # noqa: E402
from workers import Task, results, shrunk  # noqa: E402

EVERY = 60
"""Seconds between two lines that tell how far it is."""


class Report:
    """The figures of a run."""

    def __init__(self) -> None:
        self.counts = Counter[str]()
        self.outcomes = Counter[str]()
        self.spent = Counter[str]()
        self.slowest: dict[str, tuple[float, str]] = {}
        self.largest: tuple[float, str] = (0, "")
        self.measured_twice = 0
        self.failed: dict[tuple[str, str], list[tuple[str, Failure]]] = defaultdict(list)

    def add(self, task: Task, found: Tried) -> None:
        given = task if isinstance(task, Input) else made(task)
        self.counts[given.source] += 1
        self.outcomes[found.outcome] += 1
        self.spent[given.source] += sum(s for part, s in found.seconds.items() if part not in INNER)
        for part, seconds in found.seconds.items():
            self.slowest[part] = max(self.slowest.get(part, (0, "")), (seconds, given.name))
        self.measured_twice += found.measured_twice
        self.largest = max(self.largest, (found.megabytes, given.name))
        for failure in found.failures:
            key = failure.kind, failure.place
            if not self.failed[key]:
                print(f"FAILS {failure.kind}: {failure.place}\n  seed {given.name} ({given.source})\n  {failure.told}")
            self.failed[key].append((given.name, failure))

    def line(self) -> str:
        failures = sum(map(len, self.failed.values()))
        return f"{self.counts.total():,} inputs, {failures} failures at {len(self.failed)} places"

    def table(self) -> Iterator[str]:
        yield "| source | inputs | CPU seconds in all |\n| --- | --- | --- |"
        for source, count in self.counts.most_common():
            yield f"| {source} | {count:,} | {self.spent[source]:,.0f} |"
        yield f"\noutcomes: {', '.join(f'{word} {n:,}' for word, n in self.outcomes.most_common())}"
        for part, (seconds, name) in self.slowest.items():
            yield f"slowest, {part}: {seconds:.2f} s of CPU time (input {name}); at most {SECONDS:.0f} s"
        yield f"measured twice, since the first time was too long: {self.measured_twice}"
        yield f"most memory: {self.largest[0]:.0f} MB (input {self.largest[1]}); at most {MEGABYTES} MB"
        for (kind, place), cases in self.failed.items():
            names = ", ".join(name for name, _ in cases[:8])
            yield f"FAILS {len(cases)} times, {kind}: {place}\n  inputs {names}"


def main() -> int:
    """Tries inputs and prints what came of them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--inputs", type=int, default=200_000, help="how many, besides the largest")
    parser.add_argument("--seed", type=int, default=0, help="of the first of them")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="after which no input is begun")
    parser.add_argument("--largest", action="store_true", help="only the hostile texts of large size")
    parser.add_argument("--commands", action="store_true", help="only the command line on odd files")
    parser.add_argument("--replay", nargs="+", metavar="INPUT", help="tries these again, and shows them")
    parser.add_argument("--shrink", type=float, default=0, metavar="SECONDS", help="for each failure")
    options = parser.parse_args()
    report, began = Report(), time.monotonic()
    if options.commands:
        return _commands()
    tasks = options.replay or chain(_seeds(options) if not options.largest else (), largest())
    told = began
    for task, found in results(tasks, options.jobs, began + 60 * options.minutes):
        report.add(task, found)
        if options.replay:
            _show(task, found)
        if time.monotonic() - told > EVERY:
            told = time.monotonic()
            print(f"{(told - began) / 60:.0f} min: {report.line()}", flush=True)
    for cases in report.failed.values():
        if options.shrink:
            _shrink(cases, options.shrink)
    print("\n".join(report.table()))
    print(f"{report.line()} ({(time.monotonic() - began) / 60:.0f} min)")
    failed = _commands() if not (options.replay or options.largest) else 0
    return 1 if report.failed or failed else 0


def _seeds(options: argparse.Namespace) -> Iterable[str]:
    return map(str, range(options.seed, options.seed + options.inputs))


def _show(task: Task, found: Tried) -> None:
    given = task if isinstance(task, Input) else made(task)
    text = given.content.decode("utf-8", "backslashreplace")
    print(f"--- {given.name} ({given.source}): {found.outcome}, {found.megabytes:.0f} MB, {found.wall:.2f} s")
    print(", ".join(f"{part} {seconds:.2f} s" for part, seconds in found.seconds.items()))
    print(text if len(text) < 5000 else f"{text[:1000]}\n.. {len(text):,} characters")
    for path, other in given.files.items():
        print(f"--- {path}\n{other}")
    for failure in found.failures:
        print(f"FAILS {failure.kind}: {failure.place}\n{failure.told}")


def _shrink(cases: list[tuple[str, Failure]], seconds: float) -> None:
    name, failure = min(cases, key=lambda case: len(made(case[0]).content))
    small = shrunk(made(name), failure, seconds)
    print(f"SHRUNK {name}, {failure.kind}: {failure.place}\n{small.content[:2000]!r}")


def _commands() -> int:
    """The command line on files that are none, links and the like."""
    failed = 0
    for name in COMMANDS:
        wrong = ran(name)
        failed += bool(wrong)
        print(f"command line, {name}: {wrong or 'as it should be'}", flush=True)
    return failed


if __name__ == "__main__":
    sys.exit(main())
