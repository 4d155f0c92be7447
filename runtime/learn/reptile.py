"""Reptile (Nichol, Achiam and Schulman 2018, arXiv 1803.02999)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from atnas.dsl.settings import setting
from atnas.runtime.learn.settings import Descent, Inner
from atnas.runtime.learn.trainer import Trainer

if TYPE_CHECKING:
    from atnas.runtime.learn.trainer import Norm, Path, TaskGradient, Weights
    from atnas.runtime.tasks.task import Task


class Reptile(Trainer):
    """Reptile: weights move towards those that plain training on a task's rows leads to (algorithm 2).

    In meta-training the inner steps go through support and query rows alike, `batch` rows at a time, in order
    and round again; rows go round the classes, so minibatches are balanced. The paper has 10 or 15 a class.
    """

    inner: Inner = setting(Descent(lr=0.1), doc="optimizer of the inner steps")
    batch: int = setting(10, ge=1, doc="rows of an inner minibatch")
    steps: int = setting(5, ge=1, doc="inner steps in meta-training")
    test_steps: int = setting(50, ge=0, doc="inner steps when tested, on support rows")

    def gradient(self, path: Path, task: Task, norm: Norm) -> TaskGradient:
        """Weights minus adapted weights, not divided by the inner rate: `outer = sgd(lr = e)` is algorithm 2.

        Loss and accuracy are means over the inner minibatches, each before its step: no rows are held out.
        """
        from atnas.runtime.learn.inner import reptile_gradient

        return reptile_gradient(path, task, norm, self.inner.lr, self.steps, self.batch)

    def adapt(self, path: Path, task: Task, steps: int | None = None) -> Weights:
        """Gradient descent on minibatches of the support rows."""
        from atnas.runtime.learn.inner import adapted

        return adapted(path, task, self.inner.lr, self.test_steps if steps is None else steps, self.batch)
