"""Which architectures the tasks of a meta step go along."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from commands import TINY, run
from test_conditions import compiled

from atnas.runtime.drawing import Paths
from atnas.runtime.experiment import FairPaths, PopulationPaths, SandwichPaths, Train, UniformPaths
from atnas.runtime.learn.maml import Maml
from atnas.runtime.work import Route

SPACE = """\
space s [x: (4)] -> y: (2) {
  width = 2 | 4 | 8
  y     = x -> (linear(width) -> tanh | skip) -> linear(2)
}
"""
"""Three widths that matter in one of two branches: four architectures."""


def drawn(paths: Any, step: int = 0, batch: int = 6, text: str = SPACE, population: Any = ()) -> list[tuple[int, ...]]:
    """The one architecture of each task."""
    return [genotype for (genotype,) in ways(paths, step, batch, text, population)]


def ways(paths: Any, step: int = 0, batch: int = 6, text: str = SPACE, population: Any = ()) -> list[Route]:
    train = Train(learner=Maml(steps=2), iterations=1, batch=batch, paths=paths)
    return Paths(train, compiled(text), seed=1).of_step(step, list(population))


def shares(paths: Any) -> Counter[tuple[int, ...]]:
    return Counter(path for step in range(400) for path in drawn(paths, step))


def test_uniform_over_architectures_or_over_decisions() -> None:
    by_architecture = shares(UniformPaths())
    assert set(by_architecture) == {(0, 0), (1, 0), (2, 0), (0, 1)}
    assert all(abs(count / 2400 - 1 / 4) < 0.04 for count in by_architecture.values())
    by_decision = shares(UniformPaths(over="decisions"))
    assert abs(by_decision[0, 1] / 2400 - 1 / 2) < 0.04  # half of all take the branch that needs no width
    assert all(abs(by_decision[width, 0] / 2400 - 1 / 6) < 0.04 for width in range(3))


def test_the_same_step_has_the_same_paths_and_a_batch_may_share_one() -> None:
    for paths in (UniformPaths(), UniformPaths(per="batch"), FairPaths(), SandwichPaths()):
        assert drawn(paths, 3) == drawn(paths, 3)
        assert any(drawn(paths, 3) != drawn(paths, step) for step in range(4, 9))
    assert len(set(drawn(UniformPaths(per="batch"), 3))) == 1


def test_a_path_for_each_step_and_for_the_queries() -> None:
    routes = ways(UniformPaths(per="inner_step"), batch=50)
    assert {len(route) for route in routes} == {3}
    assert len(set(routes)) > 20
    population = [(0, 0), (2, 0)]
    assert {g for route in ways(PopulationPaths(per="inner_step"), population=population) for g in route} == set(
        population
    )


def test_fair_paths_take_every_option_as_often() -> None:
    independent = SPACE.replace("linear(width) -> tanh | skip", "tanh | relu").replace(
        "linear(2)\n}", "linear(width)\n}"
    )
    paths = [path for step in range(5) for path in drawn(FairPaths(), step, text=independent.replace("y: (2)", "y"))]
    for decision, options in ((0, 3), (1, 2)):
        for first in range(0, len(paths), options):
            assert sorted(path[decision] for path in paths[first : first + options]) == list(range(options))


def test_a_sandwich_is_the_largest_the_smallest_and_others() -> None:
    first, second, *others = drawn(SandwichPaths(), batch=40)
    assert (first, second) == ((2, 0), (0, 1))
    assert len(set(others)) == 4
    assert drawn(SandwichPaths(), batch=1) == [(2, 0)]


@pytest.mark.parametrize("paths", [UniformPaths(over="decisions"), FairPaths(), SandwichPaths()])
def test_every_path_meets_the_constraints(paths: Any) -> None:
    text = SPACE.replace("  y     =", "  require params <= 40\n  require width >= 4\n  y     =")
    space = compiled(text)
    assert all(space.encoding.allowed(path) for step in range(20) for path in drawn(paths, step, text=text))


def test_paths_follow_a_population_once_there_is_one() -> None:
    assert set(drawn(PopulationPaths(), population=[(1, 0)])) == {(1, 0)}
    assert len(set(drawn(PopulationPaths(), batch=40))) == 4


@pytest.mark.parametrize("paths", ["fair", "sandwich", "uniform(over = decisions)"])
def test_a_run_trains_along_them(paths: str, tmp_path: Any) -> None:
    (tmp_path / "a.atnas").write_text(TINY.replace("  validation  ", f"  paths          = {paths}\n  validation  "))
    assert run(tmp_path / "a.atnas", tmp_path / "run").code == 0
