"""Network 11472 of NAS-Bench-201, the residual one: [N, 3, 32, 32] to [N, 10]."""

from pathlib import Path

from safetensors.torch import load_file
from torch import Tensor, nn


def relu_conv_bn(c_in: int, c_out: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.ReLU(),
        nn.Conv2d(c_in, c_out, 3, stride, padding=1, bias=False),
        nn.BatchNorm2d(c_out),
    )


class Cell(nn.Module):
    def __init__(self, c: int) -> None:
        super().__init__()
        self.first = relu_conv_bn(c, c)
        self.second = relu_conv_bn(c, c)

    def forward(self, x: Tensor) -> Tensor:
        y = self.second(self.first(x))
        return x + y


class Reduction(nn.Module):
    def __init__(self, c_in: int, c_out: int) -> None:
        super().__init__()
        self.body = nn.Sequential(relu_conv_bn(c_in, c_out, stride=2), relu_conv_bn(c_out, c_out))
        self.shortcut = nn.Sequential(nn.AvgPool2d(2), nn.Conv2d(c_in, c_out, 1, bias=False))

    def forward(self, x: Tensor) -> Tensor:
        return self.shortcut(x) + self.body(x)


class NasBench201(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16))
        self.cells = nn.Sequential(
            *[Cell(16) for _ in range(5)],
            Reduction(16, 32),
            *[Cell(32) for _ in range(5)],
            Reduction(32, 64),
            *[Cell(64) for _ in range(5)],
        )
        self.head = nn.Sequential(
            nn.BatchNorm2d(64),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(64, 10),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.cells(self.stem(x)))


WEIGHTS = Path(__file__).with_suffix(".safetensors")


def load(weights: str | Path = WEIGHTS) -> NasBench201:
    network = NasBench201()
    network.load_state_dict(load_file(weights))
    return network.eval()
