"""The guides in docs/: every program in them is checked, and every command is run, in order, as a reader would.

Fenced blocks with a name (```atnas flowers.atnas) are files, those without one are `net.atnas`; those of ```sh are
commands, a line each, and so is what stands in the text as `atnas ..`, unless it says FILE or RUN for something.
Trainings are cut short; runs and folders of images that a guide speaks of are there.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from test_adapt import CLASSES, folder, picture

ROOT = Path(__file__).parent.parent
GUIDES = ("first_space", "own_data", "own_operator", "runs", "ci", "deployment")
FENCE = r"^```(?P<kind>\w+)(?: (?P<name>\S+))?\n(?P<text>.*?)^```$"
INLINE = r"`(?P<command>atnas [^`]+)`"
STEP = re.compile(f"{FENCE}|{INLINE}", re.MULTILINE | re.DOTALL)
SAID = re.compile(r"[A-Z]{2,}(?![0-9])|\.\.|\[|^atnas (info|predict|export)$")
"""What stands for something else in a command, or is the name of one."""

BEFORE = {
    "runs": ["atnas run examples/quickstart.atnas"],
    "ci": ["atnas fmt"],
}
"""What a reader has done before."""

FINDS = {"first_space": "atnas check net.atnas"}
"""Commands that are to find something, the second time."""
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


def followed(guide: str, here: Path) -> Iterator[tuple[str, subprocess.CompletedProcess[str]]]:
    """Writes the files of a guide and does what it says, in order; each command with how it ended."""
    for line in BEFORE.get(guide, ()):
        yield line, ran(line, here)
    for step in STEP.finditer((ROOT / "docs" / f"{guide}.md").read_text()):
        kind, name, text = step["kind"], step["name"], step["text"]
        if kind == "sh":
            yield from ((line, ran(line, here)) for line in text.splitlines() if line)
        elif name or kind == "atnas":
            (here / (name or "net.atnas")).write_text(short(text) if kind == "atnas" else text)
        elif step["command"] and not SAID.search(step["command"]):
            yield step["command"], ran(step["command"], here)


def ran(line: str, here: Path) -> subprocess.CompletedProcess[str]:
    places = {name: str(here.parent / f"{here.name}-{name.lower()}") for name in ("HOME", "TMPDIR")}
    for place in places.values():
        Path(place).mkdir(exist_ok=True)
    more = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "OMP_NUM_THREADS": "1", **places}
    return subprocess.run(
        line, shell=True, cwd=here, env=os.environ | more, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("guide", [guide for guide in GUIDES if guide != "deployment"])
def test_every_command_of_a_guide_does_what_it_says(guide: str, here: Path) -> None:
    well_followed(guide, here)


def well_followed(guide: str, here: Path) -> None:
    """Every command does what it should, and writes nothing but where it was told to, a cache of matplotlib's aside."""
    count = 0
    for line, done in followed(guide, here):
        finds = line == FINDS.get(guide) and "y = x + x -> conv(c, 3)" in (here / "net.atnas").read_text()
        assert done.returncode == int(finds), f"{line}\n{done.stderr}"
        assert "Traceback" not in done.stderr
        count += 1
    assert count >= 2
    strays = [path for name in ("home", "tmpdir") for path in (here.parent / f"{here.name}-{name}").rglob("*")]
    assert [path for path in strays if path.is_file() and "matplotlib" not in path.parts] == []


def test_what_is_handed_on_answers_as_the_model_does(here: Path) -> None:
    well_followed("deployment", here)
    told = {
        Path(one["file"]).name: one["label"] for one in json.loads((here / "answers.json").read_text())["predictions"]
    }
    images = sorted((here / "new-letters").iterdir())
    done = ran("ORT_DISABLE_TELEMETRY=1 " + shlex.join([sys.executable, "ask.py", *map(str, images)]), here)
    answers = dict(line.rsplit(" ", 1) for line in done.stdout.splitlines())
    assert {Path(file).name: label for file, label in answers.items()} == told


def test_guides_are_found_from_the_readme() -> None:
    readme = (ROOT / "README.md").read_text()
    assert all(f"docs/{guide}.md" in readme for guide in GUIDES)
