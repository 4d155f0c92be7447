"""Conv4 with 64 filters, as MAML has it for mini-ImageNet: [N, 3, 32, 32] to [N, 10]."""

from pathlib import Path

from safetensors.torch import load_file
from torch import nn


def block(c_in: int, c_out: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(c_in, c_out, 3, padding=1), nn.BatchNorm2d(c_out), nn.ReLU(), nn.MaxPool2d(2))


def conv4() -> nn.Sequential:
    return nn.Sequential(
        block(3, 64),
        block(64, 64),
        block(64, 64),
        block(64, 64),
        nn.Flatten(),
        nn.Linear(256, 10),
    )


WEIGHTS = Path(__file__).with_suffix(".safetensors")


def load(weights: str | Path = WEIGHTS) -> nn.Sequential:
    network = conv4()
    network.load_state_dict(load_file(weights))
    return network.eval()
