"""DARTS, second order, with 36 channels and 20 cells: [N, 3, 32, 32] to [N, 10]."""

from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn


class FactorizedReduce(nn.Module):
    def __init__(self, c_in: int, c_out: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(c_in, c_out // 2, 1, stride=2, bias=False)
        self.first_bn = nn.BatchNorm2d(c_out // 2)
        self.second = nn.Conv2d(c_in, c_out // 2, 1, stride=2, bias=False)
        self.second_bn = nn.BatchNorm2d(c_out // 2)

    def forward(self, x: Tensor) -> Tensor:
        x = x.relu()
        first = self.first_bn(self.first(x))
        second = self.second_bn(self.second(x[:, :, 1:, 1:]))
        return torch.cat((first, second), 1)


def relu_conv_bn(c_in: int, c_out: int) -> nn.Sequential:
    return nn.Sequential(nn.ReLU(), nn.Conv2d(c_in, c_out, 1, bias=False), nn.BatchNorm2d(c_out))


def sep_conv(c: int) -> nn.Sequential:
    return nn.Sequential(
        nn.ReLU(),
        nn.Conv2d(c, c, 3, padding=1, groups=c, bias=False),
        nn.Conv2d(c, c, 1, bias=False),
        nn.BatchNorm2d(c),
        nn.ReLU(),
        nn.Conv2d(c, c, 3, padding=1, groups=c, bias=False),
        nn.Conv2d(c, c, 1, bias=False),
        nn.BatchNorm2d(c),
    )


def dil_conv(c: int) -> nn.Sequential:
    return nn.Sequential(
        nn.ReLU(),
        nn.Conv2d(c, c, 3, padding=2, dilation=2, groups=c, bias=False),
        nn.Conv2d(c, c, 1, bias=False),
        nn.BatchNorm2d(c),
    )


class NormalCell(nn.Module):
    def __init__(self, c_before: int, c_in: int, c: int, after_reduction: bool = False) -> None:
        super().__init__()
        self.enter0 = FactorizedReduce(c_before, c) if after_reduction else relu_conv_bn(c_before, c)
        self.enter1 = relu_conv_bn(c_in, c)
        self.op0 = sep_conv(c)
        self.op1 = sep_conv(c)
        self.op2 = sep_conv(c)
        self.op3 = sep_conv(c)
        self.op4 = sep_conv(c)
        self.op5 = dil_conv(c)

    def forward(self, before: Tensor, x: Tensor) -> Tensor:
        s0, s1 = self.enter0(before), self.enter1(x)
        n0 = self.op0(s0) + self.op1(s1)
        n1 = self.op2(s0) + self.op3(s1)
        n2 = s0 + self.op4(s1)
        n3 = s0 + self.op5(n0)
        return torch.cat((n0, n1, n2, n3), 1)


class ReductionCell(nn.Module):
    def __init__(self, c_before: int, c_in: int, c: int) -> None:
        super().__init__()
        self.enter0 = relu_conv_bn(c_before, c)
        self.enter1 = relu_conv_bn(c_in, c)
        self.pool = nn.MaxPool2d(3, stride=2, padding=1)

    def forward(self, before: Tensor, x: Tensor) -> Tensor:
        s0, s1 = self.enter0(before), self.enter1(x)
        n0 = self.pool(s0) + self.pool(s1)
        n1 = self.pool(s1) + n0
        n2 = self.pool(s0) + n0
        n3 = self.pool(s1) + n0
        return torch.cat((n0, n1, n2, n3), 1)


class Darts(nn.Module):
    def __init__(self, c: int = 36, cells: int = 6) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 3 * c, 3, padding=1, bias=False), nn.BatchNorm2d(3 * c))
        self.cells = nn.ModuleList()
        c_before = c_in = 3 * c
        for stage in range(3):
            for cell in range(cells):
                self.cells.append(NormalCell(c_before, c_in, c, after_reduction=stage > 0 and cell == 0))
                c_before, c_in = c_in, 4 * c
            if stage < 2:
                c *= 2
                self.cells.append(ReductionCell(c_before, c_in, c))
                c_before, c_in = c_in, 4 * c
        self.head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4 * c, 10))

    def forward(self, x: Tensor) -> Tensor:
        before = x = self.stem(x)
        for cell in self.cells:
            before, x = x, cell(before, x)
        return self.head(x)


WEIGHTS = Path(__file__).with_suffix(".safetensors")


def load(weights: str | Path = WEIGHTS) -> Darts:
    network = Darts()
    network.load_state_dict(load_file(weights))
    return network.eval()
