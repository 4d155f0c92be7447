"""The optimizers as settings: `inner = sgd(lr = 0.4)`, `outer = adam(lr = 1e-3, decay = cosine)`."""

from __future__ import annotations

import math
from typing import Annotated, ClassVar, Literal

from atnas.dsl.settings import Settings, Variants, setting

Rate = Annotated[float, setting(gt=0, finite=True, doc="learning rate")]
Penalty = Annotated[float, setting(ge=0, finite=True, doc="L2 penalty, added to the gradient")]
Share = Annotated[float, setting(ge=0, lt=1, doc="share of the old average that is kept")]
Decay = Annotated[Literal["cosine"] | None, setting(doc="cosine: the rate falls to 0 by the end")]


class Descent(Settings):
    """Gradient descent, with momentum as `torch.optim.SGD` has it: w - lr * v, v = momentum * v + gradient."""

    positional: ClassVar[tuple[str, ...]] = ("lr",)
    lr: Rate
    momentum: Share = 0.0


class InnerAdam(Settings):
    """Adam (Kingma and Ba 2015, algorithm 1), fresh for each task."""

    positional: ClassVar[tuple[str, ...]] = ("lr",)
    lr: Rate = 1e-3
    betas: tuple[Share, Share] = setting((0.9, 0.999), doc="shares of the old averages that are kept")
    eps: float = setting(1e-8, gt=0, doc="added to the root of the second moment")


class Sgd(Settings):
    """Gradient descent with momentum, as `torch.optim.SGD` has it."""

    positional: ClassVar[tuple[str, ...]] = ("lr",)
    lr: Rate
    momentum: Share = 0.0
    weight_decay: Penalty = 0.0
    decay: Decay = None


class Adam(Settings):
    """Adam (Kingma and Ba 2015, algorithm 1), as `torch.optim.Adam` has it: weight decay is an L2 penalty."""

    positional: ClassVar[tuple[str, ...]] = ("lr",)
    lr: Rate = 1e-3
    betas: tuple[Share, Share] = setting((0.9, 0.999), doc="shares of the old averages that are kept")
    eps: float = setting(1e-8, gt=0, doc="added to the root of the second moment")
    weight_decay: Penalty = 0.0
    decay: Decay = None


Adapts = Annotated[
    Literal["all", "head", "body"],
    setting(doc="what the inner steps move: all weights, the last layer's (head), or all but these (body)"),
]
Within = Annotated[str | None, setting(doc='of these only layers whose place begins so, in quotes: "logits/block"')]
Inner = Annotated[Descent | InnerAdam, Variants(sgd=Descent, adam=InnerAdam)]
Outer = Annotated[Adam | Sgd, Variants(adam=Adam, sgd=Sgd)]


def rate(outer: Adam | Sgd, iteration: int, iterations: int) -> float:
    """The learning rate at an iteration, counted from 0; cosine is Loshchilov and Hutter 2017, eq. 5."""
    if outer.decay is None:
        return outer.lr
    return outer.lr * (1 + math.cos(math.pi * iteration / iterations)) / 2
