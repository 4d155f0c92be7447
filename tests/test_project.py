"""`use` stays in the project folder, whatever links and dots say."""

from __future__ import annotations

from pathlib import Path

import pytest

from atnas.dsl.errors import Unable
from atnas.dsl.findings.diagnostics import Diagnostic
from atnas.dsl.source import Source
from atnas.runtime.checking import read_program
from atnas.runtime.project import inside, project


def read(path: str) -> str:
    try:
        return Path(path).read_text("utf-8")
    except OSError as error:
        raise Unable(f"{path} cannot be read") from error


def findings(program: Path) -> list[Diagnostic]:
    return read_program(Source(str(program), program.read_text()), inside(str(program), read)).findings


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with a program in it, and a file beside the project."""
    (tmp_path / "outside.atnas").write_text("op far(c) = conv(c, 3)\n")
    root = tmp_path / "mine"
    (root / "spaces").mkdir(parents=True)
    (root / "pyproject.toml").touch()
    (root / "blocks.atnas").write_text("op near(c) = conv(c, 3)\n")
    monkeypatch.chdir(root)
    return root


def write(folder: Path, path: str, name: str = "near") -> Path:
    program = folder / "spaces" / "main.atnas"
    program.write_text(f'use "{path}" ({name})\nspace s [x: (3, 8, 8)] -> y {{ y = x -> {name}(8) }}\n')
    return program


def test_a_file_above_the_program_may_be_used_within_the_project(folder: Path) -> None:
    assert not findings(write(folder, "../blocks.atnas"))


@pytest.mark.parametrize("path", ["../../outside.atnas", "../../mine/../outside.atnas", ".././../outside.atnas"])
def test_a_file_outside_of_the_project_may_not(folder: Path, path: str) -> None:
    (finding,) = findings(write(folder, path, "far"))
    assert finding.code == "E105"
    assert "lies outside of the project folder" in finding.message


def test_a_link_out_of_the_project_is_no_way_around(folder: Path) -> None:
    (folder / "spaces" / "link.atnas").symlink_to(folder.parent / "outside.atnas")
    (finding,) = findings(write(folder, "link.atnas", "far"))
    assert finding.code == "E105"
    assert "lies outside of the project folder" in finding.message


def test_a_link_that_stays_inside_is_a_file_as_any(folder: Path) -> None:
    (folder / "spaces" / "link.atnas").symlink_to("../blocks.atnas")
    assert not findings(write(folder, "link.atnas"))


@pytest.mark.parametrize("path", ["/etc/passwd", "../../../etc/passwd", "notes.txt", "", ".", "..", "a\\b"])
def test_what_is_no_file_of_the_language_is_not_opened(folder: Path, path: str) -> None:
    def refused(path: str) -> str:
        raise AssertionError(path)

    program = write(folder, path)
    (finding,) = read_program(Source(str(program), program.read_text()), refused).findings
    assert finding.code == "E105"


def test_files_that_use_each_other_are_one_finding(folder: Path) -> None:
    (folder / "spaces" / "a.atnas").write_text('use "main.atnas" (s)\nop near(c) = conv(c, 3)\n')
    (finding,) = findings(write(folder, "a.atnas"))
    assert finding.code == "E103"


def test_a_very_long_chain_of_files_is_refused(folder: Path) -> None:
    for i in range(300):
        (folder / "spaces" / f"f{i}.atnas").write_text(f'use "f{i + 1}.atnas" (near)\n')
    (folder / "spaces" / "f300.atnas").write_text("op near(c) = conv(c, 3)\n")
    (finding,) = findings(write(folder, "f0.atnas"))
    assert (finding.code, finding.message) == ("E105", "more than 100 files use one another")


def test_one_name_cannot_come_from_two_files(folder: Path) -> None:
    (folder / "spaces" / "other.atnas").write_text("op near(c) = conv(c, 5)\n")
    program = write(folder, "../blocks.atnas")
    program.write_text('use "other.atnas" (near)\n' + program.read_text())
    (finding,) = findings(program)
    assert (finding.code, finding.message) == ("E102", "`near` is declared twice")


def test_the_project_is_the_nearest_marked_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "a" / "b" / "main.atnas"
    program.parent.mkdir(parents=True)
    (tmp_path / "a" / ".git").mkdir()
    assert project(program) == (tmp_path / "a").resolve()
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a" / ".git").rmdir()
    unmarked = not any((folder / mark).exists() for folder in tmp_path.parents for mark in (".git", "pyproject.toml"))
    assert not unmarked or project(program) == tmp_path.resolve()
