"""learn2learn as its documentation runs it: `MAML(model, lr, first_order)`, a clone a task, `adapt`, backward."""

from __future__ import annotations

import sys
from types import ModuleType

import torch.nn.functional as F
from clock import main
from networks import Case, batch, network
from torch import Tensor

sys.modules["learn2learn.vision"] = ModuleType("learn2learn.vision")  # its data sets need torchvision; MAML does not
import learn2learn  # noqa: E402


def build(case: Case, order: int, steps: int):
    maml = learn2learn.algorithms.MAML(network(case), lr=case.lr, first_order=order == 1)
    tasks = batch(case)

    def step() -> tuple[float, list[Tensor]]:
        maml.zero_grad()
        total = 0.0
        for support_x, support_y, query_x, query_y in tasks:
            learner = maml.clone()
            for _ in range(steps):
                learner.adapt(F.cross_entropy(learner(support_x), support_y))
            loss = F.cross_entropy(learner(query_x), query_y)
            loss.backward()
            total += loss.item()
        return total / len(tasks), [p.grad / len(tasks) for p in maml.parameters()]

    return step


if __name__ == "__main__":
    main(learn2learn.__version__, build)
