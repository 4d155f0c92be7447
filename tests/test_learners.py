"""Every learner's meta-gradient against finite differences, on paths through supernets and by every plan."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from test_conditions import compiled
from torch import Tensor

from atnas.compiler.path import Path
from atnas.compiler.supernet import Supernet
from atnas.dsl.errors import Unable
from atnas.runtime.learn.adapt import evaluate
from atnas.runtime.learn.anil import Anil
from atnas.runtime.learn.average import GradientAverage
from atnas.runtime.learn.beside import Beside, ground
from atnas.runtime.learn.boil import Boil
from atnas.runtime.learn.conjugate import conjugate_gradients
from atnas.runtime.learn.imaml import ImplicitMaml
from atnas.runtime.learn.maml import Maml
from atnas.runtime.learn.maml_plus import MamlPlus
from atnas.runtime.learn.meta_sgd import MetaSgd
from atnas.runtime.learn.model import Forward, Model, losses
from atnas.runtime.learn.outer import OuterOptimizer
from atnas.runtime.learn.plans import grouped, looped
from atnas.runtime.learn.pretrain import Pretrain
from atnas.runtime.learn.prototypes import Prototypes
from atnas.runtime.learn.reptile import Reptile
from atnas.runtime.learn.settings import Adam, Descent, InnerAdam, Sgd
from atnas.runtime.learn.trainer import Norm, Trainer
from atnas.runtime.tasks.stack import Stack

torch.set_num_threads(1)

SPACE = """\
op block(c) = conv(c, 1 | 3) -> bn -> tanh

