"""What a run says of its memory before it begins: no less than what it takes, and not far more."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from commands import TINY, run

from atnas.runtime.device import GIB, MIB
from atnas.runtime.memory import Memory, Peak, written

PROGRAM = """\
import json, resource, sys
import torch
from atnas.cli.experiments import chosen
from atnas.compiler.space import compile
from atnas.compiler.supernet import Supernet
from atnas.runtime.device import keep_memory
from atnas.runtime.learn.beside import Beside, ground
from atnas.runtime.memory import memory
from atnas.runtime.work import Serial, Unit, Which

keep_memory()
torch.set_num_threads(1)
plan = chosen(sys.argv[1], None, sys.argv[3:]).plan
space = compile(plan.narrowed)
supernet = Supernet(space.net, space.encoding, 1)
beside = Beside.begun(plan.train.learner, ground(supernet, plan.tasks))
said = memory(plan, space, supernet, beside, 1).together(int(sys.argv[2]))
serial = Serial(plan, supernet, beside, torch.device("cpu"))
largest = space.costs.extreme("activations", largest=True)[1]
unit = Unit((largest,), tuple(Which("train", "train", i) for i in range(int(sys.argv[2]))))
for progress in (0.0, 1.0, 1.0):
    serial.gradients([unit], progress)
print(json.dumps([said, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024]))
"""

LARGE = """\
op block(c) = conv(c, 3) -> bn -> relu -> max_pool(2)

space net [image: (c, h, w)] -> logits: (way) {
  width  = 8 | 48
  logits = image -> block(width) * 3 -> flatten -> linear(way)
}

tasks t {
  source = glyphs(drawings = 31)
  query  = 30
}

train meta {
  learner    = maml(inner = sgd(lr = 0.1))
  iterations = 10
}

search draw {
  algorithm = random
  maximize accuracy
}

experiment large {
  space  = net
  tasks  = t
  train  = meta
  search = draw
}
"""


@pytest.mark.parametrize(
    ("tasks", "settings"),
    [
        (1, []),
        (4, []),
        (2, ["train.learner=maml(order = 2, steps = 3)"]),
        (4, ["train.learner=reptile"]),
        (2, ["train.learner=maml_plus"]),
        (4, ["train.learner=pretrain"]),
    ],
)
def test_it_is_an_upper_bound_and_a_close_one(tmp_path: Path, tasks: int, settings: list[str]) -> None:
    (tmp_path / "large.atnas").write_text(LARGE)
    command = [sys.executable, "-c", PROGRAM, str(tmp_path / "large.atnas"), str(tasks), *settings]
    said, taken = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    assert taken <= said <= 2 * taken


def test_tensors_count_as_long_as_they_live() -> None:
    with Peak() as peak:
        a = torch.zeros(1000, device="meta")
        b = a + 1
        assert peak.bytes == 8000
        del a
        view = b.view(10, 100)
        view += 1
        _ = b * 2
    assert peak.bytes == 8000


def test_the_first_line_of_a_run_tells_it(tmp_path: Path) -> None:
    (tmp_path / "tiny.atnas").write_text(TINY)
    done = run(tmp_path / "tiny.atnas", tmp_path / "run")
    assert f"MiB of memory, in {tmp_path / 'run'}" in done.err.splitlines()[0]


def test_more_than_there_is_is_a_warning_with_a_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    from atnas.cli.run import needs

    monkeypatch.setattr("atnas.runtime.memory.available", lambda: 2 * GIB)
    assert needs(Memory(2, 100 * MIB)) == f", {written(Memory(2, 100 * MIB).together(1))} of memory"
    assert "--workers 1 takes 1.5 GiB" in needs(Memory(2, 512 * MIB))
