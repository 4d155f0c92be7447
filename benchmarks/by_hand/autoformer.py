"""DeiT-Ti as a member of AutoFormer: [N, 3, 224, 224] to [N, 1000]."""

from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn


class PatchEmbed(nn.Module):
    def __init__(self, size: int, patch: int, dim: int) -> None:
        super().__init__()
        self.token = nn.Parameter(torch.zeros(dim))
        self.positions = nn.Parameter(torch.zeros((size // patch) ** 2 + 1, dim))
        self.patches = nn.Conv2d(3, dim, patch, stride=patch)

    def forward(self, x: Tensor) -> Tensor:
        x = self.patches(x).flatten(2).transpose(1, 2)
        token = self.token.expand(len(x), 1, -1)
        return torch.cat((token, x), 1) + self.positions


class Attention(nn.Module):
    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(dim, dim)
        self.key = nn.Linear(dim, dim)
        self.value = nn.Linear(dim, dim)
        self.out = nn.Linear(dim, dim)

    def forward(self, x: Tensor) -> Tensor:
        query, key, value = (self.split(layer(x)) for layer in (self.query, self.key, self.value))
        y = nn.functional.scaled_dot_product_attention(query, key, value)
        return self.out(y.transpose(1, 2).flatten(2))

    def split(self, x: Tensor) -> Tensor:
        return x.unflatten(2, (self.heads, -1)).transpose(1, 2)


class Block(nn.Module):
    def __init__(self, dim: int, heads: int, ratio: float) -> None:
        super().__init__()
        hidden = int(ratio * dim)
        self.attention = nn.Sequential(nn.LayerNorm(dim), Attention(dim, heads))
        self.mlp = nn.Sequential(nn.LayerNorm(dim), nn.Linear(dim, hidden), nn.GELU(), nn.Linear(hidden, dim))

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attention(x)
        return x + self.mlp(x)


class VisionTransformer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embed = PatchEmbed(224, 16, 192)
        self.blocks = nn.Sequential(*[Block(192, 3, 4) for _ in range(12)])
        self.norm = nn.LayerNorm(192)
        self.head = nn.Linear(192, 1000)

    def forward(self, x: Tensor) -> Tensor:
        x = self.blocks(self.embed(x))
        return self.head(self.norm(x)[:, 0])


WEIGHTS = Path(__file__).with_suffix(".safetensors")


def load(weights: str | Path = WEIGHTS) -> VisionTransformer:
    network = VisionTransformer()
    network.load_state_dict(load_file(weights))
    return network.eval()
