"""How many tasks go side by side: measured where it pays, kept, and never more than one for what must go in order."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from commands import TINY, run
from test_conditions import compiled

from atnas.runtime import batching
from atnas.runtime.batching import Batching
from atnas.runtime.device import GIB, MIB
from atnas.runtime.experiment import Interleaved, PopulationPaths, UniformPaths
from atnas.runtime.folder import RunFolder
from atnas.runtime.memory import Memory
from atnas.runtime.work import Grouping, Unit

SPACE = "space s [x: (4)] -> y: (2) {\n  y = x -> (relu | tanh) -> linear(2)\n}\n"


class Clock:
    """Does what it is asked in the time that tasks of this number take, and tells the time."""

    def __init__(self, seconds: dict[int, float], apart: float) -> None:
        self.now = 0.0
        self.seconds = seconds
        self.apart = apart
        self.sizes: list[int] = []

    def gradients(self, units: Sequence[Unit], progress: float) -> None:
        del progress
        self.scores(units)

    def scores(self, units: Sequence[Unit]) -> None:
        for unit in units:
            self.sizes.append(len(unit.tasks))
            self.now += self.seconds[len(unit.tasks)] * (self.apart if unit.apart else 1.0)

    def monotonic(self) -> float:
        return self.now

    perf_counter = monotonic


def chosen(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    seconds: dict[int, float],
    memory: Memory | None = None,
    apart: float = 1.0,
    search: Any = None,
    **train: Any,
) -> tuple[Batching, Clock]:
    """What is chosen where so many tasks take so many seconds, by two workers."""
    settings = {"together": None, "norm": "support", "iterations": 1_000, "batch": 16, **train}
    paths = settings.pop("paths", UniformPaths(per="batch"))
    plan: Any = SimpleNamespace(
        train=SimpleNamespace(**settings, paths=paths), search=search, settings=SimpleNamespace(seed=0)
    )
    clock = Clock(seconds, apart)
    monkeypatch.setattr(batching, "time", clock)
    folder.mkdir(exist_ok=True)
    serial: Any = clock
    return batching.batching(plan, compiled(SPACE), serial, 2, RunFolder(folder), memory), clock


FASTER_BY_FOUR = {1: 1.0, 2: 1.6, 4: 2.4, 8: 5.2, 16: 12.0}
"""Per task 1, 0.8, 0.6, 0.65, 0.75 seconds."""


def test_the_fastest_size_is_chosen_and_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found, _ = chosen(tmp_path / "run", monkeypatch, FASTER_BY_FOUR)
    assert found == Batching(Grouping(4), Grouping(4))
    again, clock = chosen(tmp_path / "run", monkeypatch, {1: 1.0})
    assert again == found
    assert clock.sizes == []


def test_a_size_that_gains_next_to_nothing_is_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flat = {1: 1.0, 2: 1.98, 4: 3.9, 8: 8.0, 16: 16.0}
    assert chosen(tmp_path / "run", monkeypatch, flat)[0] == Batching()


def test_queries_go_one_task_after_another_where_that_is_faster(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found, _ = chosen(tmp_path / "run", monkeypatch, FASTER_BY_FOUR, apart=0.8)
    assert found == Batching(Grouping(4, apart=True), Grouping(4, apart=True))


def test_what_does_not_fit_into_memory_is_not_tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flat = dict.fromkeys((1, 2, 4, 8, 16), 1.0)
    monkeypatch.setattr("atnas.runtime.memory.available", lambda: 4 * GIB)
    found, clock = chosen(tmp_path / "run", monkeypatch, flat, memory=Memory(workers=2, each=200 * MIB))
    assert found == Batching(Grouping(2), Grouping(2))
    assert max(clock.sizes) == 2


def test_no_worker_is_left_without_a_share(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found, clock = chosen(tmp_path / "run", monkeypatch, dict.fromkeys((1, 2, 4, 8, 16), 1.0), batch=4)
    assert found.training == Grouping(2)
    assert max(clock.sizes) == 8


@pytest.mark.parametrize("train", [{"norm": "running"}, {"iterations": 10, "batch": 2}])
def test_what_goes_in_order_or_is_short_goes_one_by_one(
    train: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found, clock = chosen(tmp_path / "run", monkeypatch, FASTER_BY_FOUR, **train)
    assert found == Batching()
    assert len(clock.sizes) <= 1


def test_tasks_with_paths_of_their_own_train_one_by_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = UniformPaths(per="task")
    assert chosen(tmp_path / "run", monkeypatch, FASTER_BY_FOUR, paths=own)[0] == Batching(scoring=Grouping(4))


@pytest.mark.parametrize(("narrow", "tasks"), [(True, 4), (False, 1)])
def test_a_search_that_leaves_one_path_leaves_it_to_several_tasks(
    narrow: bool, tasks: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    search = SimpleNamespace(schedule=Interleaved(warmup=1, every=1, narrow=narrow))
    found, _ = chosen(tmp_path / "run", monkeypatch, FASTER_BY_FOUR, search=search, paths=PopulationPaths())
    assert found == Batching(Grouping(tasks), Grouping(4))


def test_a_number_in_the_file_is_taken_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found, clock = chosen(tmp_path / "run", monkeypatch, FASTER_BY_FOUR, together=3)
    assert found == Batching(Grouping(3), Grouping(3))
    assert clock.sizes == []


def test_a_run_says_in_its_folder_what_it_does(tmp_path: Path) -> None:
    (tmp_path / "a.atnas").write_text(TINY)
    assert run(tmp_path / "a.atnas", tmp_path / "run").code == 0
    assert RunFolder(tmp_path / "run").read("batching.json") == {
        "training": {"tasks": 1, "apart": False},
        "scoring": {"tasks": 1, "apart": False},
    }
