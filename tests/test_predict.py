"""Models: folders that stand alone, ask what images show, and leave as files that need no atnas."""

from __future__ import annotations

import json
import runpy
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from commands import Ended, atnas, run, sentence
from PIL import Image
from test_adapt import CLASSES, folder, picture
from test_run_learners import PROGRAM

from atnas.runtime.learn.model import Model
from atnas.runtime.learn.plans import grouped
from atnas.runtime.model import open_model
from atnas.runtime.tasks.stack import stack
from atnas.runtime.tasks.support import read_support
from atnas.runtime.trained import architecture, trained


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A run, a folder of images `mine`, a model adapted to it, and a few images to ask about."""
    root = tmp_path_factory.mktemp("made")
    (root / "p.atnas").write_text(PROGRAM.replace("LEARNER", "maml(inner = sgd(lr = 0.1), steps = 3)"))
    assert run(root / "p.atnas", root / "run").code == 0
    folder(root / "mine", dict.fromkeys(CLASSES, 6))
    ended = atnas("adapt", root / "run", "--support", root / "mine", "-o", root / "model")
    assert ended.code == 0, ended.err
    rng = np.random.default_rng(5)
    (root / "asked").mkdir()
    for i, kind in enumerate(CLASSES * 2):
        picture(kind, rng, size=30 + 10 * i).save(root / "asked" / f"{i}.png")
    yield root


def predicted(model: Path, *images: Path, more: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    ended = atnas("predict", model, *images, "--json", *more)
    assert ended.code == 0, ended.err
    found: list[dict[str, Any]] = json.loads(ended.out)["predictions"]
    return found


def shares(found: list[dict[str, Any]]) -> torch.Tensor:
    return torch.tensor([list(one["probabilities"].values()) for one in found])


def test_a_prediction_is_what_the_adapted_network_answers_by_the_support_rows(made: Path) -> None:
    """Computed once more from the run: adapted to the folder, its batch norms by the folder's images."""
    opened = trained(made / "run")
    genotype = architecture(opened, "best")
    path = opened.supernet.path(genotype)
    model = Model(path, grouped(path), "support", path.weights())
    task = read_support(made / "mine", opened.plan.tasks).whole
    weights = opened.plan.train.learner.adapt(model, stack([task]))
    asked = folder_of_one(made / "asked")
    queries = read_support(asked, opened.plan.tasks).whole
    with torch.no_grad():
        logits = model.query_logits(weights, stack([replaced(task, queries)]), training=False)[0, :, : len(CLASSES)]
    assert torch.allclose(shares(predicted(made / "model", asked / "a")), logits.softmax(-1), atol=1e-5)


def folder_of_one(asked: Path) -> Path:
    """The images as the one class of a folder that has another as well, so that they can be read as a task."""
    root = asked.with_name("as-task")
    if not root.exists():
        shutil.copytree(asked, root / "a")
        shutil.copytree(asked, root / "b")
    return root


def replaced(task: Any, queries: Any) -> Any:
    """A task that asks about the first class of another."""
    from dataclasses import replace

    rows = queries.support_y == 0
    return replace(task, query_x=queries.support_x[rows], query_y=queries.support_y[rows])


def test_an_answer_does_not_depend_on_the_other_images(made: Path) -> None:
    files = sorted((made / "asked").iterdir())
    together = shares(predicted(made / "model", *files))
    alone = torch.cat([shares(predicted(made / "model", file)) for file in files])
    assert torch.allclose(together, alone, atol=1e-6)
    assert torch.allclose(together.sum(1), torch.ones(len(files)), atol=1e-5)


def test_lines_name_files_labels_and_how_sure_it_is(made: Path) -> None:
    ended = atnas("predict", made / "model", made / "asked")
    assert ended.code == 0, ended.err
    found = predicted(made / "model", made / "asked")
    lines = [line.split("\t") for line in ended.out.splitlines()]
    assert lines == [[one["file"], one["label"], f"{100 * one['probability']:.1f} %"] for one in found]
    assert {one["label"] for one in found} <= set(CLASSES)
    assert all(one["probability"] == max(one["probabilities"].values()) for one in found)


