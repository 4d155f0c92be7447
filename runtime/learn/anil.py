"""Almost no inner loop (Raghu, Raghu, Bengio and Vinyals, ICLR 2020)."""

from __future__ import annotations

from atnas.runtime.learn.gradient_based import GradientBased
from atnas.runtime.learn.settings import Adapts


class Anil(GradientBased):
    """ANIL: MAML whose inner loop moves the last layer alone, on features that all tasks share (section 4.1)."""

    adapts: Adapts = "head"
