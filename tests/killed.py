"""Runs an experiment that is ended again and again: `python killed.py FILE OUT SIGNAL TIMES SEED`.

Each life is a fork of one process that has loaded everything, so that it begins at once, and gets a signal after a
random time; the last one is left alone. A checkpoint is written after every step, so that many lives end in one. Prints
how many lives were ended, as JSON with the exit code of the last.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time

import torch

from atnas.cli.main import guarded
from atnas.runtime import run, training  # noqa: F401

LONGEST = 0.8
"""Seconds that a life may last before it is ended."""


STOPPED = (130, -signal.SIGTERM)
"""How a life ends that was asked to; by the signal itself where it comes before anybody listens."""


def main(file: str, out: str, number: int, times: int, seed: int) -> None:
    torch.set_num_threads(1)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # where this is in the background, it is ignored
    training.SAVE_EVERY = 0.0
    rng = random.Random(seed)
    ended = 0
    while ended < times:
        life = begun(file, out)
        time.sleep(rng.uniform(0.0, LONGEST))
        os.kill(life, number)
        code = os.waitstatus_to_exitcode(os.waitpid(life, 0)[1])
        if code not in (-signal.SIGKILL, *STOPPED):
            print(json.dumps({"ended": ended, "code": code}))
            return
        ended += 1
    code = os.waitstatus_to_exitcode(os.waitpid(begun(file, out), 0)[1])
    print(json.dumps({"ended": ended, "code": code}))


def begun(file: str, out: str) -> int:
    """A process that runs the experiment."""
    life = os.fork()
    if life == 0:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1)
        os._exit(guarded(["run", file, "--out", out, "--workers", "1"]))
    return life


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], *map(int, sys.argv[3:]))
