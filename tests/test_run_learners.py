"""Every learner from a file to a result, whoever does the work and however many tasks go side by side."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from commands import atnas, run, timeless
from safetensors.torch import load_file

from atnas.dsl.plugins import entries
from atnas.runtime.answer import best_on, diversity

PROGRAM = """\
space net [image: (c, h, w)] -> logits: (way) {
  width  = 2 | 4
  logits = image -> conv(width, 3, stride = 2) -> bn -> relu -> global_avg_pool -> linear(way)
}

tasks letters {
  source = glyphs(size = 16)
  way    = 3
  query  = 2
}

train meta {
  learner    = LEARNER
  batch      = 4
  iterations = 3
  validation = 2
  paths      = uniform(per = batch)
  together   = 2
}

search evolve {
  algorithm   = evolution(population = 3, generations = 1)
  maximize      accuracy(tasks = 3)
  finalists   = 1
  final_tasks = 2
}

experiment few {
  space           = net
  tasks           = letters
  train           = meta
  search          = evolve
  test_tasks      = 4
  random_controls = 1
}
"""

LEARNERS = {
    "anil": "anil(order = 2, steps = 2)",
    "boil": "boil(inner = sgd(lr = 0.1, momentum = 0.5))",
    "imaml": "imaml(steps = 3, solver_steps = 2)",
    "maml": "maml(inner = adam(lr = 0.01), steps = 2)",
    "maml_plus": "maml_plus(steps = 2)",
    "meta_sgd": "meta_sgd",
    "pretrain": "pretrain(steps = 3)",
    "prototypes": "prototypes",
    "reptile": "reptile(batch = 3, steps = 3, test_steps = 3)",
}


def answer(folder: Path) -> Any:
    """A run's result without what the clock says."""
    return timeless(json.loads((folder / "result.json").read_text()))


def test_all_learners_are_here() -> None:
    assert set(LEARNERS) == set(entries("trainers"))


@pytest.mark.parametrize("learner", LEARNERS.values(), ids=list(LEARNERS))
def test_a_run_by_any_learner_ends_in_a_result_that_stays_the_same(learner: str, tmp_path: Path) -> None:
    file = tmp_path / "p.atnas"
    file.write_text(PROGRAM.replace("LEARNER", learner))
    first, again = tmp_path / "first", tmp_path / "again"
    assert run(file, first).code == 0
    ended = run(file, again)
    assert ended.code == 0, ended.err
    result = answer(first)
    assert result == answer(again)
    assert 0 <= result["score"] <= 1


@pytest.mark.parametrize("learner", ["meta_sgd", "maml_plus(steps = 2)"])
def test_what_is_learned_beside_the_weights_is_saved_and_used_by_every_worker(learner: str, tmp_path: Path) -> None:
    file = tmp_path / "p.atnas"
    file.write_text(PROGRAM.replace("LEARNER", learner))
    one, two = tmp_path / "one", tmp_path / "two"
    assert run(file, one).code == 0
    assert atnas("run", file, "--out", two, "--workers", 2).code == 0
    assert answer(one) == answer(two)
    saved = load_file(one / "checkpoints" / "best.safetensors")
    rates = {name: t for name, t in saved.items() if name.startswith(("beside/rate:", "beside/rates@"))}
    assert rates
    assert any(float((rate - 0.1).abs().max()) > 1e-6 for rate in rates.values())


def test_tasks_side_by_side_give_what_they_give_one_by_one(tmp_path: Path) -> None:
    file = tmp_path / "p.atnas"
    file.write_text(PROGRAM.replace("LEARNER", LEARNERS["maml"]))
    scores = []
    for together in (1, 4):
        out = tmp_path / str(together)
        assert run(file, out, "--set", f"train.together={together}").code == 0
        kept = json.loads((out / "batching.json").read_text())
        assert [kept[part]["tasks"] for part in ("training", "scoring")] == [together, together]
        scores.append(load_file(out / "checkpoints" / "best.safetensors"))
    for name, weight in scores[0].items():
        assert float((weight - scores[1][name]).abs().max()) < 1e-4


def test_the_result_tells_how_much_the_best_architecture_depends_on_the_task(tmp_path: Path) -> None:
    file = tmp_path / "p.atnas"
    file.write_text(PROGRAM.replace("LEARNER", "maml").replace("finalists   = 1", "finalists   = 2"))
    assert run(file, tmp_path / "run").code == 0
    finals = json.loads((tmp_path / "run" / "result.json").read_text())["finals"]
    assert finals["tasks"] == 2
    shares = [each["best_on"] for each in finals["architectures"]]
    assert len(shares) == 2
    assert sum(shares) == pytest.approx(1)
    assert 1 <= finals["diversity"] <= 2


def test_diversity_is_the_number_of_architectures_that_are_best_as_often() -> None:
    more = lambda a, b: a > b  # noqa: E731
    assert best_on([[1, 0, 1, 1], [0, 1, 1, 0]], more) == [0.625, 0.375]
    assert diversity([0.25] * 4) == pytest.approx(4)
    assert diversity([1.0, 0.0]) == pytest.approx(1)


def test_what_is_learned_beside_the_weights_begins_with_those_that_were_inherited(tmp_path: Path) -> None:
    (tmp_path / "a.atnas").write_text(PROGRAM.replace("LEARNER", "maml").replace("iterations = 3", "iterations = 30"))
    (tmp_path / "b.atnas").write_text(PROGRAM.replace("LEARNER", "maml_plus(steps = 2)"))
    assert run(tmp_path / "a.atnas", tmp_path / "a").code == 0
    still = ("--set", "train.outer=adam(lr = 1e-12)")
    assert run(tmp_path / "b.atnas", tmp_path / "b", "--from", tmp_path / "a", *still).code == 0
    before, after = (load_file(tmp_path / n / "checkpoints" / "best.safetensors") for n in "ab")
    name = next(name for name in before if name.endswith("bn.weight"))
    assert float((before[name] - 1).abs().max()) > 1e-4
    for step in (1, 2):
        assert float((after[f"beside/at {step}:{name}"] - before[name]).abs().max()) < 1e-6


def test_one_row_is_too_little_for_a_batch_norm_of_vectors_and_that_is_said(tmp_path: Path) -> None:
    text = PROGRAM.replace("LEARNER", "reptile(batch = 1)")
    text = text.replace("bn -> relu -> global_avg_pool", "global_avg_pool -> bn")
    (tmp_path / "p.atnas").write_text(text)
    ended = run(tmp_path / "p.atnas", tmp_path / "run")
    assert ended.code == 2
    assert "a batch norm has one number of each channel to go by" in ended.err.splitlines()[-1]


@pytest.mark.parametrize(("learner", "is_said"), [("prototypes", True), ("pretrain(steps = 2)", True), ("maml", False)])
def test_an_export_says_where_the_last_layer_was_never_learned(learner: str, is_said: bool, tmp_path: Path) -> None:
    (tmp_path / "p.atnas").write_text(PROGRAM.replace("LEARNER", learner))
    assert run(tmp_path / "p.atnas", tmp_path / "run").code == 0
    assert atnas("export", tmp_path / "run", "--to", "py").code == 0
    source = (tmp_path / "run" / "net.py").read_text()
    assert ("last layer is made for each task" in " ".join(source.split())) == is_said
