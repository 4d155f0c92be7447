"""Meta-training beside learn2learn, higher, torchopt and a loop written by hand: tasks a second at equal numbers.

    python benchmarks/meta.py [--seconds 4] [--rounds 3] [--cases omniglot_q1 ..]

Every side gets both cores, the same network, weights and tasks, and a process of its own; in each round all run once,
and ratios to learn2learn are taken within a round. Peers live in an environment of their own under `benchmarks/peers`.
learn2learn 0.2.0 does not build on Python 3.11 as it comes: the C files in its archive are of an older Cython, so they
are taken out and made anew; its data sets, which need torchvision, are left out. Prints Markdown; exits with 1 where a
goal is missed or numbers differ.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tarfile
import tempfile
import venv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from lines import Line, printed
from torch import Tensor

ROOT = Path(__file__).resolve().parent.parent
HERE = ROOT / "benchmarks" / "beside"
PEERS = ROOT / "benchmarks" / "peers" / "meta"
PYTHON = PEERS / "bin" / "python"
L2L = PEERS / "learn2learn-0.2.0"

SIDES = ("learn2learn", "higher", "torchopt", "by_hand")
GOALS = {
    ("omniglot_q1", 1): 2.5,
    ("omniglot_q15", 1): 1.7,
    ("mini_imagenet", 1): 1.7,
    ("omniglot_q1", 2): 1.8,
    ("omniglot_q15", 2): 1.8,
    ("mini_imagenet", 2): 1.8,
}
"""Times learn2learn, by case and order."""

CLOSE = 1e-9
"""Relative difference of losses and gradients in double precision. In single precision a relu or a maximum that flips
by the last digit moves a gradient by more than any bound that would find a mistake, so what is found there is printed
alone."""


def main() -> int:
    """Measures everything and prints tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--cases", nargs="*", default=["omniglot_q1", "omniglot_q15", "mini_imagenet"])
    options = parser.parse_args()
    install()
    every = ((name, order, steps) for name in options.cases for order in (1, 2) for steps in (1, 5))
    return printed(line for case in every for line in lines(options, *case))


def lines(options: argparse.Namespace, name: str, order: int, steps: int) -> Iterator[Line]:
    """A line for atnas with the ratios to learn2learn, one for each other side."""
    with tempfile.TemporaryDirectory() as folder:
        found: dict[str, list[dict[str, Any]]] = {side: [] for side in (*SIDES, "atnas")}
        for _ in range(options.rounds):
            for side in found:
                if side != "torchopt" or order == 2:
                    found[side].append(run(side, name, order, steps, options.seconds, Path(folder)))
        numbers = {path.stem: torch.load(path) for path in Path(folder).glob("*.pt")}
    reference = numbers["learn2learn"]["double"]
    for side, runs in found.items():
        if not runs:
            continue
        ratios = [a["rate"] / b["rate"] for a, b in zip(runs, found["learn2learn"], strict=True)]
        apart, single = (
            max(map(relative, numbers[side][p].values(), reference.values())) for p in ("double", "single")
        )
        rate = statistics.median(r["rate"] for r in runs)
        memory = max(r["megabytes"] + r["child"] for r in runs)
        what = f"{name}, order {order}, {steps} steps: {side} {runs[0]['version']}"
        measured = (
            f"{rate:.1f} tasks/s, {middle(ratios)} times learn2learn; {memory:.0f} MB; "
            f"numbers {apart:.0e} apart in double precision, {single:.0e} from those in single"
        )
        goal = GOALS[name, order] if side == "atnas" else None
        met = apart < CLOSE and (goal is None or statistics.median(ratios) >= goal)
        yield Line(what, measured, "" if goal is None else f"{goal} times", met)


def relative(found: Tensor, reference: Tensor) -> float:
    """How far apart they are, in units of the reference."""
    return float((found.double() - reference).norm() / reference.norm())


def middle(ratios: list[float]) -> str:
    """The median, least to most."""
    return f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"


def run(side: str, name: str, order: int, steps: int, seconds: float, folder: Path) -> dict[str, Any]:
    """One side, once."""
    python = [sys.executable] if side == "atnas" else [str(PYTHON)]
    arguments = [name, str(order), str(steps), str(seconds), str(folder / f"{side}.pt")]
    command = [*python, "-W", "ignore", str(HERE / f"{side}_meta.py"), *arguments]
    environment = os.environ | {"PYTHONPATH": str(L2L)} if side != "atnas" else os.environ
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{side} failed:\n{done.stderr[-2000:]}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def install() -> None:
    """The peers, with the torch that atnas runs on."""
    if (PEERS / "done").exists():
        return
    venv.create(PEERS, with_pip=True, clear=True)

    def pip(*arguments: str) -> None:
        subprocess.run([str(PYTHON), "-m", "pip", "install", "-q", *arguments], check=True)

    pip(f"torch=={torch.__version__.partition('+')[0]}")  # before what would bring another one
    pip(
        "cython<3",
        "setuptools<70",
        "wheel",
        "numpy",
        "scipy",
        "gym",
        "tqdm",
        "requests",
        "pillow",
        "higher",
        "torchopt",
    )
    pip("--no-deps", "qpth")
    archive = ["download", "-q", "--no-deps", "--no-build-isolation", "--no-binary", ":all:", "learn2learn==0.2.0"]
    subprocess.run([str(PYTHON), "-m", "pip", *archive, "-d", str(PEERS)], check=True)
    with tarfile.open(PEERS / "learn2learn-0.2.0.tar.gz") as packed:
        packed.extractall(PEERS, filter="data")
    for stale in L2L.glob("learn2learn/data/*.c"):
        stale.unlink()
    subprocess.run([str(PYTHON), "setup.py", "build_ext", "--inplace"], cwd=L2L, check=True, capture_output=True)
    (PEERS / "done").touch()


if __name__ == "__main__":
    raise SystemExit(main())
