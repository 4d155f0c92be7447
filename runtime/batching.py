"""How many tasks go along one path side by side: measured for the space and the machine before a long run begins.

More tasks at once are fewer and larger operations, until memory slows them down; that differs between networks.
All sizes give the same numbers but for the order in which floats are added, so what was measured is kept in the run's
folder, and a run that goes on uses it again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from math import ceil
from statistics import median
from typing import TYPE_CHECKING, Final

from atnas.runtime.drawing import may_share
from atnas.runtime.seeds import stream
from atnas.runtime.work import ONE_BY_ONE, Grouping, Serial, Unit, Which

if TYPE_CHECKING:
    from atnas.compiler.encoding import Genotype
    from atnas.compiler.space import Compiled
    from atnas.runtime.folder import RunFolder
    from atnas.runtime.memory import Memory
    from atnas.runtime.program import Plan

NAME: Final = "batching.json"

SIZES: Final = (1, 2, 4, 8, 16)
ROUNDS: Final = 3

SHORT: Final = 60.0
"""Seconds of training of which it does not pay to measure anything."""

GAIN: Final = 0.05
"""By what share a larger size must be faster."""


@dataclass(frozen=True)
class Batching:
    """How tasks are taken side by side in meta-training and in scoring."""

    training: Grouping = ONE_BY_ONE
    scoring: Grouping = ONE_BY_ONE


def batching(
    plan: Plan, space: Compiled, serial: Serial, workers: int, folder: RunFolder, memory: Memory | None
) -> Batching:
    """What the folder holds, what `train` says, or what is measured and then kept; one by one where a run is short.

    Sizes that do not fit into `memory`, where it is known, are not measured.
    """
    if (folder.root / NAME).exists():
        found = folder.read(NAME)
        return Batching(*(Grouping(found[of]["tasks"], found[of]["apart"]) for of in ("training", "scoring")))
    asked = plan.train.together
    chosen = (
        Batching(Grouping(asked), Grouping(asked))
        if asked is not None
        else _measured(plan, space, serial, workers, memory)
    )
    folder.note(NAME, asdict(chosen))
    return chosen


def _measured(plan: Plan, space: Compiled, serial: Serial, workers: int, memory: Memory | None) -> Batching:
    train = plan.train
    if train.norm == "running":  # averages move from task to task
        return Batching()
    genotype = space.encoding.sample(stream(plan.settings.seed, "batching"))
    gradient: Callable[[Unit], object] = lambda unit: serial.gradients([unit], 0.0)  # noqa: E731
    score: Callable[[Unit], object] = lambda unit: serial.scores([unit])  # noqa: E731
    began = time.monotonic()
    gradient(_unit(genotype, ONE_BY_ONE))
    if (time.monotonic() - began) * train.iterations * train.batch / workers < SHORT:
        return Batching()
    most = ceil(train.batch / workers) if may_share(plan, space) else 1
    fitting = [size for size in SIZES if memory is None or size == 1 or memory.fits(size)]
    return Batching(
        _fastest(gradient, genotype, [size for size in fitting if size <= most]),
        _fastest(score, genotype, [size for size in fitting if size <= SIZES[-2]]),
    )


def _fastest(work: Callable[[Unit], object], genotype: Genotype, sizes: Sequence[int]) -> Grouping:
    """The one with the most tasks a second; of those that are about as fast the smallest."""
    groupings = [Grouping(size, apart) for size in sizes for apart in (False, True) if size > 1 or not apart]
    if len(groupings) < 2:
        return ONE_BY_ONE
    times: dict[Grouping, list[float]] = {grouping: [] for grouping in groupings}
    for _ in range(ROUNDS + 1):
        for grouping in groupings:
            began = time.perf_counter()
            work(_unit(genotype, grouping))
            times[grouping].append((time.perf_counter() - began) / grouping.tasks)
    each = {grouping: median(taken[1:]) for grouping, taken in times.items()}  # the first is for warming up
    best = min(each.values())
    return next(grouping for grouping in groupings if each[grouping] * (1 - GAIN) <= best)


def _unit(genotype: Genotype, grouping: Grouping) -> Unit:
    tasks = tuple(Which("train", "batching", i) for i in range(grouping.tasks))
    return Unit((genotype,), tasks, grouping.apart)
