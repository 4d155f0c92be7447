"""How the sides of `benchmarks/meta.py` are timed, each in a process of its own: it prints one JSON object."""

from __future__ import annotations

import json
import os
import resource
import statistics
import sys
import time

import torch
from networks import CASES


def main(version: str, build) -> None:
    """`CASE ORDER STEPS SECONDS GRADIENTS`: tasks a second by the clock, on all cores; gradients go to a file."""
    name, order, steps, seconds, gradients = sys.argv[1:]
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    step = build(CASES[name], int(order), int(steps))
    single = step()
    report(version, *timed(step, CASES[name].batch, float(seconds)))
    torch.set_default_dtype(torch.float64)
    keep(single, build(CASES[name], int(order), int(steps))(), gradients)


def keep(single, double, path: str) -> None:
    """Writes the loss and the gradients that a step found in each precision."""

    def flat(loss: float, gradients) -> dict:
        return {
            "loss": torch.tensor([loss], dtype=torch.float64),
            "gradient": torch.cat([g.flatten() for g in gradients]),
        }

    torch.save({"single": flat(*single), "double": flat(*double)}, path)


def timed(step, tasks: int, seconds: float) -> tuple[float, int]:
    """Tasks a second, the median of at least three steps, and how many were timed."""
    times = []
    until = time.perf_counter() + seconds
    while len(times) < 3 or time.perf_counter() < until:
        began = time.perf_counter()
        step()
        times.append(time.perf_counter() - began)
    return tasks / statistics.median(times), len(times)


def report(version: str, rate: float, steps: int) -> None:
    """What the benchmark reads. Memory is that of this process and of the largest it started, at their peaks."""
    peaks = [resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    found = {"version": version, "torch": torch.__version__, "rate": rate, "steps": steps}
    print(json.dumps(found | {"megabytes": peaks[0] / 1024, "child": peaks[1] / 1024}))
