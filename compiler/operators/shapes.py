"""Shapes as operators and their messages speak of them: per example, channels first."""

from __future__ import annotations

from atnas.dsl.operator import Shape, ShapeError

BATCH = "shapes are per example: leave the batch out"
"""The cure where there is a size too many."""


def written(shape: Shape) -> str:
    """As the language writes it: `(3, 32, 32)`, `(10)`."""
    return f"({', '.join(map(str, shape))})"


def feature_map(operator: str, x: Shape) -> tuple[int, Shape]:
    """Channels and size of (c, l) or (c, h, w). Raises ShapeError for any other rank."""
    if len(x) not in (2, 3):
        cure = "put it before flatten or global_avg_pool" if len(x) == 1 else BATCH
        raise ShapeError(f"{operator} takes (c, l) or (c, h, w), not {written(x)}: {cure}")
    return x[0], x[1:]


def channels(operator: str, x: Shape) -> int:
    """Channels of (c), (c, l) or (c, h, w). Raises ShapeError for any other rank."""
    if len(x) not in (1, 2, 3):
        raise ShapeError(f"{operator} takes (c), (c, l) or (c, h, w), not {written(x)}: {BATCH}")
    return x[0]


def tokens(operator: str, x: Shape) -> tuple[int, int]:
    """Length and width of (L, D). Raises ShapeError for any other rank."""
    if len(x) != 2:
        cures = {1: "put it before flatten or token", 3: "tokens or patch_embed makes tokens of an image"}
        raise ShapeError(f"{operator} takes tokens (L, D), not {written(x)}: {cures.get(len(x), BATCH)}")
    return x[0], x[1]


def odd(operator: str, kernel: int, x: Shape) -> None:
    """Raises ShapeError for an even kernel, which no symmetric padding keeps in place."""
    if kernel % 2 == 0:
        raise ShapeError(
            f"{operator} pads {written(x)} evenly on both sides, which a kernel of {kernel} does not allow: "
            f"take {kernel - 1} or {kernel + 1}"
        )


def strided(size: Shape, stride: int) -> Shape:
    """ceil(n / stride) of every n: the size after a layer with "same" padding."""
    return tuple(-(-n // stride) for n in size)
