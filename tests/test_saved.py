"""Folders of runs that older versions wrote: they are shown, used and gone on with."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from commands import atnas, run

from atnas.runtime.records import document_of

SAVED = Path(__file__).parent / "saved"
FORMATS = sorted(folder.name for folder in SAVED.iterdir())


@pytest.fixture(params=FORMATS)
def saved(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A copy of the folders of one format."""
    return shutil.copytree(SAVED / request.param, tmp_path / "saved")


def test_the_first_format_is_among_them() -> None:
    assert FORMATS[0] == "format-1"


def test_a_finished_run_is_shown(saved: Path) -> None:
    folder = saved / "finished"
    shown = run(folder / "program.atnasc", folder)
    assert shown.code == 0, shown.err
    assert "is finished" in shown.err
    assert "loss" in shown.out


def test_what_it_found_is_exported(saved: Path, tmp_path: Path) -> None:
    ended = atnas("export", saved / "finished", "--to", "py", "-o", tmp_path / "net.py")
    assert ended.code == 0, ended.err
    assert "class " in (tmp_path / "net.py").read_text()


def test_an_interrupted_run_goes_on_to_the_same_answer(saved: Path) -> None:
    folder = saved / "interrupted"
    ended = run(folder / "program.atnasc", folder)
    assert ended.code == 0, ended.err
    assert "going on at iteration 5 of 8" in ended.err
    found, left_alone = (json.loads((saved / name / "result.json").read_text()) for name in ("interrupted", "finished"))
    assert found["architecture"] == left_alone["architecture"]
    assert found["score"] == pytest.approx(left_alone["score"], rel=1e-3)
    assert found["search"]["trials"] == left_alone["search"]["trials"]


def test_a_folder_of_a_later_version_is_left_alone(saved: Path) -> None:
    folder = saved / "interrupted"
    about = json.loads((folder / "run.json").read_text())
    about.pop("crc32", None)
    (folder / "run.json").write_text(document_of({**about, "format": 99, "atnas": "9.9.9"}))
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    ended = run(folder / "program.atnasc", folder)
    assert ended.code == 2
    assert "was written by a later atnas (9.9.9)" in ended.err
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
