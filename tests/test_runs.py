"""`atnas runs`: runs in short, beside those that were judged alike."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from commands import TINY, atnas, run

from atnas.runtime.lock import locked
from atnas.runtime.records import document_of


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two runs of one protocol, one of another, one that was not finished, and other things."""
    root = tmp_path_factory.mktemp("made")
    (root / "tiny.atnas").write_text(TINY)
    for name, *changes in (
        ("a", "experiment.seed=1"),
        ("group/b", "train.iterations=3"),
        ("other", "tasks.shot=2"),
    ):
        words = [word for change in changes for word in ("--set", change)]
        ended = run(root / "tiny.atnas", root / "runs" / name, *words)
        assert ended.code == 0, ended.err
    (root / "runs" / "notes").mkdir()
    (root / "runs" / "notes" / "ideas.txt").write_text("more layers")
    stopped = root / "runs" / "stopped"
    shutil.copytree(root / "runs" / "a", stopped)
    (stopped / "result.json").unlink()
    return root / "runs"


def listed(root: Path) -> list[dict[str, Any]]:
    ended = atnas("runs", root, "--json")
    assert ended.code == 0, ended.err
    whole = json.loads(ended.out)
    assert whole["version"] == 1
    found: list[dict[str, Any]] = whole["runs"]
    return found


def test_runs_of_one_protocol_stand_in_one_table_best_first(made: Path) -> None:
    ended = atnas("runs", made)
    assert ended.code == 0, ended.err
    tables = ended.out.split("source Sinusoid")
    assert len(tables) == 3
    assert "shot 4" in tables[2] and "shot 2" in tables[1]
    losses = {
        name: json.loads((made / name / "result.json").read_text())["score"] for name in ("a", "group/b", "other")
    }
    better, worse = sorted(("a", "group/b"), key=lambda name: losses[name])
    assert 0 < tables[2].index(f" {better} ") < tables[2].index(f" {worse} ")
    assert " other " in tables[1] and " other " not in tables[2]
    assert "stopped │ 8 of 8" in ended.out
    assert "ideas" not in ended.out


def test_each_run_is_told_in_json(made: Path) -> None:
    found = {Path(each["folder"]).relative_to(made).as_posix(): each for each in listed(made)}
    assert {name: each["state"] for name, each in found.items()} == {
        "a": "finished",
        "group/b": "finished",
        "other": "finished",
        "stopped": "stopped",
    }
    assert found["group/b"]["result"]["training"]["iterations"] == found["group/b"]["step"] == 3
    assert found["stopped"]["result"] is None
    assert found["a"]["about"]["seed"] == 1


def test_one_run_may_be_asked_for(made: Path) -> None:
    assert [each["folder"] for each in listed(made / "a")] == [str(made / "a")]


def test_a_run_that_somebody_is_at_says_so(made: Path) -> None:
    with locked(made / "stopped"):
        assert [each["state"] for each in listed(made / "stopped")] == ["at work"]


@pytest.mark.parametrize("file", ["run.json", "result.json"])
def test_a_damaged_run_is_told_beside_the_others(file: str, made: Path, tmp_path: Path) -> None:
    shutil.copytree(made / "a", tmp_path / "a")
    shutil.copytree(made / "a", tmp_path / "b")
    text = (tmp_path / "b" / file).read_text()
    (tmp_path / "b" / file).write_text(text.replace("1", "7", 1))
    one, other = listed(tmp_path)
    assert (one["state"], other["state"]) == ("finished", "damaged")
    assert file in other["trouble"]
    assert "is damaged" in atnas("runs", tmp_path).out


def test_where_there_is_none_it_says_how_to_make_one(tmp_path: Path) -> None:
    ended = atnas("runs", tmp_path)
    assert (ended.code, ended.out) == (0, "")
    assert "atnas run FILE" in ended.err
    missing = atnas("runs", tmp_path / "missing")
    assert missing.code == 2
    assert missing.err == f"atnas: {tmp_path / 'missing'} is no folder; name the one that holds runs\n"


def test_a_result_without_figures_comes_last(made: Path, tmp_path: Path) -> None:
    for name in "ab":
        shutil.copytree(made / "a", tmp_path / name)
    result = json.loads((tmp_path / "a" / "result.json").read_text())
    del result["crc32"]
    (tmp_path / "a" / "result.json").write_text(document_of({**result, "score": None, "ci95": None}))
    shown = atnas("runs", tmp_path).out
    assert shown.index(" b ") < shown.index(" a ")
    assert "not finite" in shown
