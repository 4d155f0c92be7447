"""Thousands of ways to damage what a run left: a clear sentence, or what was there before; never anything else."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from commands import atnas, run
from runs import INTERLEAVED, at, left, program

from atnas.dsl.errors import Unable
from atnas.runtime import training
from atnas.runtime.report.material import material
from atnas.runtime.trained import architecture, trained

MUTATIONS = 2_000
RESUMED = 60

FILES = (
    "program.atnasc",
    "run.json",
    "metrics.jsonl",
    "trials.jsonl",
    "best.json",
    "result.json",
    "test.json",
    "checkpoints/best.safetensors",
)


def flip(content: bytes, rng: random.Random) -> bytes:
    place = rng.randrange(len(content))
    return content[:place] + bytes([content[place] ^ 1 << rng.randrange(8)]) + content[place + 1 :]


def cut(content: bytes, rng: random.Random) -> bytes:
    return content[: rng.randrange(len(content))]


def blank(content: bytes, rng: random.Random) -> bytes:
    """Zeros, as a disk leaves them that lost a block."""
    first = rng.randrange(len(content))
    length = min(rng.randrange(1, 64), len(content) - first)
    return content[:first] + bytes(length) + content[first + length :]


def swap(content: bytes, rng: random.Random) -> bytes:
    """Two lines in each other's places, one twice, or one gone."""
    lines = content.splitlines(keepends=True)
    i, j = rng.randrange(len(lines)), rng.randrange(len(lines))
    kind = rng.randrange(3)
    if kind == 0:
        lines[i], lines[j] = lines[j], lines[i]
    elif kind == 1:
        lines.insert(i, lines[j])
    else:
        del lines[i]
    return b"".join(lines)


WAYS: tuple[Callable[[bytes, random.Random], bytes], ...] = (flip, cut, blank, swap)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of a finished run."""
    root = tmp_path_factory.mktemp("finished")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "SAVE_EVERY", 0.0)
        assert run(program(root, INTERLEAVED), root / "run").code == 0
    yield root / "run"


def seen(folder: Path) -> dict[str, Any]:
    """All that a report shows and a model is made of."""
    told, opened = material(folder), trained(folder)
    return {
        "about": dict(told.summary.about),
        "result": dict(told.result),
        "metrics": list(told.metrics),
        "trials": list(told.trials),
        "tests": dict(told.tests),
        "best": architecture(opened, "best"),
        "space": opened.space.encoding.count(),
        "weights": {name: tensor.tolist() for name, tensor in opened.supernet.state_dict().items()},
    }


def test_what_is_read_of_a_damaged_run_is_right_or_refused(finished: Path, tmp_path: Path) -> None:
    whole, folder = seen(finished), shutil.copytree(finished, tmp_path / "run")
    rng = random.Random(1)
    refused = 0
    for _ in range(MUTATIONS // len(FILES)):
        for name in FILES:
            content = (finished / name).read_bytes()
            way = rng.choice(WAYS)
            (folder / name).write_bytes(way(content, rng))
            try:
                found = seen(folder)
            except Unable as error:
                refused += 1
                assert str(folder) in str(error), error
            else:
                same_but_for_curves(found, whole)
            (folder / name).write_bytes(content)
    assert refused > MUTATIONS / 3


def same_but_for_curves(found: dict[str, Any], whole: dict[str, Any]) -> None:
    """Of curves points may be missing."""
    for name, value in whole.items():
        if name == "metrics":
            assert all(event in value for event in found[name])
        else:
            assert found[name] == value, name


@pytest.mark.parametrize("seed", range(RESUMED))
def test_a_damaged_run_goes_on_to_the_same_end_or_says_what_is_wrong(
    seed: int, finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "SAVE_EVERY", 0.0)
    rng = random.Random(seed)
    file, out = program(tmp_path, INTERLEAVED), tmp_path / "run"
    with at("train", rng.randrange(4, 9)):
        assert run(file, out).code == 130
    files = sorted(path for path in out.rglob("*") if path.is_file() and "tfevents" not in path.name)
    damaged = rng.sample(files, rng.randrange(1, 3))
    for path in damaged:
        path.write_bytes(rng.choice(WAYS)(path.read_bytes(), rng))
    before = {path: path.read_bytes() for path in files}
    ended = run(file, out)
    assert "Traceback" not in ended.err
    if ended.code == 0:
        found, whole = left(out), left(finished)
        if out / "metrics.jsonl" in damaged:
            assert [event for event in found.metrics if event not in whole.metrics] == [], (damaged, ended.err)
            found = replace(found, metrics=whole.metrics)
        assert found == whole
    else:
        assert ended.code == 2
        assert ended.err.splitlines()[-1].startswith("atnas: ")
        assert all(path.exists() for path in before if "checkpoints" not in path.parts)


def test_a_damaged_checkpoint_says_that_the_one_before_is_taken(
    finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "SAVE_EVERY", 0.0)
    file, out = program(tmp_path, INTERLEAVED), tmp_path / "run"
    with at("train", 6):
        assert run(file, out).code == 130
    newest = out / "checkpoints" / "step-00000006.safetensors"
    content = bytearray(newest.read_bytes())
    content[-1] ^= 4  # in the middle of a number, which nothing but a checksum notices
    newest.write_bytes(content)
    ended = run(file, out)
    assert ended.code == 0, ended.err
    assert f"{newest} is damaged: its checksum does not fit: going on from the checkpoint before it" in ended.err
    assert "going on at iteration 5 of 8" in ended.err
    assert left(out) == left(finished)


def test_three_checkpoints_are_kept(finished: Path) -> None:
    kept = sorted(path.stem for path in (finished / "checkpoints").glob("step-*"))
    assert kept == ["step-00000006", "step-00000007", "step-00000008"]


def test_a_number_in_a_result_that_was_changed_is_not_believed(finished: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(finished, tmp_path / "run")
    result = json.loads((folder / "result.json").read_text())
    (folder / "result.json").write_text(json.dumps({**result, "score": 0.0}, indent=2))
    ended = atnas("report", folder, "-o", tmp_path / "page.html")
    assert ended.code == 2
    assert "result.json is damaged" in ended.err
