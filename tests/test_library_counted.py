"""The library's spaces that were not published: all their members are written down here one by one, with nothing of the
compiler's, and one member of each in torch.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise, product

import pytest
import torch
from library import Architecture, costs, named, space
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

# U-Net


def conv_bn(kernel: int, c_in: int, c: int) -> int:
    """Params of a convolution of images and its batch norm."""
    return kernel**2 * c_in * c + 2 * c


def blocks(c_in: int, c: int) -> list[int]:
    """Params of each block: two convolutions, one, or a separable one."""
    separable = (9 * c_in + c_in * c_in + 2 * c_in) + (9 * c_in + c_in * c + 2 * c)
    return [conv_bn(3, c_in, c) + conv_bn(3, c, c), conv_bn(5, c_in, c), separable]


def levels(c_in: int, c: int, inner: list[int]) -> list[int]:
    """Params of each level around inner networks from c to 2 c channels; it upsamples in two ways."""
    parts = product(blocks(c_in, c), inner, blocks(2 * c, c), range(2))
    return [near + within + 2 * c * c + far for near, within, far, _ in parts]


def unets(w: int) -> Iterator[int]:
    """Params of each network of width w, from three channels to five classes."""
    deep = blocks(4 * w, 8 * w) + levels(4 * w, 8 * w, blocks(8 * w, 16 * w))
    inner = blocks(2 * w, 4 * w) + levels(2 * w, 4 * w, deep)
    return (params + 5 * w + 5 for params in levels(3, w, levels(w, 2 * w, inner)))


def test_u_nets_are_as_many_and_as_large_as_can_be_written_down() -> None:
    of, found = space("unet"), [params for w in (32, 48, 64) for params in unets(w)]
    assert of.encoding.count() == len(found) == 3 * (3**5 * 2**2 + 3**7 * 2**3 + 3**9 * 2**4)
    assert [of.costs.extreme("params", largest)[0] for largest in (False, True)] == [min(found), max(found)]


class UNet(nn.Module):
    """Twice a 3 x 3 convolution everywhere, four levels, upsampled to the nearest."""

    def __init__(self, c: int, classes: int, widths: tuple[int, ...] = (64, 128, 256, 512, 1024)) -> None:
        super().__init__()
        self.near = nn.ModuleList(twice(a, b) for a, b in pairwise((c, *widths)))
        self.narrow = nn.ModuleList(nn.Conv2d(2 * w, w, 1, bias=False) for w in widths[:-1])
        self.far = nn.ModuleList(twice(2 * w, w) for w in widths[:-1])
        self.head = nn.Conv2d(widths[0], classes, 1)

    def forward(self, x: Tensor) -> Tensor:
        seen = []
        for block in self.near[:-1]:
            seen.append(block(x))
            x = nn.functional.max_pool2d(seen[-1], 2)
        x = self.near[-1](x)
        for beside, narrow, block in zip(seen[::-1], self.narrow[::-1], self.far[::-1], strict=True):
            x = block(torch.cat([beside, nn.functional.interpolate(narrow(x), scale_factor=2)], 1))
        found: Tensor = self.head(x)
        return found


def twice(c_in: int, c: int) -> nn.Sequential:
    def unit(before: int) -> list[nn.Module]:
        return [nn.Conv2d(before, c, 3, padding=1, bias=False), nn.BatchNorm2d(c), nn.ReLU()]

    return nn.Sequential(*unit(c_in), *unit(c))


def test_the_u_net_of_the_paper_is_the_one_written_in_torch() -> None:
    """With transposed convolutions and one class it has the 31,037,633 params of milesial/Pytorch-UNet."""
    of = space("unet")
    chosen: Architecture = {"width": 64, "inner": "level(4 * width, deep)"}
    chosen |= {"deep": "level(8 * width, block(16 * width))"}
    chosen |= dict.fromkeys((n for n in named(of, "") if "block" in n), "unit(c, 3) -> unit(c, 3)")
    chosen |= dict.fromkeys(named(of, "far"), "upsample(2)")
    found = costs(of, chosen)
    with torch.device("meta"):
        net = UNet(3, 5)
        with FlopCounterMode(display=False) as counter:
            assert net(torch.empty(1, 3, 32, 32)).shape == (1, 5, 32, 32)
    assert found["params"] == sum(p.numel() for p in net.parameters())
    assert found["flops"] == counter.get_total_flops()
    transposed = sum(2 * c * c * 4 + c - 2 * c * c for c in (64, 128, 256, 512))
    assert found["params"] + transposed - 4 * (64 + 1) == 31_037_633


# Sequences


def sequence_blocks(d: int, length: int) -> dict[str, int]:
    """Params of each block over signals of so many places."""
    convolved = {f"convolve {k}": k * d * d + 2 * d for k in (3, 5, 7)}
    gated = {f"gate {k}": 2 * k * d * d + 2 * d for k in (3, 5, 7)}
    inner = {heads: 16 * heads for heads in (2, 4)}
    attending = {f"attend {h}": length * d + 2 * d + 3 * (d * n + n) + n * d + d for h, n in inner.items()}
    return convolved | gated | attending


def sequences(d: int, c: int = 16, length: int = 64) -> Iterator[int]:
    """Params of each network of width d, from c channels to five classes."""
    params = sequence_blocks(d, length // 2)
    for depth in (3, 4, 5):
        for chosen in product(params, repeat=depth):
            if sum("attend" in block for block in chosen) <= 2:
                yield (5 * c * d + 2 * d) + sum(params[block] for block in chosen) + 5 * d + 5


def test_sequence_networks_are_as_many_and_as_large_as_can_be_written_down() -> None:
    of, found = space("sequence"), [params for d in (32, 48, 64) for params in sequences(d)]
    assert of.encoding.count() == len(found) == 101_304
    assert [of.costs.extreme("params", largest)[0] for largest in (False, True)] == [min(found), max(found)]


class Residual(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x + self.branch(x)

    def branch(self, x: Tensor) -> Tensor:
        raise NotImplementedError


class Convolve(Residual):
    def __init__(self, d: int, kernel: int) -> None:
        super().__init__()
        self.conv, self.bn = nn.Conv1d(d, d, kernel, padding=kernel // 2, bias=False), nn.BatchNorm1d(d)

    def branch(self, x: Tensor) -> Tensor:
        return torch.relu(self.bn(self.conv(x)))


class Gate(Residual):
    def __init__(self, d: int, kernel: int) -> None:
        super().__init__()
        self.both, self.bn = nn.Conv1d(d, 2 * d, kernel, padding=kernel // 2, bias=False), nn.BatchNorm1d(d)

    def branch(self, x: Tensor) -> Tensor:
        normed: Tensor = self.bn(nn.functional.glu(self.both(x), 1))
        return normed


class Attend(Residual):
    def __init__(self, d: int, length: int) -> None:
        super().__init__()
        self.positions = nn.Parameter(torch.zeros(length, d))
        self.ln, self.attention = nn.LayerNorm(d), nn.MultiheadAttention(d, d // 16, batch_first=True)

    def branch(self, x: Tensor) -> Tensor:
        tokens = self.ln(x.transpose(1, 2) + self.positions)
        attended: Tensor = self.attention(tokens, tokens, tokens)[0]
        return attended.transpose(1, 2)


@pytest.mark.parametrize(("kernel", "gate"), [(3, 7), (5, 3)])
def test_a_sequence_network_is_the_one_written_in_torch(kernel: int, gate: int) -> None:
    of = space("sequence")
    chosen: Architecture = {
        "d": 64,
        "body.depth": 3,
        "body[0]": "convolve(d)",
        "body.convolve[0].y.kernel": kernel,
        "body[1]": "gate(d)",
        "body.gate[1].k": gate,
        "body[2]": "attend(d)",
        "body.attend[2].y.heads": 4,
    }
    stem = [nn.Conv1d(16, 64, 5, stride=2, padding=2, bias=False), nn.BatchNorm1d(64), nn.ReLU()]
    body = [Convolve(64, kernel), Gate(64, gate), Attend(64, 32)]
    net = nn.Sequential(*stem, *body, nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(64, 5))
    assert net(torch.randn(2, 16, 64)).shape == (2, 5)
    assert costs(of, chosen)["params"] == sum(p.numel() for p in net.parameters())
