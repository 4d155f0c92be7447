"""A good loop written by hand: `functional_call`, images channels-last, first order without a graph of the steps."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from clock import main
from networks import Case, batch, network
from torch import Tensor
from torch.func import functional_call


def build(case: Case, order: int, steps: int):
    net = network(case)
    tasks = [(channels_last(a), b, channels_last(c), d) for a, b, c, d in batch(case)]

    def step() -> tuple[float, list[Tensor]]:
        total = 0.0
        start = {name: p.detach().requires_grad_() for name, p in net.named_parameters()}
        sums = {name: torch.zeros_like(p) for name, p in start.items()}
        for support_x, support_y, query_x, query_y in tasks:
            weights = start
            for _ in range(steps):
                loss = F.cross_entropy(functional_call(net, weights, (support_x,)), support_y)
                gradients = torch.autograd.grad(loss, list(weights.values()), create_graph=order == 2)
                moved = zip(weights.items(), gradients, strict=True)
                weights = {name: weight - case.lr * gradient for (name, weight), gradient in moved}
                if order == 1:
                    weights = {name: weight.detach().requires_grad_() for name, weight in weights.items()}
            loss = F.cross_entropy(functional_call(net, weights, (query_x,)), query_y)
            found = torch.autograd.grad(loss, list((start if order == 2 else weights).values()))
            for name, gradient in zip(sums, found, strict=True):
                sums[name] += gradient
            total += loss.item()
        return total / len(tasks), [g / len(tasks) for g in sums.values()]

    return step


def channels_last(x: Tensor) -> Tensor:
    """One channel fits both layouts, and torch would take the other."""
    _, c, h, w = x.shape
    return x.as_strided(x.shape, (h * w, 1, w, 1)) if c == 1 else x.contiguous(memory_format=torch.channels_last)


if __name__ == "__main__":
    main(torch.__version__, build)
