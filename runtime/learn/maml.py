"""Model-agnostic meta-learning (Finn, Abbeel and Levine, ICML 2017)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from atnas.dsl.settings import setting
from atnas.runtime.learn.settings import Descent, Inner
from atnas.runtime.learn.trainer import Trainer

if TYPE_CHECKING:
    from atnas.runtime.learn.trainer import Norm, Path, TaskGradient, Weights
    from atnas.runtime.tasks.task import Task


class Maml(Trainer):
    """MAML: weights from which a few gradient steps on the support rows answer the queries well (eq. 1).

    Order 2 differentiates through the inner steps. Order 1 takes the gradient at the adapted weights for the
    one at the start (first-order MAML, section 5.2).
    """

    order: Literal[1, 2] = setting(1, doc="1: first-order approximation; 2: exact")
    inner: Inner = setting(Descent(lr=0.4), doc="optimizer of the inner steps")
    steps: int = setting(1, ge=1, doc="inner steps in meta-training")
    test_steps: int | None = setting(None, ge=0, doc="inner steps when tested; else `steps`")

    def gradient(self, path: Path, task: Task, norm: Norm) -> TaskGradient:
        """The gradient of the query loss after the inner steps, all support rows in each."""
        from atnas.runtime.learn.inner import maml_gradient

        return maml_gradient(path, task, norm, self.inner.lr, self.steps, self.order)

    def adapt(self, path: Path, task: Task, steps: int | None = None) -> Weights:
        """Gradient descent, all support rows in each step."""
        from atnas.runtime.learn.inner import adapted

        return adapted(path, task, self.inner.lr, self._test_steps(steps), None)

    def _test_steps(self, steps: int | None) -> int:
        asked = self.test_steps if steps is None else steps
        return self.steps if asked is None else asked
