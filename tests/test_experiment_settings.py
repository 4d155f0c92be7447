"""The `train`, `search` and `experiment` of a run over tasks, as language.md writes them."""

from __future__ import annotations

import subprocess
import sys
from typing import TypeVar

import pytest

from atnas.dsl.settings import Settings
from atnas.dsl.settings.configure import configure
from atnas.dsl.settings.describe import describe
from atnas.dsl.source import Source
from atnas.dsl.syntax import ast
from atnas.dsl.syntax.parse import parse
from atnas.runtime.experiment import (
    After,
    Experiment,
    Interleaved,
    PopulationPaths,
    Search,
    Train,
    UniformPaths,
)
from atnas.runtime.learn.settings import Adam
from atnas.runtime.search.objectives import Accuracy, Params

M = TypeVar("M", bound=Settings)

TRAIN = """
train meta {
  learner    = maml(order = 1, inner = sgd(lr = 0.4), steps = 1)
  norm       = support
  outer      = adam(lr = 2e-3)
  batch      = 4
  iterations = 3k
  paths      = population(per = batch)
}
"""
SEARCH = """
search evolve {
  algorithm = nsga2(population = 48, generations = 20)
  schedule  = interleaved(warmup = 1k, every = 100)
  maximize accuracy(tasks = 50)
  minimize params
  require  macs <= 20M
}
"""
EXPERIMENT = """
experiment few_shot {
  space = conv_cells(C = 32)
  tasks = letters
  train = meta
  search = evolve
}
"""


def read(model: type[M], text: str) -> M:
    program, syntax = parse(Source("run.atnas", text))
    (declaration,) = program.declarations
    assert isinstance(declaration, ast.Settings)
    found, findings = configure(model, declaration)
    assert [*syntax, *findings] == []
    assert found is not None
    return found


def findings(model: type[Settings], text: str) -> list[tuple[str, str]]:
    program, _ = parse(Source("run.atnas", text))
    (declaration,) = program.declarations
    assert isinstance(declaration, ast.Settings)
    return [(f.code, f.message) for f in configure(model, declaration)[1]]


def test_train() -> None:
    train = read(Train, TRAIN)
    assert (train.norm, train.batch, train.iterations) == ("support", 4, 3000)
    assert train.outer == Adam(lr=2e-3)
    assert train.paths == PopulationPaths(per="batch")
    assert train.every == 150


def test_a_short_train_takes_sensible_defaults() -> None:
    train = read(Train, "train meta { learner = maml iterations = 7 }")
    assert (train.norm, train.batch, train.outer) == ("transductive", 16, Adam(lr=1e-3))
    assert train.paths == UniformPaths(per="task")
    assert (train.every, train.validation) == (1, 100)


def test_search() -> None:
    search = read(Search, SEARCH)
    assert search.schedule == Interleaved(warmup=1000, every=100)
    assert [(g.direction, g.objective) for g in search.goals] == [
        ("maximize", Accuracy(tasks=50)),
        ("minimize", Params()),
    ]
    assert [line.span.text for line in search.constraints] == ["require  macs <= 20M"]
    assert read(Search, "search s { algorithm = random maximize accuracy }").schedule == After()


@pytest.mark.parametrize("warmup", [0, 3])
@pytest.mark.parametrize("every", [1, 4])
def test_an_interleaved_schedule_knows_which_generation_stands_where(warmup: int, every: int) -> None:
    schedule = Interleaved(warmup=warmup, every=every)
    due = {step: g for step in range(30) if (g := schedule.generation(step)) is not None}
    assert list(due.values()) == list(range(len(due)))
    assert all(schedule.step(generation) == step for step, generation in due.items())
    assert min(due) == warmup


def test_experiment() -> None:
    experiment = read(Experiment, EXPERIMENT)
    assert experiment.space.name == "conv_cells"
    assert (experiment.tasks, experiment.train, experiment.search) == ("letters", "meta", "evolve")
    assert (experiment.seed, experiment.test_tasks, experiment.random_controls) == (0, 600, 10)
    alone = read(Experiment, "experiment e { space = conv4 tasks = letters train = meta }")
    assert alone.search is None


def test_mistakes_are_told_in_words() -> None:
    assert findings(Train, "train t { learner = maml }") == [("E503", "`train t` needs `iterations`")]
    assert findings(Search, "search s { algorithm = nsga2 }") == [("E503", "`search s` needs a goal")]
    twice = "search s { algorithm = nsga2 minimize params minimize params }"
    assert findings(Search, twice) == [("E508", "`params` is the objective of two goals")]
    assert findings(Train, "train t { learner = maml iterations = 0 }") == [
        ("E508", "`iterations` must be at least 1, not `0`")
    ]


@pytest.mark.parametrize("model", [Train, Search, Experiment])
def test_every_setting_is_documented(model: type[Settings]) -> None:
    assert all(row.doc for row in describe(model))


def test_reading_settings_loads_no_numerics() -> None:
    """With every extension that the texts name loaded."""
    code = """
import sys
from atnas.dsl.settings.configure import configure
from atnas.dsl.syntax.parse import parse
from atnas.dsl.source import Source
from atnas.runtime.experiment import Search, Train
for model, text in ((Train, sys.argv[1]), (Search, sys.argv[2])):
    found, findings = configure(model, parse(Source("", text))[0].declarations[0])
    assert found and not findings
print(sorted({"torch", "networkx", "numpy", "deap", "pydantic"} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code, TRAIN, SEARCH], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
