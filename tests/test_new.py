"""`atnas new`: a project that checks, is in style, runs, and never takes the place of what is there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import yaml
from commands import Ended, atnas, run, sentence, settings

from atnas.cli.new import PLACES

TINY: dict[str, object] = {
    "train.iterations": 2,
    "train.batch": 2,
    "train.validation": 2,
    "search.algorithm.population": 4,
    "search.algorithm.generations": 2,
    "search.finalists": 2,
    "search.final_tasks": 2,
    "experiment.test_tasks": 2,
    "experiment.random_controls": 2,
}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A new project, which is also the working folder."""
    monkeypatch.chdir(tmp_path)
    assert atnas("new").code == 0
    return tmp_path


def content(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def steps(project: Path) -> list[dict[str, Any]]:
    """The steps of the workflow's one job."""
    (job,) = workflow(project)["jobs"].values()
    found: list[dict[str, Any]] = job["steps"]
    return found


def workflow(project: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((project / ".github" / "workflows" / "atnas.yml").read_text())
    return loaded


# What is written


def test_a_folder_that_is_not_there_is_made_and_what_is_written_is_told(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "my search"
    ended = atnas("new", folder)
    assert ended.code == 0
    assert ended.out.splitlines() == [f"wrote  {folder / place}" for place in PLACES.values()]
    assert f"cd '{folder}'" in ended.err
    assert set(content(folder)) == set(PLACES.values())


def test_every_template_has_a_place() -> None:
    kept = {entry.name for entry in files("atnas.grammars").joinpath("new").iterdir()}
    assert kept == set(PLACES)


def test_once_more_changes_nothing(project: Path) -> None:
    before = content(project)
    ended = atnas("new")
    assert ended.code == 0
    assert ended.out.splitlines() == [f"kept   {Path(place)}, which is there already" for place in PLACES.values()]
    assert content(project) == before


def test_what_is_there_is_kept_and_the_rest_is_written(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("mine\n")
    (tmp_path / ".gitignore").symlink_to(tmp_path / "nowhere")
    ended = atnas("new", tmp_path)
    assert ended.code == 0
    assert [line.split()[0] for line in ended.out.splitlines()] == ["wrote", "kept", "kept", "wrote", "wrote"]
    assert (tmp_path / "README.md").read_text() == "mine\n"
    assert not (tmp_path / "nowhere").exists()


def test_where_no_folder_can_be_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / ".github").write_text("")
    assert sentence(atnas("new", tmp_path / "file")) == f"{tmp_path / 'file'} is a file; name a folder"
    ended = atnas("new", tmp_path)
    assert ended.code == 2
    assert "could not be written" in ended.err


# What it is worth


@pytest.mark.usefixtures("project")
def test_the_project_is_without_a_finding() -> None:
    assert atnas("check", "--strict") == Ended(0, "", "1 file checked: nothing to report\n")


@pytest.mark.usefixtures("project")
def test_the_project_is_in_the_one_style() -> None:
    ended = atnas("fmt", "--check", "--diff")
    assert ended.code == 0, ended.out


def test_the_experiment_runs(project: Path) -> None:
    text = (project / "main.atnas").read_text()
    (project / "main.atnas").write_text(text.replace("tasks = 40", "tasks = 2"))
    ended = run(project / "main.atnas", project / "run", *settings(TINY))
    assert ended.code == 0, ended.err
    result = json.loads((project / "run" / "result.json").read_text())
    assert result["search"]["failed"] == 0
    assert set(result["controls"]) == {"random", "largest"}


def test_runs_stay_out_of_the_repository(project: Path) -> None:
    def git(*arguments: str) -> str:
        done = subprocess.run(["git", *arguments], cwd=project, capture_output=True, text=True, check=True)
        return done.stdout

    git("init", "--quiet")
    (project / "runs" / "first").mkdir(parents=True)
    (project / "runs" / "first" / "result.json").write_text("{}")
    (project / "main.atnasc").write_text("")
    listed = git("status", "--porcelain", "--untracked-files=all")
    assert {line.split()[-1] for line in listed.splitlines()} == set(PLACES.values())


# The workflow


def test_the_workflow_has_no_right_that_it_does_not_need(project: Path) -> None:
    (job,) = workflow(project)["jobs"].values()
    assert workflow(project)["permissions"] == {}
    assert job["permissions"] == {"contents": "read", "security-events": "write"}


def test_the_workflow_pins_what_it_uses(project: Path) -> None:
    used = [step["uses"] for step in steps(project) if "uses" in step]
    assert [name.split("@")[0] for name in used] == [
        "actions/checkout",
        "actions/setup-python",
        "github/codeql-action/upload-sarif",
    ]
    assert all(name.split("@")[1].startswith("v") for name in used)


@pytest.mark.parametrize(("broken", "codes"), [(False, [0, 0, 0]), (True, [1, 0, 0])])
def test_the_commands_of_the_workflow_do_what_they_say(broken: bool, codes: list[int], project: Path) -> None:
    if broken:
        text = (project / "main.atnas").read_text()
        (project / "main.atnas").write_text(text.replace("-> relu", "-> rely"))
    commands = [step["run"] for step in steps(project) if step.get("run", "").startswith("atnas")]
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    shown = [
        subprocess.run(["bash", "-ec", c], env=os.environ | {"PATH": path}, capture_output=True, text=True, check=False)
        for c in commands
    ]
    assert [done.returncode for done in shown] == codes, [done.stderr for done in shown]
    assert ("::error file=main.atnas,line=" in shown[0].stdout) == broken
    report = json.loads((project / "atnas.sarif").read_text())
    assert [len(r["results"]) for r in report["runs"]] == [1 if broken else 0]
