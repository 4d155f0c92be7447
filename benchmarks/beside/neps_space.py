"""NePS: samples and mutants of two spaces. Prints JSON: for each, how many a second in each round.

Run by `benchmarks/space.py` with an interpreter that has neural-pipeline-search.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import warnings
from pathlib import Path

from rates import rate

warnings.filterwarnings("ignore")
with Path(os.devnull).open("w") as nowhere, contextlib.redirect_stderr(nowhere):
    import neps
    from neps.space.neps_spaces.neps_space import resolve
    from neps.space.neps_spaces.sampling import MutateByForgettingSampler, RandomSampler

OPERATIONS = ("none", "skip", "conv_1x1", "conv_3x3", "avg_pool")


class NasBench201(neps.PipelineSpace):
    edge0 = neps.Categorical(OPERATIONS)
    edge1 = neps.Categorical(OPERATIONS)
    edge2 = neps.Categorical(OPERATIONS)
    edge3 = neps.Categorical(OPERATIONS)
    edge4 = neps.Categorical(OPERATIONS)
    edge5 = neps.Categorical(OPERATIONS)


class OnceForAll(neps.PipelineSpace):
    """Five stages of two to four blocks, each of one of nine kinds."""

    _kernel = neps.Categorical((3, 5, 7))
    _expand = neps.Categorical((3, 4, 6))
    _block = neps.Operation("block", args=(_kernel.resample(), _expand.resample()))
    _stage = neps.Categorical(
        (
            neps.Operation("stage", args=(_block.resample(),) * 2),
            neps.Operation("stage", args=(_block.resample(),) * 3),
            neps.Operation("stage", args=(_block.resample(),) * 4),
        )
    )
    stage0 = _stage.resample()
    stage1 = _stage.resample()
    stage2 = _stage.resample()
    stage3 = _stage.resample()
    stage4 = _stage.resample()


def main() -> None:
    rounds, seconds = int(sys.argv[1]), float(sys.argv[2])
    found = {}
    for name, space in (("nas_bench_201", NasBench201()), ("once_for_all", OnceForAll())):
        _, made = resolve(space, RandomSampler({}))
        parent = made.samplings_made

        def sample(space=space):
            return resolve(space, RandomSampler({}))

        def mutant(space=space, parent=parent):
            return resolve(space, MutateByForgettingSampler(parent, n_forgets=1))

        found[f"{name}, samples"] = [rate(sample, seconds) for _ in range(rounds)]
        found[f"{name}, mutants"] = [rate(mutant, seconds) for _ in range(rounds)]
        found[f"{name}, decisions of one sample"] = len(parent)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
