"""`atnas latency`: layers measured on this machine, or fitted to whole networks that were measured elsewhere."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from commands import atnas, sentence
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from test_latency import SEARCHED, SPACE, compiled, every, milliseconds, program, table

from atnas.compiler.space import compile
from atnas.runtime.fitting import nonnegative
from atnas.runtime.timing import WARM, Stopwatch, Timing

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("ATNAS_DATA", ROOT.parent / "shared" / "data")) / "nasbench201"


# Measuring


def measure(file: Path, *arguments: object, device: str = "here") -> Any:
    return atnas("latency", file, "--device", device, "--seconds", 0, "--repeats", 2, *arguments)


def measured(path: Path) -> list[dict[str, Any]]:
    return json.loads(path.read_text())["layers"]


@pytest.fixture
def space(tmp_path: Path) -> Path:
    (tmp_path / "s.atnas").write_text(SPACE.format("  require latency(here) <= 1s\n"))
    return tmp_path / "s.atnas"


def test_every_layer_that_a_space_can_have_is_measured_once(space: Path) -> None:
    ended = measure(space)
    assert ended.code == 0, ended.err
    assert ended.out == ""
    assert f"{space.parent / 'here.latency.json'}: 8 layers measured" in ended.err
    found = measured(space.parent / "here.latency.json")
    assert sorted((e["op"], e["inputs"][0][0], e["arguments"].get("channels")) for e in found) == [
        *(("conv", 3, w) for w in (4, 4, 8, 8)),
        *((op, w, None) for op in ("relu", "skip") for w in (4, 8)),
    ]
    assert all(0 < e["spread"][0] <= e["seconds"] <= e["spread"][1] < 1 for e in found)
    assert atnas("sample", space).code == 0


def test_what_was_measured_is_kept_and_what_is_new_is_added(space: Path) -> None:
    measure(space)
    before = measured(space.parent / "here.latency.json")
    space.write_text(space.read_text().replace("4 | 8", "4 | 8 | 16"))
    assert "lacks conv(channels = 16" in atnas("sample", space).err
    assert "4 layers measured, 8 were there" in measure(space).err
    assert measured(space.parent / "here.latency.json")[: len(before)] == before
    assert "0 layers measured, 12 were there" in measure(space).err


def test_an_interrupted_command_goes_on_where_it_stopped(space: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = iter(range(3))

    def three(*_: object) -> Timing:
        if next(calls, None) is None:
            raise KeyboardInterrupt
        return Timing(1e-3, (1e-3, 3e-3))

    with monkeypatch.context() as patched:
        patched.setattr(Stopwatch, "layer", three)
        assert measure(space).code == 130
    assert len(measured(space.parent / "here.latency.json")) == 3
    assert "5 layers measured, 3 were there" in measure(space).err


def test_times_that_vary_are_told(space: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Stopwatch, "layer", lambda *_: Timing(1e-3, (1e-3, 3e-3)))
    assert "8 layers took at times twice as long as at others" in measure(space).err


def test_times_of_two_devices_or_two_ways_are_not_mixed(space: Path) -> None:
    measure(space)
    told = measure(space, "--batch", 4)
    assert told.code == 2
    assert "choose another name with --device" in sentence(told)
    (space.parent / "phone.latency.json").write_text(table())
    told = measure(space, device="phone")
    assert told.code == 2
    assert "holds times of `none`, not of " in sentence(told)


def test_a_damaged_table_is_not_written_over(space: Path) -> None:
    (space.parent / "here.latency.json").write_text("{")
    told = measure(space)
    assert told.code == 2
    assert "here.latency.json is no latency table" in sentence(told)
    assert (space.parent / "here.latency.json").read_text() == "{"


def test_the_spaces_of_experiments_are_measured_as_they_are_run(tmp_path: Path) -> None:
    text = SEARCHED.replace("space mlp ", "space mlp(most = 12) ").replace("..12 step", "..most step")
    file = tmp_path / "tiny.atnas"
    file.write_text(text.replace("= mlp\n", "= mlp(most = 8)\n"))
    assert "10 layers measured" in measure(file).err
    assert "15 layers measured" in measure(file, "--space", "mlp", device="all").err
    assert "0 layers measured, 10 were there" in measure(file, "--experiment", "tiny").err


def test_a_layer_runs_as_often_as_asked_and_longer_where_there_is_time() -> None:
    class Counted(torch.nn.Module):
        runs = 0

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            self.runs += 1
            return x

    def runs(tick: float, **how: Any) -> int:
        layer, ticks = Counted(), count()
        found = Stopwatch(torch.device("cpu"), clock=lambda: next(ticks) * tick, **how).module(layer, ((2,),))
        assert found.seconds == pytest.approx(tick)
        return layer.runs - WARM

    assert runs(1.0, repeats=5, seconds=0.5) == 5
    assert runs(1.0, repeats=5, seconds=90) > 20


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--device", "my phone"), "--device my phone: a device is one word, as in latency(phone)"),
        (("--device", "space"), "--device space: a device is one word, as in latency(phone)"),
        (("--device", "../x"), "--device ../x: a device is one word, as in latency(phone)"),
        (("--device", "x", "--space", "t"), "s.atnas has no space `t`; it has s"),
        (
            ("--device", "x", "--experiment", "e"),
            "s.atnas declares no experiment: add experiment NAME { space = .. tasks = .. train = .. }",
        ),
    ],
)
def test_what_cannot_be_measured_is_told(
    arguments: tuple[str, ...], told: str, space: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(space.parent)
    ended = atnas("latency", "s.atnas", *arguments)
    assert (ended.code, sentence(ended)) == (2, told)


# From whole networks


sizes = st.tuples(st.integers(1, 8), st.integers(1, 5))
small = st.floats(-3, 3).map(lambda x: round(x, 2))


@settings(max_examples=100, deadline=None)
@given(a=sizes.flatmap(lambda size: arrays(float, size, elements=small)), data=st.data())
def test_least_squares_without_negative_parts_meet_their_conditions(a: Any, data: st.DataObject) -> None:
    b = data.draw(arrays(float, len(a), elements=small))
    x = nonnegative(a, b)
    slope = a.T @ (a @ x - b)
    assert (x >= 0).all()
    # Karush, Kuhn and Tucker: no part can go up, and none above zero down, to any gain.
    assert (slope >= -1e-5).all()
    assert np.abs(slope[x > 0]).max(initial=0) < 1e-5


def test_layers_are_fitted_to_networks_and_give_their_latencies_again(space: Path) -> None:
    free = compiled()
    measurements = [
        {"architecture": free.encoding.decode(g), "seconds": milliseconds(free.encoding.decode(g)) / 1e3}
        for g in every(free)
    ]
    (space.parent / "networks.jsonl").write_text("".join(json.dumps(m) + "\n" for m in measurements))
    ended = atnas("latency", space, "--device", "here", "--from", space.parent / "networks.jsonl")
    assert (ended.code, ended.out) == (0, ""), ended.err
    (found,) = json.loads(atnas("info", space, "--json").out)["spaces"]
    assert found["latency"]["here"]["min"] == pytest.approx(5e-3, rel=1e-3)
    assert found["latency"]["here"]["max"] == pytest.approx(11.16e-3, rel=1e-3)


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ("", "networks.jsonl holds no measurement"),
        ("[" * 9_999, 'line 1 of networks.jsonl is no {"architecture": {..}, "seconds": 0.012}'),
        (
            '{"architecture": [], "seconds": 1}',
            'line 1 of networks.jsonl is no {"architecture": {..}, "seconds": 0.012}',
        ),
        ('{"architecture": {}, "seconds": NaN}', "line 1 of networks.jsonl has `seconds` that are no number from 0 to"),
        (
            '{"architecture": {}, "seconds": 1}',
            "line 1 of networks.jsonl has no architecture of this space: `w` is not",
        ),
    ],
)
def test_lines_that_are_no_measurements_are_told(
    lines: str, told: str, space: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(space.parent)
    Path("networks.jsonl").write_text(lines)
    ended = atnas("latency", "s.atnas", "--device", "x", "--from", "networks.jsonl")
    assert ended.code == 2
    assert sentence(ended).startswith(told)


def ranks(values: Any) -> Any:
    """The rank of each value, equals sharing theirs."""
    _, group, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts + 1) / 2)[group]


@pytest.mark.skipif(
    not DATA.is_dir(), reason="the latencies of NAS-Bench-201 are not there; ATNAS_DATA names their folder"
)
def test_published_latencies_of_200_cells_rank_the_others(tmp_path: Path) -> None:
    # HELP (Lee et al., NeurIPS 2021): CIFAR-type cells on a Titan RTX, 32 images at once.
    hardware = np.load(DATA / "nasbench201_hardware.npz")
    seconds = hardware["help_latency_ms"][:, list(hardware["help_devices"]).index("titan_rtx_32")] / 1e3
    cells = np.load(DATA / "nasbench201.npz")["ops"].tolist()
    file = tmp_path / "nb.atnas"
    file.write_text("use std.nas_bench_201 (nas_bench_201)\nsearch s { minimize latency(titan) algorithm = random }\n")
    found = program(file.read_text()).every_space()["nas_bench_201"].net
    assert found is not None
    encoding = compile(found).encoding
    chosen = np.random.default_rng(0).permutation(len(cells))
    lines = [{"architecture": encoding.decode(cells[i]), "seconds": float(seconds[i])} for i in chosen[:200]]
    (tmp_path / "cells.jsonl").write_text("\n".join(map(json.dumps, lines)))
    assert atnas("latency", file, "--device", "titan", "--from", tmp_path / "cells.jsonl").code == 0
    tables = program(file.read_text(), {"titan.latency.json": (tmp_path / "titan.latency.json").read_text()})
    costs = compile(replace(found, tables=tuple(tables.module.tables.values()))).costs
    rest = chosen[200:1200]
    added = [costs.of(cells[i])["latency(titan)"] / 1e9 for i in rest]
    assert np.corrcoef(ranks(added), ranks(seconds[rest]))[0, 1] > 0.98
    assert np.mean(np.abs(added - seconds[rest]) / seconds[rest]) < 0.03
