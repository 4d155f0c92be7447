"""Meta-learning with implicit gradients (Rajeswaran, Finn, Kakade and Levine, NeurIPS 2019, arXiv 1909.04630)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from atnas.dsl.settings import setting
from atnas.runtime.learn.settings import Descent, Inner
from atnas.runtime.learn.trainer import Trainer

if TYPE_CHECKING:
    from atnas.runtime.learn.model import Model
    from atnas.runtime.learn.trainer import MetaGradient, Weights
    from atnas.runtime.tasks.stack import Stack


class ImplicitMaml(Trainer):
    """iMAML: w' is a minimum of L_support(w') + strength / 2 |w' - w|^2 (eq. 3); the meta-gradient follows from that
    alone: (I + H / strength)^-1 grad L_query(w'), H the Hessian of L_support at w' (eq. 6), by conjugate gradients.

    How w' was come to does not matter, so that memory does not grow with the steps.
    """

    inner: Inner = setting(Descent(lr=0.1), doc="optimizer of the inner steps")
    strength: float = setting(1.0, gt=0, doc="how strongly adapted weights are held to those at the start")
    steps: int = setting(10, ge=1, doc="inner steps in meta-training")
    test_steps: int | None = setting(None, ge=0, doc="inner steps when tested; else `steps`")
    solver_steps: int = setting(5, ge=0, doc="steps of conjugate gradients; 0: the query gradient as it is")

    def gradient(self, model: Model, tasks: Stack, progress: float = 1.0) -> MetaGradient:
        """The implicit one, at the weights that the inner steps came to."""
        from atnas.runtime.learn.conjugate import conjugate_gradients, dot
        from atnas.runtime.learn.inner import meta_gradient
        from atnas.runtime.learn.model import leaves, slopes
        from atnas.runtime.learn.trainer import MetaGradient

        del progress
        weights = leaves(self.adapt(model, tasks, self.steps))
        found = meta_gradient(model, tasks, weights, weights)
        free = {name: weights[name] for name in found.gradients}
        first = slopes(model.support_loss(weights, tasks, twice=True).sum(), free, differentiable=True)

        def curved(v: Weights) -> Weights:
            """(I + H / strength) v for each task."""
            seconds = slopes(dot(first, v).sum(), free, again=True) if first else {}
            return {name: v[name] + seconds[name] / self.strength if name in seconds else v[name] for name in v}

        solved = conjugate_gradients(curved, found.gradients, self.solver_steps)
        sums = {name: gradient.sum(0) for name, gradient in solved.items()}
        return MetaGradient(found.losses, found.accuracies, sums)

    def adapt(self, model: Model, tasks: Stack, steps: int | None = None) -> Weights:
        """Descent on the support loss and the distance from the start."""
        import torch

        from atnas.runtime.learn.descent import rule
        from atnas.runtime.learn.model import leaves, slopes

        asked = self.test_steps if steps is None else steps
        weights = start = model.copies(len(tasks))
        step = rule(self.inner)
        for _ in range(self.steps if asked is None else asked):
            with torch.enable_grad():
                free = leaves(weights)
                gradients = slopes(model.support_loss(free, tasks).sum(), free)
            pulled = {n: g + self.strength * (weights[n] - start[n]) for n, g in gradients.items()}
            weights = weights | step(weights, pulled)
        return weights
