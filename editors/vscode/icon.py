"""Draws icon.png: a supernet of four layers with one of its paths lit. `python icon.py` draws it anew."""

from __future__ import annotations

from itertools import pairwise, product
from pathlib import Path

from PIL import Image, ImageDraw

SIZE, FINER = 256, 8
LAYERS = (1, 3, 3, 1)
PATH = (0, 0, 2, 0)
GROUND, FAINT, LIT = "#1b1f3b", "#4a5290", "#ffb454"

Point = tuple[float, float]


def place(layer: int, node: int) -> Point:
    """The middle of a node."""
    x = 44 + layer * (SIZE - 88) / (len(LAYERS) - 1)
    return x, SIZE / 2 + 68 * (node - (LAYERS[layer] - 1) / 2)


def icon() -> Image.Image:
    """The picture, drawn large and made small, so that its edges are smooth."""
    image = Image.new("RGBA", (SIZE * FINER, SIZE * FINER))
    draw = ImageDraw.Draw(image)
    draw.rounded_rectangle((0, 0, SIZE * FINER - 1, SIZE * FINER - 1), 48 * FINER, GROUND)
    for layer in range(len(LAYERS) - 1):
        for a, b in product(range(LAYERS[layer]), range(LAYERS[layer + 1])):
            line(draw, place(layer, a), place(layer + 1, b), 4, FAINT)
    lit = [place(layer, node) for layer, node in enumerate(PATH)]
    for a, b in pairwise(lit):
        line(draw, a, b, 9, LIT)
    for layer, count in enumerate(LAYERS):
        for node in range(count):
            dot(draw, place(layer, node), LIT if PATH[layer] == node else FAINT)
    return image.resize((SIZE, SIZE), Image.Resampling.LANCZOS)


def line(draw: ImageDraw.ImageDraw, a: Point, b: Point, width: int, color: str) -> None:
    draw.line([(x * FINER, y * FINER) for x, y in (a, b)], color, width * FINER)


def dot(draw: ImageDraw.ImageDraw, at: Point, color: str) -> None:
    x, y = at
    box = [(c + d) * FINER for d in (-18, 18) for c in (x, y)]
    draw.ellipse(box, color, GROUND, 5 * FINER)


if __name__ == "__main__":
    icon().save(Path(__file__).with_name("icon.png"), optimize=True)
