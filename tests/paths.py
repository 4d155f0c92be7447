"""Paths, tasks and one network made of plain torch, for tests of the trainers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.func import functional_call

from atnas.runtime.learn import adapt
from atnas.runtime.learn.adapt import Score, scores
from atnas.runtime.learn.meta import StepResult, outer_step
from atnas.runtime.learn.model import Model
from atnas.runtime.learn.outer import OuterOptimizer
from atnas.runtime.learn.plans import looped
from atnas.runtime.learn.trainer import MetaGradient, Norm, Path, Statistics, Trainer, Weights
from atnas.runtime.tasks.stack import stack
from atnas.runtime.tasks.task import Task

torch.set_num_threads(1)  # threads cost more than they bring with so few numbers

Regions = Mapping[str, tuple[slice, ...] | None]


def meta_step(
    trainer: Trainer, norm: Norm, tasks: Sequence[Task], paths: Sequence[Path], optimizer: OuterOptimizer, lr: float
) -> StepResult:
    """Gradients one after another, then the outer step, as a run without workers does it."""
    found = [gradient(trainer, path, task, norm) for task, path in zip(tasks, paths, strict=True)]
    return outer_step(found, [path.regions for path in paths], optimizer, lr)


def model(path: Path, norm: Norm = "transductive") -> Model:
    """A path by the reference plan: one task after another."""
    return Model(path, looped(path), norm, path.weights())


def gradient(trainer: Trainer, path: Path, task: Task, norm: Norm = "transductive") -> MetaGradient:
    """The meta-gradient of one task."""
    return trainer.gradient(model(path, norm), stack([task]))


def adapted(trainer: Trainer, path: Path, task: Task, steps: int | None = None) -> Weights:
    """The weights adapted to one task, without the dimension of tasks."""
    found = trainer.adapt(model(path), stack([task]), steps)
    return {name: weight.squeeze(0) for name, weight in found.items()}


def score(path: Path, weights: Weights, task: Task, norm: Norm) -> Score:
    """The score of weights on one task."""
    (found,) = scores(model(path, norm), {name: w.unsqueeze(0) for name, w in weights.items()}, stack([task]))
    return found


def evaluate(path: Path, trainer: Trainer, tasks: Sequence[Task], norm: Norm, steps: int | None = None) -> list[Score]:
    """The scores of tasks, each adapted to."""
    return adapt.evaluate(model(path, norm), trainer, stack(tasks), steps)


class FewShotNorm(nn.Module):
    """Batch norm over [N, C, H, W], written out, with the statistics that its `mode` asks for."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.register_buffer("mean", torch.zeros(channels))
        self.register_buffer("var", torch.ones(channels))
        self.mode: Statistics = "batch"

    def forward(self, x: Tensor) -> Tensor:
        rows = x[: self.mode] if isinstance(self.mode, int) else x
        mean, var = rows.mean((0, 2, 3)), rows.var((0, 2, 3), correction=0)
        if self.mode == "running":
            mean, var = self.mean, self.var
        if self.mode == "track":
            self.mean.lerp_(mean.detach(), 0.1)
            self.var.lerp_(var.detach(), 0.1)
        columns = [t[:, None, None] for t in (mean, (var + 1e-5).sqrt(), self.weight, self.bias)]
        return (x - columns[0]) / columns[1] * columns[2] + columns[3]


class ModulePath:
    """All of a module as a path, or parts of its parameters where `regions` says so."""

    def __init__(self, module: nn.Module, regions: Regions | None = None) -> None:
        self.module = module
        self.regions = {name: None for name, _ in module.named_parameters()} if regions is None else regions

    @property
    def head(self) -> frozenset[str]:
        last = list(self.regions)[-1].rpartition(".")[0]
        return frozenset(name for name in self.regions if name.rpartition(".")[0] == last)

    @property
    def ends_in_head(self) -> bool:
        return True

    @property
    def norms(self) -> frozenset[str]:
        kinds = (FewShotNorm, nn.BatchNorm2d)
        parts = [name for name, part in self.module.named_modules() if isinstance(part, kinds)]
        return frozenset(name for name in self.regions if name.rpartition(".")[0] in parts)

    def weights(self) -> Weights:
        parameters = dict(self.module.named_parameters())
        return {n: parameters[n].detach()[... if r is None else r] for n, r in self.regions.items()}

    def __call__(self, weights: Weights, x: Tensor, statistics: Statistics = "batch") -> Tensor:
        for part in self.module.modules():
            if isinstance(part, FewShotNorm):
                part.mode = statistics
        return functional_call(self.module, weights, (x,))


def network(outputs: int = 3, norm: type[nn.Module] = FewShotNorm) -> nn.Sequential:
    """Convolution, batch norm, ELU and a head over [N, 1, 5, 5], in double precision; always the same numbers."""
    torch.manual_seed(1)
    layers = nn.Conv2d(1, 2, 3), norm(2), nn.ELU(), nn.AvgPool2d(3), nn.Flatten(), nn.Linear(2, outputs)
    return nn.Sequential(*layers).double()


def letters(seed: int = 0, way: int = 3, shot: int = 2, query: int = 4, size: int = 5) -> Task:
    """Noisy copies of one random image per class, [N, 1, size, size]; rows go round the classes."""
    generator = torch.Generator().manual_seed(seed)

    def noise(n: int) -> Tensor:
        return torch.randn(n, 1, size, size, generator=generator, dtype=torch.float64)

    classes = noise(way)
    support, asked = torch.arange(way).repeat(shot), torch.arange(way).repeat(query)
    return Task(
        classes[support] + 0.3 * noise(way * shot),
        support,
        classes[asked] + 0.3 * noise(way * query),
        asked,
        way,
        "cross_entropy",
    )
