"""A path takes the maximum of windows before the relu that stands in front of it, where nobody can tell."""

from __future__ import annotations

import pytest
import torch
from test_conditions import compiled
from torch import nn

from atnas.compiler.supernet import Supernet


@pytest.mark.parametrize("act", ["relu", "relu6"])
def test_pooling_before_the_relu_changes_no_bit(act: str) -> None:
    """Also where a window holds several equal numbers, none above zero, or only some that a relu6 cuts."""
    space = compiled(
        f"space s [image: (2, 6, 6)] -> y {{\n  a = image -> conv(3, 3) -> {act}\n"
        f"  y = a -> max_pool(2) -> conv(2, 3) -> {act} -> max_pool(3, stride = 1) -> flatten -> linear(2)\n}}\n"
    )
    path = Supernet(space.net, space.encoding, seed=1).double().path(())
    plain = [layer for layer in path.module._modules.values() if isinstance(layer, nn.Module)]
    x = torch.randn(4, 2, 6, 6, generator=torch.Generator().manual_seed(1), dtype=torch.float64).mul(20).round()
    weights = {name: w.mul(4).round().requires_grad_() for name, w in path.weights().items()}
    y = path(weights, x)

    expected = x
    names = iter(path.module._modules)
    for layer in plain:
        name = next(names)
        own = {local: weights[f"{name}.{local}"] for local, _ in layer.named_parameters()}
        expected = torch.func.functional_call(layer.to_empty(device="cpu"), own, (expected,))
    assert torch.equal(y, expected)
    for mine, other in zip(
        torch.autograd.grad(y.sin().sum(), list(weights.values())),
        torch.autograd.grad(expected.sin().sum(), list(weights.values())),
        strict=True,
    ):
        assert torch.equal(mine, other)
    kinds = [type(layer) for layer, *_ in path.module._program]
    assert [k is nn.MaxPool2d for k in kinds] == [False, True, False, False, True, False, False, False]


def test_a_relu_that_others_read_stays_where_it_is() -> None:
    space = compiled(
        "space s [image: (2, 6, 6)] -> y {\n  a = image -> conv(3, 3) -> relu\n"
        "  y = a -> max_pool(3, stride = 1) + a -> conv(3, 1)\n}\n"
    )
    path = Supernet(space.net, space.encoding, seed=1).path(())
    kinds = [type(layer) for layer, *_ in path.module._program]
    assert kinds.index(nn.ReLU) < kinds.index(nn.MaxPool2d)


class Opposite(nn.MaxPool2d):
    """A layer of somebody else's that is no maximum."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = super().forward(-x)
        return found


def test_only_torchs_own_maximum_changes_its_place() -> None:
    declared = (
        "extern op opposite(kernel_size: int = 3, stride: int = 1, padding: int = 1) [x: (c, h, w)] -> (c, h, w) = "
        '"test_pooled_first:Opposite"\n'
    )
    space = compiled(
        f"{declared}space s [image: (2, 6, 6)] -> y {{\n  y = image -> conv(3, 3) -> relu -> opposite\n}}\n"
    )
    path = Supernet(space.net, space.encoding, seed=1).path(())
    assert [type(layer).__name__ for layer, *_ in path.module._program] == ["Conv2d", "ReLU", "Opposite"]


def test_what_is_extracted_reads_as_it_was_written() -> None:
    space = compiled("space s [image: (2, 6, 6)] -> y {\n  y = image -> conv(3, 3) -> relu -> max_pool(2)\n}\n")
    supernet = Supernet(space.net, space.encoding, seed=1)
    kinds = [type(layer) for layer in supernet.extract((), "batch").children()]
    assert kinds == [nn.Conv2d, nn.ReLU, nn.MaxPool2d]
    x = torch.randn(2, 2, 6, 6, generator=torch.Generator().manual_seed(1))
    path = supernet.path(())
    assert torch.equal(supernet.extract((), "batch")(x), path(path.weights(), x))
