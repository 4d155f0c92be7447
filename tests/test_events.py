"""Event files, as TensorBoard's own reader sees them."""

from __future__ import annotations

import json
import math
import struct
from pathlib import Path
from typing import Any

from commands import TINY, run
from hypothesis import given
from hypothesis import strategies as st
from runs import at, program

from atnas.runtime.events import Events, masked

Curves = dict[str, list[tuple[int, float]]]


def read(folder: Path) -> Curves:
    """Every scalar of a folder by its tag."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    accumulator = EventAccumulator(str(folder), size_guidance={"scalars": 0})
    accumulator.Reload()
    return {tag: [(e.step, e.value) for e in accumulator.Scalars(tag)] for tag in accumulator.Tags()["scalars"]}


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def single(value: float) -> float:
    found: float = struct.unpack("<f", struct.pack("<f", value))[0]
    return found


def test_tensorboard_reads_what_the_metrics_and_trials_say(tmp_path: Path) -> None:
    out = tmp_path / "run"
    assert run(program(tmp_path, TINY), out).code == 0
    events = lines(out / "metrics.jsonl")
    training = [(e["step"], single(e["loss"])) for e in events if "tasks_per_second" in e]
    validation = [(e["step"], single(e["loss"])) for e in events if "tasks_per_second" not in e]
    curves = read(out)
    assert curves["train/loss"] == training
    assert curves["validation/loss"] == validation
    trials = [(t["number"], single(t["values"]["loss"])) for t in lines(out / "trials.jsonl")]
    assert read(out / "search") == {"search/loss": trials}


def test_a_run_that_went_on_is_one_curve(tmp_path: Path) -> None:
    """Steps that were done again after the last checkpoint are told once."""
    file, out = program(tmp_path, TINY), tmp_path / "run"
    with at("train", 5, sudden=True):
        assert run(file, out).code == 130
    with at("search", 6):
        assert run(file, out).code == 130
    assert run(file, out).code == 0
    events = lines(out / "metrics.jsonl")
    assert read(out)["train/loss"] == [(e["step"], single(e["loss"])) for e in events if "tasks_per_second" in e]
    assert [number for number, _ in read(out / "search")["search/loss"]] == list(range(12))


@given(st.lists(st.tuples(st.integers(0, 2**40), st.text(min_size=1), st.floats(width=32)), min_size=1, max_size=5))
def test_whatever_is_written_is_read(scalars: list[tuple[int, str, float]]) -> None:
    import tempfile

    from tensorboard.backend.event_processing.event_file_loader import RawEventFileLoader
    from tensorboard.compat.proto.event_pb2 import Event

    with tempfile.TemporaryDirectory() as folder:
        events = Events(Path(folder), 0)
        for step, tag, value in scalars:
            events.add(step, {tag: value})
        (file,) = Path(folder).iterdir()
        found = [Event.FromString(raw) for raw in RawEventFileLoader(str(file)).Load()]
    assert found[0].file_version == "brain.Event:2"
    told = [(e.step, e.summary.value[0].tag, e.summary.value[0].simple_value) for e in found[2:]]
    assert len(told) == len(scalars)
    for (step, tag, value), (other_step, other_tag, other) in zip(scalars, told, strict=True):
        assert (step, tag) == (other_step, other_tag)
        assert value == other or (math.isnan(value) and math.isnan(other))


def test_checksums_are_castagnoli() -> None:
    """The check value of CRC-32C, of "123456789", is e3069283; masked as TFRecord says."""
    crc = 0xE3069283
    assert masked(b"123456789") == (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF
