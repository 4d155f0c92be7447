"""Conv4 and a batch of tasks, in plain torch: what every peer of `benchmarks/meta.py` meta-trains.

The numbers are functions of torch's generator alone, so that all sides have the same without sharing code. They are
drawn in single precision and come in torch's default one.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn


class Case(NamedTuple):
    """One line of the benchmark."""

    filters: int
    pooled: bool
    shape: tuple[int, int, int]
    way: int
    shot: int
    query: int
    batch: int
    lr: float


CASES = {
    "omniglot_q1": Case(64, False, (1, 28, 28), 5, 1, 1, 32, 0.1),
    "omniglot_q15": Case(64, True, (1, 28, 28), 5, 1, 15, 8, 0.05),
    "mini_imagenet": Case(32, True, (3, 84, 84), 5, 5, 15, 4, 0.01),
}


class Block(nn.Sequential):
    """Convolution, batch norm by the batch's own statistics, relu, pooling where the convolution does not stride."""

    def __init__(self, before: int, filters: int, pooled: bool) -> None:
        super().__init__(
            nn.Conv2d(before, filters, 3, 1 if pooled else 2, 1),
            nn.BatchNorm2d(filters, track_running_stats=False),
            nn.ReLU(),
            *[nn.MaxPool2d(2)] * pooled,
        )


class Conv4(nn.Module):
    """Four blocks and a head: on all that is left where they pool, on its mean where they stride."""

    def __init__(self, case: Case) -> None:
        super().__init__()
        channels, height, width = case.shape
        self.blocks = nn.Sequential(
            *(Block(channels if i == 0 else case.filters, case.filters, case.pooled) for i in range(4))
        )
        places = (height // 16) * (width // 16) if case.pooled else 1
        self.end = nn.Flatten() if case.pooled else nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.head = nn.Linear(case.filters * places, case.way)

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.head(self.end(self.blocks(x)))
        return found


def network(case: Case) -> Conv4:
    """Always the same weights."""
    precision = torch.get_default_dtype()
    torch.set_default_dtype(torch.float32)
    torch.manual_seed(1)
    made = Conv4(case)
    torch.set_default_dtype(precision)
    return made.to(precision)


def batch(case: Case) -> list[tuple[Tensor, Tensor, Tensor, Tensor]]:
    """Support rows and labels, query rows and labels of each task: noisy copies of one random image a class."""
    generator = torch.Generator().manual_seed(2)
    tasks = []
    for _ in range(case.batch):
        classes = torch.randn(case.way, *case.shape, generator=generator, dtype=torch.float32)
        rows = []
        for each in (case.shot, case.query):
            labels = torch.arange(case.way).repeat(each)
            noise = torch.randn(len(labels), *case.shape, generator=generator, dtype=torch.float32)
            rows += [(classes[labels] + 0.5 * noise).to(torch.get_default_dtype()), labels]
        tasks.append(tuple(rows))
    return tasks
