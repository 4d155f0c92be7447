"""atnas: tasks side by side as the run's workers take them, a process of one thread for each core."""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from math import ceil
from pathlib import Path
from typing import Any

import torch
from clock import CASES, keep, report, timed
from networks import Case, batch, network
from torch import Tensor

import atnas
from atnas.compiler.space import compile
from atnas.compiler.supernet import Supernet
from atnas.dsl.elaborate.space import work_out
from atnas.dsl.modules import load
from atnas.dsl.source import Source
from atnas.runtime.device import keep_memory
from atnas.runtime.learn.maml import Maml
from atnas.runtime.learn.model import Model
from atnas.runtime.learn.plans import grouped
from atnas.runtime.learn.settings import Descent
from atnas.runtime.tasks.stack import stack
from atnas.runtime.tasks.task import Task
from atnas.runtime.work import Grouping

Found = tuple[float, list[Tensor]]
"""A loss, and its gradients by all weights."""

SPACE = """\
op block = conv({filters}, 3, stride = {stride}, bias = true) -> bn -> relu{pool}

space conv4 [image: {shape}] -> logits: ({way}) {{
  logits = image -> block * 4 -> {end} -> linear({way})
}}
"""


def supernet(case: Case) -> Supernet:
    """The network of `networks.py` with its weights, which stand in the same order."""
    pooled = {"stride": 1, "pool": " -> max_pool(2)", "end": "flatten"}
    strided = {"stride": 2, "pool": "", "end": "global_avg_pool"}
    text = SPACE.format(shape=case.shape, way=case.way, filters=case.filters, **(pooled if case.pooled else strided))
    module, _ = load(Source("conv4.atnas", text), Path.read_text)
    net = work_out(module.names["conv4"]).net
    assert net is not None
    space = compile(net)
    made = Supernet(space.net, space.encoding)
    for mine, other in zip(made.parameters(), network(case).parameters(), strict=True):
        mine.data.copy_(other)
    return made


GROUPINGS = [Grouping(size, apart) for size in (1, 2, 4, 8) for apart in (False, True) if size > 1 or not apart]
"""How tasks are taken side by side is tried, as a run does before it begins."""


def work(case: Case, order: int, steps: int, grouping: Grouping, share: slice) -> Callable[[], Found]:
    """The sums over a share of the tasks, so many at a time."""
    together = grouping.tasks
    tasks = [Task(*each, case.way, "cross_entropy") for each in batch(case)[share]]
    units = [stack(tasks[i : i + together]) for i in range(0, len(tasks), together)]
    path = supernet(case).path(())
    learner = Maml(order=order, steps=steps, inner=Descent(lr=case.lr))
    model = Model(path, grouped(path), "transductive", path.weights(), apart=grouping.apart)

    def step() -> Found:
        found = [learner.gradient(model, unit) for unit in units]
        names = model.weights
        return float(sum(f.losses.sum() for f in found)), [sum(f.gradients[n] for f in found) for n in names]

    return step


def serve(pipe: Any, precision: torch.dtype, share: slice, case: Case, order: int, steps: int) -> None:
    """A worker: a step for each message, which says how tasks are taken side by side; None ends it."""
    torch.set_num_threads(1)
    torch.set_default_dtype(precision)
    keep_memory()
    made = cache(lambda grouping: work(case, order, steps, grouping, share))
    while grouping := pipe.recv():
        loss, gradients = made(grouping)()
        pipe.send((loss, [g.numpy() for g in gradients]))


@contextmanager
def workers(precision: torch.dtype, case: Case, *setting: int) -> Iterator[Callable[[Grouping], Found]]:
    """A process for each core, and what takes a step with all of them."""
    cores = len(os.sched_getaffinity(0))
    context = multiprocessing.get_context("spawn")
    pipes, processes = [], []
    for core in range(cores):
        here, there = context.Pipe()
        arguments = (there, precision, slice(core, None, cores), case, *setting)
        processes.append(context.Process(target=serve, args=arguments, daemon=True))
        processes[-1].start()
        pipes.append(here)

    def step(grouping: Grouping) -> Found:
        for pipe in pipes:
            pipe.send(grouping)
        found = [pipe.recv() for pipe in pipes]
        sums = [sum(map(torch.from_numpy, each)) / case.batch for each in zip(*(g for _, g in found), strict=True)]
        return sum(loss for loss, _ in found) / case.batch, sums

    yield step
    for pipe in pipes:
        pipe.send(None)
    for process in processes:
        process.join()


def main() -> None:
    """`CASE ORDER STEPS SECONDS GRADIENTS`."""
    name, order, steps, seconds, gradients = sys.argv[1:]
    case, cores = CASES[name], len(os.sched_getaffinity(0))
    fitting = [grouping for grouping in GROUPINGS if grouping.tasks <= ceil(case.batch / cores)]
    with workers(torch.float32, case, int(order), int(steps)) as step:
        for grouping in fitting:
            step(grouping)
        best = max(fitting, key=lambda grouping: timed(lambda: step(grouping), case.batch, 0.0)[0])
        single = step(best)
        rate, count = timed(lambda: step(best), case.batch, float(seconds))
    how = f"{best.tasks} tasks side by side{', but for queries' if best.apart else ''}"
    report(f"{atnas.__version__}, {how}", rate, count)
    with workers(torch.float64, case, int(order), int(steps)) as step:
        keep(single, step(best), gradients)


if __name__ == "__main__":
    main()
