"""CIFAR-100's images from packed arrays or from folders of image files. Its pickles are never opened."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from atnas.dsl.errors import Unable
from atnas.runtime.tasks.cifar_split import CLASSES
from atnas.runtime.tasks.data_root import Form, data_root, read_arrays
from atnas.runtime.tasks.distribution import Scale
from atnas.runtime.tasks.episodes import ImagePool
from atnas.runtime.tasks.images import Images, channels_first, image_files, read_images, resized

_SHARD: dict[str, Form] = {"residual": (np.uint8, (3, None, 32, 32)), "label": (np.integer, (None,))}


def load(names: Sequence[str], size: int, channels: int, root: str | None, scale: Scale) -> ImagePool:
    """These classes, with all images of them that are there. Raises `Unable` where there are none."""
    base = data_root(root)
    for folder in (base / "cifar100", base / "cifar-fs", base):
        shards = sorted(folder.glob("cifar100_*.npz"))
        if shards:
            classes = [channels_first(resized(images, size), channels) for images in _from_shards(shards, names)]
            return ImagePool.of(names, classes, scale.mean, scale.std)
        parts = [part for part in (folder / "data", folder / "train", folder / "test") if part.is_dir()]
        if any((part / CLASSES[0]).is_dir() for part in parts):
            classes = [_from_folders(parts, name, size, channels) for name in names]
            return ImagePool.of(names, classes, scale.mean, scale.std)
    raise Unable(_missing(base))


def _from_shards(shards: Sequence[Path], names: Sequence[str]) -> list[Images]:
    """For each class its images, [n, 32, 32, 3], shard by shard.

    `residual` is the difference modulo 256, down and across, of the planes G, R - G and B - G.
    """
    found: list[list[Images]] = [[] for _ in names]
    for shard in shards:
        residual, label = read_arrays(shard, _SHARD)
        if residual.shape[1] != len(label):
            raise Unable(f"{shard} is not the file that its name says: its images and labels do not fit together")
        for images, name in zip(found, names, strict=True):
            g, r, b = _undo(residual[:, label == CLASSES.index(name)])
            images.append(np.stack([r + g, g, b + g], -1))
    return [np.concatenate(images) for images in found]


def _undo(residual: Images) -> Images:
    return np.cumsum(np.cumsum(residual, -2, dtype=np.uint8), -1, dtype=np.uint8)


def _from_folders(parts: Sequence[Path], name: str, size: int, channels: int) -> Images:
    files = [file for part in parts if (part / name).is_dir() for file in image_files(part / name)]
    if not files:
        raise Unable(f"{parts[0].parent} holds no images of class {name!r}; put the whole of CIFAR-100 there")
    return read_images(files, size, channels)


def _missing(base: Path) -> str:
    if (base / "cifar-100-python").is_dir():
        return (
            f"{base / 'cifar-100-python'} holds pickles, which can run code and are not opened: "
            "write the images as train/<class>/*.png and test/<class>/*.png into a folder cifar100 beside it"
        )
    return (
        f'CIFAR-100 was not found in {base}: set root = "..." or ATNAS_DATA to the folder that holds '
        "cifar100/train/<class>/*.png and cifar100/test/<class>/*.png"
    )
