"""What the operators of the language do with a tensor, in plain torch on the meta device: no number is computed.

Written from the operators' documentation, with none of their code. A layer takes a batch and raises `Refused`, or what
torch raises, where it cannot take that.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F
from tried import Refused, added, joined, multiplied, rank, torchs


def weight(*shape: int) -> Tensor:
    return torch.empty(shape, device="meta")


def convolved(x: Tensor, channels: int, kernel: int, stride: int = 1, dilation: int = 1, groups: int = 1) -> Tensor:
    """With padding that keeps the size at stride 1, which an even kernel has none of."""
    dims = rank(x, 2, 3)
    if kernel % 2 == 0:
        raise Refused
    if channels % groups:
        raise Refused
    along = (F.conv1d, F.conv2d)[dims - 1]
    pad = dilation * (kernel - 1) // 2
    w = weight(channels, x.shape[1] // groups, *[kernel] * dims)
    return along(x, w, stride=stride, padding=pad, dilation=dilation, groups=groups)


def conv(x: Tensor, channels: int, kernel: int = 3, stride: int = 1, dilation: int = 1, groups: int = 1) -> Tensor:
    return convolved(x, channels, kernel, stride, dilation, groups)


def dw_conv(x: Tensor, kernel: int = 3, stride: int = 1, dilation: int = 1) -> Tensor:
    rank(x, 2, 3)
    return convolved(x, x.shape[1], kernel, stride, dilation, x.shape[1])


def sep_conv(x: Tensor, channels: int, kernel: int = 3, stride: int = 1) -> Tensor:
    x = convolved(dw_conv(x, kernel, stride), x.shape[1], 1)
    return convolved(dw_conv(x, kernel), channels, 1)


def dil_conv(x: Tensor, channels: int, kernel: int = 3, stride: int = 1, dilation: int = 2) -> Tensor:
    return convolved(dw_conv(x, kernel, stride, dilation), channels, 1)


def mbconv(
    x: Tensor,
    channels: int,
    kernel: int = 3,
    expand: float = 6,
    stride: int = 1,
    act: str = "relu6",
    se: bool = False,
    groups: int = 1,
) -> Tensor:
    del act, se
    rank(x, 2, 3)
    inner = convolved(x, round(expand * x.shape[1]), 1, groups=groups)
    return convolved(dw_conv(inner, kernel, stride), channels, 1, groups=groups)


def res_block(x: Tensor, channels: int, stride: int = 1) -> Tensor:
    return convolved(convolved(x, channels, 3, stride), channels, 3)


def linear(x: Tensor, features: int, bias: bool = True) -> Tensor:
    del bias
    rank(x, 1, 2)
    return F.linear(x, weight(features, x.shape[-1]))


def bn(x: Tensor) -> Tensor:
    rank(x, 1, 2, 3)
    return F.batch_norm(x, weight(x.shape[1]), weight(x.shape[1]))


def ln(x: Tensor) -> Tensor:
    rank(x, 1, 2, 3)
    return x if x.dim() == 4 else F.layer_norm(x, x.shape[-1:])


def gn(x: Tensor, groups: int = 8) -> Tensor:
    rank(x, 1, 2, 3)
    return x.unflatten(1, (groups, x.shape[1] // groups)).flatten(1, 2)


def same(x: Tensor, p: float = 0.5) -> Tensor:
    del p
    return x


def max_pool(x: Tensor, kernel: int = 2, stride: int | None = None, ceil: bool = False) -> Tensor:
    along = (F.max_pool1d, F.max_pool2d)[rank(x, 2, 3) - 1]
    return along(x, kernel, stride or kernel, (kernel - 1) // 2, ceil_mode=ceil)


def avg_pool(x: Tensor, kernel: int = 2, stride: int | None = None, ceil: bool = False) -> Tensor:
    along: Any = (F.avg_pool1d, F.avg_pool2d)[rank(x, 2, 3) - 1]
    pooled: Tensor = along(x, kernel, stride or kernel, (kernel - 1) // 2, ceil_mode=ceil)
    return pooled


def global_avg_pool(x: Tensor) -> Tensor:
    rank(x, 2, 3)
    return x.flatten(2).mean(-1)


def upsample(x: Tensor, by: int = 2, mode: str = "nearest") -> Tensor:
    del mode
    rank(x, 2, 3)
    return F.interpolate(x, scale_factor=by)


def attention(x: Tensor, channels: int, heads: int = 4, head_dim: int | None = None, causal: bool = False) -> Tensor:
    rank(x, 2)
    width = channels if head_dim is None else heads * head_dim
    q, k, v = (linear(x, width).unflatten(-1, (heads, width // heads)).transpose(1, 2) for _ in range(3))
    mixed = F.scaled_dot_product_attention(q, k, v, is_causal=causal)
    return linear(mixed.transpose(1, 2).flatten(2), channels)


def patch_embed(x: Tensor, channels: int, patch: int = 16) -> Tensor:
    rank(x, 3)
    if any(size % patch for size in x.shape[2:]):
        raise Refused
    patches = F.conv2d(x, weight(channels, x.shape[1], patch, patch), stride=patch)
    return torch.cat([weight(len(x), 1, channels), patches.flatten(2).transpose(1, 2)], 1)


def pos_embed(x: Tensor) -> Tensor:
    rank(x, 2)
    return x + weight(*x.shape[1:])


def tokens(x: Tensor) -> Tensor:
    rank(x, 3)
    return x.flatten(2).transpose(1, 2)


def token(x: Tensor, index: int = 0) -> Tensor:
    rank(x, 2)
    if index >= x.shape[1]:
        raise Refused
    return x[:, index]


def skip(x: Tensor, stride: int = 1, channels: int | None = None) -> Tensor:
    if stride == 1 and channels in (None, x.shape[1]):
        return x
    return convolved(x, channels or x.shape[1], 1, stride)


def none(x: Tensor, stride: int = 1) -> Tensor:
    return torch.zeros_like(x if stride == 1 else convolved(x, x.shape[1], 1, stride))


def flatten(x: Tensor) -> Tensor:
    return x.flatten(1)


def transpose(x: Tensor) -> Tensor:
    rank(x, 2)
    return x.transpose(1, 2)


ACTIVATIONS = ("relu", "relu6", "gelu", "hswish", "swish", "sigmoid", "tanh", "dropout")
MERGES: dict[str, Callable[[list[Tensor]], Tensor]] = {"add": added, "mul": multiplied, "concat": joined}
LAYERS: dict[str, Callable[..., Tensor]] = {
    **dict.fromkeys(ACTIVATIONS, same),
    **{
        f.__name__: f
        for f in (
            conv,
            dw_conv,
            sep_conv,
            dil_conv,
            mbconv,
            res_block,
            linear,
            bn,
            ln,
            gn,
            max_pool,
            avg_pool,
            global_avg_pool,
        )
    },
    **{f.__name__: f for f in (upsample, attention, patch_embed, pos_embed, tokens, token, skip, none, flatten)},
    "transpose": transpose,
}


def applied(word: str, xs: list[Tensor], arguments: dict[str, Any]) -> Tensor:
    """The output of a layer or a merge. Raises `Refused` where there is none."""
    out = _output(word, tuple(x.shape for x in xs), tuple(arguments.items()))
    if out is None:
        raise Refused
    return out


@cache
def _output(word: str, shapes: tuple[torch.Size, ...], arguments: tuple[tuple[str, Any], ...]) -> Tensor | None:
    """What comes of tensors of these shapes; a tensor on the meta device is its shape, and may be used many times."""
    if not shapes:
        return None
    xs = [weight(*shape) for shape in shapes]
    try:
        out = MERGES[word](xs) if word in MERGES else torchs(lambda: LAYERS[word](*xs, **dict(arguments)))
    except Refused:
        return None
    return out if out.numel() else None
