"""Dataclasses that are frozen for the type checker alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar, dataclass_transform

C = TypeVar("C")


@dataclass_transform(frozen_default=True)
def record(cls: type[C]) -> type[C]:
    """A dataclass with equality and hash that nobody changes.

    `dataclass(frozen=True)` enforces it at run time; where very many are made, or many classes, that costs more than
    the work itself.
    """
    return dataclass(unsafe_hash=True)(cls)
