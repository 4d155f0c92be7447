"""One few-shot task: a little labelled data to adapt to, and more to be judged on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import torch
    from torch import Tensor

Split = Literal["train", "val", "test"]
Loss = Literal["cross_entropy", "mse"]


@dataclass(frozen=True)
class Task:
    """Tensors `support_x` [S, *shape] and `query_x` [Q, *shape] are float32.

    Labels [S] and [Q] are int64 class numbers 0 .. way - 1 for `cross_entropy`, or float32 targets [S, D] and [Q, D]
    for `mse`. Rows go round the classes (label 0, 1, .., way - 1, 0, ..). `way` is the number of classes, 0 in
    regression. `classes` names where they came from, so that leaks can be tested.
    """

    support_x: Tensor
    support_y: Tensor
    query_x: Tensor
    query_y: Tensor
    way: int
    loss: Loss
    classes: tuple[str, ...] = ()

    def to(self, device: torch.device) -> Task:
        """The same task on a device."""
        return replace(
            self,
            support_x=self.support_x.to(device),
            support_y=self.support_y.to(device),
            query_x=self.query_x.to(device),
            query_y=self.query_y.to(device),
        )
