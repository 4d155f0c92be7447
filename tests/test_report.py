"""`atnas report`: one page that opens anywhere, whose numbers are those of the run."""

from __future__ import annotations

import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path
from statistics import fmean
from typing import Any
from xml.etree import ElementTree

import pytest
from commands import TINY, atnas, run
from hypothesis import given
from hypothesis import strategies as st

from atnas.dsl.errors import Unable
from atnas.runtime.records import document_of, line_of
from atnas.runtime.report.contributions import contributions
from atnas.runtime.report.html import node, table, text
from atnas.runtime.report.material import material
from atnas.runtime.report.plots import plots

INTERLEAVED = TINY.replace("finalists ", "schedule    = interleaved(warmup = 2, every = 3)\n  finalists ")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs of one protocol and seed."""
    root = tmp_path_factory.mktemp("made")
    for name, source in (("after", TINY), ("interleaved", INTERLEAVED)):
        (root / "tiny.atnas").write_text(source)
        ended = run(root / "tiny.atnas", root / name)
        assert ended.code == 0, ended.err
    return root


class Reader(HTMLParser):
    """What a page says, what it loads, and whether its elements are closed in order."""

    VOID = ("meta", "link", "img")

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.said: list[str] = []
        self.loaded: list[str] = []
        self.images: list[dict[str, str | None]] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.loaded += [str(given[key]) for key in ("src", "href", "data", "action") if key in given]
        self.ids += [str(given["id"])] if "id" in given else []
        if tag == "img":
            self.images.append(given)
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not self.open or self.open[-1] != "style":
            self.said.append(data)


def read(page: Path) -> Reader:
    reader = Reader()
    reader.feed(page.read_text())
    reader.close()
    assert not reader.open
    return reader


def reported(*runs: Path, to: Path) -> Reader:
    ended = atnas("report", *runs, "-o", to)
    assert (ended.code, ended.out) == (0, f"{to}\n"), ended.err
    return read(to)


def test_the_answer_comes_first_and_every_number_is_that_of_the_run(made: Path, tmp_path: Path) -> None:
    said = " ".join(reported(made / "after", to=tmp_path / "report.html").said)
    result = json.loads((made / "after" / "result.json").read_text())
    answer = f"{result['score']:.4f} ± {result['ci95']:.4f}"
    assert said.index("tiny") < said.index(answer) < said.index("How it does") < said.index("Protocol")
    for row in result["controls"].values():
        difference = row["difference"]
        assert f"{row['score']:.4f} ± {row['ci95']:.4f}" in said
        assert f"{difference['mean']:+.4f} ± {difference['ci95']:.4f}" in said
    for name, value in result["protocol"].items():
        if value is not None:
            assert name in said
    assert f"{result['training']['tasks']:,} tasks" in said


def test_a_page_needs_nothing_but_itself(made: Path, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    reader = reported(made / "after", made / "interleaved", to=page)
    assert all(each.startswith(("data:", "#")) for each in reader.loaded)
    assert {each[1:] for each in reader.loaded if each.startswith("#")} <= set(reader.ids)
    assert "<script" not in page.read_text()
    assert page.stat().st_size < 600_000


def test_every_picture_says_what_it_shows(made: Path, tmp_path: Path) -> None:
    reader = reported(made / "interleaved", to=tmp_path / "report.html")
    assert len(reader.images) == 6
    assert all(len(image["alt"] or "") > 20 for image in reader.images)


def test_the_same_run_gives_the_same_page(made: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        reported(made / "after", to=tmp_path / f"{name}.html")
    assert (tmp_path / "a.html").read_bytes() == (tmp_path / "b.html").read_bytes()


def test_runs_side_by_side_are_compared_on_the_same_tasks(made: Path, tmp_path: Path) -> None:
    said = " ".join(reported(made / "after", made / "interleaved", to=tmp_path / "many.html").said)
    scores = {
        name: json.loads((made / name / "test.json").read_text())["found"][0]["scores"]
        for name in ("after", "interleaved")
    }
    best, other = sorted(scores, key=lambda name: fmean(scores[name]))
    assert f"{best} - this" in said
    assert f"{fmean(scores[best]) - fmean(scores[other]):+.4f} ±" in said


@pytest.mark.parametrize("missing", [("result.json", "test.json"), ("result.json", "test.json", "trials.jsonl")])
def test_a_run_that_is_not_finished_shows_what_there_is(missing: tuple[str, ...], made: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(made / "after", tmp_path / "run")
    for name in missing:
        (folder / name).unlink()
    said = " ".join(reported(folder, to=tmp_path / "report.html").said)
    assert "Not finished: stopped at meta step 8" in said
    assert "Meta-training" in said
    assert ("trial by trial" in said) == ("trials.jsonl" not in missing)


def test_damage_is_one_sentence_and_no_page(made: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(made / "after", tmp_path / "run")
    lines = (folder / "trials.jsonl").read_text().splitlines(keepends=True)
    (folder / "trials.jsonl").write_text("".join([lines[0].replace("loss", "lass"), *lines[1:]]))
    ended = atnas("report", folder, "-o", tmp_path / "report.html")
    assert ended.code == 2
    assert ended.err.startswith(f"atnas: line 1 of {folder / 'trials.jsonl'} is damaged")
    assert not (tmp_path / "report.html").exists()
    nothing = atnas("report", tmp_path / "nowhere")
    assert (nothing.code, "holds no run" in nothing.err) == (2, True)


def test_whatever_a_run_says_is_text(made: Path, tmp_path: Path) -> None:
    """Names and reasons come from anybody's files."""
    evil = '<script>alert(1)</script>"><img src=x onerror=alert(1)>$\\frac$&amp;'
    folder = shutil.copytree(made / "after", tmp_path / "run")
    result = json.loads((folder / "result.json").read_text())
    del result["crc32"]
    result["experiment"] = result["space"] = evil
    result["protocol"][evil] = evil
    (folder / "result.json").write_text(document_of(result))
    trials = [json.loads(line) for line in (folder / "trials.jsonl").read_text().splitlines()]
    for trial in trials:
        del trial["crc32"]
        trial["architecture"] = {evil: evil, "width": trial["number"] % 3}
    trials[1] |= {"values": None, "failure": evil}
    (folder / "trials.jsonl").write_text("".join(line_of(trial) + "\n" for trial in trials))
    page = tmp_path / "report.html"
    reader = reported(folder, to=page)
    assert "<script" not in page.read_text()
    assert "onerror" not in re.sub(r'alt="[^"]*"', "", page.read_text()).replace("&lt;img src=x onerror", "")
    assert any(evil in part for part in reader.said)
    assert all(each.startswith(("data:", "#")) for each in reader.loaded)


