"""Every example runs through on a tiny budget and ends with an answer; the sizes that papers give come out."""

from __future__ import annotations

import json
import math
import os
import re
from pathlib import Path
from typing import Any

import pytest
from commands import atnas, run, settings

ROOT = Path(__file__).parents[1]
EXAMPLES = sorted((ROOT / "examples").glob("*.atnas"))
DATA = Path(os.environ.get("ATNAS_DATA") or ROOT.parent / "shared" / "data")
NEEDS = {"omniglot": "omniglot", "conv4": "omniglot", "cifar_fs": "cifar100"}
"""The folder of data that an example learns from."""

TRAIN: dict[str, object] = {"train.iterations": 2, "train.batch": 2, "train.validation": 2}
SEARCH: dict[str, object] = {
    "search.algorithm.population": 4,
    "search.algorithm.generations": 2,
    "search.finalists": 2,
    "search.final_tasks": 2,
}
TEST: dict[str, object] = {"experiment.test_tasks": 2, "experiment.random_controls": 2}
OWN: dict[str, dict[str, object]] = {
    "cifar_fs": {"train.learner.test_steps": 2},
    "omniglot": {"search.schedule": "interleaved(warmup = 1, every = 1)"},
    "nas_bench_201": {"experiment.space": "nas_bench_201(C = 4, N = 1)", "tasks.source.size": 16},
    "darts": {"experiment.space": "darts(C = 2, N = 1)", "tasks.source.size": 16},
    "ofa_mobilenet_v3": {"tasks.source.size": 32},
}
"""Smaller still where an example is large, and what the budget has no room for otherwise."""


def budget(example: str) -> dict[str, object]:
    """The settings of a tiny run."""
    return TRAIN | TEST | ({} if example == "conv4" else SEARCH) | OWN.get(example, {})


def cheap(example: Path, folder: Path) -> Path:
    """The example with candidates scored on two tasks: what stands in a goal cannot be set from outside."""
    copy = folder / example.name
    copy.write_text(re.sub(r"\(tasks = \d+\)", "(tasks = 2)", example.read_text()))
    return copy


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_ends_with_an_answer(example: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    needed = NEEDS.get(example.stem)
    if needed and not (DATA / needed).is_dir():
        pytest.skip(f"no {needed} in {DATA}: set ATNAS_DATA to the folder that holds it")
    monkeypatch.setenv("ATNAS_DATA", str(DATA))
    ended = run(cheap(example, tmp_path), tmp_path / "run", *settings(budget(example.stem)))
    assert ended.code == 0, ended.err
    written = (tmp_path / "run" / "result.json").read_text()
    result = json.loads(written, parse_constant=_not_standard)
    assert_answer(result, json.loads((tmp_path / "run" / "best.json").read_text()))
    for row in ("found", "mean of 2 random", "the largest") if result["controls"] else (result["space"],):
        assert row in ended.out
    assert f"{result['params']:,}" in ended.out


def assert_answer(result: dict[str, Any], best: dict[str, Any]) -> None:
    """Finite scores, sizes that fit each other, and controls on the same tasks wherever something was chosen."""
    assert result["architecture"] == best
    assert result["protocol"]["tasks"] == 2
    assert result["protocol"]["split"] == "test"
    assert (result["training"]["iterations"], result["training"]["tasks"]) == (2, 4)
    assert result["measure"] == ("loss" if result["protocol"]["way"] is None else "accuracy")
    rows = [result, *result["controls"].values()]
    for row in rows:
        assert math.isfinite(row["score"])
        assert row["ci95"] >= 0
        assert row["params"] > 0 < row["macs"]
        assert result["measure"] == "loss" or 0 <= row["score"] <= 1
    if not best:
        assert (result["controls"], result["search"]["trials"], result["architectures"]) == ({}, 0, "1")
        return
    assert result["search"]["trials"] >= 8
    assert result["search"]["failed"] == 0
    assert (result["controls"]["random"]["count"], result["controls"]["largest"]["count"]) == (2, 1)
    assert max(row["params"] for row in rows) == result["controls"]["largest"]["params"]
    for control in result["controls"].values():
        assert control["difference"]["mean"] == pytest.approx(result["score"] - control["score"])


def _not_standard(word: str) -> None:
    pytest.fail(f"{word} is no standard JSON")


# Published sizes


def space(example: str) -> dict[str, Any]:
    """What `atnas info --json` says of the space of an example."""
    return info(ROOT / "examples" / f"{example}.atnas")["spaces"][0]


def info(file: object, text: str = "") -> dict[str, Any]:
    ended = atnas("info", file, "--json", stdin=text)
    assert ended.code == 0, ended.err
    found: dict[str, Any] = json.loads(ended.out)
    return found


@pytest.mark.parametrize(
    ("example", "count"),
    [
        ("nas_bench_201", 15_625),  # Dong and Yang, ICLR 2020: 5^6
        ("darts", 1_076_746_950_455_072_400),  # Liu et al., ICLR 2019: two cells of (C(2,2) C(3,2) C(4,2) C(5,2)) 7^8
        ("ofa_mobilenet_v3", 21_758_655_492_572_485_851),  # Cai et al., ICLR 2020: (9^2 + 9^3 + 9^4)^5
    ],
)
def test_the_size_of_a_published_space(example: str, count: int) -> None:
    assert space(example)["architectures"] == str(count)


def test_a_space_without_decisions_is_one_network_of_known_size() -> None:
    ended = atnas("info", ROOT / "examples" / "conv4.atnas")
    # Four convolutions of 64 filters with bias and batch norm, and a head of 5: Finn et al., ICML 2017.
    assert "1 architecture, 112,261 to 112,261 params" in ended.out


CONV4_32 = """\
op unit = conv(32, 3, bias = true) -> bn -> relu -> max_pool(2)

space conv4 [image: (3, 84, 84)] -> logits: (5) {
  logits = image -> unit * 4 -> flatten -> linear(5)
}
"""


def test_conv4_of_mini_imagenet_has_its_published_size() -> None:
    assert info("-", CONV4_32)["spaces"][0]["params"] == {"min": 32_901, "max": 32_901}
