"""Paths that change from inner step to inner step: gradients, and what stays where it was."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path as File
from typing import Literal

import pytest
import torch
from commands import TINY, run, sentence, timeless
from test_conditions import program
from test_learners import alone, paths, supernet, tasks
from torch import Tensor

from atnas.compiler.path import Path
from atnas.compiler.space import compile
from atnas.compiler.supernet import Supernet
from atnas.runtime.folder import RunFolder
from atnas.runtime.learn.average import GradientAverage
from atnas.runtime.learn.beside import Beside
from atnas.runtime.learn.changing import changing, used
from atnas.runtime.learn.maml import Maml
from atnas.runtime.learn.model import Forward
from atnas.runtime.learn.outer import OuterOptimizer
from atnas.runtime.learn.plans import grouped, looped
from atnas.runtime.learn.settings import Adam, Descent
from atnas.runtime.tasks.stack import Stack
from atnas.runtime.training import Training
from atnas.runtime.work import Serial

__all__ = ["supernet"]

LR = 0.2


def by_hand(ways: list[Path], start: dict[str, Tensor], some: Stack, order: int) -> Tensor:
    """The query loss after a step along each path but the last, of tasks one by one."""
    total = torch.zeros((), dtype=torch.float64)
    for task in (alone(some, i) for i in range(len(some))):
        weights = start
        for way in ways[:-1]:
            loss = cross_entropy(way, weights, task.support_x[0], task.support_y[0])
            found = torch.autograd.grad(loss, list(weights.values()), create_graph=order == 2, allow_unused=True)
            moved = zip(weights.items(), found, strict=True)
            weights = {name: w if g is None else w - LR * g for (name, w), g in moved}
        total = total + cross_entropy(ways[-1], weights, task.query_x[0], task.query_y[0])
    return total


def cross_entropy(way: Path, weights: dict[str, Tensor], x: Tensor, labels: Tensor) -> Tensor:
    own = {name: weights[name] if part is None else weights[name][part] for name, part in way.regions.items()}
    return torch.nn.functional.cross_entropy(way(own, x), labels)


@pytest.mark.parametrize("plan", [looped, grouped])
@pytest.mark.parametrize("order", [1, 2])
def test_the_meta_gradient_is_that_of_a_loop_written_by_hand(
    order: Literal[1, 2], plan: Callable[[Path], Forward], supernet: Supernet
) -> None:
    some, ways = tasks(), paths(supernet, 4)[1:]
    assert len({tuple(way.regions) for way in ways}) > 1
    parameters = dict(supernet.named_parameters())
    start = {name: parameters[name].detach().requires_grad_() for way in ways for name in way.regions}
    loss = by_hand(ways, start, some, order)
    expected = dict(zip(start, torch.autograd.grad(loss, list(start.values()), allow_unused=True), strict=True))
    of = changing(ways, [plan(way) for way in ways], parameters, "transductive")
    found = Maml(order=order, inner=Descent(lr=LR), steps=2).gradient(of, some)
    assert float(found.losses.sum()) == pytest.approx(loss.item())
    for name, gradient in expected.items():
        assert (gradient is None) == (name not in found.gradients), name
        assert gradient is None or torch.allclose(gradient, found.gradients[name], rtol=1e-8, atol=1e-12), name


def test_what_no_step_uses_stays_where_it_is(supernet: Supernet) -> None:
    ways = paths(supernet, 3)
    parameters = {name: p.detach().clone() for name, p in supernet.named_parameters()}
    before = {name: p.clone() for name, p in parameters.items()}
    masks = used(ways, parameters)
    optimizer = OuterOptimizer(Adam(lr=0.1, weight_decay=0.1), parameters)
    of = changing(ways, [grouped(way) for way in ways], parameters, "transductive")
    found = Maml(order=2, inner=Descent(lr=LR), steps=2).gradient(of, tasks())
    average = GradientAverage(parameters)
    average.add(found.gradients, masks, 2)
    optimizer.step(average.averages(), 0.1)
    assert any(isinstance(mask, Tensor) and not bool(mask.all()) for mask in masks.values())
    for name, parameter in parameters.items():
        still = torch.ones_like(parameter, dtype=torch.bool)
        if name in masks:
            still[... if masks[name] is None else masks[name]] = False
        assert torch.equal(parameter[still], before[name][still]), name


@pytest.mark.parametrize("order", [1, 2])
def test_what_only_inner_steps_use_is_decayed_by_second_order_alone(order: Literal[1, 2], tmp_path: File) -> None:
    """A step along the wide path, queries along the narrow one: by first order nothing is said of what is wide."""
    text = "space s [x: (1)] -> y: (1) {\n  width = 2 | 4\n  y     = x -> linear(width) -> tanh -> linear(1)\n}\n"
    mine = TINY.replace(TINY[TINY.index("space mlp") : TINY.index("tasks waves")], text).replace("= mlp", "= s")
    (plan,) = program(mine).plans.values()
    train = replace(plan.train, outer=Adam(lr=0.1, weight_decay=0.1), learner=Maml(order=order), batch=1)
    plan = replace(plan, train=train)
    space = compile(plan.narrowed)
    supernet = Supernet(space.net, space.encoding, seed=4)
    beside = Beside({}, {})
    serial = Serial(plan, supernet, beside, torch.device("cpu"))
    training = Training(plan, supernet, beside, serial, RunFolder(tmp_path))
    before = {name: p.detach().clone() for name, p in supernet.named_parameters()}
    training.meta_step([((1,), (0,))])
    moved = [not torch.equal(p[2:], before[name][2:]) for name, p in supernet.named_parameters() if p.shape[0] == 4]
    assert moved
    assert all(moved) if order == 2 else not any(moved)


def test_a_run_goes_a_way_that_changes_and_the_number_of_workers_changes_nothing(tmp_path: File) -> None:
    (tmp_path / "tiny.atnas").write_text(TINY)
    changes = ["--set", "train.paths=uniform(per = inner_step)", "--set", "train.learner.steps=2"]
    found = []
    for workers in (1, 2):
        out = tmp_path / f"run{workers}"
        assert run(tmp_path / "tiny.atnas", out, *changes, "--workers", workers).code == 0
        found.append(timeless(json.loads((out / "result.json").read_text())))
    assert found[0] == found[1]


@pytest.mark.parametrize(
    "learner", ["reptile", "meta_sgd", "anil", "maml(inner = adam)", "maml(inner = sgd(0.1, momentum = 0.9))"]
)
def test_other_learners_refuse_and_say_which_do(learner: str, tmp_path: File) -> None:
    (tmp_path / "tiny.atnas").write_text(TINY)
    changes = ["--set", f"train.learner={learner}", "--set", "train.paths=uniform(per = inner_step)"]
    told = sentence(run(tmp_path / "tiny.atnas", tmp_path / "run", *changes))
    assert (
        "a path for each inner step is for maml that adapts all weights by `inner = sgd(..)` without momentum" in told
    )
