"""Letters of many scripts, drawn from the fonts that matplotlib installs: tasks that need no download."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from atnas.dsl.operator import Shape
from atnas.dsl.settings import setting
from atnas.runtime.tasks.distribution import Pool, TaskSource

if TYPE_CHECKING:
    from atnas.runtime.tasks.task import Split

SCRIPTS: dict[str, Split] = {
    "LATIN": "train",
    "GREEK": "train",
    "CYRILLIC": "train",
    "COPTIC": "train",
    "LISU": "train",
    "CANADIAN": "train",
    "ARABIC": "train",
    "OGHAM": "train",
    "OLD": "train",
    "TIFINAGH": "val",
    "NKO": "val",
    "HEBREW": "val",
    "GEORGIAN": "test",
    "ARMENIAN": "test",
    "LAO": "test",
}
"""The split of each script, by the first word of its letters' Unicode names (OLD ITALIC, CANADIAN SYLLABICS).

Of letters that look alike, the one of the earliest script here is a class and the others are none.
"""


class Glyphs(TaskSource):
    """Letters of 15 scripts in 12 faces of DejaVu; ink is 1, paper 0. A class is a letter.

    Its drawings differ in face, weight, slant, angle, size, width and place. The scripts of `val` (96
    letters) and `test` (218) are never seen in `train` (1167).
    """

    size: int = setting(28, ge=8, le=128, doc="height and width in pixels")
    channels: Literal[1, 3] = setting(1, doc="1, or 3 that are all alike")
    drawings: int = setting(20, ge=2, le=500, doc="drawings of each letter")

    @property
    def shape(self) -> Shape:
        return (self.channels, self.size, self.size)

    def open(self, split: Split) -> Pool:
        from atnas.runtime.tasks.glyph_images import load

        return load(split, self.size, self.channels, self.drawings)
