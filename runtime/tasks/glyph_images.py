"""Drawing letters: which ones there are, and each in many ways."""

from __future__ import annotations

import math
import random
import unicodedata
from functools import cache
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.ft2font import FT2Font
from numpy.typing import NDArray
from PIL import Image, ImageFont

from atnas.dsl.errors import Unable
from atnas.runtime.seeds import stream
from atnas.runtime.tasks.episodes import ImagePool
from atnas.runtime.tasks.glyphs import SCRIPTS
from atnas.runtime.tasks.images import Images, channels_first
from atnas.runtime.tasks.task import Split

REFERENCE = "DejaVuSans"
FACES = (
    REFERENCE,
    "DejaVuSans-Bold",
    "DejaVuSans-Oblique",
    "DejaVuSans-BoldOblique",
    "DejaVuSerif",
    "DejaVuSerif-Bold",
    "DejaVuSerif-Italic",
    "DejaVuSerif-BoldItalic",
    "DejaVuSansMono",
    "DejaVuSansMono-Bold",
    "DejaVuSansMono-Oblique",
    "DejaVuSansMono-BoldOblique",
)

ALIKE = 0.95
"""Letters whose reference pictures have a cosine above this are taken as the same."""

ANGLE = 10.0
SHEAR = 0.2
STRETCH = 0.15
SIZES = (0.7, 0.92)
DRIFT = 0.7
"""How drawings differ: turned by up to `ANGLE` degrees, slanted by up to `SHEAR` of the height, wider or
narrower by up to a factor exp(`STRETCH`), as long as a share of the image within `SIZES`, and moved by up to
`DRIFT` of the room that is left. Nearest neighbours in pixels then reach 58 % on 5-way 1-shot tasks of the
test letters (Omniglot: 44 %)."""


def load(split: Split, size: int, channels: int, drawings: int) -> ImagePool:
    """The letters of one split. The same pictures wherever Pillow and matplotlib are the same."""
    chosen = [letter for letter in letters() if SCRIPTS[script(letter)] == split]
    classes = [channels_first(_drawings(letter, size, drawings), channels) for letter in chosen]
    return ImagePool.of([f"{script(letter).lower()}/{letter}" for letter in chosen], classes)


def script(letter: str) -> str:
    """The first word of a letter's Unicode name."""
    return unicodedata.name(letter, "").partition(" ")[0]


@cache
def letters() -> tuple[str, ...]:
    """All classes: letters of the reference face that look like none before them."""
    found = [chr(code) for code in sorted(_codes(REFERENCE)) if _is_letter(chr(code))]
    found.sort(key=lambda letter: list(SCRIPTS).index(script(letter)))
    pictures = np.stack([_reference_picture(letter) for letter in found]).reshape(len(found), -1).astype(float)
    lengths = np.sqrt((pictures**2).sum(1))
    alike = pictures @ pictures.T > ALIKE * np.outer(lengths, lengths)
    kept = np.zeros(len(found), dtype=bool)
    for i in range(len(found)):
        kept[i] = not alike[i, kept].any()
    return tuple(letter for letter, keep in zip(found, kept, strict=True) if keep)


def _is_letter(letter: str) -> bool:
    """Whether it is of one of our scripts; accented letters, ligatures and modifiers are not."""
    if unicodedata.category(letter) not in ("Lu", "Ll", "Lo"):
        return False
    return script(letter) in SCRIPTS and not unicodedata.decomposition(letter)


def _reference_picture(letter: str, side: int = 24) -> NDArray[np.uint8]:
    """The letter's ink, as large as fits."""
    ink = _ink(REFERENCE, letter, 64)
    scale = side / max(ink.size)
    width, height = (max(1, round(length * scale)) for length in ink.size)
    picture = Image.new("L", (side, side))
    picture.paste(ink.resize((width, height), Image.Resampling.BOX), ((side - width) // 2, (side - height) // 2))
    return np.asarray(picture)


def _drawings(letter: str, size: int, drawings: int) -> Images:
    """[drawings, size, size], ink high. Every face comes equally often."""
    faces = [face for face in FACES if ord(letter) in _codes(face)]
    rng = stream(0, "glyphs", ord(letter))
    inks = [_ink(face, letter, round(1.4 * size)) for face in faces]
    return np.stack([_draw(inks[i % len(inks)], size, rng) for i in range(drawings)])


def _draw(ink: Image.Image, size: int, rng: random.Random) -> Images:
    """The ink under a random affine map that leaves all of it inside the image, a pixel from its border."""
    width, height, room = ink.width / 2, ink.height / 2, size / 2 - 1
    a, b, c, d = _map(size / max(ink.size), rng)
    right, down = abs(a) * width + abs(b) * height, abs(c) * width + abs(d) * height
    shrink = min(1.0, room / max(right, down))
    a, b, c, d = a * shrink, b * shrink, c * shrink, d * shrink
    x = size / 2 + _within(rng, DRIFT * (room - right * shrink))
    y = size / 2 + _within(rng, DRIFT * (room - down * shrink))
    # Pillow wants the way back, from a place in the picture to one in the ink.
    det = a * d - b * c
    a, b, c, d = d / det, -b / det, -c / det, a / det
    back = (a, b, width - a * x - b * y, c, d, height - c * x - d * y)
    return np.asarray(ink.transform((size, size), Image.Transform.AFFINE, back, Image.Resampling.BILINEAR))


def _map(scale: float, rng: random.Random) -> tuple[float, float, float, float]:
    """A rotation times a shear times a scaling, row by row."""
    angle = math.radians(_within(rng, ANGLE))
    shear = _within(rng, SHEAR)
    stretch = math.exp(_within(rng, STRETCH))
    scale *= SIZES[0] + (SIZES[1] - SIZES[0]) * rng.random()
    cos, sin = math.cos(angle), math.sin(angle)
    across, down = scale * stretch, scale / stretch
    return cos * across, (cos * shear - sin) * down, sin * across, (sin * shear + cos) * down


def _within(rng: random.Random, limit: float) -> float:
    """A number from -limit to limit."""
    return limit * (2 * rng.random() - 1)


def _ink(face: str, letter: str, pixels: int) -> Image.Image:
    """The letter alone, with nothing around it."""
    mask = _font(face, pixels).getmask(letter, mode="L")
    ink = Image.frombytes("L", mask.size, bytes(mask))
    return ink.crop(ink.getbbox())


@cache
def _font(face: str, pixels: int) -> ImageFont.FreeTypeFont:
    # The basic engine does the same whether or not a text-shaping library is installed.
    return ImageFont.truetype(str(_file(face)), pixels, layout_engine=ImageFont.Layout.BASIC)


@cache
def _codes(face: str) -> frozenset[int]:
    return frozenset(FT2Font(str(_file(face))).get_charmap())


def _file(face: str) -> Path:
    path = Path(matplotlib.get_data_path(), "fonts", "ttf", f"{face}.ttf")
    if not path.is_file():
        raise Unable(f"matplotlib's font {path} is not there; install matplotlib again")
    return path
