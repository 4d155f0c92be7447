"""How much memory a unit of work takes at its peak: its formulas are gone through once without numbers.

On the meta device every tensor has a size and no content, so that the learner's own code tells what is held at once.
"""

from __future__ import annotations

import weakref
from dataclasses import dataclass, replace
from math import ceil
from typing import TYPE_CHECKING, Any, Final

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from atnas.runtime.device import GIB, MIB, available
from atnas.runtime.drawing import is_shared
from atnas.runtime.learn.beside import Beside
from atnas.runtime.learn.model import Model
from atnas.runtime.learn.plans import grouped
from atnas.runtime.seeds import derive
from atnas.runtime.tasks.stack import Stack, stack

if TYPE_CHECKING:
    from collections.abc import Mapping

    from atnas.compiler.path import Path
    from atnas.compiler.space import Compiled
    from atnas.compiler.supernet import Supernet
    from atnas.runtime.program import Plan
    from atnas.runtime.tasks.task import Task

ALONE: Final = 400 * MIB
"""Of a process that has torch and data in it."""

SLACK: Final = 2.3
"""How much more a step takes than its tensors: copies in other layouts, and gaps between what is freed and taken."""

STATE: Final = 8
"""Times the weights: themselves, sums and counts of a step, and what the optimizer keeps of each number."""

SHARE: Final = 0.8
"""Of what is free, so much may be taken."""

TRIED: Final = 8
"""Tasks of which the largest counts, where sizes are drawn."""


class Peak(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts the bytes of tensors that come to be within it, as long as they live; `bytes` is the most at once."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.bytes = 0
        self._now = 0
        self._seen: weakref.WeakSet[Any] = weakref.WeakSet()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        del types
        taken = {id(tensor.untyped_storage()) for tensor in tree_leaves((args, kwargs)) if isinstance(tensor, Tensor)}
        found = func(*args, **(kwargs or {}))
        for tensor in tree_leaves(found):
            if isinstance(tensor, Tensor) and id(tensor.untyped_storage()) not in taken:
                self._count(tensor.untyped_storage())
        return found

    def _count(self, storage: Any) -> None:
        if storage in self._seen:
            return
        self._seen.add(storage)
        size = storage.nbytes()
        self._now += size
        self.bytes = max(self.bytes, self._now)
        weakref.finalize(storage, self._free, size)

    def _free(self, size: int) -> None:
        self._now -= size


@dataclass(frozen=True)
class Memory:
    """Bytes that a run takes at most, about.

    each: of one task on the largest path; gradient: of what it says about that path's weights; weights: of the
    supernet and what is learned beside it. `batch` tasks make a meta step; where each goes along a path of its own
    (`own`), so many gradients are kept until all are there.
    """

    workers: int
    each: int
    gradient: int = 0
    weights: int = 0
    batch: int = 1
    own: bool = False

    def together(self, tasks: int) -> int:
        """With so many tasks side by side in each process."""
        gradients = (self.batch if self.own else ceil(self.batch / tasks)) * self.gradient
        working = self.workers * (ALONE + int(SLACK * tasks * self.each)) + gradients
        there = (ALONE + 3 * gradients) if self.workers > 1 else 0  # sent, received, and added up in the main process
        return working + there + STATE * self.weights

    def fits(self, tasks: int) -> bool:
        """Whether that leaves the machine some of what it has free now."""
        free = available()
        return free is None or self.together(tasks) <= SHARE * free


def memory(plan: Plan, space: Compiled, supernet: Supernet, beside: Beside, workers: int) -> Memory | None:
    """What a run takes. None where layers cannot be gone through without numbers, or the run is on another device.

    Opens the tasks, whose rows count.
    """
    if next(supernet.parameters(), torch.empty(0)).device.type != "cpu":
        return None
    path = supernet.path(space.costs.extreme("activations", largest=True)[1])
    tasks = (plan.tasks.task("train", derive(plan.settings.seed, "memory"), i) for i in range(TRIED))
    largest = max(tasks, key=lambda task: task.support_x.numel() + task.query_x.numel())
    try:
        peak = peak_of(plan, path, beside, [largest])
    except Exception:  # layers may be anybody's, and an estimate ends no run
        return None
    weights = sum(tensor.nbytes for tensor in [*supernet.state_dict().values(), *beside.tensors.values()])
    gradient = sum(tensor.nbytes for tensor in [*path.weights().values(), *beside.of(path).values()])
    return Memory(workers, peak, gradient, weights, plan.train.batch, own=not is_shared(plan.train, space))


def peak_of(plan: Plan, path: Path, beside: Beside, tasks: list[Task]) -> int:
    """Bytes that a meta-gradient over tasks side by side holds at once, beyond the weights and the tasks themselves."""
    shadows = _shadow(stack(tasks))
    learner, weights = plan.train.learner, _without(path.weights())
    norm = "transductive" if plan.train.norm == "running" else plan.train.norm  # averages are not to learn from this
    model = Model(path, grouped(path), norm, weights, _without(beside.of(path)), beside.classes)
    most = 0
    for progress in learner.phases:
        with Peak() as peak:
            learner.gradient(model, shadows, progress)
        most = max(most, peak.bytes)
    return most


def written(bytes: int) -> str:
    """In units that people use."""
    return f"{bytes / GIB:.1f} GiB" if bytes >= GIB else f"{bytes / MIB:.0f} MiB"


def _without(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor.to("meta") for name, tensor in tensors.items()}


def _shadow(tasks: Stack) -> Stack:
    rows = {name: getattr(tasks, name).to("meta") for name in ("support_x", "support_y", "query_x", "query_y")}
    return replace(tasks, **rows)
