"""What learners that adapt by gradient descent and are trained through it have in common."""

from __future__ import annotations

from abc import ABC
from typing import TYPE_CHECKING, Literal

from atnas.dsl.settings import setting
from atnas.runtime.learn.settings import Adapts, Descent, Inner, Within
from atnas.runtime.learn.trainer import Trainer

if TYPE_CHECKING:
    from atnas.runtime.learn.model import Model
    from atnas.runtime.learn.trainer import MetaGradient, Weights
    from atnas.runtime.tasks.stack import Stack


class GradientBased(Trainer, ABC):
    """w' = w - lr * grad L_support(w), repeated `steps` times; the meta-gradient is that of L_query(w').

    Order 2 takes it by w, through the steps. Order 1 takes it by w' for that by w (Finn et al. 2017, section 5.2).
    """

    order: Literal[1, 2] = setting(1, doc="1: first-order approximation; 2: exact")
    inner: Inner = setting(Descent(lr=0.4), doc="optimizer of the inner steps")
    steps: int = setting(1, ge=1, doc="inner steps in meta-training")
    test_steps: int | None = setting(None, ge=0, doc="inner steps when tested; else `steps`")
    adapts: Adapts = "all"
    within: Within = None

    @property
    def passes(self) -> int | None:
        """Each step and the queries. Momentum would move what the path of a step does not use, and each path has a head
        of its own.
        """
        plain = isinstance(self.inner, Descent) and not self.inner.momentum
        return self.steps + 1 if plain and self.adapts == "all" else None

    @property
    def through(self) -> bool:
        """The second order does."""
        return self.order == 2

    def gradient(self, model: Model, tasks: Stack, progress: float = 1.0) -> MetaGradient:
        """The gradient of the query loss after the inner steps, all support rows in each."""
        from atnas.runtime.learn.descent import rule
        from atnas.runtime.learn.inner import descended, meta_gradient, moving, whole
        from atnas.runtime.learn.model import leaves

        del progress
        start = leaves(model.weights)
        weights = descended(
            model,
            model.copies(len(tasks), start),
            tasks,
            whole(self.steps),
            rule(self.inner),
            moving(model, self.adapts, self.within),
            self.order,
        )
        return meta_gradient(model, tasks, weights, start)

    def adapt(self, model: Model, tasks: Stack, steps: int | None = None) -> Weights:
        """Gradient descent, all support rows in each step."""
        from atnas.runtime.learn.descent import rule
        from atnas.runtime.learn.inner import adapted, moving, whole

        asked = self.test_steps if steps is None else steps
        rows = whole(self.steps if asked is None else asked)
        return adapted(model, tasks, rows, rule(self.inner), moving(model, self.adapts, self.within))
