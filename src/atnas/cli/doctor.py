"""`atnas doctor`"""

from __future__ import annotations

import os
import platform
from importlib import metadata
from pathlib import Path

import click

from atnas import __version__
from atnas.dsl.plugins import GROUPS, entries

PARTS = ("torch", "lark", "networkx", "pydantic", "deap", "click", "numpy", "matplotlib", "safetensors")


@click.command()
def command() -> int:
    """What this machine offers a run, and what is missing, with the cure."""
    import torch

    _line(
        "atnas",
        f"{__version__}, Python {platform.python_version()}, {platform.system()} {platform.machine()}",
    )
    _line("installed", ", ".join(f"{name} {metadata.version(name)}" for name in PARTS))
    _line("extensions", ", ".join(f"{len(entries(group))} {group}" for group in GROUPS))
    _line("cpu", f"{os.cpu_count()} cores, {torch.get_num_threads()} threads for torch")
    if torch.cuda.is_available():
        for i in range(torch.cuda.device_count()):
            about = torch.cuda.get_device_properties(i)
            _line("gpu", f"cuda:{i} {about.name}, {about.total_memory / 2**30:.0f} GiB")
    else:
        _line("gpu", "none: runs use the cpu")
    _line("memory", _memory())
    root = os.environ.get("ATNAS_DATA")
    if root is None:
        _line("data", "ATNAS_DATA is not set: sources look in ~/.cache/atnas, or where `root = ..` says")
    elif Path(root).is_dir():
        _line(
            "data",
            f"ATNAS_DATA = {root}: {', '.join(sorted(p.name for p in Path(root).iterdir() if p.is_dir()))}",
        )
    else:
        _line("data", f"ATNAS_DATA = {root} is no folder: set it to where your data sets lie")
    return 0


def _memory() -> str:
    try:
        pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError, AttributeError):
        return "unknown on this system"
    return f"{pages / 2**30:.1f} GiB, {free / 2**30:.1f} GiB free"


def _line(name: str, text: str) -> None:
    click.echo(f"{name:12} {text}")
