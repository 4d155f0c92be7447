"""The table of a device as a file that grows: what stands in it is kept, and what it lacks is added."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from atnas.compiler.configuration import Configuration
from atnas.compiler.latencies import key
from atnas.dsl.errors import Unable
from atnas.dsl.latency import UNIT, VERSION, Layer, document, read_table
from atnas.runtime.files import write


class LatencyTable:
    """The file of a device. `text` is what it holds already, None where there is none.

    Raises `Unable` where that is no table, or one of another device or way of measuring: times would not add up.
    """

    def __init__(self, path: Path, name: str, text: str | None, device: str, how: str) -> None:
        self._path = path
        self._document: dict[str, Any] = {"version": VERSION, "device": device, "how": how, "unit": UNIT, "layers": []}
        self._known: set[Layer] = set()
        if text is None:
            return
        self._known = set(read_table(name, text).layers)
        before = document(name, text)
        for new, old in ((device, before["device"]), (how, before["how"])):
            if new != old:
                raise Unable(f"{path} holds times of `{old}`, not of `{new}`; choose another name with --device")
        self._document = before

    def __contains__(self, configuration: Configuration) -> bool:
        """Whether the table has a layer."""
        return key(configuration) in self._known

    def add(self, configuration: Configuration, seconds: float, spread: Sequence[float] = ()) -> None:
        """Adds a layer, with the fastest and the slowest of its times if they are known; `save` writes it."""
        layer = key(configuration)
        operator, arguments, inputs = layer
        entry = {"op": operator, "arguments": dict(arguments), "inputs": inputs, "seconds": _rounded(seconds)}
        self._document["layers"].append(entry | ({"spread": [*map(_rounded, spread)]} if spread else {}))
        self._known.add(layer)

    def save(self) -> None:
        """Writes the file, a layer a line."""
        head = {name: value for name, value in self._document.items() if name != "layers"}
        lines = ",\n".join(" " * 2 + json.dumps(entry, ensure_ascii=False) for entry in self._document["layers"])
        opened = json.dumps(head, ensure_ascii=False, indent=1).removesuffix("\n}")
        write(self._path, f'{opened},\n "layers": [\n{lines}\n ]\n}}\n'.encode())


def _rounded(seconds: float) -> float:
    """Four digits: more would be noise."""
    return float(f"{seconds:.4g}")
