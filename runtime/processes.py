"""Worker processes: how many there may be, and what they must not take over from the one that starts them."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def deaf() -> Iterator[None]:
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


@contextmanager
def alone() -> Iterator[None]:
    """Processes started within do not import the main module once more: a script would run again in each of them."""
    main = sys.modules["__main__"]
    before: dict[str, Any] = {name: vars(main)[name] for name in ("__spec__", "__file__") if name in vars(main)}
    vars(main).update(__spec__=None)
    vars(main).pop("__file__", None)
    try:
        yield
    finally:
        vars(main).update(before)


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if sys.platform.startswith("linux") else os.cpu_count() or 1
