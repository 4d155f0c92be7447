"""What a network is made of, as it will be written: layers, layers in a row, and blocks with a forward of their own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from atnas.compiler.export.reduced import Carried

Shape = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Layer:
    """A module that one call makes: of a class of torch's, or of one whose source is carried over.

    `numbers` begins the names of its parameters and buffers in the network's state.
    """

    cls: type | Carried
    arguments: Mapping[str, Any]
    numbers: str
    word: str = ""
    weighted: bool = True


@dataclass(frozen=True, eq=False)
class Weight:
    """A parameter or buffer that stands by itself; `numbers` is its name in the network's state."""

    shape: Shape
    numbers: str
    trained: bool = True


@dataclass(frozen=True, eq=False)
class Chain:
    """Modules one after another. `word` is the op of the space that they are, or nothing.

    Where they are `listed`, a block calls one by one.
    """

    parts: tuple[Part, ...]
    word: str = ""
    listed: bool = False


@dataclass(frozen=True, eq=False)
class Block:
    """Modules with a forward of their own, in lines, each given with its members as attributes of `self`."""

    word: str
    inputs: tuple[str, ...]
    members: tuple[tuple[str, Part], ...]
    forward: tuple[str, ...]
    outputs: int = 1
    shapes: tuple[Shape, ...] = field(default=())
    """Of each input and of the output, for one example."""


Part = Layer | Weight | Chain | Block

Key = tuple[Any, ...]


def key(part: Part) -> Key:
    """Equal where two parts have one structure and differ in numbers and settings at most."""
    match part:
        case Layer(cls=cls):
            return ("layer", cls)
        case Weight(shape=shape, trained=trained):
            return ("weight", len(shape), trained)
        case Chain(parts=parts, listed=listed):
            inside = tuple(k for p in parts for k in _row(p))
            return inside[0] if len(inside) == 1 and not listed else ("chain", listed, *inside)
        case Block(members=members):
            return (*kind(part), *(key(member) for _, member in members))


def kind(block: Block) -> Key:
    """Equal where two blocks have one forward, whatever their members are."""
    return ("block", block.word, block.inputs, block.forward, tuple(name for name, _ in block.members))


def _row(part: Part) -> Iterator[Key]:
    """The structures of a part in a row: those of layers in a row in it are in the same row."""
    if isinstance(part, Chain) and not part.listed:
        for inner in part.parts:
            yield from _row(inner)
    else:
        yield key(part)
