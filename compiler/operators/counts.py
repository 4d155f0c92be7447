"""What torch's layers cost for one example; the operators' cost rules are sums of these.

A multiply-accumulate is counted where a number meets a weight or, in attention, another number.
Biases count none.
"""

from __future__ import annotations

from math import prod

from atnas.dsl.operator import Cost, Shape


def conv(c_in: int, c_out: int, kernel: int, size: Shape, *, groups: int = 1, bias: bool = False) -> Cost:
    """A convolution from c_in to c_out channels whose output has this size, (l) or (h, w)."""
    weights = c_out * (c_in // groups) * kernel ** len(size)
    places = prod(size)
    return Cost(weights + c_out * bias, weights * places, c_out * places)


def depthwise(c: int, kernel: int, size: Shape, *, bias: bool = False) -> Cost:
    """A convolution of each channel by itself."""
    return conv(c, c, kernel, size, groups=c, bias=bias)


def norm(c: int) -> Cost:
    """A normalisation with a scale and a shift for each channel."""
    return Cost(params=2 * c)


def linear(d_in: int, d_out: int, *, rows: int = 1, bias: bool = True) -> Cost:
    """A fully connected layer on so many rows."""
    weights = d_in * d_out
    return Cost(weights + d_out * bias, weights * rows, d_out * rows)


def product(rows: int, inner: int, columns: int) -> Cost:
    """A matrix product of two activations, [rows, inner] x [inner, columns]."""
    return Cost(macs=rows * inner * columns, activations=rows * columns)
