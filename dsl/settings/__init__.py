"""Settings of `tasks`, `train`, `search` and `experiment`: pydantic models whose fields are its words."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict

from atnas.dsl.plugins import Group
from atnas.dsl.syntax import ast


class Settings(BaseModel):
    """Base of everything that can be set. Frozen; an unknown word is an error.

    `positional` names the fields that arguments without a name fill, in order; a last name with a star,
    `"*angles"`, takes all that are left as a tuple.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    positional: ClassVar[tuple[str, ...]] = ()


@dataclass(frozen=True)
class Extension:
    """Marks a field that takes an extension by name: `learner: Annotated[Trainer, Extension("trainers")]`.

    `learner = maml(order = 1)` then loads `maml` from that group, a `Settings`, and builds it from its
    arguments.
    """

    group: Group


class Variants:
    """Marks a field that takes one of a closed set of words, each a `Settings` of its own.

    `outer: Annotated[Adam | SGD, Variants(adam=Adam, sgd=SGD)]` takes `outer = sgd(lr = 0.1)`; a word without
    parentheses is built from its defaults.
    """

    def __init__(self, **words: type[Settings]) -> None:
        self.words: Mapping[str, type[Settings]] = MappingProxyType(words)


@dataclass(frozen=True)
class Reference:
    """Marks a field that takes the name of a declaration of the program.

    `tasks: Annotated[str, Reference("tasks")]` holds the name. With `arguments`, as in
    `space: Annotated[InstanceOf[Ref], Reference("space", arguments=True)]`, the field holds a `Ref`.
    """

    keyword: Literal["space", "tasks", "train", "search"]
    arguments: bool = False


@dataclass(frozen=True)
class Ref:
    """A declaration and the arguments it is used with, as written: `conv_cells(C = 32)`."""

    name: str
    call: ast.Call | ast.Name


@dataclass(frozen=True)
class Unit:
    """Marks a number that may carry a unit: "s" takes `20ms` and `30min`, "B" takes `2GB`."""

    unit: Literal["s", "B"]


class Draw(Settings, ABC):
    """A number drawn anew for each task, written after `~`."""

    @abstractmethod
    def sample(self, u: float) -> int | float:
        """The number at quantile `u`, 0 <= u < 1."""

    @property
    @abstractmethod
    def low(self) -> int | float:
        """The smallest that can come."""

    @property
    @abstractmethod
    def high(self) -> int | float:
        """The largest that can come."""


class OneOf(Draw):
    """`shot ~ 1 | 5`: each with equal chance."""

    options: tuple[int | float, ...]

    def sample(self, u: float) -> int | float:
        return self.options[int(u * len(self.options))]

    @property
    def low(self) -> int | float:
        return min(self.options)

    @property
    def high(self) -> int | float:
        return max(self.options)


class Between(Draw):
    """`way ~ 5..20 step 5`: a number of the range, both ends included, each with equal chance."""

    first: int
    last: int
    step: int = 1

    def sample(self, u: float) -> int:
        return self.first + self.step * int(u * ((self.last - self.first) // self.step + 1))

    @property
    def low(self) -> int:
        return self.first

    @property
    def high(self) -> int:
        return self.last - (self.last - self.first) % self.step


class Uniform(Draw):
    """`amplitude ~ uniform(0.1, 5)`: any number between the two."""

    positional: ClassVar[tuple[str, ...]] = ("first", "last")
    first: float
    last: float

    def sample(self, u: float) -> float:
        return self.first + (self.last - self.first) * u

    @property
    def low(self) -> float:
        return self.first

    @property
    def high(self) -> float:
        return self.last
