"""Randomness as a function of (seed, purpose, step): nothing stored, nothing global."""

from __future__ import annotations

import hashlib
import random


def derive(seed: int, purpose: str, *steps: int) -> int:
    """A 63-bit seed of its own for each purpose and step; the same on every machine."""
    text = ":".join([str(seed), purpose, *map(str, steps)])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def stream(seed: int, purpose: str, *steps: int) -> random.Random:
    """Python's generator, seeded by `derive`."""
    return random.Random(derive(seed, purpose, *steps))
