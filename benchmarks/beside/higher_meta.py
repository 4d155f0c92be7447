"""higher as its documentation runs it: `innerloop_ctx` for each task, `diffopt.step`, backward."""

from __future__ import annotations

from importlib.metadata import version

import higher
import torch
import torch.nn.functional as F
from clock import main
from networks import Case, batch, network
from torch import Tensor


def build(case: Case, order: int, steps: int):
    net, tasks = network(case), batch(case)
    inner = torch.optim.SGD(net.parameters(), lr=case.lr)

    def step() -> tuple[float, list[Tensor]]:
        net.zero_grad()
        total = 0.0
        for support_x, support_y, query_x, query_y in tasks:
            context = higher.innerloop_ctx(net, inner, copy_initial_weights=False, track_higher_grads=order == 2)
            with context as (learner, optimizer):
                for _ in range(steps):
                    optimizer.step(F.cross_entropy(learner(support_x), support_y))
                loss = F.cross_entropy(learner(query_x), query_y)
                if order == 2:
                    loss.backward()
                else:  # what it tracks no longer leads to the start: the gradient at the adapted weights counts
                    for p, g in zip(net.parameters(), torch.autograd.grad(loss, learner.parameters()), strict=True):
                        p.grad = g if p.grad is None else p.grad + g
            total += loss.item()
        return total / len(tasks), [p.grad / len(tasks) for p in net.parameters()]

    return step


if __name__ == "__main__":
    main(version("higher"), build)
