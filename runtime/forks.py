"""Independent work shared out to copies of this process, which have everything it has and give back what they found."""

from __future__ import annotations

import os
import pickle
import sys
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

T = TypeVar("T")

MOST: Final = 8
"""Copies at most, this process among them: each takes memory of its own."""

FEWEST: Final = 4
"""Jobs from which on it pays."""

NUMBER: Final = 4
"""Bytes of a job's number in the queue."""

QUEUE: Final = 65_536
"""Bytes that a pipe of Linux holds before one has to read."""


def shared(jobs: Sequence[Callable[[], T]]) -> list[T]:
    """What each job gives, in order. On Linux the cores that this process may use share them.

    A job must neither write nor need what another one does; its result must pickle. Raises what a job raises.
    """
    copies = min(cores(), len(jobs), MOST)
    if copies < 2 or not FEWEST <= len(jobs) <= QUEUE // NUMBER:
        return [job() for job in jobs]
    queue, ahead = os.pipe()
    os.write(ahead, b"".join(i.to_bytes(NUMBER, "little") for i in range(len(jobs))))
    os.close(ahead)
    children = [_copied(queue, jobs) for _ in range(copies - 1)]
    found = _done(queue, jobs)
    os.close(queue)
    for process, answers in children:
        with os.fdopen(answers, "rb") as file:
            told = file.read()
        _, status = os.waitpid(process, 0)
        if status == 0:  # what a copy that was killed had taken is done here
            found.update(pickle.loads(told))
    return [_result(found[i]) if i in found else job() for i, job in enumerate(jobs)]


def cores() -> int:
    """The cores that may share work: 1 where processes cannot be copied safely."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else 1


def _copied(queue: int, jobs: Sequence[Callable[[], T]]) -> tuple[int, int]:
    """A copy of this process at work: its number, and where it writes what it found."""
    answers, ours = os.pipe()
    process = os.fork()
    if process:
        os.close(ours)
        return process, answers
    code = 1
    try:
        os.close(answers)
        told = pickle.dumps(_done(queue, jobs))
        with os.fdopen(ours, "wb") as file:
            file.write(told)
        code = 0
    finally:
        os._exit(code)


def _done(queue: int, jobs: Sequence[Callable[[], T]]) -> dict[int, tuple[bool, Any]]:
    """The results of the jobs that this process takes from the queue: whether each was well, and what it gave."""
    found: dict[int, tuple[bool, Any]] = {}
    while number := os.read(queue, NUMBER):
        i = int.from_bytes(number, "little")
        try:
            found[i] = True, jobs[i]()
        except Exception as error:
            found[i] = False, error
    return found


def _result(told: tuple[bool, Any]) -> Any:
    well, value = told
    if not well:
        raise value
    return value
