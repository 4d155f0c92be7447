"""Model-agnostic meta-learning (Finn, Abbeel and Levine, ICML 2017)."""

from __future__ import annotations

from atnas.runtime.learn.gradient_based import GradientBased


class Maml(GradientBased):
    """MAML: weights from which a few gradient steps on the support rows answer the queries well (eq. 1).

    Order 2 differentiates through the inner steps. Order 1 takes the gradient at the adapted weights for the
    one at the start (first-order MAML, section 5.2).
    """
