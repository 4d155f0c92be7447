"""Run folders from strangers: whatever they hold, they are shown or refused in a sentence, and nothing leaves them.

What is damaged by chance has a checksum that does not fit (`test_mutations.py`); here checksums fit what stands there.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from commands import TINY, Ended, atnas, run
from runs import INTERLEAVED, at
from safetensors import safe_open

from atnas.dsl.errors import Unable
from atnas.runtime.artifact import _digest
from atnas.runtime.folder import RunFolder
from atnas.runtime.records import _sealed
from atnas.runtime.report.material import material
from atnas.runtime.report.page import report
from atnas.runtime.tensors import save_tensors
from atnas.runtime.trained import architecture, trained

CHANGES = 400
PAGES = 25
RESUMED = 20

VALUES: tuple[Any, ...] = (
    *(None, True, -1, 0, 7, 10**30, 10**400, 1.5, -0.0, 1e308, -1e308, float("inf"), float("nan")),
    *("", "x", "[/x]", "\ud800", "../../outside", "<script>alert(1)</script>", "\x00\u202e", "9" * 5000),
    *([], {}, [[[]]], {"a": {"b": []}}, [1, "2", None], {"score": {"ci95": None}}),
)

DOCUMENTS = ("run.json", "result.json", "test.json", "batching.json", "best.json")
LINES = ("metrics.jsonl", "trials.jsonl")
FILES = (*DOCUMENTS, *LINES, "program.atnasc", "checkpoints/best.safetensors")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished run."""
    root = tmp_path_factory.mktemp("finished")
    (root / "tiny.atnas").write_text(INTERLEAVED)
    assert run(root / "tiny.atnas", root / "run").code == 0
    return root / "run"


def changed(value: Any, rng: random.Random) -> Any:
    """With another value, one more or one less somewhere in it."""
    if not isinstance(value, dict | list) or not value or rng.random() < 0.15:
        return rng.choice(VALUES)
    copy = dict(value) if isinstance(value, dict) else list(value)
    key: Any = rng.choice(list(copy)) if isinstance(copy, dict) else rng.randrange(len(copy))
    match rng.randrange(5):
        case 0:
            del copy[key]
        case 1 if isinstance(copy, dict):
            copy[rng.choice(["more", "..", ""])] = rng.choice(VALUES)
        case _:
            copy[key] = changed(copy[key], rng)
    return copy


def tampered(folder: Path, name: str, rng: random.Random) -> None:
    """A file of a run with other content, whose checksums fit."""
    path = folder / name
    if name in LINES:
        lines = path.read_text().splitlines()
        at = rng.randrange(len(lines))
        lines[at] = sealed(changed(plain(lines[at]), rng))
        path.write_text("\n".join([*lines, ""]))
    elif name == "program.atnasc":
        whole = json.loads(path.read_text())
        kept = {key: whole.pop(key) for key in ("kind", "format", "digest")}
        body = changed(whole, rng)
        try:
            kept["digest"] = _digest(body)
        except UnicodeEncodeError:  # then no digest is theirs
            kept["digest"] = ""
        path.write_text(json.dumps({**kept, **(body if isinstance(body, dict) else {"body": body})}))
    elif name.endswith(".safetensors"):
        with safe_open(path, framework="pt") as file:
            about = json.loads(file.metadata()["atnas"])
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
        about.pop("crc32")
        changes = changed(about, rng)
        if rng.random() < 0.5:
            key = rng.choice(list(tensors))
            tensors[rng.choice(list(tensors))] = tensors.pop(key)
        save_tensors(path, tensors, changes if isinstance(changes, dict) else about)
    else:
        path.write_text(sealed(changed(plain(path.read_text()), rng)) + "\n")


def plain(text: str) -> Any:
    found = json.loads(text)
    found.pop("crc32", None)
    return found


def sealed(content: Any) -> str:
    """With a checksum, and whatever JSON readers of Python take."""
    text = json.dumps(content)
    return _sealed(text[:-1] + ", " * bool(content)) + "}" if isinstance(content, dict) else text


def fine(ended: Ended) -> None:
    """It did what it was asked for, or said in a sentence why not."""
    assert ended.code in (0, 1, 2), ended.err
    assert "Traceback" not in ended.err, ended.err


