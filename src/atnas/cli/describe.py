"""A space as data: what `atnas info --json` prints of it. Minima and maxima are exact over the whole space."""

from __future__ import annotations

from typing import Any, Final

from atnas.compiler.conditions import conditions
from atnas.compiler.space import Compiled
from atnas.compiler.survey import Survey, survey
from atnas.dsl.net import InputNode

METRICS: Final = ("params", "macs", "flops", "activations", "depth")


def describe(space: Compiled) -> dict[str, Any]:
    """The JSON object of a space; counts stand in it as text, since JSON's numbers are not as exact."""
    found = survey(space)
    return {
        "name": space.net.name,
        "inputs": [{"name": n.name, "shape": list(n.shape)} for n in space.net.nodes if isinstance(n, InputNode)],
        "outputs": [name for name, _ in space.net.outputs],
        "decisions": [
            {"name": d.name, "kind": d.kind, "options": list(d.options), "when": when}
            for d, when in zip(space.net.decisions, conditions(space.graph), strict=True)
        ],
        "architectures": str(space.encoding.count()),
        "unique": None,
        **{metric: _extremes(space, metric) for metric in METRICS},
        "distribution": _distribution(found),
        "constraints": [
            {"line": span.text, "share": share.value, "ci95": [share.low, share.high], "exact": share.is_exact}
            for span, share in (found.shares.items() if found else ())
        ],
    }


def _extremes(space: Compiled, metric: str) -> dict[str, int | None]:
    """None where constraints leave no architecture."""
    if not space.encoding.count():
        return {"min": None, "max": None}
    return {end: space.costs.extreme(metric, end == "max")[0] for end in ("min", "max")}


def _distribution(found: Survey | None) -> dict[str, Any] | None:
    """Histograms of the costs that were looked at, in equal parts from the least to the largest."""
    if found is None:
        return None
    return {
        "of": "every architecture" if found.every else "uniform samples",
        "architectures": len(found.costs["params"]),
        **{metric: dict(zip(("low", "high", "counts"), found.histogram(metric), strict=True)) for metric in METRICS},
    }
