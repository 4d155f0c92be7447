"""torchopt as its documentation runs it: `MetaSGD`, whose state and the network's are put back after each task."""

from __future__ import annotations

import torch.nn.functional as F
import torchopt
from clock import main
from networks import Case, batch, network
from torch import Tensor


def build(case: Case, order: int, steps: int):
    if order == 1:
        raise SystemExit("torchopt's MetaSGD is of second order")
    net, tasks = network(case), batch(case)
    inner = torchopt.MetaSGD(net, lr=case.lr)

    def step() -> tuple[float, list[Tensor]]:
        net.zero_grad()
        total = 0.0
        start, state = torchopt.extract_state_dict(net, by="reference"), torchopt.extract_state_dict(inner)
        for support_x, support_y, query_x, query_y in tasks:
            for _ in range(steps):
                inner.step(F.cross_entropy(net(support_x), support_y))
            loss = F.cross_entropy(net(query_x), query_y)
            loss.backward()
            total += loss.item()
            torchopt.recover_state_dict(net, start)
            torchopt.recover_state_dict(inner, state)
        return total / len(tasks), [p.grad / len(tasks) for p in net.parameters()]

    return step


if __name__ == "__main__":
    main(torchopt.__version__, build)
