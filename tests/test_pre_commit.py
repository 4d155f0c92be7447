"""Hooks for pre-commit: what `.pre-commit-hooks.yaml` and a new project's configuration run on staged files."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[1]

ENVIRONMENT = os.environ | {"PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])}
"""Where the atnas that is tested is the one on PATH."""

GOOD = "op block(c) = conv(c, 3) -> bn\n"
BAD = "op block(c) = conv(c, 3) -> batchnorm\n"
SLOPPY = "op   block(c)=conv(c,3)->bn\n"

Hook = dict[str, Any]


def hooks() -> dict[str, Hook]:
    offered = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    return {hook["id"]: hook for hook in offered}


def test_a_new_project_has_the_hooks_that_are_offered() -> None:
    config = yaml.safe_load((ROOT / "grammars" / "new" / "pre-commit-config.yaml").read_text(encoding="utf-8"))
    (repo,) = config["repos"]
    offered = [{k: v for k, v in hook.items() if k != "description"} for hook in hooks().values()]
    assert repo == {"repo": "local", "hooks": offered}


def staged(folder: Path, hook: Hook) -> list[str]:
    """The staged files that a hook is for, as pre-commit chooses them."""
    listed = subprocess.run(
        ["git", "diff", "--cached", "--name-only"], cwd=folder, capture_output=True, text=True, check=True
    )
    return [name for name in listed.stdout.splitlines() if re.search(hook["files"], name)]


def ran(folder: Path, name: str) -> tuple[bool, str]:
    """Whether a hook passes as pre-commit sees it, exit code 0 and no file changed, and what it printed."""
    hook = hooks()[name]
    files = staged(folder, hook)
    before = [(folder / file).read_bytes() for file in files]
    command = [*shlex.split(hook["entry"]), *files]
    done = subprocess.run(command, cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    unchanged = before == [(folder / file).read_bytes() for file in files]
    return done.returncode == 0 and unchanged, done.stdout


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    return tmp_path


def stage(repository: Path, **files: str) -> None:
    for name, text in files.items():
        (repository / f"{name}.atnas").write_text(text)
    (repository / "notes.txt").write_text("not a space")
    subprocess.run(["git", "add", "."], cwd=repository, check=True)


def test_a_staged_mistake_is_told_and_stops_the_commit(repository: Path) -> None:
    stage(repository, good=GOOD, bad=BAD)
    passed, said = ran(repository, "atnas-check")
    assert not passed
    assert re.match(r"bad\.atnas:1:29: E101 ", said)


def test_good_files_pass(repository: Path) -> None:
    stage(repository, good=GOOD)
    for name in hooks():
        assert ran(repository, name)[0], name


def test_a_file_that_is_not_in_style_is_written_anew_and_passes_then(repository: Path) -> None:
    stage(repository, sloppy=SLOPPY)
    assert not ran(repository, "atnas-fmt")[0]
    assert (repository / "sloppy.atnas").read_text() == GOOD
    assert ran(repository, "atnas-fmt")[0]


def test_nothing_is_installed_for_the_hooks() -> None:
    assert {hook["language"] for hook in hooks().values()} == {"system"}
