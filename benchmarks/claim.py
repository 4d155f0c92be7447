"""The method's claim: what AT-NAS finds beats Conv4, the mean random architecture and random search, at equal budgets.

    python benchmarks/claim.py letters pictures [--seeds 3]

`letters` is Omniglot, 20-way 1-shot; `pictures` CIFAR-FS, 5-way 1-shot; the programs in `benchmarks/claim/` tell the
settings. For each seed three runs train on equally many tasks: AT-NAS, whose training follows its population; a
supernet on uniform paths, of which 20 random architectures and the winner of a random search of as many evaluations are
judged; and Conv4, which gets the tasks of the searches, too. All are judged on the same test tasks, and differences are
paired by task. Then the run of AT-NAS is adapted, architecture and weights, to new classes from a folder of images.

Runs lie in `runs/benchmarks/claim/`; one that is finished is not run again. Prints Markdown; exits with 1 where an
interval of a difference is not above 0, or adapting takes two minutes.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from statistics import fmean
from typing import Any

from lines import Line, printed
from PIL import Image

from atnas.runtime.experiments import chosen
from atnas.runtime.learn.interval import confidence, paired

ROOT = Path(__file__).resolve().parent.parent
PROGRAMS = ROOT / "benchmarks" / "claim"
RUNS = ROOT / "runs" / "benchmarks" / "claim"
EXPERIMENTS = ("at_nas", "random", "baseline")
SHOTS = 5
"""Images a class of the folder that is adapted to, so that architectures can be compared inside it."""


def main() -> int:
    """Runs what is not yet there, and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="+", choices=["letters", "pictures"])
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    return printed(line for name in options.names for line in lines(name, range(1, options.seeds + 1)))


def lines(name: str, seeds: range) -> Iterator[Line]:
    """What each did, and how much better the found architecture is."""
    for seed in seeds:
        for experiment in EXPERIMENTS:
            run(name, experiment, seed)
    tests = {e: [read(name, e, seed, "test.json") for seed in seeds] for e in EXPERIMENTS}
    results = {e: [read(name, e, seed, "result.json") for seed in seeds] for e in EXPERIMENTS}
    found = [test["found"][0]["scores"] for test in tests["at_nas"]]
    others = {
        "Conv4": [test["found"][0]["scores"] for test in tests["baseline"]],
        "the mean of 20 random architectures": [mean(test["random"]) for test in tests["random"]],
        "random search": [test["found"][0]["scores"] for test in tests["random"]],
    }
    yield Line(f"{name}: AT-NAS", f"{accuracy(found)}; {size(results['at_nas'])}; {spent(results['at_nas'])}", "", True)
    for what, scores in others.items():
        each = [paired(a, b) for a, b in zip(found, scores, strict=True)]
        whole = paired(list(chain(*found)), list(chain(*scores)))
        by_seed = ", ".join(f"{100 * one.mean:+.1f}" for one in each)
        experiment = "baseline" if what == "Conv4" else "random"
        of = size([r["controls"]["random"] if "mean" in what else r for r in results[experiment]])
        measured = f"{accuracy(scores)}; {of}; {spent(results[experiment])}; AT-NAS is better by "
        measured += f"{100 * whole.mean:.2f} ± {100 * whole.half:.2f} points ({by_seed})"
        yield Line(f"{name}: {what}", measured, "above 0", whole.mean > whole.half)
    took = max(adapted(name, seed) for seed in seeds)
    yield Line(
        f"{name}: adapting architecture and weights to new classes", f"{took:.0f} s at most", "120 s", took < 120
    )


def run(name: str, experiment: str, seed: int) -> None:
    """One run, where it is not there yet."""
    out = folder(name, experiment, seed)
    if (out / "result.json").exists():
        return
    command = [sys.executable, "-m", "atnas", "run", PROGRAMS / f"{name}.atnas", "--experiment", experiment]
    subprocess.run([*command, "--out", out, "--set", f"experiment.seed={seed}"], check=True, stdout=subprocess.DEVNULL)


def adapted(name: str, seed: int) -> float:
    """Seconds that `adapt --search` takes by the clock, for the images of a test task."""
    out, images = folder(name, "at_nas", seed), folder(name, "images", seed)
    plan = chosen(str(PROGRAMS / f"{name}.atnas"), "at_nas", [f"tasks.shot={SHOTS}"]).plan
    task, scale = plan.tasks.task("test", seed, 0), plan.tasks.source.scale
    for i, (row, label) in enumerate(zip(task.support_x, task.support_y.tolist(), strict=True)):
        home = images / task.classes[label].replace("/", " ")
        home.mkdir(parents=True, exist_ok=True)
        pixels = row.movedim(0, -1) * row.new_tensor(scale.std) + row.new_tensor(scale.mean)
        array = (255 * pixels).round().clamp(0, 255).byte().numpy()
        Image.fromarray(array.squeeze(-1) if array.shape[-1] == 1 else array).save(home / f"{i}.png")
    began = time.monotonic()
    command = [sys.executable, "-m", "atnas", "adapt", out, "--support", images, "--search"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - began


def folder(name: str, what: str, seed: int) -> Path:
    """Where a run lies."""
    return RUNS / f"{name}-{what}-{seed}"


def read(name: str, experiment: str, seed: int, file: str) -> Any:
    """A file of a run."""
    return json.loads((folder(name, experiment, seed) / file).read_text())


def mean(rows: list[dict[str, Any]]) -> list[float]:
    """Of each task, over several architectures."""
    return [fmean(task) for task in zip(*(row["scores"] for row in rows), strict=True)]


def accuracy(by_seed: list[list[float]]) -> str:
    """Over the tasks of all seeds, and the mean of each."""
    whole = confidence(list(chain(*by_seed)))
    each = ", ".join(f"{100 * fmean(scores):.1f}" for scores in by_seed)
    return f"{100 * whole.mean:.2f} ± {100 * whole.half:.2f} % ({each})"


def size(rows: list[dict[str, Any]]) -> str:
    """Parameters and multiply-accumulates, from seed to seed."""
    params, macs = ([row[what] for row in rows] for what in ("params", "macs"))
    return f"{' / '.join(f'{p:,}' for p in params)} params, {' / '.join(f'{m / 1e6:.2f}' for m in macs)} M macs"


def spent(rows: list[dict[str, Any]]) -> str:
    """Tasks of training and evaluations of the search, and the seconds of both."""
    training = f"{rows[0]['training']['tasks']:,} tasks in {fmean(r['training']['seconds'] for r in rows):.0f} s"
    if not rows[0]["search"]["trials"]:
        return training
    searching = fmean(r["search"]["seconds"] for r in rows)
    return f"{training}, {rows[0]['search']['trials']} evaluations in {searching:.0f} s"


if __name__ == "__main__":
    sys.exit(main())
