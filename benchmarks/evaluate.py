"""How many architectures are scored in a second: adapted to tasks by some inner steps, and judged on their queries.

    python benchmarks/evaluate.py [--architectures 24] [--rounds 3]

A cell space (none, skip, 1x1, 3x3, average pooling on six edges; three stages, 16 channels, 28 x 28), five steps of
adaptation on each of five tasks. Beside it stands the loop that anyone would write over extracted modules: for each
task a copy, plain SGD, one forward pass. Both have all cores: the loop as threads of torch, atnas as processes of one
thread. That both compute the same is seen in double precision, where five steps do not magnify the last digits.
"""

from __future__ import annotations

import argparse
import copy
import os
import statistics
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial
from multiprocessing import get_context
from pathlib import Path
from random import Random

import torch
from lines import Line, printed
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from atnas.compiler.path import Path as Way
from atnas.compiler.space import Compiled, compile
from atnas.compiler.supernet import Supernet
from atnas.dsl.elaborate.space import work_out
from atnas.dsl.modules import load
from atnas.dsl.source import Source
from atnas.runtime.device import keep_memory
from atnas.runtime.learn.adapt import evaluate
from atnas.runtime.learn.maml import Maml
from atnas.runtime.learn.model import Model
from atnas.runtime.learn.plans import grouped
from atnas.runtime.learn.settings import Descent
from atnas.runtime.tasks.stack import Stack

SPACE = """\
op unit(c, k) = relu -> conv(c, k) -> bn
op edge(c)    = none | skip | unit(c, 1) | unit(c, 3) | avg_pool(3, stride = 1)

cell nb(c) [x0] -> x3 {
  x1 = x0 -> edge(c)
  x2 = x0 -> edge(c) + x1 -> edge(c)
  x3 = x0 -> edge(c) + x1 -> edge(c) + x2 -> edge(c)
}

space cells [image: (1, 28, 28)] -> logits: (5) {
  logits = image -> conv(16, 3) -> bn -> nb(16) -> res_block(32, stride = 2) -> nb(32) -> res_block(64, stride = 2)
           -> nb(64) -> bn -> relu -> global_avg_pool -> linear(5)
}
"""

TASKS, STEPS, WAY, QUERY, LR = 5, 5, 5, 15, 0.05
CLOSE = 1e-9
GOAL = 2.5


