"""The outer loop: averages by use, optimizers that leave the unused alone, norms, adaptation and its scores."""

from __future__ import annotations

import copy
import math
import subprocess
import sys
from dataclasses import asdict, replace
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from paths import ModulePath, adapted, evaluate, gradient, letters, meta_step, model, network, score
from safetensors.torch import load, save
from torch import Tensor, nn

from atnas.dsl.errors import Unable
from atnas.dsl.plugins import load as extension
from atnas.dsl.settings import MisfitError
from atnas.runtime import device
from atnas.runtime.learn.average import Average, GradientAverage
from atnas.runtime.learn.interval import confidence, paired
from atnas.runtime.learn.maml import Maml
from atnas.runtime.learn.outer import OuterOptimizer
from atnas.runtime.learn.reptile import Reptile
from atnas.runtime.learn.settings import Adam, Descent, Sgd, rate
from atnas.runtime.tasks.stack import stack
from atnas.runtime.tasks.task import Task

OPTIMIZERS = [
    Adam(lr=0.01),
    Adam(lr=0.02, betas=(0.5, 0.9), eps=1e-6, weight_decay=0.1),
    Sgd(lr=0.1),
    Sgd(lr=0.1, momentum=0.9, weight_decay=0.05),
]


def reference(settings: Adam | Sgd, parameter: Tensor) -> torch.optim.Optimizer:
    """The same optimizer by torch."""
    options: dict[str, Any] = asdict(settings)
    del options["decay"]
    return (torch.optim.Adam if isinstance(settings, Adam) else torch.optim.SGD)([parameter], **options)


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


# Averages


def test_an_element_is_averaged_over_the_paths_that_use_it() -> None:
    average = GradientAverage({"w": torch.zeros(4), "v": torch.zeros(2), "never": torch.zeros(3)})
    average.add({"w": torch.tensor([4.0, 4.0]), "v": torch.tensor([1.0, 3.0])}, {"w": (slice(0, 2),), "v": None})
    average.add({"w": torch.tensor([2.0, 2.0])}, {"w": (slice(1, 3),)})
    found = average.averages()
    assert found.keys() == {"w", "v"}
    assert found["w"].gradient.tolist() == [4, 3, 2, 0]
    assert found["w"].used is not None and found["w"].used.tolist() == [True, True, True, False]
    assert found["v"].gradient.tolist() == [1, 3] and found["v"].used is None


def test_a_part_and_the_whole_count_together() -> None:
    average = GradientAverage({"w": torch.zeros(2, 2)})
    average.add({"w": torch.ones(2, 2)}, {"w": None})
    average.add({"w": torch.full((1, 2), 5.0)}, {"w": (slice(0, 1), slice(0, 2))})
    (found,) = average.averages().values()
    assert found.gradient.tolist() == [[3, 3], [1, 1]] and found.used is None


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(1, 6), st.integers(-9, 9)), min_size=1, max_size=6))
def test_for_all_regions_the_average_is_that_of_each_element(uses: list[tuple[int, int, int]]) -> None:
    average = GradientAverage({"w": torch.zeros(6)})
    values: list[list[int]] = [[] for _ in range(6)]
    for first, size, value in uses:
        part = slice(first, min(first + size, 6))
        average.add({"w": torch.full((part.stop - first,), float(value))}, {"w": (part,)})
        for i in range(first, part.stop):
            values[i].append(value)
    found = average.averages()["w"]
    used = torch.ones(6, dtype=torch.bool) if found.used is None else found.used
    assert used.tolist() == [bool(v) for v in values]
    assert found.gradient.tolist() == pytest.approx([sum(v) / len(v) if v else 0 for v in values])


# Outer optimizers


