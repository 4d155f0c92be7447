"""What an operator is: its parameters, shape rule, cost rule and builder.

An operator is a frozen dataclass whose fields are its parameters in the language, declared with `param`. Shapes are
per example, channels first, as tuples of ints; an instance is one concrete layer with every number decided.

    @dataclass(frozen=True)
    class Linear(Operator):
        "A fully connected layer, y = x W^T + b."

        features: int = param(elastic=True, low=1)

        def shape(self, x: Shape) -> Shape: ...
        def cost(self, x: Shape) -> Cost: ...
        def build(self, x: Shape) -> nn.Module: ...
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import MISSING, Field, dataclass, field, fields
from functools import cache
from types import NoneType
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self, get_args, get_origin, get_type_hints

if TYPE_CHECKING:
    from torch import nn

Shape = tuple[int, ...]

Law = Literal["passes", "nothing", "sum", "product", "join", "pool", "function", "own"]
"""What is known of a layer's function whatever its weights: see `Operator.law`."""


class ShapeError(ValueError):
    """The operator cannot take inputs of these shapes.

    The message says why, in the author's words; what follows its first colon is the cure.
    """


@dataclass(frozen=True)
class Cost:
    """What one layer costs for one example.

    params: trainable numbers; macs: multiply-accumulates of convolutions, linear layers and attention products
    (normalisation, activation and pooling count zero, as in the field's tables); activations: numbers in the
    outputs of convolutions, linear layers and attention products (Dollár et al., arXiv 2103.06877).
    """

    params: int = 0
    macs: int = 0
    activations: int = 0

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.params + other.params, self.macs + other.macs, self.activations + other.activations)


def param(
    default: Any = MISSING,
    *,
    elastic: bool = False,
    low: float | None = None,
    high: float | None = None,
    doc: str = "",
) -> Any:
    """A parameter: its default, whether a choice of numbers may stand there, its bounds, one line of documentation."""
    return field(default=default, metadata={"elastic": elastic, "low": low, "high": high, "doc": doc})


class Operator(ABC):
    """Base of all operators. Subclasses are frozen dataclasses and final."""

    inputs: ClassVar[int] = 1
    """How many tensors it takes, where it is not variadic."""

    variadic: ClassVar[bool] = False
    """True where the operator merges any number of tensors, as `add` and `concat` do."""

    has_zero: ClassVar[bool] = False
    """True where it makes zeros of no tensor, and any number of one shape are of that shape, as with `add`."""

    weightless: ClassVar[bool] = False
    """True where the output depends on the inputs alone: there are no weights, and nothing is drawn."""

    keeps_zero: ClassVar[bool] = False
    """True where it is weightless and makes zeros of zeros."""

    linear: ClassVar[bool] = False
    """True where it is weightless and makes of a sum the sum of what it makes of each summand."""

    @abstractmethod
    def shape(self, *inputs: Shape) -> Shape:
        """The output's shape. Raises `ShapeError` where these inputs do not fit."""

    def cost(self, *inputs: Shape) -> Cost:
        """What it costs; nothing by default."""
        del inputs
        return Cost()

    def layers(self, *inputs: Shape) -> int:
        """Convolutions and linear layers on the longest way through it: what the `depth` metric adds up."""
        del inputs
        return 0

    def law(self, *inputs: Shape) -> Law:
        """By which architectures are recognised as the same: `passes` its input on, gives zeros (`nothing`), the `sum`
        or `product` of its inputs, which may stand in any order, `join`s them in order, is some `function` of its
        inputs, such as a `pool` that leaves the same number at every place where there is one, or has weights of its
        `own` at each use.
        """
        del inputs
        return "function" if self.weightless else "own"

    def settled(self, *inputs: Shape) -> Self:
        """The same layer with a number in the place of every default that stands for one."""
        del inputs
        return self

    def is_uniform(self, of_zeros: bool) -> bool:
        """Whether a map that is the same at every place, of zeros or of other numbers, stays so."""
        del of_zeros
        return False

    @abstractmethod
    def build(self, *inputs: Shape) -> nn.Module:
        """The torch module for these input shapes, taking batched tensors [N, *shape]. Imports torch itself."""


@dataclass(frozen=True)
class ParameterInfo:
    """One parameter of an operator as the checker sees it."""

    name: str
    kind: type
    words: tuple[str, ...]
    optional: bool
    default: Any
    elastic: bool
    low: float | None
    high: float | None
    doc: str

    @property
    def required(self) -> bool:
        return self.default is MISSING


@cache
def parameters(operator: type[Operator]) -> tuple[ParameterInfo, ...]:
    """The parameters of an operator in order. Types are int, float, bool, `Literal` words, or one of them or None."""
    hints = get_type_hints(operator)
    return tuple(_info(f, hints[f.name]) for f in fields(operator))  # type: ignore[arg-type]


def _info(spec: Field[Any], hint: Any) -> ParameterInfo:
    members = [t for t in get_args(hint) if t is not NoneType] if NoneType in get_args(hint) else [hint]
    kind = members[0]
    words: tuple[str, ...] = ()
    if get_origin(kind) is Literal:
        words, kind = get_args(kind), str
    meta = {"elastic": False, "low": None, "high": None, "doc": "", **spec.metadata}
    return ParameterInfo(
        name=spec.name,
        kind=kind,
        words=words,
        optional=NoneType in get_args(hint),
        default=spec.default,
        **meta,
    )
