"""Reptile (Nichol, Achiam and Schulman 2018, arXiv 1803.02999)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from atnas.dsl.settings import setting
from atnas.runtime.learn.settings import Adapts, Descent, Inner, Within
from atnas.runtime.learn.trainer import Trainer

if TYPE_CHECKING:
    from atnas.runtime.learn.model import Model
    from atnas.runtime.learn.trainer import MetaGradient, Statistics, Weights
    from atnas.runtime.tasks.stack import Stack


class Reptile(Trainer):
    """Reptile: weights move towards those that plain training on a task's rows leads to (algorithm 2).

    In meta-training the inner steps go through support and query rows alike, `batch` rows at a time, in order
    and round again; rows go round the classes, so minibatches are balanced. The paper has 10 or 15 a class.
    """

    inner: Inner = setting(Descent(lr=0.1), doc="optimizer of the inner steps")
    batch: int = setting(10, ge=1, doc="rows of an inner minibatch")
    steps: int = setting(5, ge=1, doc="inner steps in meta-training")
    test_steps: int = setting(50, ge=0, doc="inner steps when tested, on support rows")
    adapts: Adapts = "all"
    within: Within = None

    def gradient(self, model: Model, tasks: Stack, progress: float = 1.0) -> MetaGradient:
        """Weights minus adapted weights, not divided by the inner rate: `outer = sgd(lr = e)` is algorithm 2.

        Loss and accuracy are means over the inner minibatches, each before its step: no rows are held out. Where norm
        is running, all of them update the running averages.
        """
        import torch

        from atnas.runtime.learn.descent import rule
        from atnas.runtime.learn.inner import minibatches, moving
        from atnas.runtime.learn.model import accuracies, leaves, losses, slopes
        from atnas.runtime.learn.trainer import MetaGradient

        del progress
        statistics: Statistics = "track" if model.norm == "running" else "batch"
        x, y = torch.cat([tasks.support_x, tasks.query_x], 1), torch.cat([tasks.support_y, tasks.query_y], 1)
        weights = start = model.copies(len(tasks))
        step, moves = rule(self.inner), moving(model, self.adapts, self.within)
        seen, right, moved = [], [], set[str]()
        for rows in minibatches(x.shape[1], self.batch, self.steps):
            weights = leaves(weights)
            logits = model.forward(weights, x[:, rows], statistics)
            loss = losses(tasks, logits, y[:, rows])
            gradients = slopes(loss.sum(), {name: weight for name, weight in weights.items() if moves(name)})
            weights = weights | step(weights, gradients)
            moved |= gradients.keys()
            seen.append(loss.detach())
            right.append(accuracies(tasks, logits, y[:, rows]))
        known = [each for each in right if each is not None]
        back = {name: (start[name] - weights[name]).detach().sum(0) for name in start if name in moved}
        return MetaGradient(torch.stack(seen).mean(0), torch.stack(known).mean(0) if known else None, back)

    def adapt(self, model: Model, tasks: Stack, steps: int | None = None) -> Weights:
        """Gradient descent on minibatches of the support rows."""
        from atnas.runtime.learn.descent import rule
        from atnas.runtime.learn.inner import adapted, minibatches, moving

        rows = minibatches(tasks.support_x.shape[1], self.batch, self.test_steps if steps is None else steps)
        return adapted(model, tasks, rows, rule(self.inner), moving(model, self.adapts, self.within))
