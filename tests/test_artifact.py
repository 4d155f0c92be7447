"""The compiled artifact: the same bytes from the same sources, the same run as from them, and no damage unnoticed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from commands import TINY, atnas, run, sentence, spawned, timeless

LAYERS = "op layer(c) = linear(c) -> (relu | tanh)\n"
USES = TINY.replace(LAYERS, 'use "LIBRARY" (layer)\n')


def compiled(source: Path, out: Path) -> bytes:
    ended = atnas("compile", source, "-o", out)
    assert ended.code == 0, ended.err
    return out.read_bytes()


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    (tmp_path / "tiny.atnas").write_text(TINY)
    return tmp_path / "tiny.atnas"


@pytest.fixture
def artifact(tiny: Path) -> Path:
    out = tiny.with_suffix(".atnasc")
    compiled(tiny, out)
    return out


def test_the_bytes_depend_on_the_source_alone(tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = compiled(tiny, tmp_path / "first.atnasc")
    elsewhere = tmp_path / "else" / "where"
    elsewhere.mkdir(parents=True)
    (elsewhere / "tiny.atnas").write_text(TINY)
    monkeypatch.chdir(elsewhere)
    assert compiled(Path("tiny.atnas"), tmp_path / "second.atnasc") == first
    for seed in "12":
        ended = spawned("compile", "tiny.atnas", PYTHONHASHSEED=seed)
        assert ended.code == 0, ended.err
        assert ended.err == "tiny.atnasc: `tiny`, 4 decisions, 18 architectures\n"
        assert (elsewhere / "tiny.atnasc").read_bytes() == first
    assert str(tmp_path) not in first.decode()


def test_the_artifact_can_be_read_without_atnas(artifact: Path) -> None:
    whole = json.loads(artifact.read_text())
    assert (whole["kind"], whole["format"], whole["experiment"]) == ("atnas program", 1, "tiny")
    assert whole["sources"] == [["tiny.atnas", TINY]]
    assert whole["space"]["architectures"] == "18"
    assert [decision["name"] for decision in whole["space"]["decisions"]][:2] == ["width", "y.layer.depth"]


def test_a_run_from_the_artifact_is_the_run_from_the_source(tiny: Path, artifact: Path, tmp_path: Path) -> None:
    for file, out in ((tiny, "a"), (artifact, "b")):
        ended = run(file, tmp_path / out, "--set", "train.iterations=3")
        assert ended.code == 0, ended.err
    for name in ("result.json", "best.json"):
        one, other = (timeless(json.loads((tmp_path / out / name).read_text())) for out in "ab")
        assert one == other
    assert (tmp_path / "a" / "program.atnasc").read_bytes() == (tmp_path / "b" / "program.atnasc").read_bytes()
    # So what a folder holds can be run again, and settings given on top are part of it.
    again = run(tmp_path / "a" / "program.atnasc", tmp_path / "a")
    assert again.err == f"{tmp_path / 'a'} is finished; --fresh starts anew\n"


@pytest.mark.parametrize(
    ("program", "library", "used"),
    [
        ("tiny.atnas", "layers.atnas", "layers.atnas"),
        ("tiny.atnas", "lib/layers.atnas", "lib/layers.atnas"),
        ("own/tiny.atnas", "layers.atnas", "../layers.atnas"),
        ("own/tiny.atnas", "lib/layers.atnas", "../lib/layers.atnas"),
        ("own/tiny.atnas", "own/layers.atnas", "../own/layers.atnas"),
    ],
)
def test_what_a_program_uses_comes_along(
    program: str, library: str, used: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = set()
    for home in ("one", "other/place"):
        for name, text in ((program, USES.replace("LIBRARY", used)), (library, LAYERS)):
            (tmp_path / home / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / home / name).write_text(text)
        found.add(compiled(tmp_path / home / program, tmp_path / "absolute.atnasc"))
        monkeypatch.chdir(tmp_path / home)
        found.add(compiled(Path(program), tmp_path / "relative.atnasc"))
        monkeypatch.chdir((tmp_path / home / program).parent)
        found.add(compiled(Path("tiny.atnas"), tmp_path / "beside.atnasc"))
    assert len(found) == 1
    # The artifact stands alone: it runs where neither source is.
    (tmp_path / "alone").mkdir()
    monkeypatch.chdir(tmp_path / "alone")
    (tmp_path / "alone" / "all.atnasc").write_bytes(found.pop())
    assert run(Path("all.atnasc"), Path("run"), "--set", "train.iterations=2").code == 0


def test_another_experiment_is_not_in_it(artifact: Path) -> None:
    ended = atnas("run", artifact, "--experiment", "other")
    assert ended.code == 2
    assert sentence(ended) == f"{artifact} holds the experiment `tiny`, not `other`"


@pytest.mark.parametrize("place", range(50))
def test_a_flipped_byte_is_noticed(place: int, artifact: Path) -> None:
    content = bytearray(artifact.read_bytes())
    # From the first byte to the last; another bit each time, for one may turn a blank into another blank.
    content[place * (len(content) - 2) // 49] ^= 1 << (place % 8)
    artifact.write_bytes(content)
    ended = atnas("run", artifact)
    assert ended.code == 2
    assert str(artifact) in sentence(ended)
    assert "compile its source again" in sentence(ended)


@pytest.mark.parametrize("share", [0.0, 0.01, 0.3, 0.7, 0.99])
def test_a_truncated_artifact_is_noticed(share: float, artifact: Path) -> None:
    content = artifact.read_bytes()
    artifact.write_bytes(content[: int(share * len(content))])
    ended = atnas("run", artifact)
    assert ended.code == 2
    assert "compile its source again" in sentence(ended)


@pytest.mark.parametrize(
    "content", [b"[]", b"{}", b"null", b"[" * 100_000, b"\xff" * 100, b"op x = relu\n", b'{"kind": 1}']
)
def test_what_is_no_artifact_is_none(content: bytes, artifact: Path) -> None:
    artifact.write_bytes(content)
    ended = atnas("run", artifact)
    assert ended.code == 2
    assert "compile its source again" in sentence(ended)


def test_an_artifact_of_a_later_version_says_so(artifact: Path) -> None:
    whole = json.loads(artifact.read_text())
    artifact.write_text(json.dumps(whole | {"format": 2}))
    ended = atnas("run", artifact)
    assert ended.code == 2
    assert sentence(ended) == f"{artifact} has format 2, and this version reads format 1; compile its source again"


def test_an_artifact_by_another_name_is_known_by_its_content(artifact: Path, tmp_path: Path) -> None:
    (tmp_path / "renamed").write_bytes(artifact.read_bytes())
    assert compiled(tmp_path / "renamed", tmp_path / "again.atnasc") == artifact.read_bytes()
