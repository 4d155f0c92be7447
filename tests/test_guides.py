"""The guides in docs/: every program in them is checked, and every command is run, in order, as a reader would.

Fenced blocks with a name (```atnas flowers.atnas) are files; those of ```sh are commands, a line each. Trainings are
cut short, and folders of images that a guide speaks of are there.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from test_adapt import CLASSES, folder, picture

ROOT = Path(__file__).parent.parent
GUIDES = ("own_data", "own_operator", "deployment")
FENCE = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SHORT = {
    r"iterations( *)= \S+": r"iterations\1= 2\n  validation = 2",
    r"population = \d+, generations = \d+": "population = 3, generations = 1",
    r"accuracy\(tasks = \d+\)": "accuracy(tasks = 2)",
    r"(experiment \w+ \{)": r"\1\n  test_tasks = 4\n  random_controls = 1",
    r"(search \w+ \{)": r"\1\n  finalists = 1\n  final_tasks = 2",
}


def short(program: str) -> str:
    for pattern, text in SHORT.items():
        program = re.sub(pattern, text, program)
    return program


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """A working folder with what the guides speak of."""
    rng = np.random.default_rng(1)
    for number in range(32):
        (tmp_path / "photos" / f"class-{number}").mkdir(parents=True)
        for i in range(7):
            picture(CLASSES[number % 3], rng, size=36).save(tmp_path / "photos" / f"class-{number}" / f"{i}.jpg")
    folder(tmp_path / "letters", dict.fromkeys(CLASSES, 3))
    (tmp_path / "new-letters").mkdir()
    for i, kind in enumerate(CLASSES):
        picture(kind, rng).save(tmp_path / "new-letters" / f"{i}.png")
    (tmp_path / "examples").mkdir()
    example = (ROOT / "examples" / "quickstart.atnas").read_text()
    (tmp_path / "examples" / "quickstart.atnas").write_text(short(example))
    return tmp_path


def commands(guide: str, here: Path) -> list[str]:
    """Writes the files of a guide, and gives its commands."""
    found: list[str] = []
    for kind, name, text in FENCE.findall((ROOT / "docs" / f"{guide}.md").read_text()):
        if name:
            (here / name).write_text(short(text) if kind == "atnas" else text)
        elif kind == "sh":
            found += [line for line in text.splitlines() if line]
    return found


@pytest.mark.parametrize("guide", GUIDES)
def test_every_command_of_a_guide_does_what_it_says(guide: str, here: Path) -> None:
    listed = commands(guide, here)
    assert listed
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "OMP_NUM_THREADS": "1"}
    for line in listed:
        done = subprocess.run(line, shell=True, cwd=here, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{line}\n{done.stderr}"
        assert "Traceback" not in done.stderr


def test_what_is_handed_on_answers_as_the_model_does(here: Path) -> None:
    listed = commands("deployment", here)
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "OMP_NUM_THREADS": "1"}
    for line in listed:
        subprocess.run(line, shell=True, cwd=here, env=environment, capture_output=True, check=True)
    told = {
        Path(one["file"]).name: one["label"] for one in json.loads((here / "answers.json").read_text())["predictions"]
    }
    images = sorted((here / "new-letters").iterdir())
    asked = shlex.join([sys.executable, "ask.py", *map(str, images)])
    done = subprocess.run(asked, shell=True, cwd=here, env=environment, capture_output=True, text=True, check=True)
    answers = dict(line.rsplit(" ", 1) for line in done.stdout.splitlines())
    assert {Path(file).name: label for file, label in answers.items()} == told


def test_guides_are_found_from_the_readme() -> None:
    readme = (ROOT / "README.md").read_text()
    assert all(f"docs/{guide}.md" in readme for guide in GUIDES)
