"""Model-agnostic meta-learning (Finn, Abbeel and Levine, ICML 2017)."""

from __future__ import annotations

from atnas.runtime.learn.gradient_based import GradientBased


class Maml(GradientBased):
    """MAML: weights from which a few gradient steps on the support rows answer the queries well (eq. 1)."""
