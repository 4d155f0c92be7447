"""Reptile (Nichol, Achiam and Schulman 2018, arXiv 1803.02999)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

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

    inner: Annotated[Inner, Field(description="optimizer of the inner steps")] = Descent(lr=0.1)
    batch: Annotated[int, Field(ge=1, description="rows of an inner minibatch")] = 10
    steps: Annotated[int, Field(ge=1, description="inner steps in meta-training")] = 5
    test_steps: Annotated[int, Field(ge=0, description="inner steps when tested, on support rows")] = 50

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