def main() -> int:
    """Measures and prints a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--architectures", type=int, default=24)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    keep_memory()
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    space, net = made(torch.float32)
    genotypes = [space.encoding.sample(Random(i)) for i in range(options.architectures)]
    modules = [net.extract(genotype, "batch") for genotype in genotypes]
    return printed(lines(genotypes, modules, options.rounds))


def lines(genotypes: list[tuple[int, ...]], modules: list[nn.Module], rounds: int):
    """A line for the ratio, one for the share of arithmetic."""
    cores = len(os.sched_getaffinity(0))
    loops, ours = [], []
    with ProcessPoolExecutor(cores, mp_context=get_context("spawn")) as pool:
        apart = min((False, True), key=lambda apart: took(pool, genotypes[:8], apart))  # as a run measures it
        for _ in range(rounds):
            began = time.perf_counter()
            singles = [loss for module in modules for loss in by_loop(module)]
            loops.append(time.perf_counter() - began)
            began = time.perf_counter()
            found = [loss for losses in pool.map(partial(scored, apart=apart), genotypes) for loss in losses]
            ours.append(time.perf_counter() - began)
        doubles = [loss for losses in pool.map(partial(scored, dtype=torch.float64), genotypes) for loss in losses]
    exact = made(torch.float64)[1]
    expected = [loss for g in genotypes for loss in by_loop(exact.extract(g, "batch"), torch.float64)]
    difference = furthest(doubles, expected)
    ratios = [a / b for a, b in zip(loops, ours, strict=True)]
    rate = len(genotypes) / statistics.median(ours)
    ratio = statistics.median(ratios)
    yield Line(
        f"architectures scored, {STEPS} steps on each of {TASKS} tasks",
        f"{rate:.2f} a second, {ratio:.2f} ({min(ratios):.2f} to {max(ratios):.2f}) times the loop over extracted "
        f"modules; losses at most {difference:.0e} apart in double precision; in single precision ours are "
        f"{furthest(found, expected):.0e} from these, the loop's {furthest(singles, expected):.0e}",
        f"{GOAL} times",
        ratio >= GOAL and difference < CLOSE,
    )
    with FlopCounterMode(display=False) as counter:
        for module in modules:
            by_loop(module)
    share = counter.get_total_flops() / (peak() * statistics.median(ours))
    yield Line("convolutions and products at the processor's best rate", f"{100 * share:.0f} % of the time", "", True)


def took(pool: ProcessPoolExecutor, genotypes: list[tuple[int, ...]], apart: bool) -> float:
    """The seconds for some architectures, the second time."""
    for _ in range(2):
        began = time.perf_counter()
        list(pool.map(partial(scored, apart=apart), genotypes))
    return time.perf_counter() - began


def furthest(some: list[float], others: list[float]) -> float:
    """The largest difference."""
    return max(abs(a - b) for a, b in zip(some, others, strict=True))


def by_loop(module: nn.Module, dtype: torch.dtype = torch.float32) -> list[float]:
    """The query loss of each task, by a copy and SGD."""
    found = []
    tasks = drawn(dtype)
    for task in range(TASKS):
        own = copy.deepcopy(module)
        optimizer = torch.optim.SGD(own.parameters(), LR)
        for _ in range(STEPS):
            optimizer.zero_grad()
            nn.functional.cross_entropy(own(tasks.support_x[task]), tasks.support_y[task]).backward()
            optimizer.step()
        with torch.no_grad():
            found.append(nn.functional.cross_entropy(own(tasks.query_x[task]), tasks.query_y[task]).item())
    return found


def scored(genotype: tuple[int, ...], dtype: torch.dtype = torch.float32, apart: bool = False) -> list[float]:
    """The same by atnas, in a process of one thread."""
    torch.set_num_threads(1)
    keep_memory()
    _, net = made(dtype)
    path: Way = net.path(genotype)
    model = Model(path, grouped(path), "transductive", path.weights(), apart=apart)
    learner = Maml(inner=Descent(lr=LR), steps=STEPS)
    return [score.loss for score in evaluate(model, learner, drawn(dtype))]


@cache
def made(dtype: torch.dtype) -> tuple[Compiled, Supernet]:
    """The space and its supernet, the same in every process."""
    module, _ = load(Source("cells.atnas", SPACE), Path.read_text)
    net = work_out(module.names["cells"]).net
    assert net is not None
    space = compile(net)
    return space, Supernet(space.net, space.encoding, seed=1).to(dtype)


@cache
def drawn(dtype: torch.dtype) -> Stack:
    """Noisy copies of one random image a class."""
    generator = torch.Generator().manual_seed(3)
    classes = torch.randn(TASKS, WAY, 1, 28, 28, generator=generator)

    def rows(each: int) -> tuple[Tensor, Tensor]:
        labels = torch.arange(WAY).repeat(each)
        noise = torch.randn(TASKS, WAY * each, 1, 28, 28, generator=generator)
        return (classes[:, labels] + noise).to(dtype), labels.expand(TASKS, -1)

    return Stack(*rows(1), *rows(QUERY), WAY, "cross_entropy", ((),) * TASKS)


def peak() -> float:
    """Operations a second of a large matrix product on all cores: the best of several."""
    a = torch.randn(1024, 1024)
    times = []
    for _ in range(10):
        began = time.perf_counter()
        _ = a @ a
        times.append(time.perf_counter() - began)
    return float(2 * 1024**3 / min(times))


if __name__ == "__main__":
    sys.exit(main())
