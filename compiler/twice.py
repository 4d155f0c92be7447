"""Convolution and batch norm whose gradients are differentiated cheaply: the second derivative is written out.

Torch composes the derivative of these gradients of many passes over whole maps, and takes the groups of a convolution
one by one; meta-gradients of second order spend most of their time there. Numbers are torch's but for the order of
sums; a third derivative is refused.

x [N, C, ...]; y: the output; g: the gradient of a loss by y; u: what the gradient by x is multiplied with when it is
differentiated itself.
"""

# Torch does not type its autograd functions.
# mypy: disable-error-code="no-untyped-call, no-any-return"

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd import Function


class Window(NamedTuple):
    """How a convolution goes over its input."""

    stride: tuple[int, ...]
    padding: tuple[int, ...]
    dilation: tuple[int, ...]
    groups: int


def convolution(x: Tensor, weight: Tensor, bias: Tensor | None, window: Window) -> Tensor:
    """As `torch.nn.functional.conv1d` and `conv2d`."""
    return _Convolution.apply(x, weight, bias, window)


def batch_norm(x: Tensor, weight: Tensor | None, bias: Tensor | None, eps: float) -> Tensor:
    """As `torch.nn.functional.batch_norm` by the statistics of x."""
    if weight is None or bias is None:
        weight, bias = x.new_ones(x.shape[1]), x.new_zeros(x.shape[1])
    return _BatchNorm.apply(x, weight, bias, eps)


class _Convolution(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, window: Window) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.window = window
        return _convolved(x, weight, bias, window)

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Any:
        return *_ConvolutionSlopes.apply(g, *ctx.saved_tensors, ctx.window, ctx.needs_input_grad[:3]), None


class _ConvolutionSlopes(Function):
    """The gradients by input, weight and bias. They are linear in g, and in input and weight too."""

    @staticmethod
    def forward(ctx: Any, g: Tensor, x: Tensor, weight: Tensor, window: Window, asked: tuple[bool, ...]) -> Any:
        ctx.save_for_backward(g, x, weight)
        ctx.window = window
        ctx.set_materialize_grads(False)
        return _slopes(g, x, weight, window, *asked)

    @staticmethod
    def backward(ctx: Any, u: Tensor | None, by_weight: Tensor | None, by_bias: Tensor | None) -> Any:
        _last()
        g, x, weight = ctx.saved_tensors
        window, (needs_g, needs_x, needs_weight, *_) = ctx.window, ctx.needs_input_grad
        of_g = of_x = of_weight = None
        if needs_g and by_weight is not None:
            of_g = _convolved(x, by_weight, by_bias, window)
        elif needs_g and by_bias is not None:
            of_g = by_bias.view(-1, *[1] * (g.dim() - 2)).expand_as(g)
        if needs_g and u is not None:
            more = _convolved(u, weight, None, window)
            of_g = more if of_g is None else more.add_(of_g)
        if needs_x and by_weight is not None:
            of_x, _, _ = _slopes(g, x, by_weight, window, True, False, False)
        if needs_weight and u is not None:
            _, of_weight, _ = _slopes(g, u, weight, window, False, True, False)
        return of_g, of_x, of_weight, None, None


class _BatchNorm(Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, eps: float) -> Tensor:
        y, mean, scale = torch.native_batch_norm(x, weight, bias, None, None, True, 0.0, eps)
        ctx.save_for_backward(x, weight, mean, scale)
        ctx.eps = eps
        return y

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Any:
        return *_BatchNormSlopes.apply(g, *ctx.saved_tensors, ctx.eps), None


class _BatchNormSlopes(Function):
    """The gradients by input, weight w and bias, with z = (x - mean) s, s = 1 / sqrt(var + eps) and E a mean over the
    n numbers of a channel: w s (g - E[g] - z E[g z]), n E[g z] and n E[g].
    """

    @staticmethod
    def forward(ctx: Any, g: Tensor, x: Tensor, weight: Tensor, mean: Tensor, scale: Tensor, eps: float) -> Any:
        found = _norm_slopes(g, x, weight, mean, scale, eps)
        ctx.save_for_backward(g, x, weight, mean, scale, *found[1:])
        ctx.eps = eps
        return found

    @staticmethod
    def backward(ctx: Any, u: Tensor, by_weight: Tensor, by_bias: Tensor) -> Any:
        """With a = E[g u] - E[g] E[u], b = E[g z] and c = E[u z], u times the gradient by x is w n s (a - b c).

        Its derivative by g is that gradient with u for g; by w it is n s (a - b c); by x it follows from
        dz_j / dx_i = s ([i = j] - 1 / n - z_i z_j / n) and ds / dx_i = -s^2 z_i / n.
        """
        _last()
        g, x, weight, mean, scale, sum_gz, sum_g = ctx.saved_tensors
        n = x.numel() // x.shape[1]
        of_g, sum_uz, sum_u = _norm_slopes(u, x, weight, mean, scale, ctx.eps)
        mean_g, mean_u, b, c = sum_g / n, sum_u / n, sum_gz / n, sum_uz / n
        a = (g * u).sum([0, *range(2, x.dim())]) / n - mean_g * mean_u
        gain, straight = -weight * scale**2, by_weight * scale
        by_g, by_u, by_z = gain * c + straight, gain * b, (gain * (a - 3 * b * c) - straight * b) * scale
        across = (-1, *[1] * (x.dim() - 2))

        def plus(sum: Tensor, factor: Tensor, map: Tensor) -> Tensor:
            return torch.addcmul(sum, factor.view(across), map)

        of_x = plus((-by_g * mean_g - by_u * mean_u - by_z * mean).view(across), by_g, g)
        of_x = plus(plus(of_x, by_u, u), by_z, x)
        of_g = plus(of_g.add_((by_bias - straight * mean).view(across)), straight, x)
        return of_g, of_x, n * scale * (a - b * c), None, None, None


def _last() -> None:
    """Raises where a second derivative is to be differentiated; torch's own mark for this lets some ways pass."""
    if torch.is_grad_enabled():
        raise RuntimeError("a third derivative of what `atnas.compiler.twice` computes is not known")


def _convolved(x: Tensor, weight: Tensor, bias: Tensor | None, window: Window) -> Tensor:
    stride, padding, dilation, groups = window
    return torch.convolution(x, weight, bias, stride, padding, dilation, False, (0,) * len(stride), groups)


def _slopes(g: Tensor, x: Tensor, weight: Tensor, window: Window, *asked: bool) -> tuple[Any, Any, Any]:
    stride, padding, dilation, groups = window
    outputs, more = [weight.shape[0]], (0,) * len(stride)
    return torch.ops.aten.convolution_backward(
        g, x, weight, outputs, stride, padding, dilation, False, more, groups, asked
    )


def _norm_slopes(g: Tensor, x: Tensor, weight: Tensor, mean: Tensor, scale: Tensor, eps: float) -> Any:
    asked = (True, True, True)
    return torch.ops.aten.native_batch_norm_backward(g, x, weight, None, None, mean, scale, True, eps, asked)
