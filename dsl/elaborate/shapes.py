"""The shape that comes of a layer, for every architecture."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

from atnas.dsl.cases import Cases, apply
from atnas.dsl.elaborate.mismatch import Failure
from atnas.dsl.net import Num, Static, number
from atnas.dsl.operator import Operator, Shape, ShapeError

ABSENT: Final = "absent"
"""Stands in `Cases` for a shape where there is no tensor."""


def shapes(
    cls: type[Operator],
    operator: str,
    arguments: Sequence[tuple[str, Num]],
    first: Cases[Any],
    taken: Sequence[Cases[Any]],
) -> Cases[Shape | Failure]:
    """The shape of a layer where it is come to, or why it has none.

    `taken` are the shapes that it takes, ABSENT where a member of a subset is not chosen. `first` is NEVER where the
    layer is not come to; else it is the shape of the first tensor, chosen or not, which a sum of none of them has.
    """
    names = tuple(name for name, _ in arguments)

    def rule(first: Any, *given: Any) -> Any:
        present = tuple(shape for shape in given[: len(taken)] if shape != ABSENT)
        if present:
            return shape_of(cls, names, given[len(taken) :], present)
        return first if cls.has_zero else Failure(f"`{operator}` of no tensor has no shape")

    return apply(rule, first, *taken, *(number(value) for _, value in arguments))


@lru_cache(maxsize=100_000)
def shape_of(
    cls: type[Operator], names: tuple[str, ...], settings: tuple[Static, ...], shapes: tuple[Shape, ...]
) -> Shape | Failure:
    """The shape of one concrete layer on inputs of these shapes, or why it has none."""
    try:
        return cls(**dict(zip(names, settings, strict=True))).shape(*shapes)
    except ShapeError as error:
        return Failure(str(error), shapes)
