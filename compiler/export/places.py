"""Which ops and bindings of a space a layer stands in, read off the places of all layers.

A place is a way from the outside in: `logits/dag[0]/x1/edge/unit~2/conv` is the layer `conv` in the op `unit` in the op
`edge`, bound to `x1` in the cell `dag`, bound to `logits` in the space.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

SUFFIX = re.compile(r"((?:\[\d+\])*)(?:~\d+)?$")
"""The turns of `*` and `for`, and the number of a use that is not the first at its place."""


def word(step: str) -> str:
    """What is used at a step of a place: `unit` of `unit[1]~2`."""
    return SUFFIX.sub("", step)


@dataclass(frozen=True)
class Use:
    """The use of an op or, last, of a layer. `binding` is the name it is bound to in the op around it, if any."""

    place: str
    word: str
    turns: str
    binding: str


class Places:
    """The places of a space."""

    def __init__(self, places: Iterable[str]) -> None:
        self._below: dict[str, set[str]] = defaultdict(set)
        self._leaves: set[str] = set()
        for place in places:
            steps = place.split("/")
            for i, step in enumerate(steps):
                self._below["/".join(steps[:i])].add(step)
            self._leaves.add(place)

    def uses(self, place: str) -> tuple[Use, ...]:
        """The uses that a layer stands in, the outermost first, and its own."""
        found: list[Use] = []
        binding, above = "", ""
        for step in place.split("/"):
            here = f"{above}/{step}" if above else step
            if not binding and self._binds(above):
                binding = step
            else:
                turns = SUFFIX.search(step)
                assert turns is not None
                found.append(Use(here, word(step), turns[1], binding))
                binding = ""
            above = here
        return tuple(found)

    def _binds(self, above: str) -> bool:
        """Whether what stands directly below is bound to names: these have no suffixes, and layers below them."""
        steps = self._below[above]
        inside = (f"{above}/{step}" if above else step for step in steps)
        return not above or not (any(SUFFIX.search(s)[0] for s in steps) or self._leaves.intersection(inside))  # type: ignore[index]
