"""`atnas adapt`: what a run found, on a folder of images that nobody has seen."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from commands import TINY, Ended, atnas, run, sentence
from PIL import Image
from safetensors.torch import load_file
from test_run_learners import PROGRAM

from atnas.runtime.adapting import adapt, search
from atnas.runtime.tasks.support import Support
from atnas.runtime.trained import Trained, architecture, trained

CLASSES = ("bars", "dots", "rings")


def picture(kind: str, rng: np.random.Generator, size: int = 40) -> Image.Image:
    """Bars, dots or rings, somewhere, in some colours."""
    y, x = np.mgrid[:size, :size] - rng.uniform(size / 3, 2 * size / 3, (2, 1, 1))
    shape = {
        "bars": (x.astype(int) // 5) % 2 == 0,
        "dots": (x % 10 - 5) ** 2 + (y % 10 - 5) ** 2 < 8,
        "rings": (np.hypot(x, y).astype(int) // 5) % 2 == 0,
    }[kind]
    return Image.fromarray(
        np.where(shape[..., None], rng.integers(0, 90, 3), rng.integers(160, 256, 3)).astype("uint8")
    )


def folder(root: Path, counts: dict[str, int]) -> Path:
    rng = np.random.default_rng(1)
    for kind, count in counts.items():
        (root / kind).mkdir(parents=True)
        for i in range(count):
            picture(kind, rng).save(root / kind / f"{i}.{'png' if i % 2 else 'jpg'}")
    return root


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    root = tmp_path_factory.mktemp("finished")
    (root / "p.atnas").write_text(PROGRAM.replace("LEARNER", "maml(inner = sgd(lr = 0.1), steps = 3)"))
    assert run(root / "p.atnas", root / "run").code == 0
    yield root / "run"


def adapted(finished: Path, support: Path, out: Path, *more: str) -> Ended:
    return atnas("adapt", finished, "--support", support, "-o", out, *more)


def test_weights_are_adapted_to_a_folder_of_images(finished: Path, tmp_path: Path) -> None:
    support = folder(tmp_path / "mine", dict.fromkeys(CLASSES, 6))
    ended = adapted(finished, support, tmp_path / "model")
    assert ended.code == 0, ended.err
    assert ended.out == f"{tmp_path / 'model'}\n"
    assert "of 18 right in cross-validation over 5 parts (" in ended.err
    about = json.loads((tmp_path / "model" / "model.json").read_text())
    assert about["labels"] == list(CLASSES)
    assert about["support"] == dict.fromkeys(CLASSES, 6)
    assert about["images"]["shape"] == [1, 16, 16]
    assert about["architecture"] == json.loads((finished / "best.json").read_text())
    opened = trained(finished)
    path = opened.supernet.path(architecture(opened, "best"))
    weights = load_file(tmp_path / "model" / "weights.safetensors")
    averages = {name for name in weights if "running_" in name or name.endswith("num_batches_tracked")}
    assert weights.keys() - averages == path.weights().keys()
    assert any(not torch.equal(weights[name], start) for name, start in path.weights().items())


def test_architecture_and_weights_are_searched_and_told_apart_from_weights_alone(
    finished: Path, tmp_path: Path
) -> None:
    support = folder(tmp_path / "mine", {"bars": 4, "dots": 3, "rings": 5})
    ended = adapted(finished, support, tmp_path / "model", "--search")
    assert ended.code == 0, ended.err
    alone, both = (line for line in ended.err.splitlines() if "cross-validation" in line)
    assert alone.startswith("weights: ") and "over 3 parts" in alone
    assert both.startswith("architecture and weights: ") and "the best of 2 architectures by the same" in both
    about = json.loads((tmp_path / "model" / "model.json").read_text())
    assert about["adapted"] == "architecture and weights"
    assert about["cross_validation"]["architectures"] == 2


def test_with_one_image_a_class_nothing_is_held_out_and_it_is_said(finished: Path, tmp_path: Path) -> None:
    support = folder(tmp_path / "mine", {"bars": 1, "dots": 3})
    ended = adapted(finished, support, tmp_path / "model", "--search")
    assert ended.code == 0, ended.err
    assert "weights: adapted to 2 classes in" in ended.err
    assert "one image in a class: nothing can be held out, and the run's own choice is kept" in ended.err
    about = json.loads((tmp_path / "model" / "model.json").read_text())
    assert about["architecture"] == json.loads((finished / "best.json").read_text())
    assert about["cross_validation"] == {"right": 0, "asked": 0, "parts": 0, "architectures": 1}


def test_a_model_is_not_written_through_a_link(finished: Path, tmp_path: Path) -> None:
    run = shutil.copytree(finished, tmp_path / "run")
    (tmp_path / "elsewhere").mkdir()
    (run / "adapted").symlink_to(tmp_path / "elsewhere")
    ended = atnas("adapt", run, "--support", folder(tmp_path / "letters", dict.fromkeys(CLASSES, 2)))
    assert ended.code == 2
    assert "is a link that leads out of" in ended.err
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_the_same_folder_gives_the_same_model(finished: Path, tmp_path: Path) -> None:
    support = folder(tmp_path / "mine", dict.fromkeys(CLASSES, 3))
    for name in ("a", "b"):
        assert adapted(finished, support, tmp_path / name, "--search").code == 0
    files = [(tmp_path / name / "weights.safetensors").read_bytes() for name in ("a", "b")]
    assert files[0] == files[1]


def test_no_image_is_both_adapted_to_and_asked_about() -> None:
    examples = [torch.arange(n).float().view(n, 1, 1, 1) + 100 * label for label, n in enumerate((3, 7, 4))]
    folds = Support(("a", "b", "c"), tuple(examples)).folds()
    assert len(folds) == 3
    asked = []
    for fold in folds:
        supports, queries = (set(x.flatten().tolist()) for x in (fold.support_x, fold.query_x))
        assert not supports & queries
        assert supports | queries == set(torch.cat(examples).flatten().tolist())
        assert set(fold.support_y.tolist()) == set(fold.query_y.tolist()) == {0, 1, 2}
        assert torch.equal(fold.query_y, (fold.query_x.flatten() // 100).long())
        asked += fold.query_x.flatten().tolist()
    assert sorted(asked) == sorted(torch.cat(examples).flatten().tolist())


def test_the_search_keeps_the_best_that_it_compared(finished: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = trained(finished)
    mine = Support(CLASSES, tuple(torch.rand(4, 1, 16, 16) for _ in CLASSES))
    start = architecture(opened, "best")
    other = next(g for g in ((0,), (1,)) if g != start)
    assert search(opened, start, mine, lambda _: None).tried == 2
    monkeypatch.setattr("atnas.runtime.adapting.evaluate", preferring(opened, other))
    assert search(opened, start, mine, lambda _: None).scored.genotype == other
    assert adapt(opened, start, mine).scored.genotype == start


def preferring(opened: Trained, genotype: tuple[int, ...]) -> object:
    from atnas.runtime.learn.adapt import Score

    preferred = opened.supernet.path(genotype)
    return lambda model, *_: [Score(0.0, 1.0 if model.path is preferred else 0.0)]


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ({}, "is no folder"),
        ({"bars": 2}, "has 1 class folders; a task has two or more"),
        ({"bars": 2, "dots": 0}, "holds no images"),
        (dict.fromkeys(("bars", "dots", "rings", "bars2"), 1), "has 4 classes and the run's networks tell 3 apart"),
    ],
)
def test_a_folder_that_is_no_task_is_refused(counts: dict[str, int], said: str, finished: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    for kind, count in counts.items():
        (mine / kind).mkdir(parents=True)
        for i in range(count):
            picture(kind.strip("2"), np.random.default_rng(i)).save(mine / kind / f"{i}.png")
    ended = adapted(finished, mine, tmp_path / "model")
    assert ended.code == 2
    assert said in sentence(ended)
    assert not (tmp_path / "model").exists()


def test_a_folder_in_use_and_a_run_of_regression_are_refused(finished: Path, tmp_path: Path) -> None:
    support = folder(tmp_path / "mine", dict.fromkeys(CLASSES, 2))
    assert "is there and no empty folder" in sentence(adapted(finished, support, support))
    assert "is there and no empty folder" in sentence(adapted(finished, support, Path("/dev/null")))
    (tmp_path / "a.atnas").write_text(TINY)
    assert run(tmp_path / "a.atnas", tmp_path / "waves").code == 0
    ended = adapted(tmp_path / "waves", support, tmp_path / "model")
    assert "learned regression" in sentence(ended)
