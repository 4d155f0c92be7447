"""Pictures of spaces as tests see them: what is in them, and what lies where."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import combinations, product
from pathlib import Path
from xml.etree import ElementTree

from matplotlib import get_data_path
from PIL import ImageFont

from atnas.compiler.drawing.picture import picture
from atnas.compiler.encoding import Genotype
from atnas.compiler.space import Compiled, compile
from atnas.dsl.modules import Declared
from atnas.dsl.source import Source
from atnas.runtime.checking import read_program

ROOT = Path(__file__).parents[1]
FILES = [*sorted((ROOT / "examples").glob("*.atnas")), *sorted((ROOT / "grammars" / "std").glob("*.atnas"))]
FONTS = Path(get_data_path()) / "fonts" / "ttf"
BOLD = {"title", "name", "taken"}
SVG = "{http://www.w3.org/2000/svg}"


@dataclass(frozen=True)
class Drawable:
    """A space of a file, compiled, and an architecture of it."""

    declared: Declared
    compiled: Compiled

    @property
    def genotype(self) -> Genotype:
        return self.compiled.encoding.sample(random.Random(7))

    @property
    def architecture(self) -> set[str]:
        """What is taken, as `name = value`."""
        active = self.compiled.encoding.active(self.genotype)
        decisions = zip(self.compiled.net.decisions, self.genotype, active, strict=True)
        return {f"{d.name} = {d.words[option]}" for d, option, is_active in decisions if is_active}

    @cache  # noqa: B019
    def drawn(self, way: str = "space") -> ElementTree.Element:
        genotype = None if way == "space" else self.genotype
        return ElementTree.fromstring(picture(self.declared, self.compiled.net, ["remark"], genotype, way == "alone"))


@cache
def drawables() -> dict[str, Drawable]:
    """Every space of the examples and the library, by file and name."""
    found = {}
    for file in FILES:
        program = read_program(Source(file.name, file.read_text("utf-8")), str)
        for name, worked in program.every_space().items():
            assert worked.net is not None
            found[f"{file.stem}.{name}"] = Drawable(program.module.names[name], compile(worked.net))
    return found


def drawable(text: str, name: str = "net") -> Drawable:
    program = read_program(Source("file.atnas", text), str)
    assert program.good, program.findings
    worked = program.every_space()[name]
    assert worked.net is not None
    return Drawable(program.module.names[name], compile(worked.net))


NAMES = sorted(drawables())
WAYS = ["space", "marked", "alone"]


# What is in a picture


def titles(drawn: ElementTree.Element, *kinds: str) -> Iterator[str]:
    """The lines of what is told to those who point at something, of some kinds of things alone if they are given."""
    for element in drawn.iter():
        title = element.find(f"{SVG}title")
        if title is not None and element is not drawn and (not kinds or element.get("class") in kinds):
            yield from (title.text or "").split("\n")


def words(drawn: ElementTree.Element) -> list[str]:
    """The lines of text that are seen."""
    return ["".join(text.itertext()) for text in drawn.iter(f"{SVG}text")]


def expanded(pattern: str) -> Iterator[str]:
    """`a[0..1].b` is `a[0].b` and `a[1].b`."""
    parts = re.split(r"\[(\d+)\.\.(\d+)\]", pattern)
    ranges = [range(int(a), int(b) + 1) for a, b in zip(parts[1::3], parts[2::3], strict=True)]
    for index in product(*ranges):
        yield parts[0] + "".join(f"[{i}]{rest}" for i, rest in zip(index, parts[3::3], strict=True))


def decided(drawn: ElementTree.Element) -> dict[str, str]:
    """The options of each decision that is told, by its name."""
    found = {}
    for line in titles(drawn):
        names, equals, options = line.partition(" = ")
        if equals:
            found.update({name: options for pattern in names.split(", ") for name in expanded(pattern)})
    return found


# What lies where


@dataclass(frozen=True)
class Box:
    """What something takes up; `text` of a line of text."""

    left: float
    top: float
    right: float
    bottom: float
    text: str = ""

    def meets(self, other: Box, by: float = 0.0) -> bool:
        across = self.left < other.right - by and other.left < self.right - by
        return across and self.top < other.bottom - by and other.top < self.bottom - by

    def holds(self, other: Box) -> bool:
        near = 0.2
        across = self.left <= other.left + near and other.right <= self.right + near
        return across and self.top <= other.top + near and other.bottom <= self.bottom + near


@cache
def font(is_bold: bool) -> ImageFont.FreeTypeFont:
    """The widest font that a reader is likely to see."""
    return ImageFont.truetype(str(FONTS / f"DejaVuSans{'-Bold' * is_bold}.ttf"), 100)


@cache
def room(text: str, is_bold: bool) -> float:
    return font(is_bold).getlength(text) / 100


def text_box(element: ElementTree.Element) -> Box:
    size, x, y = (float(element.get(key, "0")) for key in ("font-size", "x", "y"))
    parts = [(element.text or "", "")]
    for run in element:
        parts += [(run.text or "", run.get("class", "")), (run.tail or "", "")]
    width = size * sum(room(text, kind in BOLD) for text, kind in parts)
    left = x - width / 2 if element.get("text-anchor") == "middle" else x
    return Box(left, y - 0.78 * size, left + width, y + 0.22 * size, "".join(text for text, _ in parts))


def rectangle(element: ElementTree.Element) -> Box:
    x, y, width, height = (float(element.get(key, "0")) for key in ("x", "y", "width", "height"))
    return Box(x, y, x + width, y + height)


def boxes(drawn: ElementTree.Element) -> tuple[Box, list[Box], list[Box]]:
    """The canvas, the boxes on it and the lines of text."""
    canvas, *rest = [rectangle(element) for element in drawn.iter(f"{SVG}rect")]
    return canvas, rest, [text_box(element) for element in drawn.iter(f"{SVG}text")]


def untidy(drawn: ElementTree.Element) -> list[object]:
    """What overlaps or leaves the canvas."""
    canvas, rectangles, texts = boxes(drawn)
    out: list[object] = [box for box in (*rectangles, *texts) if not canvas.holds(box)]
    out += [(a.text, b.text) for a, b in combinations(texts, 2) if a.meets(b)]
    pairs = combinations(rectangles, 2)
    out += [(a, b) for a, b in pairs if a.meets(b, 0.2) and not (a.holds(b) or b.holds(a))]
    return out + [(text, box) for text in texts for box in rectangles if text.meets(box) and not box.holds(text)]
