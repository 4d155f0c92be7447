"""Draws the pictures of graph.md by `atnas graph`: `python docs/pictures.py` draws them anew."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from atnas.cli.graph import command

ROOT = Path(__file__).parents[1]
STD = ROOT / "grammars" / "std"

CELL = {
    "dag.x1.edge": "unit(c, 3)",
    "dag.x2.edge[0]": "skip",
    "dag.x2.edge[1]": "unit(c, 3)",
    "dag.x3.edge[0]": "unit(c, 1)",
    "dag.x3.edge[1]": "none",
    "dag.x3.edge[2]": "avg_pool(3, stride = 1)",
}
"""An architecture of NAS-Bench-201."""

PICTURES: dict[str, list[Any]] = {
    "space_nas_bench_201.svg": [STD / "nas_bench_201.atnas", "--arch", json.dumps(CELL)],
    "space_ofa_mobilenet_v3.svg": [STD / "ofa_mobilenet_v3.atnas"],
    "space_unet.svg": [STD / "unet.atnas"],
}
"""What the command is given for each file."""


def pictures() -> Iterator[tuple[str, str]]:
    """The name and the content of each."""
    for name, arguments in PICTURES.items():
        done = CliRunner().invoke(command, [str(argument) for argument in arguments], standalone_mode=False)
        if done.exception is not None:
            raise done.exception
        yield name, done.stdout


if __name__ == "__main__":
    for name, drawn in pictures():
        Path(__file__).with_name(name).write_text(drawn, encoding="utf-8")
