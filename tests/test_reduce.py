"""`atnas reduce`: from a trial that failed to the smallest architecture that fails so, and its place in the source."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from commands import TINY, atnas, run, sentence

LAYERS = """
import os

from torch import nn


class Picky(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.linear = nn.Linear(n, n)

    def forward(self, x):
        if not x.is_meta and x.abs().sum() > 0:
            HOW
        return self.linear(x)
"""

RAISES = 'raise IndexError("no such unit")'
SMALLEST = {"width": 4, "y.layer.depth": 1, "y.layer[0]": "picky"}
LARGE = {"width": 12, "y.layer.depth": 3, "y.layer[0]": "relu", "y.layer[1]": "picky", "y.layer[2]": "tanh"}

SPACE = TINY.replace(
    "op layer(c) = linear(c) -> (relu | tanh)",
    'extern op picky [x: (n)] -> (n) = "picky_layers:Picky"\n\nop layer(c) = linear(c) -> (relu | tanh | picky)',
).replace("* 1..2", "* 1..3")

Broken = Callable[[str], Path]


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with a layer, a program and a run of which no trial failed."""
    root = tmp_path_factory.mktemp("sound")
    (root / "picky_layers.py").write_text(LAYERS.replace("HOW", "pass"))
    (root / "tiny.atnas").write_text(SPACE)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(root)
        assert run(root / "tiny.atnas", root / "run").code == 0
    sys.modules.pop("picky_layers", None)
    yield root


@pytest.fixture
def broken(sound: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Broken]:
    """The same, once the layer fails in a way."""

    def made(how: str) -> Path:
        root = shutil.copytree(sound, tmp_path / "broken")
        (root / "picky_layers.py").write_text(LAYERS.replace("HOW", how))
        monkeypatch.syspath_prepend(root)
        return root

    yield made
    sys.modules.pop("picky_layers", None)


@pytest.mark.parametrize(
    ("how", "said", "found"),
    [
        (RAISES, "IndexError: no such unit", True),
        ("return self.linear(x) * float('nan')", "loss is no finite number", True),
        ("os._exit(9)", "a worker process ended", False),
    ],
    ids=["it raises", "it gives no number", "it ends the process"],
)
def test_what_is_left_is_the_cause(how: str, said: str, found: bool, broken: Broken) -> None:
    """One layer of four units, and the module at fault, which stood in the middle of three."""
    ended = atnas("reduce", broken(how) / "run", "--arch", json.dumps(LARGE), "--json")
    assert ended.code == 0, ended.err
    whole = json.loads(ended.out)
    assert whole["architecture"] == SMALLEST
    assert whole["failure"].startswith(said)
    (needed,) = whole["needed"]
    assert (needed["decision"], needed["option"], needed["works"]) == ("y.layer[0]", "picky", ["relu", "tanh"])
    assert "(relu | tanh | picky)" in SPACE.splitlines()[needed["start"]["line"] - 1]
    layer = whole["layer"]
    assert (layer is not None) == found
    if layer:
        line = SPACE.splitlines()[layer["start"]["line"] - 1]
        assert line[layer["start"]["column"] - 1 :].startswith("picky")


def test_the_first_trial_that_failed_is_shown_in_the_source(broken: Broken) -> None:
    root = broken(RAISES)
    assert sentence(atnas("reduce", root / "run")) == (
        f"no trial of {root / 'run'} failed; --arch names another architecture"
    )
    ended = run(root / "tiny.atnas", root / "again")
    assert ended.code == 0, ended.err
    trials = [json.loads(line) for line in (root / "again" / "trials.jsonl").read_text().splitlines()]
    failed = [trial for trial in trials if trial["failure"]]
    assert f"{len(failed)} of {len(trials)} trials failed: `atnas reduce {root / 'again'}` shows why" in ended.err
    before = {path: path.read_bytes() for path in (root / "again").rglob("*") if path.is_file()}
    ended = atnas("reduce", root / "again")
    assert ended.code == 0, ended.err
    assert ended.err == f"trial {failed[0]['number']} failed: IndexError: no such unit\n"
    first, second, architecture, *excerpt = ended.out.splitlines()
    assert first == "IndexError: no such unit"
    assert second.startswith("The smallest that fails so, of ")
    assert json.loads(architecture) == SMALLEST
    assert any("op layer(c) = linear(c) -> (relu | tanh | picky)" in line for line in excerpt)
    assert any("is where it happens" in line for line in excerpt)
    assert any('`y.layer[0]` is "picky"; with "relu" or "tanh" it works' in line for line in excerpt)
    assert {path: path.read_bytes() for path in (root / "again").rglob("*") if path.is_file()} == before


def test_what_does_not_fail_is_not_reduced(broken: Broken) -> None:
    well = {"width": 4, "y.layer.depth": 1, "y.layer[0]": "relu"}
    ended = atnas("reduce", broken(RAISES) / "run", "--arch", json.dumps(well))
    assert ended.code == 2
    assert sentence(ended) == "this architecture does not fail with the weights that are there now"


TIED = """\
extern op picky [x: (n)] -> (n) = "picky_layers:Picky"

space mlp [x: (1)] -> y: (1) {
  a = 4..24 step 4
  b = 4..24 step 4
  y = x -> linear(a) -> picky -> linear(b) -> picky -> linear(1)
  require a == b
}
"""


def test_decisions_that_a_constraint_ties_change_together(tmp_path: Path, broken: Broken) -> None:
    broken("if len(self.linear.bias) >= 8: " + RAISES)
    text = TIED + TINY[TINY.index("tasks waves") :]
    (tmp_path / "tied.atnas").write_text(text)
    ended = run(tmp_path / "tied.atnas", tmp_path / "run", "--set", "train.iterations=1")
    assert (tmp_path / "run" / "program.atnasc").exists(), ended.err
    ended = atnas("reduce", tmp_path / "run", "--arch", '{"a": 24, "b": 24}', "--json")
    assert ended.code == 0, ended.err
    whole = json.loads(ended.out)
    assert whole["architecture"] == {"a": 8, "b": 8}
    assert [needed["works"] for needed in whole["needed"]] == [[4], [4]]
