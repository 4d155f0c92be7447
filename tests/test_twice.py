"""Second derivatives that are written out: `atnas.compiler.twice` equals torch and finite differences in float64."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional as F

from atnas.compiler.twice import Window, batch_norm, convolution


def numbers(*shape: int, seed: int = 1) -> Tensor:
    generator = torch.Generator().manual_seed(seed + sum(shape))
    return torch.randn(*shape, generator=generator, dtype=torch.float64).requires_grad_()


def twice(y: Tensor, of: list[Tensor]) -> list[Tensor]:
    """The gradient of a function of gradients, of which every number counts differently."""
    weighed = (y * torch.linspace(-1, 2, y.numel(), dtype=y.dtype).view(y.shape)).sin().sum()
    first = torch.autograd.grad(weighed, of, create_graph=True)
    second = torch.autograd.grad(sum((f.cos() * f).sum() for f in first), of)  # type: ignore[arg-type]
    return [*first, *second]


def alike(ours: Tensor, torchs: Tensor, of: list[Tensor]) -> None:
    torch.testing.assert_close(ours, torchs)
    for a, b in zip(twice(ours, of), twice(torchs, of), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-9)


@given(
    groups=st.integers(1, 3),
    inputs=st.integers(1, 3),
    outputs=st.integers(1, 3),
    kernel=st.sampled_from([1, 3, 5]),
    stride=st.integers(1, 2),
    dilation=st.integers(1, 2),
    dims=st.integers(1, 2),
    biased=st.booleans(),
)
@settings(max_examples=40, deadline=None)
def test_a_convolution_has_the_second_derivative_that_torch_works_out(
    groups: int, inputs: int, outputs: int, kernel: int, stride: int, dilation: int, dims: int, biased: bool
) -> None:
    x = numbers(3, groups * inputs, *[7] * dims)
    weight = numbers(groups * outputs, inputs, *[kernel] * dims)
    bias = numbers(groups * outputs) if biased else None
    padding = dilation * (kernel - 1) // 2
    window = Window((stride,) * dims, (padding,) * dims, (dilation,) * dims, groups)
    run = F.conv1d if dims == 1 else F.conv2d
    of = [x, weight] if bias is None else [x, weight, bias]
    alike(convolution(x, weight, bias, window), run(x, weight, bias, stride, padding, dilation, groups), of)


def test_an_image_needs_no_gradient() -> None:
    x, weight, bias = numbers(3, 2, 5, 5).detach(), numbers(4, 2, 3, 3), numbers(4)
    ours = convolution(x, weight, bias, Window((1, 1), (1, 1), (1, 1), 1))
    alike(ours, F.conv2d(x, weight, bias, padding=1), [weight, bias])


@pytest.mark.parametrize("shape", [(6, 3), (4, 3, 5), (3, 4, 3, 2)])
@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize("last", [True, False])
def test_a_batch_norm_has_the_second_derivative_that_torch_works_out(
    shape: tuple[int, ...], affine: bool, last: bool
) -> None:
    x = numbers(*shape)
    laid = x.contiguous(memory_format=torch.channels_last) if last and len(shape) == 4 else x
    weight, bias = (numbers(shape[1], seed=2), numbers(shape[1], seed=3)) if affine else (None, None)
    of = [x, weight, bias] if weight is not None and bias is not None else [x]
    alike(batch_norm(laid, weight, bias, 1e-2), F.batch_norm(laid, None, None, weight, bias, True, 0.1, 1e-2), of)


def test_finite_differences_agree() -> None:
    x, weight, bias = numbers(4, 2, 3, 3), numbers(4, 1, 3, 3), numbers(4)
    window = Window((1, 1), (1, 1), (1, 1), 2)
    assert torch.autograd.gradgradcheck(lambda *of: convolution(*of, window), (x, weight, bias))
    gain, offset = numbers(2, seed=2), numbers(2, seed=3)
    assert torch.autograd.gradgradcheck(lambda *of: batch_norm(*of, 1e-2), (x, gain, offset))


def test_a_third_derivative_is_refused() -> None:
    x, weight = numbers(1, 1, 3, 3), numbers(1, 1, 1, 1)
    y = convolution(x, weight, None, Window((1, 1), (0, 0), (1, 1), 1)).sin().sum()
    (first,) = torch.autograd.grad(y, weight, create_graph=True)
    with pytest.raises(RuntimeError, match="third derivative"):
        torch.autograd.grad(first.sin().sum(), weight, create_graph=True)
