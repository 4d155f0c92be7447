"""A space as data: what `atnas info --json` prints of it. Minima and maxima are exact over the whole space."""

from __future__ import annotations

from typing import Any, Final

from atnas.compiler.activity import Genotype
from atnas.compiler.conditions import conditions
from atnas.compiler.same.unique import Unique, unique
from atnas.compiler.space import Compiled
from atnas.compiler.survey import Survey, interval, survey
from atnas.dsl.latency import NANOSECONDS
from atnas.dsl.net import InputNode, Json

METRICS: Final = ("params", "macs", "flops", "activations", "depth")


def describe(space: Compiled, with_unique: bool = False) -> dict[str, Any]:
    """The JSON object of a space; counts stand in it as text, since JSON's numbers are not as exact."""
    found = survey(space)
    same = unique(space) if with_unique else None
    ends = {metric: _extremes(space, metric) for metric in METRICS}
    return {
        "name": space.net.name,
        "inputs": [{"name": n.name, "shape": list(n.shape)} for n in space.net.nodes if isinstance(n, InputNode)],
        "outputs": [name for name, _ in space.net.outputs],
        "decisions": [
            {"name": d.name, "kind": d.kind, "options": list(d.options), "when": when}
            for d, when in zip(space.net.decisions, conditions(space.graph), strict=True)
        ],
        "architectures": str(space.encoding.count()),
        "unique": str(same.different) if same is not None and same.every else None,
        **{metric: _values(found) for metric, found in ends.items()},
        **latency(space),
        "attained": {metric: _attained(space, found) for metric, found in ends.items()},
        "distribution": _distribution(space, found),
        "constraints": [
            {"line": span.text, "share": share.value, "ci95": [share.low, share.high], "exact": share.is_exact}
            for span, share in (found.shares.items() if found else ())
        ],
        **({} if same is None or same.every else {"unique_of_samples": _sampled(same)}),
    }


def _sampled(same: Unique) -> dict[str, Any]:
    share = interval(same.different, same.looked_at)
    return {
        "samples": same.looked_at,
        "different": same.different,
        "share": share.value,
        "ci95": [share.low, share.high],
    }


Ends = dict[str, tuple[int, Genotype]]
"""The least and the most of a cost, each with an architecture; none where constraints leave no architecture."""


def _extremes(space: Compiled, metric: str) -> Ends:
    if not space.encoding.count():
        return {}
    return {end: space.costs.extreme(metric, end == "max") for end in ("min", "max")}


def _values(ends: Ends) -> dict[str, int | None]:
    return {end: ends[end][0] if ends else None for end in ("min", "max")}


def _attained(space: Compiled, ends: Ends) -> dict[str, dict[str, Json]]:
    return {end: space.encoding.decode(genotype) for end, (_, genotype) in ends.items()}


def latency(space: Compiled) -> dict[str, dict[str, dict[str, float | None]]]:
    """`latency`, the least and the most seconds on each device, where a space is measured on any."""
    found = {table.name: _values(_extremes(space, table.metric)) for table in space.net.tables}
    seconds = {device: {end: _seconds(time) for end, time in ends.items()} for device, ends in found.items()}
    return {"latency": seconds} if seconds else {}


def _seconds(time: int | None) -> float | None:
    return None if time is None else time / NANOSECONDS


def _distribution(space: Compiled, found: Survey | None) -> dict[str, Any] | None:
    """Histograms of the costs that were looked at, in equal parts from the least to the largest."""
    if found is None:
        return None
    return {
        "of": "every architecture" if found.every else "uniform samples",
        "architectures": len(found.costs["params"]),
        **{metric: dict(zip(("low", "high", "counts"), found.histogram(metric), strict=True)) for metric in METRICS},
        **_times(space, found),
    }


def _times(space: Compiled, found: Survey) -> dict[str, Any]:
    """`latency`, the histogram of each device, its ends in seconds, where a space is measured on any."""
    spread: dict[str, Any] = {}
    for table in space.net.tables:
        low, high, counts = found.histogram(table.metric)
        spread[table.name] = {"low": low / NANOSECONDS, "high": high / NANOSECONDS, "counts": counts}
    return {"latency": spread} if spread else {}