@pytest.mark.parametrize("settings", OPTIMIZERS)
def test_used_in_every_step_it_is_torchs_own_to_the_last_bit(settings: Adam | Sgd) -> None:
    ours, theirs = random(3, 4), random(3, 4)
    optimizer, expected = OuterOptimizer(settings, {"w": ours}), reference(settings, theirs)
    for step in range(10):
        gradient = random(3, 4, seed=step + 1)
        theirs.grad = gradient.clone()
        expected.step()
        optimizer.step({"w": Average(gradient, None)}, settings.lr)
        assert torch.equal(ours, theirs)


@pytest.mark.parametrize("settings", OPTIMIZERS)
def test_each_element_has_an_optimizer_of_its_own_that_steps_when_it_is_used(settings: Adam | Sgd) -> None:
    """The reference is 6 torch optimizers of one number each."""
    start = random(6)
    ours, numbers = start.clone(), [start[i : i + 1].clone() for i in range(6)]
    optimizer, expected = OuterOptimizer(settings, {"w": ours}), [reference(settings, n) for n in numbers]
    for step in range(12):
        gradient = random(6, seed=step + 1)
        used = random(6, seed=100 + step) > 0
        used = torch.ones(6, dtype=torch.bool) if step in (0, 1, 7) else used
        before = ours.clone()
        optimizer.step({"w": Average(gradient, None if used.all() else used)}, settings.lr)
        for i in used.nonzero().flatten().tolist():
            numbers[i].grad = gradient[i : i + 1].clone()
            expected[i].step()
        assert torch.equal(ours[~used], before[~used])
        assert torch.allclose(ours, torch.cat(numbers), rtol=1e-13, atol=0)


def test_elements_off_the_path_keep_value_and_state_bit_by_bit() -> None:
    """Weight decay and momentum would both move them in an ordinary optimizer."""
    parameters = {"w": random(4, 3), "other": random(2)}
    optimizer = OuterOptimizer(Adam(lr=0.1, weight_decay=0.5), parameters)
    optimizer.step({name: Average(torch.ones_like(p), None) for name, p in parameters.items()}, 0.1)
    used = torch.zeros(4, 3, dtype=torch.bool)
    used[:2, :1] = True
    optimizer.step({"w": Average(random(4, 3, seed=9), used)}, 0.1)
    kept = {name: p.clone() for name, p in (parameters | optimizer.state_dict()).items()}
    optimizer.step({"w": Average(random(4, 3, seed=8), used)}, 0.1)
    now = parameters | optimizer.state_dict()
    for name in ("w", "w.exp_avg", "w.exp_avg_sq", "w.steps"):
        assert torch.equal(now[name][~used], kept[name][~used])
        assert (now[name][used] != kept[name][used]).all()
    assert all(torch.equal(now[name], kept[name]) for name in now if name.startswith("other"))
    assert now["w.steps"].tolist() == [[3, 1, 1], [3, 1, 1], [1, 1, 1], [1, 1, 1]]


@pytest.mark.parametrize("settings", OPTIMIZERS)
def test_a_state_goes_through_a_file_and_continues_as_if_nothing_had_been(settings: Adam | Sgd) -> None:
    parameters = {"a.weight": random(4), "b": random(2, 2)}
    whole = {"a.weight": Average(random(4, seed=1), None), "b": Average(random(2, 2, seed=2), None)}
    part = {"a.weight": Average(random(4, seed=3), torch.tensor([True, False, True, False]))}
    optimizer = OuterOptimizer(settings, parameters)
    optimizer.step(whole, 0.1)
    optimizer.step(part, 0.1)
    copies = {name: p.clone() for name, p in parameters.items()}
    restored = OuterOptimizer(settings, copies)
    restored.load_state_dict(load(save(optimizer.state_dict())))
    for one in (optimizer, restored):
        one.step(part, 0.1)
        one.step(whole, 0.1)
    assert all(torch.equal(parameters[name], copies[name]) for name in parameters)


