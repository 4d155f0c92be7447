"""Did you mean."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import SequenceMatcher
from typing import Final

CUTOFF: Final = 0.6
_LONGEST: Final = 60


def nearest(word: str, words: Iterable[str]) -> str | None:
    """The one of `words` that `word` was most likely meant to be; None if none is like it.

    Upper and lower case matter only between two that are equally near.
    """
    if not word or len(word) > _LONGEST:
        return None
    scored = [(_likeness(word, other), other) for other in words if other]
    score, best = max(scored, key=lambda s: s[0], default=((0.0, 0.0), None))
    return best if score[0] >= CUTOFF else None


def _likeness(word: str, other: str) -> tuple[float, float]:
    matcher = SequenceMatcher(a=word.casefold(), b=other.casefold(), autojunk=False)
    if matcher.real_quick_ratio() < CUTOFF:
        return 0.0, 0.0
    return matcher.ratio(), SequenceMatcher(a=word, b=other, autojunk=False).ratio()
