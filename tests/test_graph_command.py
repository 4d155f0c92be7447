"""`atnas graph` on the command line, and how it places what it draws."""

from __future__ import annotations

import json
import random
import runpy
from collections.abc import Sequence
from itertools import combinations, pairwise
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import patch
from xml.etree import ElementTree

import pytest
from commands import atnas, sentence, spawned
from drawings import ROOT, titles, words
from hypothesis import example, given, settings
from hypothesis import strategies as st

from atnas.compiler.drawing.flow import MARGIN, broken
from atnas.compiler.drawing.layers import layered, spread

# The command

SPACE = "space net [x: (3)] -> y: (2) { w = 4 | 8 y = x -> linear(w) -> relu -> linear(2) }"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    found = tmp_path / "net.atnas"
    found.write_text(SPACE, encoding="utf-8")
    return found


def test_a_pipe_gets_the_picture_and_a_name_gets_the_file(file: Path) -> None:
    piped = atnas("graph", file)
    assert piped.code == 0
    assert piped.out.startswith("<svg") and piped.err == ""
    named = atnas("graph", file, "-o", file.with_name("a.svg"))
    assert (named.code, named.out) == (0, "")
    assert file.with_name("a.svg").read_text("utf-8") == piped.out
    assert named.err == f"{file.with_name('a.svg')}: `net`, 1 decisions\n"


def test_on_a_terminal_the_picture_lies_beside_the_file(file: Path) -> None:
    terminal = SimpleNamespace(stdout=SimpleNamespace(isatty=lambda: True))
    with patch("atnas.cli.graph.sys", terminal):
        assert atnas("graph", file).out == ""
        assert sentence(atnas("graph", "-", stdin=SPACE)).endswith("give one with -o")
    assert file.with_suffix(".svg").read_text("utf-8") == atnas("graph", file).out


def test_the_number_of_architectures_and_the_range_of_params_are_told(file: Path) -> None:
    seen = words(ElementTree.fromstring(atnas("graph", file).out))
    assert "2 architectures, 26 to 50 params" in seen
    assert "one architecture, 50 params, 40 macs" in words(
        ElementTree.fromstring(atnas("graph", file, "--arch", '{"w": 8}').out)
    )


def test_an_architecture_comes_from_the_command_line_or_a_file(file: Path, tmp_path: Path) -> None:
    best = tmp_path / "best.json"
    best.write_text(json.dumps({"w": 4}), encoding="utf-8")
    marked = atnas("graph", file, "--arch", f"@{best}")
    assert marked.out == atnas("graph", file, "--arch", '{"w": 4}').out
    assert set(titles(ElementTree.fromstring(marked.out), "value")) == {"w = 4"}
    alone = words(ElementTree.fromstring(atnas("graph", file, "--arch", f"@{best}", "--alone").out))
    assert "linear(4) → relu" in alone


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--arch", "{"], "--arch is no JSON"),
        (["--arch", "[" * 100_000], "--arch is no JSON"),
        (["--arch", "7"], '--arch is no JSON object: write one, such as {"w": 4}'),
        (["--arch", '{"v": 4}'], "--arch is no architecture of `net`: there is no decision `v`"),
        (["--arch", '{"w": 5}'], "--arch is no architecture of `net`: `w` cannot be 5; its options are 4, 8"),
        (["--arch", "{}"], "--arch is no architecture of `net`: `w` is not decided; its options are 4, 8"),
        (["--arch", "@nowhere.json"], "nowhere.json is not there"),
        (["--alone"], "--alone draws an architecture: give one with --arch"),
        (["--space", "nett"], "did you mean `net`?"),
    ],
)
def test_what_cannot_be_drawn_is_told_in_a_sentence(file: Path, arguments: list[str], told: str) -> None:
    ended = atnas("graph", file, *arguments)
    assert ended.code == 2
    assert told in sentence(ended)


def test_a_file_with_errors_is_not_drawn(file: Path) -> None:
    file.write_text(SPACE.replace("linear(w)", "linear(v)"), encoding="utf-8")
    ended = atnas("graph", file)
    assert ended.code == 1
    assert "<svg" not in ended.out


def test_the_pictures_of_the_page_show_what_is_drawn_now() -> None:
    script = runpy.run_path(str(ROOT / "docs" / "pictures.py"))
    for name, drawn in script["pictures"]():
        assert (ROOT / "docs" / name).read_text("utf-8") == drawn, "python docs/pictures.py draws them anew"


def test_the_same_program_gives_the_same_bytes() -> None:
    file = ROOT / "grammars" / "std" / "darts.atnas"
    made = [spawned("graph", file, "--space", "darts", PYTHONHASHSEED=seed) for seed in ("1", "2")]
    assert made[0].out.startswith("<svg")
    assert made[0] == made[1]


# Layout


sides = st.tuples(st.floats(1, 50), st.floats(1, 50))


@given(st.lists(st.tuples(st.floats(-200, 200), st.floats(0.1, 10), sides), min_size=1, max_size=8), st.randoms())
def test_places_in_a_rank_are_apart_and_no_others_are_nearer_to_what_is_wanted(
    row: list[tuple[float, float, tuple[float, float]]], rng: random.Random
) -> None:
    wanted, weights, rooms = zip(*row, strict=True)
    places = spread(wanted, weights, rooms, 10)
    least = [a[1] + 10 + b[0] for a, b in pairwise(rooms)]
    assert all(b - a >= gap - 1e-6 for (a, b), gap in zip(pairwise(places), least, strict=True))
    other = [places[0] + rng.uniform(-9, 9)]
    for gap, (a, b) in zip(least, pairwise(places), strict=True):
        other.append(max(other[-1] + gap, other[-1] + b - a + rng.uniform(-9, 9)))
    costs = [sum(w * (x - d) ** 2 for x, d, w in zip(xs, wanted, weights, strict=True)) for xs in (places, other)]
    assert costs[0] <= costs[1] + 1e-6


@example([10.0, 10.0, 35.0], 100.0)  # one row, though not with the margin of a later one
@given(st.lists(st.floats(10, 90), min_size=1, max_size=7), st.floats(100, 250))
@settings(max_examples=50)
def test_rows_are_as_few_as_can_be(widths: list[float], width: float) -> None:
    def fits(rows: Sequence[Sequence[int]]) -> bool:
        lengths = (
            sum(widths[i] for i in row) + 20 * (len(row) - 1 + (j > 0)) + MARGIN * (j > 0) for j, row in enumerate(rows)
        )
        return all(length <= width + 1e-6 or len(row) == 1 for length, row in zip(lengths, rows, strict=True))

    rows = broken(widths, [20.0] * len(widths), width)
    assert [i for row in rows for i in row] == list(range(len(widths)))
    assert fits(rows)
    cuts = (cut for size in range(len(rows) - 1) for cut in combinations(range(1, len(widths)), size))
    assert not any(fits([range(a, b) for a, b in pairwise([0, *cut, len(widths)])]) for cut in cuts)


def test_arrows_go_down_and_what_follows_one_another_stands_below_each_other() -> None:
    edges = [(0, 1), (0, 4), (1, 2), (2, 3), (3, 4)]
    layout = layered([(20.0, 20.0)] * 5, edges, 10)
    assert all(layout.ranks[a] < layout.ranks[b] for a, b in edges)
    assert layout.centers[1] == layout.centers[2] == layout.centers[3]
    assert len(set(layout.bends[0, 4])) == 1
    assert all(abs(bend - layout.centers[1]) >= 20 for bend in layout.bends[0, 4])