space s [image: (1, 5, 5)] -> logits: (3) {
  width  = 2 | 4
  deep   = image -> block(width) * 1..2
  merged = deep + image -> conv(width, 3, stride = 1)
  logits = merged -> (avg_pool(2) | max_pool(2) -> gn(2) -> tanh) -> global_avg_pool -> linear(3)
  require width == 4 if count(block) == 2
}
"""
"""Elastic widths and kernels, a depth, a choice, a tied width and a decision that is not always there."""

PLANS = {"looped": looped, "grouped": grouped}

DIFFERENTIATED: list[Trainer] = [
    Maml(order=2, inner=Descent(lr=0.2), steps=2),
    Maml(order=2, inner=Descent(lr=0.1, momentum=0.9), steps=3),
    Maml(order=2, inner=InnerAdam(lr=0.05, eps=0.1), steps=2),
    Anil(order=2, inner=Descent(lr=0.2), steps=2),
    Boil(order=2, inner=Descent(lr=0.2), steps=2),
    MetaSgd(lr=0.2, steps=2),
    MamlPlus(lr=0.2, steps=2, first_order=0.0, multi_step=0.0),
    Prototypes(),
]
"""Those whose meta-gradient is the exact derivative of the query loss after adapting."""


@pytest.fixture(scope="module")
def supernet() -> Supernet:
    space = compiled(SPACE)
    return Supernet(space.net, space.encoding, seed=4).double()


def paths(supernet: Supernet, count: int = 3) -> list[Path]:
    space = compiled(SPACE)
    return [supernet.path(space.encoding.sample(random.Random(i))) for i in range(count)]


def tasks(count: int = 2, way: int = 3, shot: int = 2, query: int = 3) -> Stack:
    generator = torch.Generator().manual_seed(5)

    def rows(each: int) -> tuple[Tensor, Tensor]:
        labels = torch.arange(way).repeat(each).expand(count, -1)
        return torch.randn(count, way * each, 1, 5, 5, generator=generator, dtype=torch.float64), labels

    return Stack(*rows(shot), *rows(query), way, "cross_entropy", ((),) * count)


def model(trainer: Trainer, supernet: Supernet, path: Path, plan: Callable[[Path], Forward], norm: Norm) -> Model:
    beside = Beside.begun(trainer, ground(supernet))
    generator = torch.Generator().manual_seed(6)
    for tensor in beside.tensors.values():  # whatever they begin with, they become different
        tensor += 0.05 * torch.rand(tensor.shape, generator=generator, dtype=tensor.dtype)
    return Model(path, plan(path), norm, path.weights(), beside.of(path))


def objective(trainer: Trainer, of: Model, some: Stack) -> float:
    """The sum over tasks of the query loss after adapting with the steps of training."""
    adapted = trainer.adapt(of, some, getattr(trainer, "steps", None))
    with torch.no_grad():
        return float(losses(some, of.query_logits(adapted, some, training=False), some.query_y).sum())


def slopes_by_differences(trainer: Trainer, of: Model, some: Stack, h: float = 1e-5) -> dict[str, Tensor]:
    """Central differences, one number after another, of the weights and of what is learned beside them."""
    found = {}
    learned = {name: weight.clone() for name, weight in (of.weights | of.beside).items()}
    for name, weight in learned.items():
        slope = torch.zeros_like(weight)
        for place in range(weight.numel()):
            above, below = ({**learned, name: weight.clone()} for _ in range(2))
            above[name].view(-1)[place] += h
            below[name].view(-1)[place] -= h
            ends = [
                Model(of.path, of.forward, of.norm, {n: w[n] for n in of.weights}, {n: w[n] for n in of.beside})
                for w in (above, below)
            ]
            high, low = (objective(trainer, end, some) for end in ends)
            slope.view(-1)[place] = (high - low) / (2 * h)
        found[name] = slope
    return found


@pytest.mark.parametrize("trainer", DIFFERENTIATED, ids=lambda t: f"{type(t).__name__}-{t}"[:40])
@pytest.mark.parametrize("norm", ["transductive", "support"])
def test_the_meta_gradient_is_the_derivative_of_the_loss_after_adapting(
    trainer: Trainer, norm: Norm, supernet: Supernet
) -> None:
    some = tasks()
    for path in paths(supernet, 2):
        of = model(trainer, supernet, path, looped, norm)
        expected = slopes_by_differences(trainer, of, some)
        for plan in PLANS.values():
            found = trainer.gradient(model(trainer, supernet, path, plan, norm), some)
            size = max(float(slope.abs().max()) for slope in expected.values())
            for name, slope in expected.items():
                mine = found.gradients.get(name, torch.zeros_like(slope))
                assert float((mine - slope).abs().max()) < 1e-5 * size, name
            assert float(found.losses.sum()) == pytest.approx(objective(trainer, of, some), rel=1e-9)


@pytest.mark.parametrize("trainer", [*DIFFERENTIATED, Maml(order=1, steps=2), Reptile(batch=5), ImplicitMaml(steps=3)])
@pytest.mark.parametrize("norm", ["transductive", "support"])
def test_every_plan_gives_what_one_task_after_another_gives(trainer: Trainer, norm: Norm, supernet: Supernet) -> None:
    some = tasks(count=4)
    for path in paths(supernet):
        alone, together = (trainer.gradient(model(trainer, supernet, path, p, norm), some) for p in PLANS.values())
        assert torch.allclose(alone.losses, together.losses, rtol=1e-10)
        assert alone.gradients.keys() == together.gradients.keys()
        for name, gradient in alone.gradients.items():
            assert torch.allclose(gradient, together.gradients[name], rtol=1e-7, atol=1e-10), name
        scores = [evaluate(model(trainer, supernet, path, plan, norm), trainer, some) for plan in PLANS.values()]
        assert [s.loss for s in scores[0]] == pytest.approx([s.loss for s in scores[1]])
        of = replace(model(trainer, supernet, path, grouped, norm), apart=True)
        apart = trainer.gradient(of, some)
        assert torch.allclose(alone.losses, apart.losses, rtol=1e-10)
        assert alone.gradients.keys() == apart.gradients.keys()
        for name, gradient in alone.gradients.items():
            assert torch.allclose(gradient, apart.gradients[name], rtol=1e-7, atol=1e-10), name
        assert [s.loss for s in evaluate(of, trainer, some)] == pytest.approx([s.loss for s in scores[0]])


@pytest.mark.parametrize("trainer", [*DIFFERENTIATED, Maml(order=1, steps=2), Reptile(batch=5)])
def test_tasks_together_say_what_each_says_alone(trainer: Trainer, supernet: Supernet) -> None:
    some = tasks(count=3)
    (path,) = paths(supernet, 1)
    of = model(trainer, supernet, path, grouped, "support")
    whole = trainer.gradient(of, some)
    each = [trainer.gradient(of, alone(some, i)) for i in range(3)]
    assert torch.allclose(whole.losses, torch.cat([one.losses for one in each]), rtol=1e-10)
    for name, gradient in whole.gradients.items():
        total = torch.stack([one.gradients[name] for one in each]).sum(0)
        assert torch.allclose(gradient, total, rtol=1e-7, atol=1e-10), name


def alone(some: Stack, i: int) -> Stack:
    rows = (part[i : i + 1] for part in (some.support_x, some.support_y, some.query_x, some.query_y))
    return Stack(*rows, some.way, some.loss, some.classes[i : i + 1])


# What each learner is


def test_first_order_is_the_query_gradient_at_adapted_weights_in_every_inner_optimizer(supernet: Supernet) -> None:
    """The reference is a loop by torch's own optimizers."""
    some = tasks(count=1)
    (path,) = paths(supernet, 1)
    for inner, reference in (
        (Descent(lr=0.1, momentum=0.9), lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9)),
        (InnerAdam(lr=0.05), lambda p: torch.optim.Adam(p, lr=0.05)),
    ):
        weights = {name: w.clone().requires_grad_() for name, w in path.weights().items()}
        optimizer = reference(list(weights.values()))
        for _ in range(3):
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(path(weights, some.support_x[0]), some.support_y[0]).backward()
            optimizer.step()
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(path(weights, some.query_x[0]), some.query_y[0]).backward()
        trainer = Maml(order=1, inner=inner, steps=3)
        found = trainer.gradient(model(trainer, supernet, path, looped, "transductive"), some)
        for name, weight in weights.items():
            assert weight.grad is not None
            assert torch.allclose(found.gradients[name], weight.grad, rtol=1e-8, atol=1e-12), name