def test_a_state_of_something_else_is_refused_and_nothing_changes() -> None:
    optimizer = OuterOptimizer(Adam(), {"w": random(3)})
    optimizer.step({"w": Average(random(3), None)}, 0.1)
    kept = {name: t.clone() for name, t in optimizer.state_dict().items()}
    sgd = OuterOptimizer(Sgd(lr=1, momentum=0.5), {"w": random(3)})
    sgd.step({"w": Average(random(3), None)}, 0.1)
    for state in (sgd.state_dict(), {"v.steps": kept["w.steps"]}, {**kept, "w.exp_avg": torch.zeros(2)}):
        with pytest.raises(ValueError, match="state"):
            optimizer.load_state_dict(state)
    assert all(torch.equal(kept[name], t) for name, t in optimizer.state_dict().items())


def test_cosine_decay_is_torchs_schedule() -> None:
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=0.3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=20)
    for iteration in range(20):
        expected = schedule.get_last_lr()[0]
        assert rate(Sgd(lr=0.3, decay="cosine"), iteration, 20) == pytest.approx(expected, abs=1e-12)
        assert rate(Adam(lr=0.3), iteration, 20) == 0.3
        optimizer.step()
        schedule.step()


# The meta step


def test_a_meta_step_is_an_adam_step_along_the_mean_gradient_of_its_tasks() -> None:
    ours, theirs = network(), network()
    tasks, trainer = [letters(seed) for seed in range(4)], Maml(order=2, steps=2, inner=Descent(lr=0.1))
    optimizer = OuterOptimizer(Adam(lr=0.01), dict(ours.named_parameters()))
    result = meta_step(trainer, "transductive", tasks, [ModulePath(ours)] * 4, optimizer, 0.01)

    found = [gradient(trainer, ModulePath(theirs), task, "transductive") for task in tasks]
    for name, parameter in theirs.named_parameters():
        parameter.grad = torch.stack([each.gradients[name] for each in found]).mean(0)
    norm = nn.utils.clip_grad_norm_(theirs.parameters(), math.inf)
    torch.optim.Adam(theirs.parameters(), lr=0.01).step()

    for mine, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert torch.allclose(mine, other, rtol=1e-9, atol=1e-12)
    assert result.loss == pytest.approx(sum(each.losses.item() for each in found) / 4)
    assert result.accuracy == pytest.approx(sum(float(each.accuracies) for each in found) / 4)
    assert result.gradient_norm == pytest.approx(norm.item())


def test_reptile_with_sgd_at_rate_one_puts_the_weights_where_training_ended() -> None:
    """Algorithm 2 with a step size of 1 and one task."""
    module, task, trainer = network(), letters(), Reptile(steps=3, batch=6)
    gradients = gradient(trainer, ModulePath(network()), task, "transductive").gradients
    expected = {name: p.detach() - gradients[name] for name, p in module.named_parameters()}
    optimizer = OuterOptimizer(Sgd(lr=1), dict(module.named_parameters()))
    meta_step(trainer, "transductive", [task], [ModulePath(module)], optimizer, 1.0)
    assert all(torch.equal(p, expected[name]) for name, p in module.named_parameters())


def test_paths_through_slices_move_their_slices_alone() -> None:
    """Two of four hidden units belong to the path; the others stay, and count no use."""

    module = nn.Sequential(nn.Flatten(), nn.Linear(25, 4), nn.Tanh(), nn.Linear(4, 3)).double()
    first, second = (slice(0, 2), slice(0, 25)), (slice(0, 3), slice(0, 2))
    path = ModulePath(module, {"1.weight": first, "1.bias": (slice(0, 2),), "3.weight": second, "3.bias": None})
    before = copy.deepcopy(module)
    optimizer = OuterOptimizer(Adam(lr=0.1, weight_decay=0.1), dict(module.named_parameters()))
    meta_step(Maml(), "transductive", [letters()], [path], optimizer, 0.1)
    assert torch.equal(module[1].weight[2:], before[1].weight[2:])
    assert torch.equal(module[1].bias[2:], before[1].bias[2:])
    assert torch.equal(module[3].weight[:, 2:], before[3].weight[:, 2:])
    assert (module[3].weight[:, :2] != before[3].weight[:, :2]).all()
    assert optimizer.state_dict()["3.weight.steps"].tolist() == [[1, 1, 0, 0]] * 3
    assert optimizer.state_dict()["3.bias.steps"] == 1


