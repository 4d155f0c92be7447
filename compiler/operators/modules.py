"""The torch side of the operators: what torch.nn lacks, composed of torch.nn's layers.

`dims` is 1 for maps [N, C, L] and 2 for [N, C, H, W]; tokens are [N, L, D]. Everything here is traced
by `torch.fx.symbolic_trace` down to torch.nn's layers. No elastic argument changes a parameter's name.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

ACTIVATIONS: dict[str, type[nn.Module]] = {
    "relu": nn.ReLU,
    "relu6": nn.ReLU6,
    "hswish": nn.Hardswish,
    "gelu": nn.GELU,
    "swish": nn.SiLU,
}


def conv(
    dims: int,
    c_in: int,
    c_out: int,
    kernel: int,
    *,
    stride: int = 1,
    dilation: int = 1,
    groups: int = 1,
    bias: bool = False,
) -> nn.Module:
    """A convolution with an odd kernel and "same" padding."""
    layer: Any = nn.Conv1d if dims == 1 else nn.Conv2d
    padding = dilation * (kernel - 1) // 2
    module: nn.Module = layer(c_in, c_out, kernel, stride, padding, dilation, groups, bias)
    return module


def batch_norm(dims: int, c: int) -> nn.Module:
    """Batch norm of vectors (dims 0) or maps."""
    return nn.BatchNorm2d(c) if dims == 2 else nn.BatchNorm1d(c)


def max_pool(dims: int, kernel: int, stride: int, ceil: bool) -> nn.Module:
    """Max pooling, padded with (kernel - 1) // 2 on each side."""
    pool = nn.MaxPool1d if dims == 1 else nn.MaxPool2d
    return pool(kernel, stride, (kernel - 1) // 2, ceil_mode=ceil)


def avg_pool(dims: int, kernel: int, stride: int, ceil: bool) -> nn.Module:
    """Average pooling, padded with (kernel - 1) // 2 on each side; padding is not counted."""
    pool: Any = nn.AvgPool1d if dims == 1 else nn.AvgPool2d
    module: nn.Module = pool(kernel, stride, (kernel - 1) // 2, ceil_mode=ceil, count_include_pad=False)
    return module


def mean(dims: int) -> nn.Module:
    """The mean of each channel, as a map of one place."""
    return nn.AdaptiveAvgPool1d(1) if dims == 1 else nn.AdaptiveAvgPool2d(1)


def upsample(dims: int, by: int, mode: str) -> nn.Module:
    """Every size times `by`; "bilinear" is linear on maps [N, C, L]."""
    return nn.Upsample(scale_factor=by, mode="linear" if dims == 1 and mode == "bilinear" else mode)


def crossed(c_in: int, c_out: int, kernel: int, *, stride: int = 1) -> nn.Sequential:
    """Relu, 1 x kernel, kernel x 1, batch norm over [N, C, H, W]."""
    half = (kernel - 1) // 2
    module = nn.Sequential()
    module.add_module("relu", nn.ReLU())
    module.add_module("row", nn.Conv2d(c_in, c_out, (1, kernel), stride, (0, half), bias=False))
    module.add_module("column", nn.Conv2d(c_out, c_out, (kernel, 1), 1, (half, 0), bias=False))
    module.add_module("bn", nn.BatchNorm2d(c_out))
    return module


def separable(dims: int, c_in: int, c_out: int, kernel: int, *, stride: int = 1, dilation: int = 1) -> nn.Sequential:
    """Relu, depthwise, pointwise, batch norm."""
    module = nn.Sequential()
    module.add_module("relu", nn.ReLU())
    module.add_module("depthwise", conv(dims, c_in, c_in, kernel, stride=stride, dilation=dilation, groups=c_in))
    module.add_module("pointwise", conv(dims, c_in, c_out, 1))
    module.add_module("bn", batch_norm(dims, c_out))
    return module


class InvertedResidual(nn.Module):
    """Expand, depthwise, squeeze-excite, project; the input is added where it fits.

    width: inner channels; expands: whether there is an expansion, else width is c_in; squeezed: inner
    channels of squeeze-excite, None for none; groups: of the 1x1 convolutions.
    """

    def __init__(
        self,
        dims: int,
        c_in: int,
        c_out: int,
        kernel: int,
        *,
        width: int,
        expands: bool,
        stride: int,
        act: str,
        squeezed: int | None,
        groups: int,
    ) -> None:
        super().__init__()
        self.body = nn.Sequential()
        if expands:
            self.body.add_module("expand", conv(dims, c_in, width, 1, groups=groups))
            self.body.add_module("expand_bn", batch_norm(dims, width))
            self.body.add_module("expand_act", ACTIVATIONS[act]())
        self.body.add_module("depthwise", conv(dims, width, width, kernel, stride=stride, groups=width))
        self.body.add_module("depthwise_bn", batch_norm(dims, width))
        self.body.add_module("depthwise_act", ACTIVATIONS[act]())
        if squeezed is not None:
            self.body.add_module("se", SqueezeExcite(dims, width, squeezed))
        self.body.add_module("project", conv(dims, width, c_out, 1, groups=groups))
        self.body.add_module("project_bn", batch_norm(dims, c_out))
        self.residual = stride == 1 and c_in == c_out

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.body(x)
        return x + y if self.residual else y


class SqueezeExcite(nn.Module):
    """Channels scaled by a gate that sees the mean of each (arXiv 1709.01507; hard sigmoid: 1905.02244)."""

    def __init__(self, dims: int, c: int, squeezed: int) -> None:
        super().__init__()
        self.mean = mean(dims)
        self.reduce = conv(dims, c, squeezed, 1, bias=True)
        self.relu = nn.ReLU()
        self.expand = conv(dims, squeezed, c, 1, bias=True)
        self.gate = nn.ReLU6()

    def forward(self, x: Tensor) -> Tensor:
        score: Tensor = self.expand(self.relu(self.reduce(self.mean(x))))
        # Not torch's Hardsigmoid: it has no second derivative.
        gate: Tensor = self.gate(score + 3) / 6
        return x * gate


class ResidualBlock(nn.Module):
    """NAS-Bench-201's: twice relu, conv 3x3, batch norm; the shortcut pools, projects or passes on."""

    def __init__(self, dims: int, c_in: int, c_out: int, stride: int) -> None:
        super().__init__()
        self.a = _relu_conv_bn(dims, c_in, c_out, 3, stride)
        self.b = _relu_conv_bn(dims, c_out, c_out, 3, 1)
        self.shortcut = _shortcut(dims, c_in, c_out, stride)

    def forward(self, x: Tensor) -> Tensor:
        shortcut: Tensor = self.shortcut(x)
        branch: Tensor = self.b(self.a(x))
        return shortcut + branch


def _relu_conv_bn(dims: int, c_in: int, c_out: int, kernel: int, stride: int) -> nn.Sequential:
    return nn.Sequential(nn.ReLU(), conv(dims, c_in, c_out, kernel, stride=stride), batch_norm(dims, c_out))


def _shortcut(dims: int, c_in: int, c_out: int, stride: int) -> nn.Module:
    if stride == 2:
        pool = nn.AvgPool1d if dims == 1 else nn.AvgPool2d
        # Rounding up makes the sizes of both branches equal where the input's is odd.
        return nn.Sequential(pool(2, 2, ceil_mode=True), conv(dims, c_in, c_out, 1))
    if c_in != c_out:
        return _relu_conv_bn(dims, c_in, c_out, 1, 1)
    return nn.Identity()


class FactorizedReduce(nn.Module):
    """Halves the size: two strided 1x1 convolutions side by side, the second one place further on.

    Batch norm is written as one for each half, which is the same function, so that leading slices of both
    halves are a narrower reduction. Odd sizes round up: the second half reads zeros past the border.
    """

    def __init__(self, dims: int, c_in: int, c_out: int) -> None:
        super().__init__()
        self.relu = nn.ReLU()
        self.first = projection(dims, c_in, c_out - c_out // 2, stride=2)
        self.shift = nn.ConstantPad1d((-1, 1), 0.0) if dims == 1 else nn.ConstantPad2d((-1, 1, -1, 1), 0.0)
        self.second = projection(dims, c_in, c_out // 2, stride=2) if c_out > 1 else None
        self.join = Concat()

    def forward(self, x: Tensor) -> Tensor:
        x = self.relu(x)
        first: Tensor = self.first(x)
        return first if self.second is None else self.join(first, self.second(self.shift(x)))


def projection(dims: int, c_in: int, c_out: int, *, stride: int = 1) -> nn.Sequential:
    """A 1x1 convolution and batch norm."""
    return nn.Sequential(conv(dims, c_in, c_out, 1, stride=stride), batch_norm(dims, c_out))


class ChannelNorm(nn.Module):
    """Layer norm over the channels at each place of [N, C, H, W]."""

    def __init__(self, c: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(c)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.norm(x.movedim(1, -1))
        return y.movedim(-1, 1)


class Zero(nn.Module):
    """Zeros through which gradients of zero flow: no parameter before them is ever without a gradient."""

    def __init__(self, dims: int, stride: int) -> None:
        super().__init__()
        self.kept = (slice(None), slice(None), *[slice(None, None, stride)] * dims)

    def forward(self, x: Tensor) -> Tensor:
        return x[self.kept] * 0.0


class Concat(nn.Module):
    """Tensors joined along dimension 1, the first of each example."""

    def forward(self, *inputs: Tensor) -> Tensor:
        return torch.cat(inputs, 1)


class Fold(nn.Module):
    """So many tensors taken together two by two, from left to right. The count is fixed so that it can be traced."""

    def __init__(self, merge: Callable[[Tensor, Tensor], Tensor], count: int) -> None:
        super().__init__()
        self.merge, self.count = merge, count

    def forward(self, *inputs: Tensor) -> Tensor:
        total = inputs[0]
        for i in range(1, self.count):
            total = self.merge(total, inputs[i])
        return total


class Transpose(nn.Module):
    """[N, A, B] to [N, B, A]."""

    def forward(self, x: Tensor) -> Tensor:
        return x.transpose(1, 2)


class Attention(nn.Module):
    """Self-attention over [N, L, D]. Written out, since torch's fused kernel has no second derivative."""

    def __init__(self, d: int, channels: int, heads: int, head_dim: int, causal: bool = False) -> None:
        super().__init__()
        self.heads, self.head_dim, self.causal = heads, head_dim, causal
        self.query = nn.Linear(d, heads * head_dim)
        self.key = nn.Linear(d, heads * head_dim)
        self.value = nn.Linear(d, heads * head_dim)
        self.out = nn.Linear(heads * head_dim, channels)

    def forward(self, x: Tensor) -> Tensor:
        query, key, value = self._split(self.query(x)), self._split(self.key(x)), self._split(self.value(x))
        scores = (query * self.head_dim**-0.5) @ key.transpose(-2, -1)
        if self.causal:
            # Made of the scores and not kept, so that it has their length, device and type.
            scores = scores + torch.full_like(scores[0, 0], -torch.inf).triu(1)
        mixed = scores.softmax(-1) @ value
        y: Tensor = self.out(mixed.transpose(1, 2).flatten(2))
        return y

    def _split(self, x: Tensor) -> Tensor:
        """[N, L, heads * head_dim] to [N, heads, L, head_dim]."""
        return x.reshape(x.shape[0], -1, self.heads, self.head_dim).transpose(1, 2)


class PatchEmbed(nn.Module):
    """[N, C, H, W] to [N, length, D]: a class token, then the patches row by row, plus learned positions."""

    def __init__(self, c_in: int, length: int, d: int, patch: int) -> None:
        super().__init__()
        self.patches = nn.Conv2d(c_in, d, patch, stride=patch)
        self.token = nn.Parameter(torch.empty(d))
        self.positions = nn.Parameter(torch.empty(length, d))
        nn.init.trunc_normal_(self.token, std=0.02)
        nn.init.trunc_normal_(self.positions, std=0.02)

    def forward(self, x: Tensor) -> Tensor:
        patches: Tensor = self.patches(x).flatten(2).transpose(1, 2)
        token = self.token.expand(x.shape[0], 1, -1)
        return torch.cat((token, patches), 1) + self.positions


class Tokens(nn.Module):
    """[N, C, H, W] to [N, H W, C]."""

    def forward(self, x: Tensor) -> Tensor:
        return x.flatten(2).transpose(1, 2)


class PositionEmbed(nn.Module):
    """[N, L, D] plus a learned vector for each of the L positions."""

    def __init__(self, length: int, d: int) -> None:
        super().__init__()
        self.positions = nn.Parameter(torch.empty(length, d))
        nn.init.trunc_normal_(self.positions, std=0.02)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.positions


class Token(nn.Module):
    """[N, L, D] to the token [N, D] at an index."""

    def __init__(self, index: int) -> None:
        super().__init__()
        self.index = index

    def forward(self, x: Tensor) -> Tensor:
        return x[:, self.index]
