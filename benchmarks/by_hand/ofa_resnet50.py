"""ResNet-50-D, a member of OFA-ResNet50: [N, 3, 224, 224] to [N, 1000]."""

from pathlib import Path

from safetensors.torch import load_file
from torch import Tensor, nn


def unit(c_in: int, c_out: int, kernel: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(c_in, c_out, kernel, stride, kernel // 2, bias=False),
        nn.BatchNorm2d(c_out),
        nn.ReLU(),
    )


class Residual(nn.Module):
    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: Tensor) -> Tensor:
        return x + self.layer(x)


class Bottleneck(nn.Module):
    def __init__(self, c_in: int, width: int, c_out: int, stride: int = 1) -> None:
        super().__init__()
        self.shortcut = nn.Identity()
        if stride > 1 or c_in != c_out:
            self.shortcut = nn.Sequential(
                nn.AvgPool2d(stride, ceil_mode=True),
                nn.Conv2d(c_in, c_out, 1, bias=False),
                nn.BatchNorm2d(c_out),
            )
        self.body = nn.Sequential(
            unit(c_in, width, 1),
            unit(width, width, 3, stride),
            nn.Conv2d(width, c_out, 1, bias=False),
            nn.BatchNorm2d(c_out),
        )

    def forward(self, x: Tensor) -> Tensor:
        return (self.shortcut(x) + self.body(x)).relu()


def stage(c_in: int, width: int, depth: int, stride: int) -> nn.Sequential:
    first = Bottleneck(c_in, width, 4 * width, stride)
    return nn.Sequential(first, *[Bottleneck(4 * width, width, 4 * width) for _ in range(depth - 1)])


class ResNet50D(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            unit(3, 32, 3, stride=2),
            Residual(unit(32, 32, 3)),
            unit(32, 64, 3),
            nn.MaxPool2d(3, stride=2, padding=1),
        )
        self.body = nn.Sequential(
            stage(64, 64, depth=3, stride=1),
            stage(256, 128, depth=4, stride=2),
            stage(512, 256, depth=6, stride=2),
            stage(1024, 512, depth=3, stride=2),
        )
        self.head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2048, 1000))

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.body(self.stem(x)))


WEIGHTS = Path(__file__).with_suffix(".safetensors")


def load(weights: str | Path = WEIGHTS) -> ResNet50D:
    network = ResNet50D()
    network.load_state_dict(load_file(weights))
    return network.eval()
