"""Omniglot's drawings from any of its usual forms: packed arrays, folders of PNG files, archives."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from atnas.dsl.errors import Unable
from atnas.runtime.tasks.data_root import Form, data_root, read_arrays, subfolders
from atnas.runtime.tasks.download import Archive, fetch
from atnas.runtime.tasks.episodes import ImagePool
from atnas.runtime.tasks.images import Images, channels_first, image_files, open_image, resized
from atnas.runtime.tasks.omniglot import vinyals_split
from atnas.runtime.tasks.task import Split

SIDE = 105
FOLDERS = ("images_background", "images_evaluation")

_HOME = "https://raw.githubusercontent.com/brendenlake/omniglot/master/python"
ARCHIVES = (
    Archive(f"{_HOME}/images_background.zip", "68d2efa1b9178cc56df9314c21c6e718"),
    Archive(f"{_HOME}/images_evaluation.zip", "6b91aef0f799c5bb55b94e3f2daec811"),
)

_LABELS: dict[str, Form] = {
    "alphabet_names": (np.str_, (50,)),
    "alphabet": (np.integer, (1623,)),
    "character": (np.integer, (1623,)),
}


def load(split: Split, size: int, channels: int, root: str | None, download: bool) -> ImagePool:
    """The characters of one split. Raises `Unable` where there are none to be found."""
    base = data_root(root)
    names, classes = _find(base, split, size) or _download(base, split, size, download)
    return ImagePool.of(names, [channels_first(images, channels) for images in classes])


Drawings = tuple[list[str], list[Images]]
"""Names of characters, and for each its drawings, [20, size, size] with ink high."""


def _find(base: Path, split: Split, size: int) -> Drawings | None:
    for folder in (base / "omniglot", base / "omniglot-py", base):
        if size == 28 and (folder / "omniglot_28_gray.npz").is_file():
            return _from_grey(folder / "omniglot_28_gray.npz", split)
        if (folder / "omniglot_105_bits.npz").is_file():
            return _from_bits(folder / "omniglot_105_bits.npz", split, size)
        if all((folder / name).is_dir() for name in FOLDERS):
            return _from_folders(folder, split, size)
    return None


def _download(base: Path, split: Split, size: int, download: bool) -> Drawings:
    if not download:
        raise Unable(
            f'Omniglot was not found in {base}: set root = "..." or ATNAS_DATA to the folder that holds it, '
            "or fetch it with omniglot(download = true)"
        )
    for archive in ARCHIVES:
        fetch(archive, base / "omniglot")
    return _from_folders(base / "omniglot", split, size)


def _from_grey(path: Path, split: Split) -> Drawings:
    *labels, images = read_arrays(path, _LABELS | {"images": (np.uint8, (1623, 20, 28, 28))})
    names, rows = _rows(path, labels, split)
    return names, list(images[rows])


def _from_bits(path: Path, split: Split, size: int) -> Drawings:
    *labels, packed = read_arrays(path, _LABELS | {"images_packed": (np.uint8, (1623, 20, SIDE, 14))})
    names, rows = _rows(path, labels, split)
    return names, [_smaller(np.unpackbits(packed[row], axis=-1, count=SIDE) == 0, size) for row in rows]


def _rows(path: Path, labels: list[Images], split: Split) -> tuple[list[str], list[int]]:
    alphabets, alphabet, character = labels
    if alphabet.min() < 0 or alphabet.max() >= len(alphabets):
        raise Unable(f"{path} is not the file that its name says: it has characters of no alphabet")
    keys = [(str(alphabets[a]), int(c)) for a, c in zip(alphabet, character, strict=True)]
    rows = [row for row, key in enumerate(keys) if vinyals_split(*key) == split]
    return [f"{keys[row][0]}/character{keys[row][1]:02}" for row in rows], rows


def _from_folders(folder: Path, split: Split, size: int) -> Drawings:
    """`images_background/<alphabet>/character01/0709_01.png`: one file per drawing, dark ink on white."""
    characters = [
        character
        for part in FOLDERS
        for alphabet in subfolders(folder / part)
        for character in subfolders(alphabet)
        if vinyals_split(alphabet.name, _number(character)) == split
    ]
    if not characters:
        raise Unable(f"{folder} holds no characters of the {split} split; put the whole of Omniglot there")
    names = [f"{character.parent.name}/{character.name}" for character in characters]
    return names, [_smaller(_drawings(character), size) for character in characters]


def _number(character: Path) -> int:
    found = re.fullmatch(r"character(\d{2})", character.name)
    if not found:
        raise Unable(f"{character} is not a folder of Omniglot, whose names are like character01; take it away")
    return int(found[1])


def _smaller(paper: NDArray[np.bool_], size: int) -> Images:
    """[20, 105, 105], True where there is no ink, as [20, size, size] with ink high."""
    # Resized with paper high, as everywhere in the field: the other way rounds otherwise.
    return 255 - resized(paper * np.uint8(255), size)


def _drawings(character: Path) -> NDArray[np.bool_]:
    files = image_files(character)
    if not files:
        raise Unable(f"{character} holds no images; put the whole of Omniglot there")
    return np.stack([_drawing(file) for file in files])


def _drawing(file: Path) -> NDArray[np.bool_]:
    paper = np.asarray(open_image(file, "1"))
    if paper.shape != (SIDE, SIDE):
        raise Unable(f"{file} is not a drawing of Omniglot: it is not {SIDE} x {SIDE} pixels")
    return paper
