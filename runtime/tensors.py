"""Tensors in a file: safetensors, with what is to be known of them and a checksum of all in its header."""

from __future__ import annotations

import json
from binascii import crc32
from collections.abc import Mapping
from pathlib import Path
from stat import S_ISREG
from typing import TYPE_CHECKING, Final

from atnas.dsl.errors import Unable
from atnas.runtime.device import available
from atnas.runtime.files import write
from atnas.runtime.records import CHECKSUM, Json, parsed

if TYPE_CHECKING:
    from torch import Tensor

ABOUT: Final = "atnas"


def save_tensors(path: Path, tensors: Mapping[str, Tensor], about: Mapping[str, Json]) -> None:
    """Replaces a file. Raises `Unable` where the disk refuses."""
    from safetensors.torch import save

    whole = {name: tensor.detach().contiguous().cpu() for name, tensor in tensors.items()}
    # One entry only: safetensors writes several in any order.
    write(path, save(whole, {ABOUT: json.dumps({**about, CHECKSUM: _checksum(whole, about)})}))


def load_tensors(path: Path, sealed: bool) -> tuple[dict[str, Tensor], dict[str, Json]]:
    """What was saved. Raises `Unable` where it is missing, damaged, or has no checksum though `sealed` says so."""
    from safetensors import SafetensorError, safe_open

    try:
        free, status = available(), path.stat()
        if not S_ISREG(status.st_mode):
            raise Unable(f"{path} is damaged: it is no file")
        if free is not None and status.st_size > free:
            raise Unable(f"{path} holds more numbers than there is memory")
        with safe_open(path, framework="pt") as file:
            about = parsed((file.metadata() or {})[ABOUT])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        told = about.pop(CHECKSUM, None)
    except FileNotFoundError:
        raise Unable(f"{path} is not there") from None
    except (SafetensorError, OSError, KeyError, ValueError, TypeError) as error:
        raise Unable(f"{path} is damaged") from error
    if (sealed or told is not None) and told != _checksum(tensors, about):
        raise Unable(f"{path} is damaged: its checksum does not fit")
    return tensors, about


def _checksum(tensors: Mapping[str, Tensor], about: Mapping[str, Json]) -> str:
    """The CRC-32 of what is known of them, and of each in order of its name: name, type, shape and bytes."""
    import torch

    found = crc32(json.dumps(about).encode())
    for name, tensor in sorted(tensors.items()):
        found = crc32(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode(), found)
        found = crc32(tensor.reshape(-1).view(torch.uint8).numpy().data, found)
    return f"{found:08x}"
