"""What a run shows of itself while it goes on."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from atnas.cli.progress import Bars, Lines, bars
from atnas.runtime.watch import Progress

GOING = (
    Progress("train", 200, 2400, loss=1.4321, rate=41.27),
    Progress("train", 400, 2400, loss=1.2, score=0.512, rate=41.0),
    Progress("search", 3, 60, score=0.55, rate=1.5),
    Progress("train", 600, 2400, loss=1.1, rate=41.0),
    Progress("finals", 2, 5, score=0.56),
    Progress("test: found", 600, 600),
    Progress("test: random", 50, 6000),
)


@pytest.mark.parametrize("width", [60, 80, 120, 200])
def test_on_a_terminal_it_is_two_lines_whatever_comes(width: int) -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=width, color_system=None)
    with bars(console) as shown:
        watching = Bars(shown)
        for now in GOING:
            watching.progress(now)
            page = Console(file=io.StringIO(), width=width)
            with page.capture() as captured:
                page.print(shown.get_renderable())
            lines = captured.get().rstrip("\n").split("\n")
            assert len(lines) <= 2, lines
            assert all(len(line) <= width for line in lines)
    training, other = lines
    assert training.startswith("meta-training ")
    assert "600/2400" in training
    assert other.startswith("test: random ")
    assert "50/6000" in other
    if width >= 80:
        assert "validation 0.512" in training
        assert "tasks/s" in training


def test_where_there_is_no_terminal_a_phase_says_a_line_now_and_then(capsys: pytest.CaptureFixture[str]) -> None:
    clock = iter(range(0, 1000, 4))
    lines = Lines(clock=lambda: next(clock))
    for step in range(1, 21):
        lines.progress(Progress("train", step, 20, loss=2.0, rate=10.0))
    said = capsys.readouterr().err.splitlines()
    assert said[-1] == "meta-training      20/20  loss 2.000  10.0 tasks/s"
    assert 2 <= len(said) <= 11
