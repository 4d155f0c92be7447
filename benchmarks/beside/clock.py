"""How peers of `benchmarks/meta.py` are timed, each in a process of its own: it prints one JSON object."""

from __future__ import annotations

import json
import resource
import statistics
import sys
import time

import torch
from networks import CASES


def main(version: str, build) -> None:
    """`CASE ORDER STEPS SECONDS THREADS`: tasks a second, the loss, and the meta-gradient, for comparing."""
    name, order, steps, seconds, threads = sys.argv[1:]
    torch.set_num_threads(int(threads))
    case = CASES[name]
    step = build(case, int(order), int(steps))
    loss, gradients = step()
    flat = torch.cat([g.flatten() for g in gradients])
    torch.save(flat, f"{sys.argv[0]}.{name}.{order}.{steps}.pt") if False else None
    times = []
    until = time.perf_counter() + float(seconds)
    while time.perf_counter() < until or len(times) < 3:
        began = time.perf_counter()
        step()
        times.append(time.perf_counter() - began)
    print(
        json.dumps(
            {
                "version": version,
                "torch": torch.__version__,
                "tasks_per_second": case.batch / statistics.median(times),
                "loss": loss,
                "norm": float(flat.double().norm()),
                "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            }
        )
    )
