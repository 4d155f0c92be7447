"""`atnas doctor`"""

from __future__ import annotations

import os
import platform
from importlib import import_module, metadata
from pathlib import Path

import click

from atnas import __version__
from atnas.dsl.errors import Unable
from atnas.dsl.plugins import GROUPS, Group, entries, load
from atnas.runtime.device import GIB, available

PARTS = ("torch", "lark", "networkx", "pydantic", "deap", "click", "rich", "numpy", "matplotlib", "safetensors")
"""What atnas stands on, by the names that they are installed and imported under."""


@click.command()
def command() -> int:
    """What this machine offers a run, and what is missing, with the cure. Exits with 2 where a run cannot work."""
    missing = [problem for name in PARTS if (problem := _missing(name))]
    missing += [problem for group in GROUPS for name in entries(group) if (problem := _broken(group, name))]
    _line("atnas", f"{__version__}, Python {platform.python_version()}, {platform.system()} {platform.machine()}")
    _line("installed", ", ".join(f"{name} {_version(name)}" for name in PARTS))
    _line("extensions", ", ".join(f"{len(entries(group))} {group}" for group in GROUPS))
    if not _missing("torch"):
        _devices()
    _line("memory", _memory())
    _line("data", _data(os.environ.get("ATNAS_DATA")))
    for problem in missing:
        _line("missing", problem)
    return 2 if missing else 0


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "(missing)"


def _missing(name: str) -> str | None:
    try:
        import_module(name)
    except ImportError as error:
        return f"{name} does not import ({error}); pip install --force-reinstall {name}"
    return None


def _broken(group: Group, name: str) -> str | None:
    try:
        load(group, name)
    except Unable as error:
        return str(error)
    return None


def _devices() -> None:
    import torch

    _line("cpu", f"{os.cpu_count()} cores, {torch.get_num_threads()} threads for torch")
    if not torch.cuda.is_available():
        _line("gpu", "none: runs use the cpu")
    for i in range(torch.cuda.device_count()):
        about = torch.cuda.get_device_properties(i)
        _line("gpu", f"cuda:{i} {about.name}, {about.total_memory / 2**30:.0f} GiB")


def _memory() -> str:
    try:
        pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError, AttributeError):
        return "unknown on this system"
    free = available()
    told = "" if free is None else f", {free / GIB:.1f} GiB free"
    return f"{pages / GIB:.1f} GiB{told}; a run tells what it takes before it begins"


def _data(root: str | None) -> str:
    if root is None:
        return "ATNAS_DATA is not set: sources look in ~/.cache/atnas, or where `root = ..` says"
    try:
        folders = sorted(path.name for path in Path(root).iterdir() if path.is_dir())
    except OSError:
        return f"ATNAS_DATA = {root} is no folder that can be read: set it to where your data sets lie"
    return f"ATNAS_DATA = {root}: {', '.join(folders) or 'no data set'}"


def _line(name: str, text: str) -> None:
    click.echo(f"{name:12} {text}")
