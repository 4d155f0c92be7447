"""What a run says of its memory before it begins: no less than what it takes, and not far more."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from commands import TINY, run
from PIL import Image

from atnas.runtime.device import GIB, MIB
from atnas.runtime.memory import Memory, Peak, written

PROGRAM = """\
import sys
from pathlib import Path
from atnas.cli.main import guarded
code = guarded(sys.argv[1:])
print(next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")))
sys.exit(code)
"""

LARGE = """\
op block(c) = conv(c, 3) -> bn -> relu -> max_pool(2)

space net [image: (c, h, w)] -> logits: (way) {
  width  = 8 | 48
  logits = image -> block(width) * 3 -> flatten -> linear(way)
}

tasks t {
  source = image_folder(root = "ROOT", size = 28, channels = 1)
  query  = 30
}

train meta {
  learner    = maml(inner = sgd(lr = 0.1))
  batch      = 4
  iterations = 4
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


WIDE = """\
space net [x: (1)] -> y: (1) {
  width = 512 | 1024
  y     = x -> linear(width) -> relu -> linear(width) -> relu -> linear(width) -> relu -> linear(1)
}

tasks waves { source = sinusoid }

train meta {
  learner    = maml
  iterations = 2
}

search draw {
  algorithm = random(population = 2, generations = 1)
  minimize loss(tasks = 2)
}

experiment wide {
  space  = net
  tasks  = waves
  train  = meta
  search = draw
}
"""
"""More weights than activations, and a path of its own for each of 16 tasks."""


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five classes of 31 grey images in each split."""
    root = tmp_path_factory.mktemp("images")
    for split in ("train", "val", "test"):
        for name in (f"{split}{i}" for i in range(5)):
            (root / split / name).mkdir(parents=True)
            for i in range(31):
                Image.new("L", (28, 28), 8 * i).save(root / split / name / f"{i}.png")
    return root


@pytest.mark.skipif(sys.platform != "linux", reason="the most that a process ever held is read from /proc")
@pytest.mark.parametrize(
    ("text", "changes"),
    [
        (LARGE, ["train.together=4", "train.paths=uniform(per = batch)"]),
        (LARGE, ["train.learner=maml(order = 2, steps = 3)"]),
        (LARGE, ["train.learner=maml_plus(first_order = 0.4, multi_step = 0.9)", "train.norm=running"]),
        (LARGE, ["train.learner=pretrain", "train.together=4", "train.paths=uniform(per = batch)"]),
        (WIDE, []),
    ],
)
def test_it_is_an_upper_bound_and_a_close_one(text: str, changes: list[str], images: Path, tmp_path: Path) -> None:
    (tmp_path / "large.atnas").write_text(text.replace("ROOT", str(images)))
    few = ["experiment.test_tasks=2", "experiment.random_controls=1", "search.final_tasks=2", "train.validation=2"]
    sets = [word for change in [*few, *changes] for word in ("--set", change)]
    command = ["run", tmp_path / "large.atnas", "--out", tmp_path / "run", "--workers", "1", *sets]
    done = subprocess.run([sys.executable, "-c", PROGRAM, *command], check=True, capture_output=True, text=True)
    number, unit = re.findall(r"([0-9.]+) (MiB|GiB) of memory", done.stderr)[-1]
    said = float(number) * (GIB if unit == "GiB" else MIB)
    taken = int(done.stdout.split()[-2]) * 1024
    assert taken <= said * 1.05  # it is told to a tenth of a GiB
    assert said <= 2.2 * taken


def test_nothing_that_layers_do_without_numbers_ends_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*_: object) -> int:
        raise TypeError("can't convert a meta tensor")

    monkeypatch.setattr("atnas.runtime.memory.peak_of", failing)
    (tmp_path / "tiny.atnas").write_text(TINY)
    done = run(tmp_path / "tiny.atnas", tmp_path / "run")
    assert done.code == 0
    assert "of memory" not in done.err


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
    from atnas.runtime.launch import needs

    monkeypatch.setattr("atnas.runtime.memory.available", lambda: 3 * GIB)
    assert needs(Memory(2, 100 * MIB)) == f", {written(Memory(2, 100 * MIB).together(1))} of memory"
    assert "--workers 1 takes 1.5 GiB" in needs(Memory(2, 512 * MIB))
    assert "fewer queries" in needs(Memory(1, GIB))
