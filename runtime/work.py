"""The work of a run that can be shared out: meta-gradients and scores of single tasks.

Each piece is a function of the weights, an architecture and a task's number, so it gives the same numbers wherever it
is done, and results are put together in the order of the asking: the number of workers changes nothing but the time.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import torch

from atnas.compiler.space import compile
from atnas.compiler.supernet import Supernet
from atnas.dsl.errors import Unable
from atnas.runtime.artifact import open_artifact, plan_of
from atnas.runtime.device import keep_memory
from atnas.runtime.learn.adapt import Score, evaluate
from atnas.runtime.learn.trainer import TaskGradient
from atnas.runtime.seeds import derive
from atnas.runtime.tasks.task import Split, Task

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.process import BaseProcess

    from atnas.compiler.encoding import Genotype
    from atnas.runtime.program import Plan


@dataclass(frozen=True)
class Which:
    """A task: number `index` of a split, in the stream of its purpose."""

    split: Split
    purpose: str
    index: int


Job = tuple["Genotype", Which]


class WorkerError(Exception):
    """A fault of ours in a worker process; its text is the traceback from there."""


class Workers(Protocol):
    """Who does the work."""

    def gradients(self, jobs: Sequence[Job]) -> list[TaskGradient]:
        """The meta-gradient of each task along its path."""

    def scores(self, jobs: Sequence[Job]) -> list[Score]:
        """The score of each architecture, adapted to its task."""

    def close(self) -> None:
        """No more work."""


class Serial:
    """Does everything here and now."""

    def __init__(self, plan: Plan, supernet: Supernet, device: torch.device) -> None:
        self.plan, self.supernet, self.device = plan, supernet, device

    def gradients(self, jobs: Sequence[Job]) -> list[TaskGradient]:
        """One after another."""
        train = self.plan.train
        self._mode(training=True)
        return [train.learner.gradient(self.supernet.path(g), self._seeded(which), train.norm) for g, which in jobs]

    def scores(self, jobs: Sequence[Job]) -> list[Score]:
        """One after another."""
        train = self.plan.train
        self._mode(training=False)
        return [evaluate(self.supernet.path(g), train.learner, [self._task(which)], train.norm)[0] for g, which in jobs]

    def close(self) -> None:
        """Nothing is held."""

    def _mode(self, training: bool) -> None:
        """Dropout and its like work while training only."""
        if self.supernet.training != training:
            self.supernet.train(training)

    def _seeded(self, which: Which) -> Task:
        """The task, with dropout's draws a function of it too."""
        torch.manual_seed(derive(self.plan.settings.seed, "dropout", which.index))
        return self._task(which)

    def _task(self, which: Which) -> Task:
        seed = derive(self.plan.settings.seed, which.purpose)
        return self.plan.tasks.task(which.split, seed, which.index).to(self.device)


