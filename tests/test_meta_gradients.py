"""Meta-gradients against what we did not write: finite differences, `torch.optim`, torch's own batch norm."""

from __future__ import annotations

import copy
import math

import pytest
import torch
from paths import ModulePath, adapted, gradient, letters, network, score
from torch import Tensor, nn
from torch.nn import functional

from atnas.runtime.learn.maml import Maml
from atnas.runtime.learn.reptile import Reptile
from atnas.runtime.learn.settings import Descent
from atnas.runtime.learn.trainer import Norm, Weights
from atnas.runtime.tasks.task import Task

LR = 0.2


def trained(module: nn.Module, x: Tensor, y: Tensor, steps: int, batch: int | None = None) -> nn.Module:
    """A copy of the module after plain SGD, as anyone would write it."""
    module = copy.deepcopy(module)
    optimizer = torch.optim.SGD(module.parameters(), LR)
    for step in range(steps):
        rows = torch.arange(step * batch, (step + 1) * batch) % len(x) if batch else torch.arange(len(x))
        optimizer.zero_grad()
        functional.cross_entropy(module(x[rows]), y[rows]).backward()
        optimizer.step()
    return module


def flat(gradients: Weights) -> Tensor:
    return torch.cat([gradients[name].flatten() for name in sorted(gradients)])


def difference(found: Weights, expected: Weights) -> float:
    """The L2 norm of the difference relative to that of what is expected."""
    assert found.keys() == expected.keys()
    return float((flat(found) - flat(expected)).norm() / flat(expected).norm())


def finite_differences(trainer: Maml, path: ModulePath, task: Task, norm: Norm, h: float = 1e-5) -> Weights:
    """Central differences of the query loss after adapting, one weight after another."""

    def objective() -> float:
        return score(path, adapted(trainer, path, task), task, "transductive" if norm == "running" else norm).loss

    slopes = {}
    for name, parameter in path.module.named_parameters():
        slopes[name] = torch.zeros_like(parameter)
        values, slope = parameter.data.view(-1), slopes[name].view(-1)
        for i in range(len(values)):
            kept = values[i].item()
            values[i] = kept + h
            above = objective()
            values[i] = kept - h
            slope[i] = (above - objective()) / (2 * h)
            values[i] = kept
    return slopes


@pytest.mark.parametrize("norm", ["transductive", "support", "running"])
@pytest.mark.parametrize("steps", [1, 3])
def test_second_order_agrees_with_finite_differences(norm: Norm, steps: int) -> None:
    path, task = ModulePath(network()), letters()
    trainer = Maml(order=2, inner=Descent(lr=LR), steps=steps)
    expected = finite_differences(trainer, path, task, norm)
    assert difference(gradient(trainer, path, task, norm).gradients, expected) < 1e-5
    first_order = gradient(Maml(order=1, inner=Descent(lr=LR), steps=steps), path, task, norm)
    assert difference(first_order.gradients, expected) > 1e-2


@pytest.mark.parametrize("steps", [1, 4])
def test_first_order_is_the_query_gradient_of_a_network_trained_on_the_support(steps: int) -> None:
    task = letters(seed=3)
    found = gradient(Maml(order=1, inner=Descent(lr=LR), steps=steps), ModulePath(network()), task, "transductive")

    adapted = trained(network(norm=nn.BatchNorm2d), task.support_x, task.support_y, steps)
    logits = adapted(task.query_x)
    loss = functional.cross_entropy(logits, task.query_y)
    adapted.zero_grad()
    loss.backward()

    assert difference(found.gradients, {name: p.grad for name, p in adapted.named_parameters()}) < 1e-12
    assert found.losses.item() == pytest.approx(loss.item())
    assert found.accuracies is not None
    assert found.accuracies.item() == pytest.approx((logits.argmax(1) == task.query_y).double().mean().item())


