"""How fast `atnas check` is, beside `import torch`, which every training script waits for.

    python benchmarks/check.py --rounds 9

In each round every command runs once, one after the other, in a process of its own; ratios are taken within a round, so
that what else the machine does weighs on both sides. The large file has the declarations of the examples, and of
what they use, under other names, as often as it takes. The re-check is what a language server does after a key is
pressed. Exits with 1 where a goal is not met.
"""

from __future__ import annotations

import argparse
import gc
import os
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from itertools import cycle
from pathlib import Path
from typing import NamedTuple

from lines import Line, printed

ROOT = Path(__file__).resolve().parent.parent
LIBRARY = ROOT / "grammars" / "std"
EXAMPLES = ROOT / "examples"

LINES = 10_000
SECONDS = 3
MEGABYTES = 300
EDITED_LINES = 500
EDITS = 60
MILLISECONDS = 50

DECLARED = re.compile(r"^(?:extern op|op|cell|space|tasks|train|search|experiment) (\w+)", re.MULTILINE)
USED = re.compile(r"^use std\.(\w+) .*\n", re.MULTILINE)


class Run(NamedTuple):
    """What one process took."""

    seconds: float
    megabytes: float


def main() -> int:
    """Measures everything and prints a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=9, help="how often each command runs")
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        large = Path(folder) / "large.atnas"
        large.write_text(program(LINES), encoding="utf-8")
        small, numbers = (recheck(program(EDITED_LINES), edit, what) for edit, what in EDITED.items())
        lines = [*commands(rounds, large), small, numbers]
    return printed(lines)


def commands(rounds: int, large: Path) -> list[Line]:
    """The lines on processes, after a first round that is not counted: it writes the bytecode."""
    beside = Path(sys.executable).with_name("atnas")
    check = [str(beside) if beside.exists() else sys.executable, *([] if beside.exists() else ["-m", "atnas"]), "check"]
    taken = {
        "torch": [sys.executable, "-c", "import torch"],
        "quickstart": [*check, str(EXAMPLES / "quickstart.atnas")],
        "all": [*check, str(EXAMPLES), str(LIBRARY)],
        "large": [*check, str(large)],
    }
    every = [{name: run(command) for name, command in taken.items()} for _ in range(rounds + 1)][1:]
    files = len([*EXAMPLES.glob("*.atnas"), *LIBRARY.glob("*.atnas")])
    torch = [r["torch"].seconds for r in every]
    return [
        Line('`python -c "import torch"`', f"{spread(torch)} s", "", True),
        share("`atnas check` of the quickstart", every, "quickstart", 1 / 7),
        share(f"of all {files} examples and files of the standard library", every, "all", 1 / 3),
        size([r["large"] for r in every], large),
    ]


def share(what: str, every: Sequence[dict[str, Run]], name: str, goal: float) -> Line:
    """A command as a share of the time that torch takes to import."""
    ratios = [r[name].seconds / r["torch"].seconds for r in every]
    seconds = spread([r[name].seconds for r in every])
    measured = f"{spread(ratios)} of torch, {seconds} s"
    return Line(what, measured, f"1/{1 / goal:.0f} of torch: {goal:.3f}", statistics.median(ratios) <= goal)


def size(runs: Sequence[Run], large: Path) -> Line:
    """The large file, whose bounds are absolute."""
    seconds, megabytes = [r.seconds for r in runs], [r.megabytes for r in runs]
    measured = f"{spread(seconds)} s, {max(megabytes):.0f} MB"
    met = statistics.median(seconds) <= SECONDS and max(megabytes) <= MEGABYTES
    lines = large.read_text(encoding="utf-8").count("\n")
    return Line(f"of a file of {lines:,} lines", measured, f"{SECONDS} s, {MEGABYTES} MB", met)


def recheck(text: str, edit: Edit, what: str) -> Line:
    """A file read and checked again after each of many small edits, anywhere in it, as the language server does it."""
    # Imported late: what this process holds would count as memory of those that it starts.
    from atnas.cli.lsp import OFTEN
    from atnas.dsl.errors import Unable
    from atnas.dsl.source import Source
    from atnas.runtime.checking import Checker

    def nothing(path: str) -> str:
        raise Unable(f"{path} is not there")

    gc.set_threshold(OFTEN)
    checker, rng, taken = Checker(), random.Random(0), list[float]()
    checker.check(Source("open.atnas", text), nothing)
    for _ in range(EDITS):
        for now in (edit(text, rng), text):
            began = time.perf_counter()
            checker.check(Source("open.atnas", now), nothing)
            taken.append(1000 * (time.perf_counter() - began))
    what = f"re-check of a file of {text.count(chr(10))} lines after {what} and back"
    worst = statistics.quantiles(taken, n=20)[-1]
    measured = f"{spread(taken)} ms; 95 of 100 within {worst:.0f} ms"
    return Line(what, measured, f"{MILLISECONDS} ms, 95 of 100", worst <= MILLISECONDS)


def setting(text: str, rng: random.Random) -> str:
    """The text with a number of its settings replaced, or a line of comment more: both leave it without errors."""
    place = rng.choice([match.start() for match in re.finditer(r"^(?=op |cell |space |tasks |train )", text, re.M)])
    numbers = list(re.finditer(r"(?<=seed   = )\d+|(?<=iterations = )\d+\b(?!k)", text))
    if rng.random() < 0.3 or not numbers:
        return f"{text[:place]}# {rng.random()}\n{text[place:]}"
    number = rng.choice(numbers)
    return f"{text[: number.start()]}{rng.randint(2, 999)}{text[number.end() :]}"


def number(text: str, rng: random.Random) -> str:
    """The text with any one number of its code one or two off; shapes may not fit any more."""
    numbers = [match for match in re.finditer(r"#.*|(?<![\w.])\d+(?![\w.])", text) if match[0][0] != "#"]
    found = rng.choice(numbers)
    return f"{text[: found.start()]}{max(1, int(found[0]) + rng.choice([-1, 1, 2]))}{text[found.end() :]}"


Edit = Callable[[str, random.Random], str]
EDITED: dict[Edit, str] = {setting: "an edit of a setting or a comment", number: "an edit of any number"}


def program(lines: int) -> str:
    """A file of at least so many lines: all examples with what they use, again and again under other names."""
    texts = [whole(path.read_text(encoding="utf-8")) for path in sorted(EXAMPLES.glob("*.atnas"))]
    parts, total = list[str](), 0
    for number, text in enumerate(cycle(texts)):
        if total >= lines:
            break
        names = "|".join(DECLARED.findall(text))
        parts.append(re.sub(rf"\b({names})\b", rf"\1_{number}", text))
        total += parts[-1].count("\n") + 1
    return "\n".join(parts)


def whole(text: str) -> str:
    """A program with the files of the library in it that it uses."""
    used = [(LIBRARY / f"{name}.atnas").read_text(encoding="utf-8") for name in USED.findall(text)]
    return "\n".join([*map(whole, used), USED.sub("", text)])


def run(command: Sequence[str]) -> Run:
    """Runs a command, which must succeed; its wall time and the most memory that it held."""
    keep = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    began = time.perf_counter()
    process = subprocess.Popen(command, env=keep, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    told = process.stderr.read() if process.stderr else ""
    _, status, used = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}:\n{told}")
    return Run(seconds, used.ru_maxrss / (1024**2 if sys.platform == "darwin" else 1024))


def spread(values: Sequence[float]) -> str:
    """Median, least and most."""
    digits = 0 if min(values) >= 10 else 3 if max(values) < 1 else 2
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f} to {max(values):.{digits}f})"


if __name__ == "__main__":
    sys.exit(main())