class Pool:
    """Processes of one thread each that share the supernet's weights in memory; small networks gain most by them.

    Each reads the program anew from the artifact, so nothing but plain numbers goes between them.
    """

    def __init__(self, artifact: bytes, supernet: Supernet, count: int) -> None:
        context = multiprocessing.get_context("spawn")
        shared = {name: tensor.share_memory_() for name, tensor in supernet.state_dict().items()}
        self._pipes: list[Connection] = []
        self._processes: list[BaseProcess] = []
        for _ in range(count):
            here, there = context.Pipe()
            process = context.Process(target=_serve, args=(there, artifact, shared), daemon=True)
            with _deaf():
                process.start()
            there.close()
            self._pipes.append(here)
            self._processes.append(process)

    def gradients(self, jobs: Sequence[Job]) -> list[TaskGradient]:
        """Shared out in turn; the answers in the order of the jobs."""
        return [
            TaskGradient(
                torch.tensor(loss),
                None if accuracy is None else torch.tensor(accuracy),
                {name: torch.from_numpy(array) for name, array in gradients.items()},
            )
            for loss, accuracy, gradients in self._done("gradients", jobs)
        ]

    def scores(self, jobs: Sequence[Job]) -> list[Score]:
        """Shared out in turn; the answers in the order of the jobs."""
        return [Score(*pair) for pair in self._done("scores", jobs)]

    def close(self) -> None:
        """Ends the processes."""
        for pipe in self._pipes:
            pipe.close()
        for process in self._processes:
            process.kill()  # it holds nothing that is not held here
            process.join()

    def _done(self, kind: str, jobs: Sequence[Job]) -> list[Any]:
        count = len(self._pipes)
        try:
            for i, pipe in enumerate(self._pipes):
                pipe.send((kind, list(jobs[i::count])))
            answers = [pipe.recv() for pipe in self._pipes]
        except (EOFError, ConnectionError) as error:
            raise Unable("a worker process ended; was there enough memory? --workers 1 does without") from error
        failed = next((a for a in answers if isinstance(a, BaseException)), None)
        if failed is not None:
            raise failed
        return [answers[i % count][i // count] for i in range(len(jobs))]


def workers(artifact: bytes, plan: Plan, supernet: Supernet, device: torch.device, count: int | None) -> Serial | Pool:
    """`count` processes, or as many as there are cores; one does without processes.

    On a GPU one process keeps the device busy. Running averages of batch norms are moved by every task in order, which
    only one can do.
    """
    if device.type == "cpu":
        # One thread wherever the work is done: sums of floats then come out the same for any number of workers, and
        # small networks lose more by threads than they gain.
        torch.set_num_threads(1)
    if count is None:
        alone = device.type != "cpu" or plan.train.norm == "running"
        count = 1 if alone else min(cores(), plan.train.batch)
    if count > 1 and (device.type != "cpu" or plan.train.norm == "running"):
        raise Unable("--workers above 1 goes with the cpu and with norm = transductive or support only")
    return Serial(plan, supernet, device) if count == 1 else Pool(artifact, supernet, count)


@contextmanager
def _deaf() -> Iterator[None]:
    """Processes started within ignore what stops a run: Ctrl-C goes to all of a group, and the run itself ends them.

    What is ignored stays so in a new process from its first instruction on.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {s: signal.signal(s, signal.SIG_IGN) for s in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if sys.platform.startswith("linux") else os.cpu_count() or 1


def _serve(pipe: Connection, artifact: bytes, shared: dict[str, torch.Tensor]) -> None:
    """The life of a worker."""
    torch.set_num_threads(1)
    keep_memory()
    plan = plan_of(open_artifact(artifact, "the program"))
    space = compile(plan.narrowed)
    supernet = Supernet(space.net, space.encoding)
    supernet.load_state_dict(shared, assign=True)
    serial = Serial(plan, supernet, torch.device("cpu"))
    while True:
        try:
            kind, jobs = pipe.recv()
        except EOFError:
            return
        try:
            pipe.send(_plain(serial, kind, jobs))
        except Exception as error:
            pipe.send(_portable(error))


def _portable(error: Exception) -> Exception:
    """The error as the main process is to raise it: a failed evaluation, a refusal, or a fault with its traceback."""
    for kind in (Unable, MemoryError, RuntimeError):
        if isinstance(error, kind):
            return kind(str(error))
    return WorkerError("".join(traceback.format_exception(error)))


def _plain(serial: Serial, kind: str, jobs: list[Job]) -> list[Any]:
    """Answers as plain numbers and arrays, which cost less to send than tensors."""
    if kind == "scores":
        return [(s.loss, s.accuracy) for s in serial.scores(jobs)]
    return [
        (
            float(g.loss),
            None if g.accuracy is None else float(g.accuracy),
            {name: gradient.detach().contiguous().numpy() for name, gradient in g.gradients.items()},
        )
        for g in serial.gradients(jobs)
    ]
