"""Where tensors live: the device, and how the C library keeps memory between steps."""

from __future__ import annotations

import ctypes
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from atnas.dsl.errors import Unable

if TYPE_CHECKING:
    import torch

Device = Literal["auto", "cpu", "cuda"]

# malloc.h of glibc.
M_TRIM_THRESHOLD = -1
M_TOP_PAD = -2
M_MMAP_THRESHOLD = -3

GIB = 2**30
MIB = 2**20
OLD_LIMIT = 32 * MIB
"""The largest mmap threshold that glibc before 2.35 accepts on 64 bits."""


def choose(name: Device = "auto") -> torch.device:
    """The device of that name; `auto` is the GPU where there is one. Raises `Unable` where it is missing."""
    import torch

    available = torch.cuda.is_available()
    if name == "cuda" and not available:
        raise Unable("PyTorch finds no CUDA device: use --device cpu, or install PyTorch for your GPU.")
    return torch.device("cuda" if name != "cpu" and available else "cpu")


def available() -> int | None:
    """Bytes of memory that can be had without taking them from anyone; None where the system does not tell."""
    try:
        with Path("/proc/meminfo").open(encoding="ascii") as lines:
            return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable"))
    except (OSError, StopIteration):
        return None


def held() -> int:
    """The most bytes that this process ever held in memory; 0 where the system does not tell."""
    try:
        with Path("/proc/self/status").open(encoding="ascii") as lines:
            return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))
    except (OSError, StopIteration):
        return 0


def keep_memory() -> bool:
    """Makes glibc keep freed memory for the next step instead of handing it back to the system, page by page.

    Large tensors come from `mmap` by default and are unmapped when freed, so every step pays for fresh pages.
    Call once, before the first tensors. Returns whether it took effect; False where libc is not glibc.
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL("libc.so.6").mallopt
    except (OSError, AttributeError):
        return False
    kept = mallopt(M_MMAP_THRESHOLD, GIB) or mallopt(M_MMAP_THRESHOLD, OLD_LIMIT)
    return bool(kept and mallopt(M_TRIM_THRESHOLD, 2 * GIB - 1) and mallopt(M_TOP_PAD, 256 * MIB))