def test_the_head_alone_adapts_in_anil_and_all_else_in_boil(supernet: Supernet) -> None:
    some = tasks()
    (path,) = paths(supernet, 1)
    assert path.head == {"logits/linear.weight", "logits/linear.bias"}
    for trainer, moved in ((Anil(), path.head), (Boil(), path.weights().keys() - path.head)):
        adapted = trainer.adapt(model(trainer, supernet, path, looped, "transductive"), some)
        start = path.weights()
        assert {name for name, w in adapted.items() if not torch.equal(w[0], start[name])} == moved


def test_layers_adapt_by_name(supernet: Supernet) -> None:
    some = tasks()
    (path,) = paths(supernet, 1)
    for trainer in (Maml(within="deep/"), Maml(adapts="body", within="deep/"), Reptile(within="deep/", test_steps=2)):
        adapted = trainer.adapt(model(trainer, supernet, path, looped, "transductive"), some)
        moved = {name for name, w in adapted.items() if not torch.equal(w[0], path.weights()[name])}
        assert moved == {name for name in path.weights() if name.startswith("deep/")} != set()
    nothing = Maml(adapts="head", within="deep/")
    adapted = nothing.adapt(model(nothing, supernet, path, looped, "transductive"), some)
    assert all(torch.equal(w[0], path.weights()[name]) for name, w in adapted.items())


