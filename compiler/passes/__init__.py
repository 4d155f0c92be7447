"""Rewrites of the graph, in the order they run. Each keeps what every architecture computes and which
decisions it needs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from atnas.compiler.graph import Graph
from atnas.compiler.passes.count import count
from atnas.compiler.passes.fold import fold
from atnas.compiler.passes.prune import prune

PASSES: Final[tuple[Callable[[Graph], Graph], ...]] = (count, prune, fold)
