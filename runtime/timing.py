"""How long layers take on this machine."""

from __future__ import annotations

import platform
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Final

import torch
from torch import Tensor, nn

from atnas.compiler.configuration import Configuration
from atnas.compiler.latencies import told
from atnas.dsl.errors import Unable

WARM: Final = 3
"""Runs before the clock is looked at: caches fill, and libraries choose their kernels."""

GROUP: Final = 1e-4
"""Seconds between two looks at the clock, at least: a look takes about as long as the shortest layers."""

SHORTEST: Final = 1e-7
"""Seconds of a run that the clock can tell from none."""


@dataclass(frozen=True)
class Timing:
    """The median of many runs in seconds, and between which two lie all but the fastest and the slowest tenth."""

    seconds: float
    spread: tuple[float, float]

    @property
    def is_steady(self) -> bool:
        """Whether the slow runs took less than twice as long as the fast ones."""
        return self.spread[1] < 2 * self.spread[0]


@dataclass(frozen=True)
class Stopwatch:
    """Times modules on a device, with so many examples at once.

    Each is run at least `repeats` times, and as often as fits into `seconds`.
    """

    device: torch.device
    batch: int = 1
    repeats: int = 20
    seconds: float = 0.05
    clock: Callable[[], float] = perf_counter

    def layer(self, configuration: Configuration) -> Timing:
        """One layer, with weights and inputs as they are drawn. Raises `Unable` where it cannot be run."""
        try:
            return self.module(configuration.build(), configuration.inputs)
        except (RuntimeError, MemoryError) as error:
            raise Unable(f"{told(configuration)} cannot be run: {error}") from error

    def module(self, module: nn.Module, shapes: tuple[tuple[int, ...], ...]) -> Timing:
        """A module in evaluation mode on inputs of these shapes, one example each."""
        module = module.eval().to(self.device)
        inputs = [torch.randn(self.batch, *shape, device=self.device) for shape in shapes]
        with torch.inference_mode():
            for _ in range(WARM):
                once = self._run(module, inputs, 1)
            group = max(1, round(GROUP / max(once, SHORTEST)))
            began = self.clock()
            runs: list[float] = []
            while len(runs) < self.repeats or self.clock() - began < self.seconds:
                runs.append(self._run(module, inputs, group))
        runs.sort()
        tenth = len(runs) // 10
        return Timing(runs[len(runs) // 2], (runs[tenth], runs[-1 - tenth]))

    @property
    def about(self) -> str:
        """What is timed, in words: the processor."""
        if self.device.type == "cuda":
            return torch.cuda.get_device_name(self.device)
        return _processor()

    @property
    def how(self) -> str:
        """How it is timed, in words."""
        where = "cuda" if self.device.type == "cuda" else f"cpu, threads {torch.get_num_threads()}"
        return (
            f"PyTorch {torch.__version__} on {where}, batch {self.batch}, float32, evaluation mode; "
            f"medians of at least {self.repeats} runs and {self.seconds:g} s"
        )

    def _run(self, module: nn.Module, inputs: list[Tensor], times: int) -> float:
        """The seconds of one of so many runs, one after the other."""
        began = self.clock()
        for _ in range(times):
            module(*inputs)
        if self.device.type == "cuda":  # which runs behind the program
            torch.cuda.synchronize(self.device)
        return (self.clock() - began) / times


def _processor() -> str:
    """The name of the processor."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    models = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(models, "") or platform.processor() or platform.machine()
