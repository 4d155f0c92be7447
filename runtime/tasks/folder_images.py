"""The images of a folder of classes."""

from __future__ import annotations

import hashlib
from pathlib import Path

from atnas.dsl.errors import Unable
from atnas.runtime.tasks.data_root import data_root, subfolders
from atnas.runtime.tasks.distribution import Scale
from atnas.runtime.tasks.episodes import ImagePool
from atnas.runtime.tasks.images import image_files, read_images
from atnas.runtime.tasks.task import Split

SPLITS: tuple[Split, ...] = ("train", "val", "test")


def load(
    root: str, split: Split, size: int, channels: int, fractions: tuple[float, float, float], scale: Scale
) -> ImagePool:
    """The classes of one split. Raises `Unable` where the folder is not as it should be."""
    classes = _classes(_folder(root), split, fractions)
    images = [read_images(_files(folder), size, channels) for folder in classes]
    return ImagePool.of([folder.name for folder in classes], images, scale.mean, scale.std)


def _folder(root: str) -> Path:
    for folder in (Path(root).expanduser(), data_root(None) / root):
        if folder.is_dir():
            return folder
    raise Unable(f"the folder {root} was not found; give image_folder the path of a folder with one folder per class")


def _classes(root: Path, split: Split, fractions: tuple[float, float, float]) -> list[Path]:
    folders = subfolders(root)
    if folders and {folder.name for folder in folders} <= set(SPLITS):
        folders = _split_by_hand(root, split)
    else:
        folders = _split_by_hash(folders, split, fractions)
    if not folders:
        raise Unable(f"{root} has no classes for the {split} split; give it more folders, one per class")
    return folders


def _split_by_hand(root: Path, split: Split) -> list[Path]:
    if not (root / split).is_dir():
        raise Unable(f"{root} has no folder {split}; add it, or put all classes into {root} to have them split")
    for other in SPLITS:
        shared = {folder.name for folder in subfolders(root / split)} & _class_names(root / other)
        if other != split and shared:
            raise Unable(
                f"class {min(shared)!r} is in both {root / split} and {root / other}: classes must not be "
                f"shared, so keep each in one of them, or put all classes into {root} to have them split"
            )
    return subfolders(root / split)


def _class_names(folder: Path) -> set[str]:
    return {child.name for child in subfolders(folder)} if folder.is_dir() else set()


def _split_by_hash(folders: list[Path], split: Split, fractions: tuple[float, float, float]) -> list[Path]:
    mixed = sorted(folders, key=lambda folder: hashlib.sha256(folder.name.encode()).digest())
    test = round(len(mixed) * fractions[2])
    val = round(len(mixed) * fractions[1])
    parts = {"test": mixed[:test], "val": mixed[test : test + val], "train": mixed[test + val :]}
    return sorted(parts[split])


def _files(folder: Path) -> list[Path]:
    files = image_files(folder)
    if not files:
        raise Unable(f"class folder {folder} holds no images; fill it or take it away")
    return files
