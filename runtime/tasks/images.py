"""Image files and arrays, made one size. C channels, H height."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from atnas.dsl.errors import Unable

Images = NDArray[np.uint8]

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm"})

_UNREADABLE = (OSError, ValueError, SyntaxError, EOFError, struct.error, Image.DecompressionBombError)


def image_files(folder: Path) -> list[Path]:
    """The image files in a folder, by name; hidden ones left out."""
    found = [path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES and not path.name.startswith(".")]
    return sorted(found)


def open_image(file: Path, mode: str) -> Image.Image:
    """An image file, upright and on white where it is transparent, in one of Pillow's modes. Raises `Unable` for a bad
    one.
    """
    try:
        with Image.open(file) as opened:
            return _eight_bits(ImageOps.exif_transpose(opened)).convert(mode)
    except _UNREADABLE as error:
        raise Unable(
            f"{file} cannot be read as an image: it is damaged, of another kind or not for you to read; "
            "mend it or take it away"
        ) from error


def _eight_bits(image: Image.Image) -> Image.Image:
    """Without what Pillow cuts off or leaves out as it converts: of 16 bits the lower ones, and transparency."""
    if image.mode.startswith("I"):
        return Image.fromarray((np.asarray(image).astype(float) / 257).clip(0, 255).astype(np.uint8))
    if not image.has_transparency_data:
        return image
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image.convert("RGBA"))


def read_images(files: Iterable[Path], size: int, channels: int) -> Images:
    """Image files as [n, C, size, size], cut to the square in the middle. Raises `Unable` for a bad one."""
    with ThreadPoolExecutor() as workers:
        return np.stack(list(workers.map(lambda file: _read(file, size, channels), files)))


def readable(
    files: Iterable[Path], size: int, channels: int, skipped: Callable[[str], None] | None
) -> tuple[list[Path], Images]:
    """Those of some files that are images, as `read_images` gives them. `skipped` hears why each other one is none.

    Raises `Unable` for a bad one where nobody hears of it.
    """

    def tried(file: Path) -> Images | str:
        try:
            return _read(file, size, channels)
        except Unable as error:
            return str(error)

    every = list(files)
    with ThreadPoolExecutor() as workers:
        found = list(workers.map(tried, every))
    good = [(file, image) for file, image in zip(every, found, strict=True) if not isinstance(image, str)]
    pixels = np.stack([image for _, image in good]) if good else np.empty((0, channels, size, size), np.uint8)
    for why in found:
        if isinstance(why, str):
            if skipped is None:
                raise Unable(f"{why}; --skip-bad leaves such images out")
            skipped(why)
    return [file for file, _ in good], pixels


def resized(images: Images, size: int) -> Images:
    """[n, H, H] (grey) or [n, H, H, 3] as [n, size, size(, 3)], by Pillow's bilinear filter."""
    if images.shape[1] == size:
        return images
    square = (size, size)
    return np.stack([np.asarray(Image.fromarray(x).resize(square, Image.Resampling.BILINEAR)) for x in images])


def channels_first(images: Images, channels: int) -> Images:
    """[n, H, H] (grey) or [n, H, H, 3] as [n, channels, H, H]."""
    if images.ndim == 3:
        return np.repeat(images[:, None], channels, axis=1)
    if channels == 1:
        images = np.stack([np.asarray(Image.fromarray(x).convert("L")) for x in images])
        return images[:, None]
    return np.ascontiguousarray(np.moveaxis(images, -1, 1))


def _read(file: Path, size: int, channels: int) -> Images:
    image = open_image(file, "RGB" if channels == 3 else "L")
    pixels = np.asarray(ImageOps.fit(image, (size, size), Image.Resampling.BILINEAR))
    return pixels[None] if pixels.ndim == 2 else np.moveaxis(pixels, -1, 0)
