"""Where data lies on this machine, and how its files are read safely."""

from __future__ import annotations

import os
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from atnas.dsl.errors import Unable

Form = tuple[type[np.generic], tuple[int | None, ...]]
"""The type of an array's numbers, and its shape; None stands for any size."""

_DAMAGED = (
    OSError,
    ValueError,
    KeyError,
    TypeError,
    EOFError,
    MemoryError,
    NotImplementedError,
    zipfile.BadZipFile,
    zlib.error,
)


def data_root(root: str | None) -> Path:
    """The folder of data: `root` where given, else the environment's ATNAS_DATA, else ~/.cache/atnas."""
    chosen = root or os.environ.get("ATNAS_DATA") or "~/.cache/atnas"
    try:
        return Path(chosen).expanduser()
    except RuntimeError as error:
        raise Unable(f"{chosen} has no home folder to start from; set ATNAS_DATA to a folder") from error


def subfolders(folder: Path) -> list[Path]:
    """The folders in a folder, by name; hidden ones left out."""
    return sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))


def read_arrays(path: Path, forms: dict[str, Form]) -> list[NDArray[Any]]:
    """The arrays of an .npz file that `forms` names.

    Raises `Unable` where the file is damaged or an array is of another form. Nothing in it is ever unpickled.
    """
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            arrays = [archive[name] for name in forms]
    except _DAMAGED as error:
        raise Unable(f"{path} is damaged or not the file that its name says; put a sound copy there") from error
    for (name, form), array in zip(forms.items(), arrays, strict=True):
        if not _has(array, form):
            raise Unable(f"{path} is not the file that its name says: {name} is {array.dtype} of shape {array.shape}")
    return arrays


def _has(array: NDArray[Any], form: Form) -> bool:
    kind, shape = form
    if not np.issubdtype(array.dtype, kind) or array.ndim != len(shape):
        return False
    return all(wanted in (None, size) for size, wanted in zip(array.shape, shape, strict=True))