def test_the_implicit_gradient_solves_its_equation(supernet: Supernet) -> None:
    """(I + H / strength) x = grad L_query, by a Hessian that autograd gives whole, near a minimum."""
    some = tasks(count=1)
    path = supernet.path((0,) * len(compiled(SPACE).net.decisions))
    trainer = ImplicitMaml(inner=Descent(lr=0.1), strength=5.0, steps=60, solver_steps=60)
    of = model(trainer, supernet, path, looped, "transductive")
    found = trainer.gradient(of, some)
    adapted = {name: w[0] for name, w in trainer.adapt(of, some, 60).items()}
    names = list(adapted)

    def loss(*numbers: Tensor) -> Tensor:
        weights = {name: w.unsqueeze(0) for name, w in zip(names, numbers, strict=True)}
        return of.support_loss(weights, some).sum()

    blocks = torch.autograd.functional.hessian(loss, tuple(adapted.values()))
    sizes = [adapted[name].numel() for name in names]
    hessian = torch.cat(
        [
            torch.cat([b.reshape(m, n) for b, n in zip(row, sizes, strict=True)], 1)
            for row, m in zip(blocks, sizes, strict=True)
        ]
    )
    leaf = {name: w.clone().requires_grad_() for name, w in adapted.items()}
    query = of.query_logits({n: w.unsqueeze(0) for n, w in leaf.items()}, some, training=True)
    losses(some, query, some.query_y).sum().backward()
    right = torch.cat([torch.zeros(w.numel()) if w.grad is None else w.grad.flatten() for w in leaf.values()])
    expected = torch.linalg.solve(torch.eye(len(hessian)) + hessian / 5.0, right)
    mine = torch.cat([found.gradients[name].flatten() for name in names])
    assert float((mine - expected).norm() / expected.norm()) < 1e-5


