"""Prototypical networks (Snell, Swersky and Zemel, NeurIPS 2017, arXiv 1703.05175)."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from atnas.dsl.errors import Unable
from atnas.runtime.learn.trainer import Trainer

if TYPE_CHECKING:
    from atnas.runtime.learn.model import Model
    from atnas.runtime.learn.trainer import MetaGradient, Weights
    from atnas.runtime.tasks.stack import Stack


class Prototypes(Trainer):
    """Prototypical networks: a query belongs to the class whose mean of support features is nearest (eq. 2).

    Squared distances make that a linear layer (section 2.4): weights 2 c, biases -|c|^2 for a mean c. So the last
    layer of the space, which must be `linear(..)`, is given anew by each support set, and nothing descends. The control
    that is learned by metric, not by gradients.
    """

    learns_head: ClassVar[bool] = False

    def gradient(self, model: Model, tasks: Stack, progress: float = 1.0) -> MetaGradient:
        """That of the query loss, through the features of support and query rows."""
        from atnas.runtime.learn.inner import meta_gradient
        from atnas.runtime.learn.model import leaves

        del progress
        start = leaves(model.weights)
        return meta_gradient(model, tasks, _fitted(model, model.copies(len(tasks), start), tasks), start)

    def adapt(self, model: Model, tasks: Stack, steps: int | None = None) -> Weights:
        """The weights with a last layer of the support's means; `steps` have no meaning."""
        import torch

        del steps
        with torch.no_grad():
            return _fitted(model, model.copies(len(tasks)), tasks)


def _fitted(model: Model, weights: Weights, tasks: Stack) -> Weights:
    """The weights with the last layer that measures distances to the classes' means."""
    import torch.nn.functional as F

    from atnas.runtime.learn.head import features, last_layer

    if tasks.loss == "mse":
        raise Unable("prototypes are of classes: these tasks are regression")
    weight, bias = last_layer(model)
    found = features(model, weights, tasks.support_x, "batch")
    members = F.one_hot(tasks.support_y, tasks.way).to(found.dtype).transpose(1, 2)
    means = members @ found / members.sum(2, keepdim=True)
    return weights | {weight: 2 * means, bias: -means.square().sum(2)}
