"""Work that may fail without ending a run: it raises, takes all memory, never ends, or gives no number."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, TypeVar

from atnas.dsl.errors import Unable
from atnas.runtime.failures import Failed, TooLong, Unfit, WorkerLost, free, reason

if TYPE_CHECKING:
    from atnas.runtime.work import Workers

T = TypeVar("T")


def attempt(work: Callable[[], T], seconds: float | None, workers: Workers) -> T:
    """What `work` gives. Raises `Failed` where it raises anything, or takes longer than `seconds`, if any are given.

    The workers are then ready for other work. What the environment refuses, `Unable`, would be refused again: that is
    raised as it is.
    """
    try:
        workers.ready()  # their beginning is nobody's time
        with limited(seconds):
            return work()
    except (TooLong, WorkerLost) as error:
        workers.restart()
        raise Failed(reason(error)) from error
    except Unfit as error:
        raise Failed(reason(error)) from error
    except Unable:
        raise
    except Exception as error:
        free()
        raise Failed(reason(error)) from error


@contextmanager
def limited(seconds: float | None) -> Iterator[None]:
    """Raises `TooLong` within, once so many seconds have passed.

    Only the main thread of a system that has interval timers can do so; elsewhere there is no limit.
    """
    if seconds is None or not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
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
