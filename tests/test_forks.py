"""Work shared out to copies of the process: the same results in the same order, whatever happens to a copy."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atnas.dsl.errors import Unable
from atnas.runtime import forks
from atnas.runtime.forks import shared


def square(i: int) -> tuple[int, str]:
    return i * i, "x" * (i % 7) * 20_000


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 60))
def test_results_come_in_the_order_of_the_jobs(count: int) -> None:
    assert shared([partial(square, i) for i in range(count)]) == [square(i) for i in range(count)]


def refused(i: int) -> int:
    if i == 13:
        raise Unable("thirteen cannot be had")
    return i


def test_what_a_job_raises_is_raised() -> None:
    with pytest.raises(Unable, match="thirteen cannot be had"):
        shared([partial(refused, i) for i in range(20)])


@pytest.mark.skipif(forks.cores() < 2, reason="one core does all the work itself")
def test_what_a_killed_copy_had_taken_is_done_all_the_same() -> None:
    here = os.getpid()

    def dies(i: int) -> int:
        if os.getpid() != here:
            os.kill(os.getpid(), signal.SIGKILL)
        return i

    assert shared([partial(dies, i) for i in range(12)]) == list(range(12))


@pytest.mark.skipif(forks.cores() < 2, reason="one core does all the work itself")
def test_copies_do_share_the_work() -> None:
    def which(_: int) -> int:
        sum(range(200_000))
        return os.getpid()

    assert len(set(shared([partial(which, i) for i in range(40)]))) > 1


def test_results_that_do_not_pickle_are_made_here() -> None:
    def closure(i: int) -> Callable[[], int]:
        return lambda: i

    assert [made() for made in shared([partial(closure, i) for i in range(9)])] == list(range(9))