def test_a_space_that_cannot_be_drawn_is_said(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*_: object) -> str:
        raise Unable("there is no operator `conv` any more")

    monkeypatch.setattr("atnas.runtime.report.page._drawn", failing)
    said = " ".join(reported(made / "after", to=tmp_path / "report.html").said)
    assert "the program of this run is read otherwise today (there is no operator `conv` any more)" in said


def test_figures_are_written_for_papers(made: Path, tmp_path: Path) -> None:
    ended = atnas("report", made / "after", "-o", tmp_path / "r.html", "--plots", tmp_path / "plots")
    assert ended.code == 0, ended.err
    names = {"learning", "search", "front", "decisions", "tasks"}
    assert {path.stem for path in (tmp_path / "plots").glob("*.svg")} == names
    for path in (tmp_path / "plots").glob("*.svg"):
        root = ElementTree.fromstring(path.read_bytes())
        assert root.tag.endswith("svg")
        assert [each for each in root.iter() if each.tag.endswith("}text")]
        assert (path.with_suffix(".png")).read_bytes().startswith(b"\x89PNG")


def test_many_trials_stay_a_page_of_some_hundred_kilobytes(made: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(made / "after", tmp_path / "run")
    one = json.loads((folder / "trials.jsonl").read_text().splitlines()[0])
    del one["crc32"]
    lines = (
        line_of(
            one | {"number": n, "genotype": [n], "values": {"loss": 1 / (1 + n % 97)}, "architecture": {"w": n % 7}}
        )
        for n in range(20_000)
    )
    (folder / "trials.jsonl").write_text("".join(f"{line}\n" for line in lines))
    page = tmp_path / "report.html"
    reported(folder, to=page)
    assert page.stat().st_size < 600_000


def test_curves_of_training_and_of_validation_are_not_mixed(made: Path) -> None:
    """Both are told as `loss` in regression."""
    (plot,) = (plot for plot in plots(material(made / "after")) if plot.name == "learning")
    events = [json.loads(line) for line in (made / "after" / "metrics.jsonl").read_text().splitlines()]
    validation = [event["loss"] for event in events if "tasks_per_second" not in event]
    curves = {line.get_label(): list(line.get_ydata()) for line in plot.figure.axes[0].lines}
    assert curves["validation tasks"] == validation
    assert len(curves["training tasks"]) == len(events) - len(validation)


# What decisions contribute


def test_a_decision_that_alone_decides_explains_everything() -> None:
    tried = [({"kernel": kernel, "width": width}, float(kernel)) for kernel in (3, 5) for width in (8, 16, 24)]
    first, second = contributions(tried)
    assert (first.decision, first.share) == ("kernel", 1.0)
    assert [(option.name, option.mean, option.error, option.count) for option in first.options] == [
        ("3", 3.0, 0.0, 3),
        ("5", 5.0, 0.0, 3),
    ]
    assert (second.decision, second.share) == ("width", 0.0)


def test_a_decision_counts_only_where_it_matters() -> None:
    tried = [({"skip": True}, 0.1), ({"skip": False, "k": 3}, 0.2), ({"skip": False, "k": 5}, 0.4)]
    found = {one.decision: one for one in contributions(tried)}
    assert [option.count for option in found["k"].options] == [1, 1]
    assert found["k"].share == pytest.approx(1.0)


@given(
    st.lists(
        st.tuples(st.fixed_dictionaries({"a": st.sampled_from("xyz"), "b": st.integers(0, 2)}), st.floats(-1e6, 1e6)),
        max_size=30,
    )
)
def test_shares_are_shares_whatever_was_tried(tried: list[tuple[dict[str, Any], float]]) -> None:
    for one in contributions(tried):
        assert 0 <= one.share <= 1
        assert sum(option.count for option in one.options) == len(tried)


@given(st.text(), st.text())
def test_text_is_text_and_attributes_stay_attributes(content: str, attribute: str) -> None:
    reader = Reader()
    reader.feed(node("p", content, title=attribute) + table(content, [content], [[content, attribute]]))
    reader.close()
    assert not reader.open
    assert "<" not in text(content)
