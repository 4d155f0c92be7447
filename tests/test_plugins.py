"""Packages that bring extensions are found wherever an installer, or a developer, may have put them."""

from __future__ import annotations

import sys
import zipfile
from collections.abc import Mapping
from importlib.machinery import PathFinder
from importlib.metadata import Distribution, DistributionFinder, entry_points
from pathlib import Path
from typing import Any

import pytest
from commands import spawned
from hypothesis import given
from hypothesis import strategies as st

from atnas.dsl.errors import Unable
from atnas.dsl.plugins import GROUPS, Entry, by_name, entries, installed


def package(place: Path, name: str, points: Mapping[str, str], group: str = "atnas.ops", edited: bool = False) -> Path:
    """What an installer writes of a package; one that is `edited` is described in its own folder."""
    folder = place / (f"{name}.egg-info" if edited else f"{name}-1.0.dist-info")
    folder.mkdir(parents=True)
    (folder / ("PKG-INFO" if edited else "METADATA")).write_text(f"Metadata-Version: 2.1\nName: {name}\n")
    lines = (f"{word} = {value}\n" for word, value in points.items())
    (folder / "entry_points.txt").write_text(f"[console_scripts]\nrun = a:b\n\n[{group}]\n{''.join(lines)}")
    return place


def words(*path: Path) -> dict[str, str]:
    """The operators on a path for imports, and what they lead to."""
    return {name: entry.value for name, entry in by_name("ops", installed([str(place) for place in path])).items()}


def test_here_are_found_what_importlib_finds() -> None:
    for group in GROUPS:
        expected = {point.name: point.value for point in entry_points(group=f"atnas.{group}")}
        assert {name: entry.value for name, entry in entries(group).items()} == expected
        assert list(entries(group)) == sorted(expected)


def test_a_package_in_site_packages(tmp_path: Path) -> None:
    assert words(package(tmp_path, "net", {"swirl": "net.ops:Swirl"})) == {"swirl": "net.ops:Swirl"}


def test_a_package_that_is_edited_in_its_own_folder(tmp_path: Path) -> None:
    assert words(package(tmp_path, "net", {"swirl": "net:Swirl"}, edited=True)) == {"swirl": "net:Swirl"}


def test_a_package_in_an_archive(tmp_path: Path) -> None:
    place = package(tmp_path / "net", "net", {"swirl": "net:Swirl"})
    with zipfile.ZipFile(tmp_path / "net.whl", "w") as archive:
        for file in place.rglob("*"):
            archive.write(file, file.relative_to(place))
    assert words(tmp_path / "net.whl") == {"swirl": "net:Swirl"}
    plain = package(tmp_path / "more", "more", {"whirl": "more:Whirl"})
    assert words(plain, tmp_path / "net.whl") == {"swirl": "net:Swirl", "whirl": "more:Whirl"}


def test_a_package_that_a_finder_of_its_own_finds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = package(tmp_path, "net", {"swirl": "net:Swirl"})

    class Finder(DistributionFinder):
        def find_distributions(self, context: Any = None) -> Any:
            del context
            return PathFinder.find_distributions(DistributionFinder.Context(path=[str(place)]))

        def find_spec(self, *_: Any) -> None:
            return None

    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path, Finder()])
    assert words() == {"swirl": "net:Swirl"}


def test_a_package_that_is_on_the_path_twice_counts_once_the_first(tmp_path: Path) -> None:
    mine = package(tmp_path / "mine", "My_Net", {"swirl": "mine:Swirl"}, edited=True)
    site = package(tmp_path / "site", "my.net", {"swirl": "site:Swirl", "whirl": "site:Whirl"})
    assert words(mine, site) == {"swirl": "mine:Swirl"}


def test_what_is_no_package_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "old.egg-info").write_text("Name: old\n")
    (tmp_path / "bare-1.0.dist-info").mkdir()
    assert words(tmp_path, tmp_path / "that is not there") == {}


def test_two_packages_with_one_word_are_refused_by_their_names(tmp_path: Path) -> None:
    package(tmp_path, "one", {"swirl": "one:Swirl", "a": "one:A"})
    package(tmp_path, "two", {"swirl": "two:Swirl", "b": "two:B"})
    with pytest.raises(Unable) as error:
        words(tmp_path)
    assert str(error.value) == "two packages, one and two, bring a `swirl` under atnas.ops: uninstall one of them"


def test_a_word_may_stand_in_two_groups(tmp_path: Path) -> None:
    package(tmp_path, "one", {"swirl": "one:Swirl"})
    package(tmp_path, "two", {"swirl": "two:Swirl"}, group="atnas.tasks")
    found = installed([str(tmp_path)])
    assert by_name("ops", found)["swirl"].package == "one"
    assert by_name("tasks", found)["swirl"].package == "two"


def test_a_check_tells_that_two_packages_clash(tmp_path: Path) -> None:
    file = tmp_path / "net.atnas"
    file.write_text("op f = relu\n")
    package(tmp_path, "net", {"relu": "net:Relu"})
    ended = spawned("check", file, PYTHONPATH=str(tmp_path))
    assert ended.code == 2
    assert "two packages, atnas and net, bring a `relu` under atnas.ops: uninstall one" in ended.err


def test_an_entry_imports_what_it_names() -> None:
    assert Entry("atnas.ops", "path", "pathlib:Path.home", "a").load()() == Path.home()
    assert Entry("atnas.ops", "path", "pathlib : Path [extra]", "a").load() is Path
    assert Entry("atnas.ops", "path", "os.path", "a").load().join("a") == "a"


lines = st.sampled_from(["[atnas.ops]", "[ atnas.ops ]", "[other]", "# a = b:c", "", " a = b:c", "d=e", "f = g:h [i]"])


@given(st.lists(lines, max_size=8))
def test_a_file_is_read_as_importlib_reads_it(tmp_path_factory: pytest.TempPathFactory, text: list[str]) -> None:
    folder = tmp_path_factory.mktemp("site") / "net-1.0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Name: net\n")
    (folder / "entry_points.txt").write_text("\n".join(text), encoding="utf-8")
    theirs = [(e.group, e.name, e.value) for e in Distribution.at(folder).entry_points if e.group.startswith("atnas.")]
    assert [entry[:3] for entry in installed([str(folder.parent)])] == theirs
