"""Processes that try inputs one after another, with a guard outside of them."""

from __future__ import annotations

import gc
import multiprocessing
import resource
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection, wait
from typing import Final

from inputs import TOKENS, Input, made
from promises import Failure, Tried, held, tried

PATIENCE: Final = 120
"""Seconds of the clock after which a process is ended that does not answer."""

ADDRESSES: Final = 1_500_000_000
"""Bytes that a process may reserve beyond those it begins with, so that no input can take the machine's memory."""

FULL: Final = 180
"""Megabytes after which a process makes room for a new one."""

Task = Input | str


@dataclass
class Worker:
    """A process, the task that it is at, and since when."""

    process: multiprocessing.process.BaseProcess
    pipe: Connection
    task: Task | None = None
    since: float = 0


def results(tasks: Iterable[Task], jobs: int, until: float = float("inf")) -> Iterator[tuple[Task, Tried]]:
    """What comes of each task, in the order in which they end; none is begun after `until` of the clock."""
    waiting = iter(tasks)
    workers = [_started() for _ in range(jobs)]
    try:
        while True:
            for i, worker in enumerate(workers):
                if worker.task is None and time.monotonic() < until:
                    workers[i] = _begun(worker, next(waiting, None))
            busy = {w.pipe: w for w in workers if w.task is not None}
            if not busy:
                return
            ready = wait(list(busy), timeout=1)
            for worker in busy.values():
                if worker.pipe in ready or time.monotonic() - worker.since > PATIENCE:
                    task, found = _ended(worker)
                    if not worker.process.is_alive():
                        workers[workers.index(worker)] = _started()
                    yield task, found
    finally:
        for worker in workers:
            worker.process.kill()


def _started() -> Worker:
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("fork").Process(target=_work, args=(theirs,), daemon=True)
    process.start()
    theirs.close()
    return Worker(process, ours)


def _begun(worker: Worker, task: Task | None) -> Worker:
    if task is None:
        return worker
    worker.task, worker.since = task, time.monotonic()
    worker.pipe.send(task)
    return worker


def _ended(worker: Worker) -> tuple[Task, Tried]:
    """What a process answers; one that does not, or that is full, is ended."""
    task, worker.task = worker.task, None
    assert task is not None
    place = (task if isinstance(task, Input) else made(task)).kind
    try:
        if not worker.pipe.poll():
            found = Tried("hangs", failures=[Failure("hangs", place, f"no answer for {PATIENCE} s")])
        else:
            found, full = worker.pipe.recv()
            if not full:
                return task, found
    except EOFError:
        worker.process.join()
        found = Tried("dies", failures=[Failure("dies", place, f"exit code {worker.process.exitcode}")])
    worker.process.kill()
    worker.process.join()
    return task, found


def _work(pipe: Connection) -> None:
    gc.set_threshold(50_000)  # as the command line does
    begins = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()  # noqa: PTH123, SIM115
    resource.setrlimit(resource.RLIMIT_AS, (begins + ADDRESSES, begins + ADDRESSES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    while True:
        task = pipe.recv()
        found = tried(task if isinstance(task, Input) else made(task))
        pipe.send((found, held() > FULL))


def shrunk(given: Input, failure: Failure, seconds: float) -> Input:
    """An input that fails at the same place, as small as is found in so many seconds: of fewer lines, then words."""
    until = time.monotonic() + seconds
    for parts in (lambda t: t.splitlines(keepends=True), TOKENS.findall):
        text = given.content.decode("utf-8", "surrogateescape")
        given = _fewer(given, parts(text), failure, until)
    return given


def _fewer(given: Input, parts: list[str], failure: Failure, until: float) -> Input:
    """With stretches of its parts left out, large ones first, while it fails."""
    stretch = max(1, len(parts) // 2)
    while parts and time.monotonic() < until:
        starts = range(0, len(parts), stretch)
        fewer = [parts[:s] + parts[s + stretch :] for s in starts]
        tasks = [replace(given, content="".join(f).encode("utf-8", "surrogateescape")) for f in fewer]
        for task, found in results(tasks, 1, until):
            assert isinstance(task, Input)
            if any((f.kind, f.place) == (failure.kind, failure.place) for f in found.failures):
                given, parts = task, fewer[tasks.index(task)]
                break
        else:
            if stretch == 1:
                return given
            stretch = max(1, stretch // 2)
    return given
