"""Work that may fail without ending a run: it raises, takes all memory, never ends, or gives no number."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Final, TypeVar

from atnas.dsl.errors import Unable
from atnas.runtime.work import WorkerError, WorkerLost

if TYPE_CHECKING:
    from atnas.runtime.work import Workers

T = TypeVar("T")

WIDEST: Final = 300
"""Characters that are kept of a reason."""


class TooLong(Exception):
    """A time limit has passed."""


class Failed(Exception):
    """Why work failed, in one line."""


def attempt(work: Callable[[], T], seconds: float, workers: Workers) -> T:
    """What `work` gives. Raises `Failed` where it raises anything, or takes longer than so many seconds.

    The workers are then ready for other work.
    """
    try:
        with limited(seconds):
            return work()
    except (TooLong, WorkerLost) as error:
        workers.restart()
        raise Failed(_reason(error)) from error
    except Exception as error:
        _free()
        raise Failed(_reason(error)) from error


@contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Raises `TooLong` within, once so many seconds have passed.

    Only the main thread of a system that has interval timers can do so; elsewhere there is no limit.
    """
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def ring(number: int, frame: FrameType | None) -> None:
        del number, frame
        raise TooLong(f"it took longer than {seconds:g} s")

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _reason(error: Exception) -> str:
    """One line: the kind of the error, where its words do not say all, and its words."""
    if isinstance(error, WorkerError):  # its words are a traceback, which ends with the error
        return str(error).strip().splitlines()[-1][:WIDEST]
    words = " ".join(str(error).split())
    plain = isinstance(error, TooLong | WorkerLost | Unable | Failed)
    return (words if plain and words else f"{type(error).__name__}: {words}")[:WIDEST]


def _free() -> None:
    """Gives back what a GPU held for the work that failed."""
    import torch

    if torch.cuda.is_available():
        torch.cuda.empty_cache()