def test_a_model_needs_nothing_but_its_folder(made: Path, tmp_path: Path) -> None:
    alone = shutil.copytree(made / "model", tmp_path / "elsewhere")
    one, other = (predicted(model, made / "asked") for model in (made / "model", alone))
    assert one == other


def test_any_size_colour_and_kind_of_image_will_do(made: Path, tmp_path: Path) -> None:
    image = picture("rings", np.random.default_rng(3), size=64)
    grey = image.convert("L")
    grey.save(tmp_path / "grey.png")
    grey.convert("RGBA").save(tmp_path / "alpha.png")
    grey.convert("RGB").save(tmp_path / "color.webp", lossless=True)
    grey.save(tmp_path / "one.bmp")
    turned = grey.transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 270 degrees before it is shown
    turned.save(tmp_path / "turned.png", exif=exif)
    found = shares(predicted(made / "model", tmp_path))
    assert len(found) == 5
    assert torch.allclose(found, found[:1].expand_as(found), atol=1e-4)


def test_many_bits_and_transparency_are_seen(tmp_path: Path) -> None:
    from atnas.runtime.tasks.images import read_images

    grey = np.arange(0, 256, 4, dtype=np.uint8).reshape(8, 8)
    Image.fromarray(grey).save(tmp_path / "plain.png")
    Image.fromarray(grey.astype(np.uint16) * 257).save(tmp_path / "deep.png")
    ink = np.zeros((8, 8, 4), np.uint8)
    ink[..., 3] = 255 - grey  # black, the more opaque the darker
    Image.fromarray(ink).save(tmp_path / "ink.png")
    plain, deep, seen = read_images([tmp_path / f"{name}.png" for name in ("plain", "deep", "ink")], 8, 1)
    assert (plain == deep).all()
    assert abs(plain.astype(int) - seen.astype(int)).max() <= 1


def test_an_image_that_cannot_be_read_is_named_and_left_out_if_asked_to(made: Path, tmp_path: Path) -> None:
    good = shutil.copy(made / "asked" / "0.png", tmp_path / "good.png")
    (tmp_path / "bad.png").write_bytes(b"\x89PNG no more")
    refused = atnas("predict", made / "model", tmp_path)
    assert (refused.code, refused.out) == (2, "")
    assert f"{tmp_path / 'bad.png'} cannot be read as an image" in sentence(refused)
    assert "--skip-bad leaves such images out" in refused.err
    ended = atnas("predict", made / "model", tmp_path, "--skip-bad")
    assert ended.code == 0
    assert [line.split("\t")[0] for line in ended.out.splitlines()] == [str(good)]
    assert ended.err.startswith(f"left out: {tmp_path / 'bad.png'} cannot be read")


def test_bad_images_are_left_out_of_what_is_adapted_to(made: Path, tmp_path: Path) -> None:
    support = shutil.copytree(made / "mine", tmp_path / "mine")
    (support / "dots" / "bad.png").write_bytes(b"nothing")
    command = ("adapt", made / "run", "--support", support, "-o", tmp_path / "model")
    assert "--skip-bad leaves such images out" in sentence(atnas(*command))
    ended = atnas(*command, "--skip-bad")
    assert ended.code == 0, ended.err
    assert f"left out: {support / 'dots' / 'bad.png'}" in ended.err
    assert predicted(tmp_path / "model", made / "asked") == predicted(made / "model", made / "asked")


def test_what_is_missing_is_told(made: Path, tmp_path: Path) -> None:
    assert "is not there" in sentence(atnas("predict", made / "model", tmp_path / "none.png"))
    assert "holds no images" in sentence(atnas("predict", made / "model", tmp_path))
    assert "holds no model; `atnas adapt` makes one" in sentence(atnas("predict", made / "run", made / "asked"))


# Leaving


