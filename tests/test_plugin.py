"""A package of somebody else adds words to the language: tests/plugin is one, and the template for others."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from configparser import ConfigParser
from importlib.util import find_spec
from pathlib import Path

import pytest
from commands import Ended, sentence, spawned

PLUGIN = Path(__file__).parent / "plugin"
PROJECT = tomllib.loads((PLUGIN / "pyproject.toml").read_text())["project"]

PROGRAM = """\
space net [x: (n)] -> logits: (way) {
  width  = 4 | 8
  logits = x -> linear(width) -> (relu | prelu(init = 0.1)) -> linear(way)
}

tasks points {
  source = blobs(dimensions = 3, spread = 0.1)
  way    = 3
  shot   = 2
  query  = 4
}

train meta {
  learner    = maml(inner = sgd(lr = 0.1))
  batch      = 2
  iterations = 4
  validation = 2
}

search evolve {
  algorithm   = evolution(population = 4, generations = 1)
  maximize      accuracy(tasks = 2)
  final_tasks = 2
}

experiment other {
  space           = net
  tasks           = points
  train           = meta
  search          = evolve
  test_tasks      = 4
  random_controls = 2
}
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What an installer leaves of the package besides its modules."""
    folder = tmp_path_factory.mktemp("site")
    about = folder / f"{PROJECT['name'].replace('-', '_')}-{PROJECT['version']}.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {PROJECT['name']}\nVersion: {PROJECT['version']}\n")
    groups = PROJECT["entry-points"].items()
    lines = [line for group, names in groups for line in (f"[{group}]", *(f"{n} = {v}" for n, v in names.items()))]
    (about / "entry_points.txt").write_text("\n".join(lines) + "\n")
    return folder


@pytest.fixture
def program(tmp_path: Path) -> Path:
    file = tmp_path / "other.atnas"
    file.write_text(PROGRAM)
    return file


def with_plugin(site: Path, *arguments: object, **more: str) -> Ended:
    """The command line where the package is installed."""
    paths = (str(site), str(PLUGIN), *filter(None, [os.environ.get("PYTHONPATH")]))
    return spawned(*arguments, PYTHONPATH=os.pathsep.join(paths), **more)


def test_without_the_package_its_words_are_unknown(program: Path) -> None:
    ended = spawned("check", program, "--format", "json")
    assert ended.code == 1
    assert [f["message"].split("`")[1] for f in json.loads(ended.out)["findings"]] == ["prelu", "blobs"]


def test_its_words_are_checked_like_any_other(site: Path, program: Path) -> None:
    assert with_plugin(site, "check", program).code == 0
    text = PROGRAM.replace("init = 0.1", "init = -1").replace("spread = 0.1", "spred = 0.1")
    program.write_text(text)
    ended = with_plugin(site, "check", program, "--format", "concise")
    assert ended.code == 1
    first, second = (line.removeprefix(f"{program}:") for line in ended.out.splitlines())
    assert first.startswith(f"3:{text.splitlines()[2].index('-1') + 1}: E")
    assert second.startswith(f"7:{text.splitlines()[6].index('spred') + 1}: E")


def test_checking_it_loads_nothing_heavy(site: Path, program: Path) -> None:
    code = f"""
import sys
from atnas.cli.main import guarded
assert guarded(["check", {str(program)!r}]) == 0
heavy = {{"torch", "numpy", "networkx", "deap", "pydantic"}} & set(sys.modules)
sys.exit(f"{{heavy}} were imported" if heavy else 0)
"""
    ended = with_plugin(site, code=code)
    assert ended.code == 0, ended.err


def test_its_words_are_listed_with_their_parameters(site: Path) -> None:
    operator = json.loads(with_plugin(site, "list", "ops", "prelu", "--json").out)["ops"][0]
    assert operator["from"] == "atnas_example.operators"
    assert operator["doc"].startswith("max(x, 0) + a min(x, 0)")
    assert operator["parameters"] == [
        {"name": "init", "type": "float", "default": 0.25, "doc": "the slope at the start"}
    ]
    source = json.loads(with_plugin(site, "list", "tasks", "blobs", "--json").out)["tasks"][0]
    assert [parameter["name"] for parameter in source["parameters"]] == ["dimensions", "spread"]


def test_a_program_runs_with_them(site: Path, program: Path, tmp_path: Path) -> None:
    """In workers of their own, too, which find the package as this process does."""
    ended = with_plugin(site, "run", program, "--out", tmp_path / "run", "--workers", 2)
    assert ended.code == 0, ended.err
    result = json.loads((tmp_path / "run" / "result.json").read_text())
    assert result["search"]["trials"] == 4
    assert result["protocol"]["source"] == "Blobs"
    # Two linear layers on 3 numbers and 8 units with 3 answers, and a slope for each unit.
    assert result["controls"]["largest"]["params"] == (3 + 1) * 8 + 8 + (8 + 1) * 3


def test_a_package_that_is_broken_is_told(site: Path, program: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    (broken / "atnas_example").mkdir(parents=True)
    (broken / "atnas_example" / "__init__.py").write_text("import a_package_that_is_not_there")
    paths = os.pathsep.join([str(broken), str(site)])
    ended = spawned("check", program, PYTHONPATH=paths)
    assert ended.code == 2
    assert sentence(ended) == (
        "`prelu`, installed under atnas.ops, cannot be loaded: No module named 'a_package_that_is_not_there'"
    )
    assert "missing      `blobs`, installed under atnas.tasks" in spawned("doctor", PYTHONPATH=paths).out


@pytest.mark.skipif(find_spec("setuptools") is None, reason="pip builds a package offline only where setuptools is")
def test_pip_installs_it(tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    (copy / "atnas_example").mkdir(parents=True)
    for path in (PLUGIN / "pyproject.toml", *PLUGIN.glob("atnas_example/*.py")):
        (copy / path.relative_to(PLUGIN)).write_bytes(path.read_bytes())
    offline = ("--no-deps", "--no-build-isolation", "--no-index", "--quiet", "--disable-pip-version-check")
    command = [sys.executable, "-m", "pip", "install", *offline, "--target", tmp_path / "site", copy]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (points,) = (tmp_path / "site").glob("*.dist-info/entry_points.txt")
    found = ConfigParser()
    found.read(points)
    assert {group: dict(found[group]) for group in found.sections()} == PROJECT["entry-points"]
    assert (tmp_path / "site" / "atnas_example" / "tasks.py").is_file()