def test_conjugate_gradients_solve_each_system_of_several() -> None:
    roots = torch.randn(3, 6, 6, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    matrices = roots @ roots.transpose(1, 2) + torch.eye(6)
    right = torch.randn(3, 6, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    right[1] = 0  # solved from the start
    product = lambda v: {"x": (matrices @ v["x"].unsqueeze(2)).squeeze(2)}  # noqa: E731
    found = conjugate_gradients(product, {"x": right}, 12)["x"]
    assert torch.allclose(found, torch.linalg.solve(matrices, right.unsqueeze(2)).squeeze(2), rtol=1e-9, atol=1e-12)


def test_prototypes_are_the_nearest_mean_by_hand(supernet: Supernet) -> None:
    some = tasks(count=1)
    (path,) = paths(supernet, 1)
    trainer = Prototypes()
    of = model(trainer, supernet, path, looped, "transductive")
    logits = of.query_logits(trainer.adapt(of, some), some, training=False)[0]
    seen: list[Tensor] = []
    hook = path.module._modules["logits/linear"].register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    for rows in (some.support_x[0], some.query_x[0]):
        path(path.weights(), rows)
    hook.remove()
    means = torch.stack([seen[0][some.support_y[0] == k].mean(0) for k in range(3)])
    distances = torch.cdist(seen[1], means).square()
    assert torch.allclose(logits.log_softmax(1), (-distances).log_softmax(1), rtol=1e-8, atol=1e-10)


def test_early_losses_of_maml_plus_fade() -> None:
    trainer = MamlPlus(steps=5, multi_step=0.5)
    assert trainer.weights_of_losses(0.0) == pytest.approx([0.2] * 5)
    assert trainer.weights_of_losses(0.25) == pytest.approx([0.1] * 4 + [0.6])
    assert trainer.weights_of_losses(0.5) == [0, 0, 0, 0, 1]
    for progress in (0.0, 0.1, 0.4, 0.49, 0.9):
        assert sum(trainer.weights_of_losses(progress)) == pytest.approx(1)


def test_running_averages_of_maml_plus_learn_after_the_last_step_alone() -> None:
    found = []
    for multi_step in (0.0, 1.0):
        space = compiled(SPACE)
        supernet = Supernet(space.net, space.encoding, seed=4).double()
        (path,) = paths(supernet, 1)
        trainer = MamlPlus(steps=3, multi_step=multi_step)
        beside = Beside.begun(trainer, ground(supernet))
        of = Model(path, grouped(path), "running", path.weights(), beside.of(path))
        trainer.gradient(of, tasks(count=1), progress=0.0)
        found.append(path.averages())
    assert found[0]
    for name, (mean, var, seen) in found[0].items():
        assert int(seen.max()) == 1
        assert torch.equal(mean, found[1][name].running_mean)
        assert torch.equal(var, found[1][name].running_var)


@pytest.mark.parametrize("outer", [Adam(lr=0.1, weight_decay=0.1), Sgd(lr=0.1, momentum=0.9, weight_decay=0.1)])
@pytest.mark.parametrize("trainer", [Maml(), Maml(order=2), Anil(), MetaSgd(), MamlPlus(steps=2), Reptile()])
def test_nothing_off_the_path_moves(trainer: Trainer, outer: Adam | Sgd) -> None:
    space = compiled(SPACE)
    supernet = Supernet(space.net, space.encoding, seed=4).double()
    beside = Beside.begun(trainer, ground(supernet))
    learned = dict(supernet.named_parameters()) | beside.tensors
    optimizer = OuterOptimizer(outer, dict(supernet.named_parameters()), beside.tensors)
    for path in paths(supernet, 4):
        before = {name: tensor.detach().clone() for name, tensor in learned.items()}
        regions = {**path.regions, **beside.regions(path)}
        of = Model(path, grouped(path), "transductive", path.weights(), beside.of(path))
        average = GradientAverage(learned)
        average.add(trainer.gradient(of, tasks()).gradients, regions, 2)
        optimizer.step(average.averages(), 0.1)
        for name, tensor in learned.items():
            still = torch.ones(tensor.shape, dtype=torch.bool)
            if name in regions:
                still[... if regions[name] is None else regions[name]] = False
            assert torch.equal(tensor.detach()[still], before[name][still]), name
        assert any(not torch.equal(tensor.detach(), before[name]) for name, tensor in learned.items())


def test_pre_training_is_a_classifier_of_all_classes_and_fine_tuning_a_new_head() -> None:
    """The references are torch's cross entropy on what comes into the last layer, and descent on a head of zeros."""
    space = compiled(SPACE)
    supernet = Supernet(space.net, space.encoding, seed=4).double()
    names = tuple(f"letter {i}" for i in range(7))
    trainer = Pretrain(inner=Descent(lr=0.5), steps=4)
    beside = Beside.begun(trainer, replace(ground(supernet), classes=lambda: names))
    some = tasks()
    some = replace(some, classes=(("letter 5", "letter 0", "letter 3"), ("letter 1", "letter 6", "letter 2")))
    path = paths(supernet, 1)[0]
    of = Model(path, grouped(path), "transductive", path.weights(), beside.of(path), beside.classes)

    other = Beside.begun(trainer, replace(ground(supernet, seed=1), classes=lambda: names)).tensors
    assert not torch.equal(other["classes:logits/linear.weight"], beside.tensors["classes:logits/linear.weight"])
    weight = beside.tensors["classes:logits/linear.weight"].clone().requires_grad_()
    seen: list[Tensor] = []
    hook = path.module._modules["logits/linear"].register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    for x in torch.cat([some.support_x, some.query_x], 1):
        path(path.weights(), x)
    path(path.weights(), some.support_x[0])
    hook.remove()
    rows = torch.cat([some.support_y, some.query_y], 1)
    numbers = torch.tensor([[5, 0, 3], [1, 6, 2]]).gather(1, rows)
    features = torch.cat(seen[:2])
    part = weight[:, : features.shape[1]]
    expected = torch.nn.functional.cross_entropy(features @ part.T, numbers.flatten(), reduction="sum") / rows.shape[1]
    expected.backward()
    found = trainer.gradient(of, some)
    assert float(found.losses.sum()) == pytest.approx(expected.item())
    assert weight.grad is not None
    whole = weight.grad[:, : features.shape[1]]
    assert torch.allclose(found.gradients["classes:logits/linear.weight"], whole, rtol=1e-8, atol=1e-12)
    assert not path.head & found.gradients.keys()

    head = torch.nn.Linear(features.shape[1], 3).double()
    torch.nn.init.zeros_(head.weight)
    torch.nn.init.zeros_(head.bias)
    optimizer = torch.optim.SGD(head.parameters(), lr=0.5)
    for _ in range(4):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(head(seen[2]), some.support_y[0]).backward()
        optimizer.step()
    adapted = trainer.adapt(of, some)
    assert torch.allclose(adapted["logits/linear.weight"][0], head.weight, rtol=1e-8, atol=1e-10)
    assert torch.allclose(adapted["logits/linear.bias"][0], head.bias, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize(
    ("declared", "used", "shape"),
    [
        (
            "extern op circular(in_channels: int, out_channels: int, kernel_size: int = 3, padding: int = 1, "
            'padding_mode: str = "circular") [x: (n, h, w)] -> (out_channels, h, w) = "torch.nn:Conv2d"',
            "circular(2, 3)",
            (2, 5, 5),
        ),
        (
            "extern op pool(kernel_size: int = 3, stride: int = 1, padding: int = 1) [x: (l, d)] -> (l, d) = "
            '"torch.nn:MaxPool2d"',
            "pool",
            (4, 6),
        ),
        (
            "extern op mean(kernel_size: int = 3, stride: int = 1, padding: int = 1) [x: (d)] -> (d) = "
            '"torch.nn:AvgPool1d"',
            "mean",
            (6,),
        ),
    ],
)
def test_layers_that_torch_takes_otherwise_are_not_put_side_by_side(
    declared: str, used: str, shape: tuple[int, ...]
) -> None:
    space = compiled(
        f"{declared}\nspace s [x: {shape if len(shape) > 1 else f'({shape[0]})'}] -> y {{ y = x -> {used} }}\n"
    )
    path = Supernet(space.net, space.encoding).double().path(())
    x = torch.randn(3, 4, *shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    weights = {name: w.expand(3, *w.shape) * torch.rand(3, *[1] * w.dim()) for name, w in path.weights().items()}
    alone, together = (plan(path)(weights, x, "batch") for plan in (looped, grouped))
    assert torch.allclose(alone, together, rtol=1e-10, atol=1e-12)


def test_rates_by_step_are_never_cut_like_weights() -> None:
    """Four steps, and a bias that has four numbers at most."""
    space = compiled(SPACE.replace("conv(c, 1 | 3)", "conv(c, 1 | 3, bias = true)"))
    supernet = Supernet(space.net, space.encoding).double()
    trainer = MamlPlus(steps=4)
    beside = Beside.begun(trainer, ground(supernet))
    for path in paths(supernet, 4):
        of = Model(path, grouped(path), "transductive", path.weights(), beside.of(path))
        assert all(rate.shape == (4,) for name, rate in of.beside.items() if name.startswith("rates@"))
        assert trainer.gradient(of, tasks()).losses.isfinite().all()


def test_what_follows_the_last_linear_is_told_to_learners_of_heads() -> None:
    space = compiled(
        "space s [image: (1, 5, 5)] -> logits: (3) {\n  logits = image -> flatten -> linear(3) -> relu\n}\n"
    )
    path = Supernet(space.net, space.encoding).double().path(())
    of = Model(path, grouped(path), "transductive", path.weights())
    with pytest.raises(Unable, match="end in one `linear"):
        Prototypes().gradient(of, tasks())