def test_one_step_of_a_linear_model_by_hand() -> None:
    """Squared error of y = w x, one row each: w' = w - 2 lr x (w x - y), and d w' / d w = 1 - 2 lr x^2."""
    w, (x, y), (u, v) = 0.5, (2.0, 3.0), (1.5, -1.0)
    module = nn.Linear(1, 1, bias=False).double()
    nn.init.constant_(module.weight, w)
    rows = [torch.tensor([[value]], dtype=torch.float64) for value in (x, y, u, v)]
    task = Task(*rows, way=0, loss="mse")

    after = w - 2 * LR * x * (w * x - y)
    first = 2 * u * (after * u - v)
    for order, expected in ((1, first), (2, first * (1 - 2 * LR * x**2))):
        found = gradient(Maml(order=order, inner=Descent(lr=LR)), ModulePath(module), task, "transductive")
        assert found.gradients["weight"].item() == pytest.approx(expected, rel=1e-12)
        assert found.accuracies is None


@pytest.mark.parametrize("batch", [4, 6, 100])
def test_reptile_is_the_way_back_from_plain_training(batch: int) -> None:
    """All 18 rows, support first, `batch` at a time and round again: 5 steps of 4 rows go past the end."""
    task, start = letters(seed=5), network(norm=nn.BatchNorm2d)
    trainer = Reptile(inner=Descent(lr=LR), steps=5, batch=batch)
    found = gradient(trainer, ModulePath(network()), task, "transductive")

    x, y = torch.cat([task.support_x, task.query_x]), torch.cat([task.support_y, task.query_y])
    end = dict(trained(start, x, y, 5, min(batch, len(x))).named_parameters())
    assert difference(found.gradients, {n: (p - end[n]).detach() for n, p in start.named_parameters()}) < 1e-12


@pytest.mark.parametrize("trainer", [Maml(order=1), Maml(order=2), Reptile(batch=4)])
def test_a_gradient_leaves_the_supernet_alone_and_is_the_same_every_time(trainer: Maml | Reptile) -> None:
    path, task = ModulePath(network()), letters()
    before = {name: weight.clone() for name, weight in path.weights().items()}
    first, second = (gradient(trainer, path, task, "support") for _ in range(2))
    assert all(torch.equal(before[name], weight) for name, weight in path.weights().items())
    assert torch.equal(flat(first.gradients), flat(second.gradients))
    assert all(p.grad is None for p in path.module.parameters())


def test_a_weight_that_takes_no_part_has_no_gradient() -> None:
    class Spare(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.used, self.spare = nn.Linear(25, 3).double(), nn.Linear(2, 2).double()

        def forward(self, x: Tensor) -> Tensor:
            return self.used(x.flatten(1))

    path, task = ModulePath(Spare()), letters()
    for trainer in (Maml(order=1), Maml(order=2), Reptile()):
        found = gradient(trainer, path, task, "transductive")
        assert found.gradients.keys() == {"used.weight", "used.bias"}
        assert torch.equal(adapted(trainer, path, task)["spare.weight"], path.weights()["spare.weight"])


def test_a_head_larger_than_the_task_uses_its_first_outputs() -> None:
    """Where `way` is drawn, the head has the largest: a task of 3 classes knows nothing of outputs 3 and 4."""
    large, small = network(outputs=5), network(outputs=3)
    with torch.no_grad():
        small.load_state_dict({n: t[:3] if n.startswith("5.") else t for n, t in large.state_dict().items()})
    task, trainer = letters(way=3), Maml(order=2, inner=Descent(lr=LR), steps=2)
    found = gradient(trainer, ModulePath(large), task, "transductive")
    expected = gradient(trainer, ModulePath(small), task, "transductive")
    assert found.gradients["5.weight"][3:].abs().max() == 0
    assert torch.allclose(found.gradients["5.weight"][:3], expected.gradients["5.weight"], rtol=1e-12, atol=0)
    assert math.isclose(found.losses.item(), expected.losses.item(), rel_tol=1e-12)
