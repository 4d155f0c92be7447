"""What layers take on a device: a table that was measured, in a JSON file beside the program that names the device.

    {"version": 1, "device": "Pixel 3", "how": "TFLite 2.4, 1 thread, batch 1", "unit": "s", "layers": [
        {"op": "conv", "arguments": {"channels": 16, "kernel": 3}, "inputs": [[3, 32, 32]], "seconds": 0.0012}]}

The latency of an architecture is the sum over its active layers, as in ProxylessNAS (Cai et al., arXiv 1812.00332,
section 3.3) and once-for-all (Cai et al., arXiv 1908.09791). What stands in the file is described in docs/latency.md.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass
from functools import lru_cache
from math import isfinite
from typing import Any, Final, NoReturn

from atnas.dsl.errors import Unable
from atnas.dsl.net import Static
from atnas.dsl.operator import Shape, parameters
from atnas.dsl.plugins import entries, load

TABLE: Final = ".latency.json"
"""What follows the name of a device in the name of its file."""
VERSION: Final = 1
UNIT: Final = "s"

NANOSECONDS: Final = 10**9
"""In a second. Latencies are counted in whole nanoseconds, so that sums are exact."""

UNITS: Final = {"s": 10**9, "ms": 10**6, "us": 10**3}
"""Nanoseconds in the units that times are shown in."""

LARGEST: Final = 5_000_000
"""Characters of a table."""

LONGEST: Final = 3_600
"""Seconds that a layer may take."""

LONG: Final = 1_000
"""Characters that the description of a device may have."""

Layer = tuple[str, tuple[tuple[str, Static], ...], tuple[Shape, ...]]
"""What a layer is looked up by: operator, arguments in the order of their names, shapes of its inputs."""


@dataclass(frozen=True, eq=False)
class Table:
    """What layers take on a device, in nanoseconds. `name` is the word in `latency(name)`."""

    name: str
    device: str
    how: str
    layers: Mapping[Layer, int]

    @property
    def metric(self) -> str:
        """The metric as it is written: `latency(phone)`."""
        return metric(self.name)

    @property
    def file(self) -> str:
        """The name of its file."""
        return self.name + TABLE


def metric(device: str) -> str:
    """The latency on a device as it is written."""
    return f"latency({device})"


def is_latency(name: str) -> bool:
    """Whether a metric is a latency."""
    return name.startswith("latency(")


def shown(name: str, cost: int) -> str:
    """The value of a metric for people: a time with its unit, anything else with separators."""
    return duration(cost) if is_latency(name) else f"{cost:,}"


def duration(nanoseconds: int) -> str:
    """A time as it is written: `18.2ms`."""
    unit, size = next(((unit, size) for unit, size in UNITS.items() if nanoseconds >= size), ("us", UNITS["us"]))
    return f"{nanoseconds / size:.4g}{unit}"


def layer(operator: str, arguments: Mapping[str, Static], inputs: Sequence[Shape]) -> Layer:
    """What a layer is looked up by. `operator` is its word, or what an `extern op` names: `"my_layers:Swirl"`."""
    return operator, tuple(sorted(arguments.items())), tuple(inputs)


@lru_cache(maxsize=16)
def read_table(name: str, text: str) -> Table:
    """The table of a device. Raises `Unable` with what is wrong with it and where."""
    whole = document(name, text)
    layers: dict[Layer, int] = {}
    for i, entry in enumerate(whole["layers"]):
        found, seconds = _entry(_Place(name, f"layers[{i}]"), entry)
        if found in layers:
            _Place(name, f"layers[{i}]").refuse("is the same layer as one before it")
        layers[found] = round(seconds * NANOSECONDS)
    return Table(name, whole["device"], whole["how"], layers)


def document(name: str, text: str) -> dict[str, Any]:
    """The file of a device as JSON, its layers not looked at. Raises `Unable`."""
    place = _Place(name, "the file")
    if len(text) > LARGEST:
        place.refuse(f"has more than {LARGEST:,} characters")
    try:
        whole = json.loads(text)
    except (ValueError, RecursionError):
        place.refuse("is no JSON that can be read")
    if not isinstance(whole, dict) or whole.get("version") != VERSION or isinstance(whole["version"], bool):
        place.refuse(f"is no object of `version` {VERSION}")
    if whole.get("unit") != UNIT:
        place.refuse(f'has another `unit` than "{UNIT}"')
    for key in ("device", "how"):
        if not isinstance(whole.get(key), str) or len(whole[key]) > LONG:
            place.refuse(f"says no `{key}` in a text of at most {LONG:,} characters")
    if not isinstance(whole.get("layers"), list):
        place.refuse("has no list of `layers`")
    return whole


def is_time(value: Any) -> bool:
    """Whether a value from JSON is so many seconds as a layer or a network may take."""
    return type(value) in (int, float) and 0 <= value <= LONGEST


@dataclass(frozen=True)
class _Place:
    """A part of the file of a device."""

    name: str
    part: str

    def refuse(self, why: str) -> NoReturn:
        raise Unable(f"{self.name}{TABLE} is no latency table: {self.part} {why}")


def _entry(place: _Place, entry: Any) -> tuple[Layer, float]:
    """One layer and the seconds it takes."""
    if not isinstance(entry, dict):
        place.refuse("is no object")
    operator, arguments, inputs = (entry.get(key) for key in ("op", "arguments", "inputs"))
    if not isinstance(operator, str):
        place.refuse("has no text as its `op`")
    if not isinstance(arguments, dict):
        place.refuse("has no object as its `arguments`")
    if not isinstance(inputs, list) or not all(map(_is_shape, inputs)):
        place.refuse("has no list of shapes as its `inputs`")
    given = {key: tuple(value) if isinstance(value, list) else value for key, value in arguments.items()}
    if not all(map(_is_static, given.values())):
        place.refuse("has arguments that are no numbers, words, truth values or lists of them")
    if not is_time(entry.get("seconds")):
        place.refuse(f"has `seconds` that are no number from 0 to {LONGEST:,}")
    return layer(operator, _defaults(operator) | given, [tuple(shape) for shape in inputs]), entry["seconds"]


def _is_shape(shape: Any) -> bool:
    return isinstance(shape, list) and all(type(size) is int and size > 0 for size in shape)


def _is_static(value: Any) -> bool:
    if isinstance(value, tuple):
        return all(isinstance(item, int | float | str) and _is_static(item) for item in value)
    if isinstance(value, float):
        return isfinite(value)
    return value is None or isinstance(value, int | str)


def _defaults(operator: str) -> dict[str, Static]:
    """The arguments of an operator that need not be given; none where it is not known."""
    if operator not in entries("ops"):
        return {}
    return {p.name: p.default for p in parameters(load("ops", operator)) if p.default is not MISSING}