def test_what_a_stranger_wrote_is_read_or_refused(finished: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(finished, tmp_path / "run")
    rng = random.Random(1)
    for number in range(CHANGES):
        name = rng.choice(FILES)
        content = (finished / name).read_bytes()
        tampered(folder, name, rng)
        try:
            found = material(folder)
            if number < PAGES:
                report([found])
            architecture(trained(folder), "best")
        except Unable as error:
            assert "\n" not in str(error)
        fine(atnas("runs", tmp_path))
        (folder / name).write_bytes(content)
    fine(atnas("run", finished / "program.atnasc", "--out", folder))


def test_a_changed_result_is_shown_or_refused(finished: Path, tmp_path: Path) -> None:
    """By all commands that show one."""
    folder = shutil.copytree(finished, tmp_path / "run")
    rng = random.Random(2)
    for _ in range(PAGES):
        (folder / "result.json").write_bytes((finished / "result.json").read_bytes())
        tampered(folder, "result.json", rng)
        fine(atnas("run", finished / "program.atnasc", "--out", folder))
        fine(atnas("report", folder, "-o", tmp_path / "page.html"))
        fine(atnas("export", folder, "--to", "py", "-o", tmp_path / "net.py"))


@pytest.mark.parametrize("seed", range(RESUMED))
def test_a_strangers_run_goes_on_or_says_what_is_wrong(seed: int, tmp_path: Path) -> None:
    rng = random.Random(seed)
    (tmp_path / "tiny.atnas").write_text(INTERLEAVED)
    out = tmp_path / "run"
    with at("train", 5):
        assert run(tmp_path / "tiny.atnas", out).code == 130
    step = max((out / "checkpoints").glob("step-*"))
    tampered(out, rng.choice(["run.json", *LINES, "batching.json", f"checkpoints/{step.name}"]), rng)
    fine(run(tmp_path / "tiny.atnas", out))


@pytest.mark.parametrize("name", [*DOCUMENTS, *LINES, "program.atnasc"])
@pytest.mark.parametrize("content", ["[" * 200_000, '{"a":' * 200_000, "9" * 100_000, ""], ids=["[", "{", "9", "empty"])
def test_what_is_nested_too_deep_is_damaged(name: str, content: str, finished: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(finished, tmp_path / "run")
    (folder / name).write_text(content + "\n")
    for command in (("runs", tmp_path), ("report", folder, "-o", tmp_path / "page.html"), ("export", folder)):
        fine(atnas(*command, *(("--to", "py", "-o", tmp_path / "net.py") if command[0] == "export" else ())))


@pytest.mark.parametrize("name", FILES)
def test_what_is_far_too_large_is_not_read(name: str, finished: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(finished, tmp_path / "run")
    with (folder / name).open("ab") as file:
        file.truncate(1 << 42)  # holes take no room on the disk
    for command in (("runs", tmp_path), ("report", folder, "-o", tmp_path / "page.html")):
        fine(atnas(*command))
    if name != "best.json":  # the result says the same
        with pytest.raises(Unable, match=r"larger than|more numbers than|damaged"):
            material(folder) and trained(folder) and RunFolder(folder).read("batching.json")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no named pipes in folders")
@pytest.mark.parametrize("name", [*DOCUMENTS, *LINES, "program.atnasc"])
def test_a_pipe_is_not_waited_for(name: str, finished: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(finished, tmp_path / "run")
    (folder / name).unlink()
    os.mkfifo(folder / name)
    for command in (("runs", tmp_path), ("report", folder, "-o", tmp_path / "page.html")):
        fine(atnas(*command))


# Links


@pytest.fixture
def outside(tmp_path: Path) -> Iterator[Path]:
    """A folder that nothing may be written into."""
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "file").touch()
    yield folder
    assert [path.name for path in folder.iterdir()] == ["file"]
    assert (folder / "file").read_text() == ""


def stopped(tmp_path: Path) -> tuple[Path, Path]:
    """A run that goes on, and its program."""
    file, out = tmp_path / "tiny.atnas", tmp_path / "run"
    file.write_text(TINY)
    with at("train", 5):
        assert run(file, out).code == 130
    return file, out


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights on Windows")
@pytest.mark.parametrize("name", ["trials.jsonl", "metrics.jsonl", "checkpoints", "search"])
def test_a_run_is_not_written_through_a_link(name: str, outside: Path, tmp_path: Path) -> None:
    file, out = stopped(tmp_path)
    target = outside / "file" if name.endswith("jsonl") else outside
    if (out / name).exists():
        (out / name).rename(out / f"{name}.away")
    (out / name).symlink_to(target)
    ended = run(file, out)
    assert ended.code == 2
    assert str(out / name) in ended.err and "link" in ended.err


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights on Windows")
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no named pipes in folders")
def test_a_pipe_in_place_of_weights_is_not_waited_for(finished: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(finished, tmp_path / "run")
    (folder / "checkpoints" / "best.safetensors").unlink()
    os.mkfifo(folder / "checkpoints" / "best.safetensors")
    ended = atnas("export", folder, "--to", "py", "-o", tmp_path / "net.py")
    assert ended.code == 2
    assert "best.safetensors is damaged" in ended.err


def test_what_is_replaced_is_the_link_and_not_what_it_leads_to(outside: Path, tmp_path: Path) -> None:
    file, out = stopped(tmp_path)
    for name in ("best.json", "test.json", "result.json.old", f".run.json.{os.getpid()}.tmp", "lock", "report.html"):
        (out / name).unlink(missing_ok=True)
        (out / name).symlink_to(outside / "file")
    assert run(file, out).code == 0
    assert atnas("report", out).code == 0
    assert not (out / "best.json").is_symlink()
    assert not (out / "report.html").is_symlink()
