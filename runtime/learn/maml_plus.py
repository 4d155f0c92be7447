"""How to train your MAML: MAML++ (Antoniou, Edwards and Storkey, ICLR 2019, arXiv 1810.09502)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from atnas.dsl.settings import setting
from atnas.runtime.learn.settings import Rate
from atnas.runtime.learn.trainer import Trainer

if TYPE_CHECKING:
    from torch import Tensor

    from atnas.runtime.learn.model import Model
    from atnas.runtime.learn.trainer import Ground, MetaGradient, Weights
    from atnas.runtime.tasks.stack import Stack

RATES = "rates@"
AT = "at {}:"
"""Weights of a batch norm at a step; at the first they are the supernet's own."""

LEAST = 0.03
"""What is left of an early step's weight, of its equal share."""


class MamlPlus(Trainer):
    """MAML++: MAML with learned rates for each layer and step (LSLR), a loss after every step (MSL, eq. 4), batch norms
    with weights of their own at each step (BNWB), and first order until a share of training is over (DA).

    Batch norms are not adapted; running averages are those after the last step alone (BNRS), as all others go by their
    batches. Of more steps than were trained, the last repeats. Its cosine schedule is `outer = adam(decay = cosine)`.
    """

    lr: Rate = setting(0.1, doc="every rate at the start")
    steps: int = setting(5, ge=1, doc="inner steps")
    first_order: float = setting(0.3, ge=0, le=1, doc="share of training that is of first order")
    multi_step: float = setting(0.1, ge=0, le=1, doc="share of training in which every step has a loss")

    @property
    def phases(self) -> tuple[float, ...]:
        """The second order holds more."""
        return (0.0, self.first_order) if 0 < self.first_order < 1 else (0.0,)

    def beside(self, ground: Ground) -> Weights:
        """A rate for each parameter and step, and the batch norms' weights after each step."""
        import torch

        moving = {name: p for name, p in ground.parameters.items() if name not in ground.norms}
        rates = {RATES + name: p.new_full((self.steps,), self.lr) for name, p in moving.items()}
        norms = {
            AT.format(step) + name: torch.clone(ground.parameters[name].detach())
            for step in range(1, self.steps + 1)
            for name in sorted(ground.norms & ground.parameters.keys())
        }
        return rates | norms

    def gradient(self, model: Model, tasks: Stack, progress: float = 1.0) -> MetaGradient:
        """That of the losses after the steps, weighed as `weights_of_losses` says, by all that is learned."""
        import torch

        from atnas.runtime.learn.model import accuracies, leaves, losses, slopes
        from atnas.runtime.learn.trainer import MetaGradient

        order = 1 if progress < self.first_order else 2
        start, beside = leaves(model.weights), leaves(model.beside)
        weights = model.copies(len(tasks), start)
        weighed: list[Tensor] = []
        for step, importance in enumerate(self.weights_of_losses(progress), start=1):
            weights = self._step(model, weights, beside, tasks, step - 1, order)
            if importance:
                at_step, ends = self._at(model, weights, beside, step, len(tasks)), step == self.steps
                logits = model.query_logits(at_step, tasks, training=True, learns=ends)
                loss = losses(tasks, logits, tasks.query_y)
                weighed.append(importance * loss)
        gradients = slopes(torch.stack(weighed).sum(), start | beside)
        return MetaGradient(loss.detach(), accuracies(tasks, logits, tasks.query_y), gradients)

    def weights_of_losses(self, progress: float) -> list[float]:
        """How much the loss after each step counts: all alike at first, more and more the last alone (section 4)."""
        if progress >= self.multi_step or self.steps == 1:
            return [0.0] * (self.steps - 1) + [1.0]
        done = progress / self.multi_step
        early = max(1 - done, LEAST) / self.steps
        return [early] * (self.steps - 1) + [1 - early * (self.steps - 1)]

    def adapt(self, model: Model, tasks: Stack, steps: int | None = None) -> Weights:
        """Descent with the learned rates; the batch norms' weights are those at the end."""
        from atnas.runtime.learn.inner import stepped

        def step(weights: Weights, number: int) -> Weights:
            return self._step(model, weights, model.beside, tasks, number, order=1)

        count = self.steps if steps is None else steps
        weights = stepped(model.copies(len(tasks)), range(count), step)
        return self._at(model, weights, model.beside, count, len(tasks))

    def _step(self, model: Model, weights: Weights, beside: Weights, tasks: Stack, step: int, order: int) -> Weights:
        from atnas.runtime.learn.model import slopes

        free = {name: weight for name, weight in weights.items() if name not in model.path.norms}
        loss = model.support_loss(self._at(model, weights, beside, step, len(tasks)), tasks, twice=order == 2)
        gradients = slopes(loss.sum(), free, differentiable=order == 2)
        at = min(step, self.steps - 1)
        return weights | {name: weights[name] - beside[RATES + name][at] * g for name, g in gradients.items()}

    def _at(self, model: Model, weights: Weights, beside: Weights, step: int, tasks: int) -> Weights:
        """The weights with the batch norms of a step."""
        own = {name: beside[AT.format(min(step, self.steps)) + name] for name in model.path.norms} if step else {}
        return weights | model.copies(tasks, own) if own else weights