def test_an_onnx_file_of_a_model_says_what_it_takes_and_gives_the_same_answers(made: Path, tmp_path: Path) -> None:
    target = tmp_path / "model.onnx"
    assert exported(made / "model", "onnx", target).code == 0
    told = json.loads(next(p.value for p in onnx.load(target).metadata_props if p.key == "atnas.json"))
    assert told["labels"] == list(CLASSES)
    channels, height, width = told["images"]["shape"]
    found = predicted(made / "model", made / "asked")
    session = onnxruntime.InferenceSession(target, providers=["CPUExecutionProvider"])
    for one in found:
        image = Image.open(one["file"]).convert("RGB" if channels == 3 else "L")
        side = min(image.size)
        left, top = ((size - side) / 2 for size in image.size)
        box = (left, top, left + side, top + side)
        pixels = np.asarray(image.resize((width, height), Image.Resampling.BILINEAR, box=box), dtype=np.float32)
        rows = (pixels / 255 - told["images"]["mean"][0]) / told["images"]["std"][0]
        (logits,) = session.run(None, {session.get_inputs()[0].name: rows[None, None].astype(np.float32)})
        assert CLASSES[int(logits[0, : len(CLASSES)].argmax())] == one["label"]


def test_source_of_a_model_is_the_model(made: Path, tmp_path: Path) -> None:
    target = tmp_path / "net.py"
    assert exported(made / "model", "py", target).code == 0
    assert all(label in target.read_text() for label in CLASSES)
    network = runpy.run_path(str(target))["load"]()
    x = torch.randn(3, 1, 16, 16, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        assert torch.allclose(network(x), open_model(made / "model").network(x), atol=1e-5)


def test_a_label_is_text_wherever_it_comes(made: Path, tmp_path: Path) -> None:
    evil = '"""; raise SystemExit(9) #`|<script>\n# x'
    shutil.copytree(made / "mine" / "dots", tmp_path / "mine" / evil)
    shutil.copytree(made / "mine" / "bars", tmp_path / "mine" / "bars")
    model = tmp_path / "model"
    assert atnas("adapt", made / "run", "--support", tmp_path / "mine", "-o", model).code == 0
    assert exported(model, "py", tmp_path / "net.py").code == 0
    runpy.run_path(str(tmp_path / "net.py"))["load"]()
    assert len(atnas("predict", model, made / "asked").out.splitlines()) == 6
    card = (model / "README.md").read_text()
    assert [line for line in card.splitlines() if line.startswith("# ")] == ["# An image classifier of 2 classes"]


def test_a_card_says_how_well_it_goes_and_where_it_comes_from(made: Path) -> None:
    card = (made / "model" / "README.md").read_text()
    about = json.loads((made / "model" / "model.json").read_text())
    held = about["cross_validation"]
    assert f"{held['right']} of {held['asked']} images right in cross-validation over 5 parts" in card
    result = json.loads((made / "run" / "result.json").read_text())
    assert f"{100 * result['score']:.2f} ± {100 * result['ci95']:.2f} %" in card
    assert "6 images of `bars`, 6 images of `dots`, 6 images of `rings`" in card
    assert "| `source` | Glyphs |" in card


def exported(model: Path, to: str, target: Path) -> Ended:
    return atnas("export", model, "--to", to, "-o", target)


def test_an_architecture_of_a_model_is_not_chosen(made: Path) -> None:
    assert "a model of one architecture" in sentence(atnas("export", made / "model", "--to", "py", "--arch", "0"))


# Damage


@pytest.mark.parametrize("name", ["model.json", "weights.safetensors", "program.atnasc"])
def test_damage_anywhere_is_one_sentence(name: str, made: Path, tmp_path: Path) -> None:
    model = shutil.copytree(made / "model", tmp_path / "model")
    whole = (model / name).read_bytes()
    wanted = open_model(made / "model")
    for place in range(0, len(whole), max(1, len(whole) // 40)):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << place % 8
        (model / name).write_bytes(damaged)
        ended = atnas("predict", model, made / "asked" / "0.png")
        if ended.code:
            assert str(model) in sentence(ended)
        else:  # the place says nothing
            assert all(
                torch.equal(a, b) for a, b in zip(open_model(model).state.values(), wanted.state.values(), strict=True)
            )
    (model / name).unlink()
    assert str(model) in sentence(atnas("predict", model, made / "asked" / "0.png"))
