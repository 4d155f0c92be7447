"""Omniglot: 1,623 handwritten characters of 50 alphabets, 20 drawings of each (Lake et al., Science 2015)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from atnas.dsl.operator import Shape
from atnas.dsl.settings import setting
from atnas.runtime.tasks.distribution import Pool, TaskSource

if TYPE_CHECKING:
    from atnas.runtime.tasks.task import Split

VAL = frozenset({"Armenian", "Bengali", "Early_Aramaic", "Hebrew", "Mkhedruli_(Georgian)"})
TEST = frozenset(
    {
        "Kannada",
        "Keble",
        "Malayalam",
        "Manipuri",
        "Mongolian",
        "Old_Church_Slavonic_(Cyrillic)",
        "Oriya",
        "Sylheti",
        "Syriac_(Serto)",
        "Tengwar",
        "Tibetan",
        "ULOG",
    }
)


def vinyals_split(alphabet: str, character: int) -> Split:
    """The split of a character, counted from 1 in its alphabet: 1028 train, 172 val, 423 test.

    That of Vinyals et al., 2016 (Matching Networks). One alphabet is divided.
    """
    if alphabet in TEST or (alphabet == "Gurmukhi" and character > 41):
        return "test"
    return "val" if alphabet in VAL else "train"


class Omniglot(TaskSource):
    """Handwritten characters of 50 alphabets; ink is 1, paper 0."""

    size: int = setting(28, ge=4, le=512, doc="height and width in pixels")
    channels: Literal[1, 3] = setting(1, doc="1, or 3 that are all alike")
    root: str | None = setting(None, doc="the folder of data, else ATNAS_DATA, else ~/.cache/atnas")
    download: bool = setting(False, doc="fetch the data where it is not there yet (about 15 MB)")

    @property
    def shape(self) -> Shape:
        return (self.channels, self.size, self.size)

    def open(self, split: Split) -> Pool:
        from atnas.runtime.tasks.omniglot_images import load

        return load(split, self.size, self.channels, self.root, self.download)