def test_a_loss_that_is_not_finite_says_so_and_harms_nothing() -> None:
    module, task = network(), letters()
    before = [p.clone() for p in module.parameters()]
    optimizer = OuterOptimizer(Adam(), dict(module.named_parameters()))
    bad = replace(task, query_x=task.query_x * math.nan)
    with pytest.raises(Unable, match="diverged"):
        meta_step(Maml(), "transductive", [bad, bad], [ModulePath(module)] * 2, optimizer, 0.1)
    assert all(torch.equal(a, b) for a, b in zip(before, module.parameters(), strict=True))
    assert not optimizer.state_dict()


# Norms


def first_answer(norm: Any, query_x: Tensor, task: Task) -> Tensor:
    """The logits of the first query row."""
    path = ModulePath(network())
    of = model(path, norm)
    return of.query_logits(of.copies(1), stack([replace(task, query_x=query_x)]), training=False)[0, 0]


@pytest.mark.parametrize(("norm", "depends"), [("transductive", True), ("support", False), ("running", False)])
def test_whether_an_answer_depends_on_the_other_questions(norm: str, depends: bool) -> None:
    task = letters()
    alone = first_answer(norm, task.query_x, task)
    changed = first_answer(norm, torch.cat([task.query_x[:1], 5 + 3 * task.query_x[1:]]), task)
    assert torch.allclose(alone, changed) != depends


@pytest.mark.parametrize("trainer", [Maml(), Reptile(batch=6)])
def test_running_averages_are_learned_in_meta_training_and_only_there(trainer: Maml | Reptile) -> None:
    path, task = ModulePath(network()), letters()
    mean = dict(path.module.named_buffers())["1.mean"]
    gradient(trainer, path, task, "transductive")
    gradient(trainer, path, task, "support")
    assert not mean.any()
    gradient(trainer, path, task, "running")
    learned = mean.clone()
    assert learned.all()
    evaluate(path, trainer, [task], "running")
    assert torch.equal(mean, learned)


# Adapting and scoring


def test_adapting_learns_the_support_and_the_scores_say_so() -> None:
    path, task, trainer = ModulePath(network()), letters(query=10), Maml(inner=Descent(lr=0.5))
    before, after = evaluate(path, trainer, [task, task], "support", 0), evaluate(path, trainer, [task], "support", 60)
    assert before[0] == before[1]
    assert after[0].loss < before[0].loss / 2
    assert before[0].accuracy is not None and after[0].accuracy is not None
    assert after[0].accuracy > max(0.8, before[0].accuracy)


def test_inner_steps_at_test_time() -> None:
    """As asked; else the trainer's own number for tests; else, for MAML, as many as in meta-training."""
    path, task = ModulePath(network()), letters()

    def same(first: dict[str, Tensor], second: dict[str, Tensor]) -> bool:
        return all(torch.equal(first[name], second[name]) for name in first)

    assert same(adapted(Maml(steps=3), path, task), adapted(Maml(), path, task, 3))
    assert same(adapted(Maml(steps=3, test_steps=7), path, task), adapted(Maml(), path, task, 7))
    assert same(adapted(Maml(), path, task, 0), path.weights())
    assert same(adapted(Reptile(test_steps=4), path, task), adapted(Reptile(), path, task, 4))


