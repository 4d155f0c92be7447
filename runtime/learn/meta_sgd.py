"""Meta-SGD (Li, Zhou, Chen and Li 2017, arXiv 1707.09835)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from atnas.dsl.settings import setting
from atnas.runtime.learn.settings import Rate
from atnas.runtime.learn.trainer import Trainer

if TYPE_CHECKING:
    from torch import Tensor

    from atnas.runtime.learn.model import Model
    from atnas.runtime.learn.trainer import Ground, MetaGradient, Weights
    from atnas.runtime.tasks.stack import Stack

RATE = "rate:"


class MetaSgd(Trainer):
    """Meta-SGD: as MAML, with a learned rate for every number of the weights: w' = w - a * grad L_support(w) (eq. 2).

    The rates are learned together with the weights (eq. 3); they may become negative.
    """

    lr: Rate = setting(0.1, doc="every rate at the start")
    order: Literal[1, 2] = setting(2, doc="1: first-order approximation; 2: exact")
    steps: int = setting(1, ge=1, doc="inner steps")

    def beside(self, ground: Ground) -> Weights:
        """A rate for every number."""
        import torch

        return {RATE + name: torch.full_like(parameter, self.lr) for name, parameter in ground.parameters.items()}

    def gradient(self, model: Model, tasks: Stack, progress: float = 1.0) -> MetaGradient:
        """That of the query loss after the inner steps, by the weights and by the rates."""
        from atnas.runtime.learn.inner import meta_gradient
        from atnas.runtime.learn.model import leaves

        del progress
        start, rates = leaves(model.weights), leaves(model.beside)
        weights = model.copies(len(tasks), start)
        for _ in range(self.steps):
            weights = self._step(model, weights, rates, tasks, self.order)
        return meta_gradient(model, tasks, weights, start | rates)

    def adapt(self, model: Model, tasks: Stack, steps: int | None = None) -> Weights:
        """Descent with the learned rates."""
        from atnas.runtime.learn.inner import stepped

        def step(weights: Weights, _: int) -> Weights:
            return self._step(model, weights, model.beside, tasks, order=1)

        return stepped(model.copies(len(tasks)), range(self.steps if steps is None else steps), step)

    def _step(self, model: Model, weights: Weights, rates: Mapping[str, Tensor], tasks: Stack, order: int) -> Weights:
        from atnas.runtime.learn.model import slopes

        loss = model.support_loss(weights, tasks, twice=order == 2)
        gradients = slopes(loss.sum(), weights, differentiable=order == 2)
        return weights | {name: weights[name] - rates[RATE + name] * g for name, g in gradients.items()}
