"""Body only update in inner loop (Oh, Yoo, Kim and Yun, ICLR 2021)."""

from __future__ import annotations

from atnas.runtime.learn.gradient_based import GradientBased
from atnas.runtime.learn.settings import Adapts


class Boil(GradientBased):
    """BOIL: MAML whose inner loop moves all but the last layer, so that features change with the task (section 3)."""

    adapts: Adapts = "body"
