"""Pre-training and fine-tuning (the baseline of Chen, Liu, Kira, Wang and Huang, ICLR 2019, arXiv 1904.04232)."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from atnas.dsl.errors import Unable
from atnas.dsl.settings import setting
from atnas.runtime.learn.settings import Adapts, Descent, Inner, Within
from atnas.runtime.learn.trainer import Trainer

if TYPE_CHECKING:
    from torch import Tensor

    from atnas.runtime.learn.model import Model
    from atnas.runtime.learn.trainer import Ground, MetaGradient, Statistics, Weights
    from atnas.runtime.tasks.stack import Stack

CLASSES = "classes:"
BIASES = "class biases"


class Pretrain(Trainer):
    """Pre-training: one classifier of all training classes is learned from the rows of tasks, without an inner loop;
    fine-tuning gives a task a new last layer, which begins with zeros, and descends on the support rows (section 3.2).

    The control that knows nothing of tasks. The last layer of the space must be `linear(..)`.
    """

    learns_head: ClassVar[bool] = False

    inner: Inner = setting(Descent(lr=0.1), doc="optimizer of the fine-tuning")
    steps: int = setting(50, ge=0, doc="steps of fine-tuning")
    adapts: Adapts = "head"
    within: Within = None

    def beside(self, ground: Ground) -> Weights:
        """A last layer for all classes."""
        import torch

        from atnas.runtime.seeds import derive

        classes = ground.classes()
        if not classes:
            raise Unable("pre-training needs tasks whose training classes are known: images of classes")
        weight, _ = ground.last_layer()
        features = ground.parameters[weight].shape[1]
        bound = features**-0.5
        generator = torch.Generator().manual_seed(derive(ground.seed, "classes"))
        drawn = torch.rand(len(classes), features, generator=generator).mul_(2 * bound).sub_(bound)
        like = ground.parameters[weight]
        return {CLASSES + weight: drawn.to(like), BIASES: like.new_zeros(len(classes))}

    def gradient(self, model: Model, tasks: Stack, progress: float = 1.0) -> MetaGradient:
        """That of the cross entropy over all classes, of support and query rows alike."""
        import torch
        import torch.nn.functional as F

        from atnas.runtime.learn.head import features, last_layer
        from atnas.runtime.learn.model import leaves, slopes
        from atnas.runtime.learn.trainer import MetaGradient

        del progress
        weight, _ = last_layer(model)
        if CLASSES + weight not in model.beside:
            raise Unable("pre-training needs a space all of whose architectures end in the same `linear(..)`")
        start, beside = leaves(model.weights), leaves(model.beside)
        x = torch.cat([tasks.support_x, tasks.query_x], 1)
        labels = torch.stack([self._labels(model, tasks, t) for t in range(len(tasks))])
        statistics: Statistics = "track" if model.norm == "running" else "batch"
        logits = features(model, model.copies(len(tasks), start), x, statistics) @ beside[CLASSES + weight].T
        logits = logits + beside[BIASES]
        each = F.cross_entropy(logits.flatten(0, 1), labels.flatten(), reduction="none").view(labels.shape)
        right = (logits.detach().argmax(-1) == labels).double().mean(1)
        return MetaGradient(each.mean(1).detach(), right, slopes(each.mean(1).sum(), start | beside))

    def adapt(self, model: Model, tasks: Stack, steps: int | None = None) -> Weights:
        """Descent on the support rows, from a last layer of zeros."""
        from dataclasses import replace

        from atnas.runtime.learn.descent import rule
        from atnas.runtime.learn.head import last_layer
        from atnas.runtime.learn.inner import adapted, moving, whole

        zeros = {name: model.weights[name].new_zeros(model.weights[name].shape) for name in last_layer(model)}
        fresh = replace(model, weights=model.weights | zeros)
        rows = whole(self.steps if steps is None else steps)
        return adapted(fresh, tasks, rows, rule(self.inner), moving(fresh, self.adapts, self.within))

    def _labels(self, model: Model, tasks: Stack, task: int) -> Tensor:
        """The number of each row's class among all that are learned."""
        import torch

        names, device = tasks.classes[task], tasks.support_y.device
        numbers = torch.tensor([model.classes[name] for name in names], device=device)
        return numbers[torch.cat([tasks.support_y[task], tasks.query_y[task]])]
