"""PyGlove: uniform samples and mutants of two spaces. Prints JSON: for each, how many a second in each round.

Run by `benchmarks/space.py` with an interpreter that has pyglove.
"""

from __future__ import annotations

import json
import random
import sys

import pyglove as pg
from rates import rate

OPERATIONS = ["none", "skip", "conv_1x1", "conv_3x3", "avg_pool"]


def nas_bench_201():
    return pg.Dict({f"edge{i}": pg.oneof(OPERATIONS) for i in range(6)})


def once_for_all():
    """Five stages of two to four blocks: 7371^5, as pyglove counts too."""

    def block():
        return pg.Dict(kernel=pg.oneof([3, 5, 7]), expand=pg.oneof([3, 4, 6]))

    def stage():
        return pg.oneof([[block() for _ in range(depth)] for depth in (2, 3, 4)])

    return pg.Dict({f"stage{i}": stage() for i in range(5)})


def main() -> None:
    rounds, seconds = int(sys.argv[1]), float(sys.argv[2])
    found = {}
    for name, space in (("nas_bench_201", nas_bench_201()), ("once_for_all", once_for_all())):
        found |= rates(name, pg.dna_spec(space), rounds, seconds)
    print(json.dumps(found))


def rates(name: str, spec, rounds: int, seconds: float) -> dict:
    rng = random.Random(0)
    parent = pg.random_dna(spec, rng)
    mutator = pg.evolution.mutators.Uniform(seed=1)
    return {
        f"{name}, samples": [rate(lambda: pg.random_dna(spec, rng), seconds) for _ in range(rounds)],
        f"{name}, mutants": [rate(lambda: mutator.mutate(parent), seconds) for _ in range(rounds)],
        f"{name}, architectures": spec.space_size,
    }


if __name__ == "__main__":
    main()