def test_regression_has_losses_and_no_accuracy() -> None:
    """Ten points of a sine, as in the MAML paper's first experiment: meta-training beats where it began."""

    def sine(seed: int) -> Task:
        generator = torch.Generator().manual_seed(seed)
        amplitude, phase = 0.1 + 4.9 * torch.rand(1, generator=generator), 3.14 * torch.rand(1, generator=generator)
        x = 10 * torch.rand(20, 1, generator=generator) - 5
        y = amplitude * (x - phase).sin()
        return Task(x[:10], y[:10], x[10:], y[10:], 0, "mse")

    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(1, 40), nn.ReLU(), nn.Linear(40, 40), nn.ReLU(), nn.Linear(40, 1))
    path, trainer = ModulePath(module), Maml(order=2, inner=Descent(lr=0.01))
    optimizer = OuterOptimizer(Adam(lr=1e-3), dict(module.named_parameters()))
    held_out = [sine(10_000 + i) for i in range(50)]

    def loss() -> float:
        found = evaluate(path, trainer, held_out, "transductive")
        assert all(each.accuracy is None for each in found)
        return sum(each.loss for each in found) / len(found)

    before = loss()
    for i in range(100):
        result = meta_step(trainer, "transductive", [sine(4 * i + j) for j in range(4)], [path] * 4, optimizer, 5e-3)
    assert result.accuracy is None
    assert loss() < 0.75 * before


def test_scores_need_no_graph_and_weights_come_back_detached() -> None:
    path, task = ModulePath(network()), letters()
    with torch.no_grad():
        weights = adapted(Maml(), path, task)
    assert not any(weight.requires_grad for weight in weights.values())
    assert score(path, weights, task, "support") == score(path, weights, task, "support")


def test_intervals() -> None:
    """s of 1, 2, 3, 4 is sqrt(5 / 3)."""
    found = confidence([1, 2, 3, 4])
    assert found.mean == 2.5 and found.half == pytest.approx(1.96 * math.sqrt(5 / 3) / 2)
    assert confidence([0.5]) == (0.5, math.inf)
    assert paired([1, 5, 9], [0, 4, 8]) == (1, 0)
    with pytest.raises(ValueError, match="at least one"):
        confidence([])
    with pytest.raises(ValueError):
        paired([1, 2], [1])


# Settings, devices, imports


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Maml(order=3),
        lambda: Maml(steps=0),
        lambda: Descent(lr=0),
        lambda: Descent(lr=math.inf),
        lambda: Adam(betas=(0.9, 1.0)),
        lambda: Sgd(lr=0.1, momentum=-0.1),
        lambda: Reptile(batch=0),
    ],
)
def test_settings_that_make_no_sense_are_refused(wrong: Any) -> None:
    with pytest.raises(MisfitError):
        wrong()


def test_trainers_are_found_by_name() -> None:
    assert extension("trainers", "maml") is Maml
    assert extension("trainers", "reptile") is Reptile


def test_checking_a_trainer_loads_no_numerics() -> None:
    code = (
        "import sys, atnas.runtime.learn.maml, atnas.runtime.learn.reptile, atnas.runtime.device;"
        "print({'torch', 'numpy', 'networkx', 'deap', 'pydantic'} & sys.modules.keys())"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "set()"


def test_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert device.choose("auto").type == device.choose("cpu").type == "cpu"
    with pytest.raises(Unable, match="--device cpu"):
        device.choose("cuda")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert device.choose("auto").type == device.choose("cuda").type == "cuda"


def test_memory_settings_take_effect_on_glibc_and_are_left_alone_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[tuple[int, int]] = []

    class Old:
        """glibc before 2.35, which takes no mmap threshold above 32 MiB."""

        def __init__(self, name: str) -> None:
            del name

        @staticmethod
        def mallopt(key: int, value: int) -> int:
            called.append((key, value))
            return int(key != device.M_MMAP_THRESHOLD or value <= 2**25)

    def missing(name: str) -> None:
        raise OSError(name)

    monkeypatch.setattr(device.sys, "platform", "linux")
    monkeypatch.setattr(device.ctypes, "CDLL", Old)
    assert device.keep_memory()
    assert called[1] == (device.M_MMAP_THRESHOLD, 2**25) and len(called) == 4
    monkeypatch.setattr(device.ctypes, "CDLL", missing)
    assert not device.keep_memory()
    monkeypatch.setattr(device.sys, "platform", "darwin")
    assert not device.keep_memory()
