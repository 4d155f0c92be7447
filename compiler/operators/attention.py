"""Transformers: images to tokens, positions, self-attention over tokens, one token out."""

# mypy: disable-error-code="override"
# An operator that takes one tensor says so in its signature; the checker calls it with one.

from __future__ import annotations

from dataclasses import dataclass, replace
from math import prod
from typing import TYPE_CHECKING, ClassVar, Self

from atnas.compiler.operators import counts
from atnas.compiler.operators.shapes import tokens, written
from atnas.dsl.operator import Cost, Operator, Shape, ShapeError, param

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class Attention(Operator):
    """Multi-head self-attention, softmax(Q K^T / sqrt(head_dim)) V per head (arXiv 1706.03762, eq. 1).

    Projections have biases, as in ViT. The first rows of their weights are the first head's: with `head_dim`
    given, fewer heads are a slice of more (AutoFormer, arXiv 2107.00651). Macs are those of all pairs of tokens,
    `causal` or not.
    """

    channels: int = param(elastic=True, low=1, doc="width of the output's tokens")
    heads: int = param(4, elastic=True, low=1, doc="number of heads")
    head_dim: int | None = param(None, elastic=True, low=1, doc="width of a head; channels / heads by default")
    causal: bool = param(False, doc="each token sees itself and those before it only")

    def shape(self, x: Shape) -> Shape:
        length, _ = tokens("attention", x)
        if self.head_dim is None and self.channels % self.heads:
            raise ShapeError(
                f"attention on {written(x)} cannot split {self.channels} channels among {self.heads} heads: "
                f"take a number of heads that divides {self.channels}, or give head_dim"
            )
        return (length, self.channels)

    def cost(self, x: Shape) -> Cost:
        (length, _), d = self.shape(x), x[1]
        inner = self.heads * self._head_dim
        # Heads below one another: [heads * L, head_dim] x [head_dim, L], then [heads * L, L] x [L, head_dim].
        scores = counts.product(self.heads * length, self._head_dim, length)
        mixed = counts.product(self.heads * length, length, self._head_dim)
        project = counts.linear(d, inner, rows=length)
        return project + project + project + scores + mixed + counts.linear(inner, self.channels, rows=length)

    def layers(self, *inputs: Shape) -> int:
        del inputs
        return 2

    def settled(self, *inputs: Shape) -> Self:
        del inputs
        return replace(self, head_dim=self._head_dim)

    def build(self, x: Shape) -> nn.Module:
        from atnas.compiler.operators import modules

        return modules.Attention(x[1], self.channels, self.heads, self._head_dim, self.causal)

    @property
    def _head_dim(self) -> int:
        return self.head_dim or self.channels // self.heads


@dataclass(frozen=True)
class PatchEmbed(Operator):
    """A class token, patches, plus learned positions: (c, h, w) to (L + 1, D) (ViT, arXiv 2010.11929)."""

    channels: int = param(elastic=True, low=1, doc="width D of a token")
    patch: int = param(16, low=1, doc="side of a patch; it must divide height and width")

    def shape(self, x: Shape) -> Shape:
        if len(x) != 3:
            raise ShapeError(f"patch_embed takes an image (c, h, w), not {written(x)}: put it before flatten")
        _, height, width = x
        if height % self.patch or width % self.patch:
            raise ShapeError(
                f"patch_embed cannot cut {written(x)} into patches of {self.patch} x {self.patch}: "
                f"take a patch that divides {height} and {width}"
            )
        return ((height // self.patch) * (width // self.patch) + 1, self.channels)

    def cost(self, x: Shape) -> Cost:
        length, d = self.shape(x)
        grid = (x[1] // self.patch, x[2] // self.patch)
        return counts.conv(x[0], d, self.patch, grid, bias=True) + Cost(params=d + length * d)

    def layers(self, *inputs: Shape) -> int:
        del inputs
        return 1

    def build(self, x: Shape) -> nn.Module:
        from atnas.compiler.operators import modules

        return modules.PatchEmbed(x[0], self.shape(x)[0], self.channels, self.patch)


@dataclass(frozen=True)
class Tokens(Operator):
    """The places of an image as tokens, row by row: (c, h, w) to (h w, c) (ViT, arXiv 2010.11929, section 3.1)."""

    weightless: ClassVar[bool] = True
    keeps_zero: ClassVar[bool] = True
    linear: ClassVar[bool] = True

    def shape(self, x: Shape) -> Shape:
        if len(x) != 3:
            cure = "transpose makes tokens of a signal (c, l)" if len(x) == 2 else "put it before flatten"
            raise ShapeError(f"tokens takes an image (c, h, w), not {written(x)}: {cure}")
        return (x[1] * x[2], x[0])

    def build(self, x: Shape) -> nn.Module:
        from atnas.compiler.operators import modules

        del x
        return modules.Tokens()


@dataclass(frozen=True)
class PositionEmbed(Operator):
    """A learned vector for each position, added to the tokens (L, D) (ConvS2S, arXiv 1705.03122, section 3.1)."""

    def shape(self, x: Shape) -> Shape:
        return tokens("pos_embed", x)

    def cost(self, x: Shape) -> Cost:
        return Cost(params=prod(self.shape(x)))

    def build(self, x: Shape) -> nn.Module:
        from atnas.compiler.operators import modules

        return modules.PositionEmbed(*x)


@dataclass(frozen=True)
class Token(Operator):
    """One token of (L, D); number 0 is the class token of patch_embed (ViT, arXiv 2010.11929)."""

    weightless: ClassVar[bool] = True
    keeps_zero: ClassVar[bool] = True
    linear: ClassVar[bool] = True

    index: int = param(0, low=0, doc="which token, from 0")

    def shape(self, x: Shape) -> Shape:
        length, d = tokens("token", x)
        if self.index >= length:
            raise ShapeError(f"token({self.index}) is not in {written(x)}: its tokens are 0 to {length - 1}")
        return (d,)

    def build(self, x: Shape) -> nn.Module:
        from atnas.compiler.operators import modules

        del x
        return modules.Token(self.index)
