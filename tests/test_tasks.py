"""Tasks: where they come from, that they are what they say, and that nothing leaks."""

from __future__ import annotations

import hashlib
import math
import os
import random
import subprocess
import sys
import zipfile
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from atnas.dsl.errors import Unable
from atnas.dsl.settings import Between, MisfitError, OneOf, Uniform
from atnas.dsl.settings.configure import configure
from atnas.dsl.source import Source
from atnas.dsl.syntax import ast
from atnas.dsl.syntax.parse import parse
from atnas.runtime.tasks import cifar_split, glyph_images, omniglot_images
from atnas.runtime.tasks.augment import RotateClasses
from atnas.runtime.tasks.cifar import CifarFS, FewShotCifar100
from atnas.runtime.tasks.distribution import Pool, Tasks, TaskSource
from atnas.runtime.tasks.download import Archive, fetch
from atnas.runtime.tasks.episodes import ImagePool, choose
from atnas.runtime.tasks.glyphs import SCRIPTS, Glyphs
from atnas.runtime.tasks.image_folder import ImageFolder
from atnas.runtime.tasks.mixture import Mixture
from atnas.runtime.tasks.omniglot import Omniglot, vinyals_split
from atnas.runtime.tasks.sinusoid import Sinusoid
from atnas.runtime.tasks.task import Split, Task

SPLITS: tuple[Split, ...] = ("train", "val", "test")
DATA = Path(os.environ.get("ATNAS_DATA") or Path(__file__).parents[2] / "shared" / "data")


def data(folder: str) -> str:
    """The folder of real data, or a skip."""
    if not (DATA / folder).is_dir():
        pytest.skip(f"no {folder} in {DATA}: set ATNAS_DATA to the folder that holds it")
    return str(DATA)


@cache
def pool_of(source: TaskSource, split: Split) -> ImagePool:
    pool = source.open(split)
    assert isinstance(pool, ImagePool)
    return pool


@pytest.fixture(scope="session")
def one_shard(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A folder with the sixth of CIFAR-100 that is its official test images."""
    shard = Path(data("cifar100"), "cifar100", "cifar100_test.npz")
    folder = tmp_path_factory.mktemp("cifar")
    (folder / shard.name).symlink_to(shard)
    return str(folder)


class Numbered(TaskSource):
    """A source of one's own, as a plug-in would have it: image n of class c is the number 20 c + n."""

    classes: int = 10

    @property
    def shape(self) -> tuple[int, ...]:
        return (1, 2, 2)

    def open(self, split: Split) -> Pool:
        first = {"train": 0, "val": 1, "test": 2}[split] * self.classes
        blocks = [np.full((6, 1, 2, 2), 6 * c, np.uint8) for c in range(self.classes)]
        for block in blocks:
            block += np.arange(6, dtype=np.uint8)[:, None, None, None]
        return ImagePool.of([f"class {first + c}" for c in range(self.classes)], blocks)


def same(a: Task, b: Task) -> bool:
    tensors = ("support_x", "support_y", "query_x", "query_y")
    return a.classes == b.classes and all(torch.equal(getattr(a, t), getattr(b, t)) for t in tensors)


def fingerprint(task: Task) -> str:
    parts = (task.support_x, task.support_y, task.query_x, task.query_y)
    return hashlib.sha256(b"".join(part.numpy().tobytes() for part in parts)).hexdigest()[:16]


# A task is what it says


@given(st.integers(0, 2**63 - 1), st.integers(2, 10), st.integers(1, 3), st.integers(1, 3))
def test_a_task_has_way_classes_in_turn_and_no_image_twice(seed: int, way: int, shot: int, query: int) -> None:
    task = Tasks(source=Numbered(), way=way, shot=shot, query=query).task("train", seed, 0)
    assert task.support_x.shape == (way * shot, 1, 2, 2) and task.query_x.shape == (way * query, 1, 2, 2)
    assert task.support_x.dtype == torch.float32 and task.support_x.is_contiguous()
    assert task.support_y.tolist() == list(range(way)) * shot
    assert task.query_y.tolist() == list(range(way)) * query
    assert task.way == way and len(set(task.classes)) == way
    numbers = (torch.cat([task.support_x, task.query_x])[:, 0, 0, 0] * 255).round().int().tolist()
    assert len(set(numbers)) == len(numbers)
    labels = torch.cat([task.support_y, task.query_y]).tolist()
    assert [f"class {n // 6}" for n in numbers] == [task.classes[y] for y in labels]


@given(st.integers(0, 2**32), st.integers(0, 1000), st.sampled_from(SPLITS))
def test_a_task_is_a_function_of_seed_split_and_index(seed: int, index: int, split: Split) -> None:
    tasks = Tasks(source=Numbered(), way=OneOf(options=(2, 5)), shot=Between(first=1, last=3), query=2)
    torch.manual_seed(index)
    random.seed(index)
    task = tasks.task(split, seed, index)
    assert same(task, tasks.task(split, seed, index))
    others = [tasks.task(split, seed, index + i) for i in range(1, 4)]
    assert not all(same(task, other) for other in others)


def test_way_and_shot_can_be_drawn_for_each_task() -> None:
    tasks = Tasks(source=Numbered(), way=OneOf(options=(2, 5)), shot=Between(first=1, last=3), query=1)
    drawn = [tasks.task("train", 0, i) for i in range(200)]
    sizes = Counter((task.way, len(task.support_y) // task.way) for task in drawn)
    assert set(sizes) == {(way, shot) for way in (2, 5) for shot in (1, 2, 3)}
    assert min(sizes.values()) > 15
    assert tasks.largest_way == tasks.outputs == 5


@given(st.integers(0, 2**32), st.integers(1, 40), st.data())
def test_choosing_is_without_replacement(seed: int, n: int, more: st.DataObject) -> None:
    k = more.draw(st.integers(0, n))
    chosen = choose(random.Random(seed), n, k)
    assert len(chosen) == len(set(chosen)) == k and all(0 <= i < n for i in chosen)


def test_choosing_is_fair() -> None:
    rng = random.Random(0)
    pairs = Counter(tuple(choose(rng, 5, 2)) for _ in range(10_000))
    assert len(pairs) == 20 and all(400 < count < 600 for count in pairs.values())


# Nothing leaks


@pytest.mark.parametrize("name", ["glyphs", "omniglot", "cifar_fs", "fc100"])
def test_no_class_is_in_two_splits(name: str, request: pytest.FixtureRequest) -> None:
    sources: dict[str, Callable[[], TaskSource]] = {
        "glyphs": Glyphs,
        "omniglot": lambda: Omniglot(root=data("omniglot")),
        "cifar_fs": lambda: CifarFS(root=request.getfixturevalue("one_shard")),
        "fc100": lambda: FewShotCifar100(root=request.getfixturevalue("one_shard")),
    }
    names = [pool_of(sources[name](), split).names for split in SPLITS]
    assert all(names) and len({name for split in names for name in split}) == sum(map(len, names))


def test_tasks_of_a_split_are_of_its_classes_turned_or_not() -> None:
    tasks = Tasks(source=Numbered(), augment=RotateClasses(), query=2)
    for split in SPLITS:
        names = set(pool_of(Numbered(), split).names)
        seen = {name for i in range(100) for name in tasks.task(split, 0, i).classes}
        turned = {f"rot{angle}:{name}" for angle in (90, 180, 270) for name in names}
        assert seen == names | turned


def test_a_turned_class_is_the_class_turned_counter_clockwise() -> None:
    images = np.random.default_rng(0).integers(0, 256, (3, 1, 5, 5)).astype(np.uint8)
    pool = RotateClasses(angles=(90, 270)).apply(ImagePool.of(["a"], [images]))
    task = pool.task(3, 1, 1, random.Random(0))
    whole = {tuple(np.rot90(x[0], k).ravel()): k for x in images for k in range(4)}
    for name, x in zip(task.classes, task.support_x, strict=True):
        quarters = whole[tuple((x[0] * 255).round().int().ravel().tolist())]
        assert name == {0: "a", 1: "rot90:a", 3: "rot270:a"}[quarters]


# In the language


# Mixtures


def test_a_mixture_draws_from_its_parts_as_often_as_they_weigh() -> None:
    """3,000 tasks of weights 1 and 3: each part within four standard deviations of its share."""
    few, many = (Tasks(source=Numbered(), way=way, query=2) for way in (2, 5))
    mixture = Mixture((("few", 1.0, few), ("many", 3.0, many)))
    assert (mixture.shape, mixture.loss, mixture.outputs) == ((1, 2, 2), "cross_entropy", 5)
    ways = [mixture.task("train", 1, i).way for i in range(3000)]
    assert set(ways) == {2, 5}
    assert abs(ways.count(2) - 750) < 4 * (3000 * 0.25 * 0.75) ** 0.5


def test_tasks_of_a_mixture_are_those_of_its_parts() -> None:
    few, many = (Tasks(source=Numbered(), way=way, query=2) for way in (2, 5))
    mixture = Mixture((("few", 1.0, few), ("many", 1.0, many)))
    for index in range(20):
        task = mixture.task("val", 3, index)
        assert same(task, (few if task.way == 2 else many).task("val", 3, index))


def declared(body: str) -> tuple[Tasks | None, list[tuple[str, str]]]:
    """What `tasks t { body }` is, and its findings: what they point at and what they say."""
    text = f"tasks t {{\n{body}\n}}\n"
    program, findings = parse(Source("t.atnas", text))
    declaration = program.declarations[0]
    assert isinstance(declaration, ast.Settings) and not findings
    tasks, findings = configure(Tasks, declaration)
    return tasks, [(text[f.span.start : f.span.end], f.message) for f in findings]


def test_tasks_are_written_in_the_language() -> None:
    tasks, findings = declared(
        """
        source  = omniglot(size = 20)
        augment = rotate_classes(90, 180)
        way     ~ 5..20 step 5
        shot    ~ 1 | 5
        query   = 10
        """
    )
    assert not findings
    assert tasks == Tasks(
        source=Omniglot(size=20),
        augment=RotateClasses(angles=(90, 180)),
        way=Between(first=5, last=20, step=5),
        shot=OneOf(options=(1, 5)),
        query=10,
    )


@pytest.mark.parametrize(
    ("body", "place", "said"),
    [
        ("source = sinusoid way = 5", "5", "have no classes: leave `way` out"),
        ("source = sinusoid augment = rotate_classes(90)", "rotate_classes(90)", "only square images"),
        ("source = glyphs augment = rotate_classes(45)", "45", "90, 180 or 270"),
        ("source = glyphs(size = 4)", "4", "at least 8"),
        ("source = rotate_classes", "rotate_classes", "not a task source"),
        ("source = sinusoid(low = 3, high = 1)", "1", "`high` is above `low`"),
        ("source = sinusoid(low = 6)", "6", "`high` is above `low`"),
    ],
)
def test_a_mistake_is_found_where_it_stands(body: str, place: str, said: str) -> None:
    tasks, findings = declared(body)
    assert tasks is None and [found for found, _ in findings] == [place]
    assert said in findings[0][1]


# What cannot be is said


@pytest.mark.parametrize(
    ("given_settings", "said"),
    [
        ({"way": 1}, "`way` is at least 2, not 1"),
        ({"way": OneOf(options=(1, 5))}, "`way` is at least 2, and here it can be 1"),
        ({"shot": 0}, "`shot` is at least 1"),
        ({"shot": Between(first=1, last=20_000)}, "`shot` is at most 10000"),
        ({"shot": Uniform(first=1, last=5)}, "`shot` is a whole number"),
        ({"shot": OneOf(options=(1, 2.5, 5))}, "`shot` is a whole number"),
        ({"query": 0}, "`query` must be at least 1, not `0`"),
        ({"source": Sinusoid(), "way": 5}, "regression and have no classes: leave `way` out"),
        ({"source": Sinusoid(), "augment": RotateClasses()}, "only square images can be rotated"),
    ],
)
def test_settings_that_cannot_be(given_settings: dict[str, object], said: str) -> None:
    with pytest.raises(MisfitError, match=said):
        Tasks(**{"source": Numbered(), **given_settings})


def test_angles_that_cannot_be() -> None:
    for angles in ((45,), (90, 90)):
        with pytest.raises(MisfitError):
            RotateClasses(angles=angles)


def test_too_few_classes_or_images_are_named_before_the_first_task() -> None:
    with pytest.raises(Unable, match=r"train split .* it has 10 classes, and way is up to 11"):
        Tasks(source=Numbered(), way=Between(first=2, last=11), query=2).open()
    with pytest.raises(Unable, match=r"class 'class 0' has 6 images, .* shot \+ query = 3 \+ 4 of each"):
        Tasks(source=Numbered(), shot=OneOf(options=(1, 3)), query=4).task("train", 0, 0)
    turned = Tasks(source=Numbered(), way=40, augment=RotateClasses(), query=2)
    assert turned.task("val", 0, 0).way == 40


def test_naming_a_source_loads_no_numerics() -> None:
    modules = sorted({entry.module for entry in entry_points(group="atnas.tasks")})
    assert "atnas.runtime.tasks.omniglot" in modules
    lines = [f"import {module}" for module in modules]
    heavy = "{'torch', 'numpy', 'networkx', 'deap', 'PIL', 'matplotlib'}"
    code = "; ".join(["import sys", *lines, f"sys.exit(', '.join({heavy} & set(sys.modules)))"])
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stderr.strip() == ""


# Sinusoid


@given(st.integers(0, 2**32), st.sampled_from(SPLITS))
def test_a_wave_is_a_sine_of_the_papers_ranges(seed: int, split: Split) -> None:
    tasks = Tasks(source=Sinusoid(), shot=10, query=20)
    assert (tasks.shape, tasks.outputs, tasks.largest_way, tasks.loss) == ((1,), 1, 0, "mse")
    task = tasks.task(split, seed, 0)
    assert task.support_x.shape == task.support_y.shape == (10, 1) and task.query_y.shape == (20, 1)
    x, y = (torch.cat(pair).double() for pair in ((task.support_x, task.query_x), (task.support_y, task.query_y)))
    assert x.abs().max() <= 5
    # A sin(x - p) = A cos p sin x - A sin p cos x: two unknowns, 30 points.
    fit = torch.linalg.lstsq(torch.cat([x.sin(), -x.cos()], 1), y).solution
    assert torch.allclose(torch.cat([x.sin(), -x.cos()], 1) @ fit, y, atol=1e-5)
    amplitude = fit.norm().item()
    phase = math.atan2(fit[1].item(), fit[0].item())
    assert 0.1 - 1e-5 <= amplitude <= 5 + 1e-5 and -1e-4 <= phase <= math.pi + 1e-4


def test_waves_are_the_same_everywhere() -> None:
    assert fingerprint(Tasks(source=Sinusoid(), shot=5).task("train", 1, 2)) == "1fb933003a78b19a"


def test_a_wave_of_ones_own() -> None:
    task = Tasks(source=Sinusoid(amplitude=2, phase=0, low=0, high=1), shot=3).task("test", 0, 0)
    assert torch.allclose(task.query_y, 2 * task.query_x.sin()) and task.query_x.min() >= 0
    with pytest.raises(MisfitError, match="`high` is above `low`"):
        Sinusoid(low=1, high=1)


# Glyphs


def test_the_letters_of_a_split_are_of_its_scripts() -> None:
    counts = {split: len(pool_of(Glyphs(), split).names) for split in SPLITS}
    assert counts == {"train": 1167, "val": 96, "test": 218}
    for split in SPLITS:
        scripts = {name.partition("/")[0].upper() for name in pool_of(Glyphs(), split).names}
        assert scripts == {script for script, its_split in SCRIPTS.items() if its_split == split}
    letters = "".join(glyph_images.letters())
    assert hashlib.sha256(letters.encode()).hexdigest()[:16] == "b4d2f31d94c0e13a"


def test_letters_that_look_alike_are_one_class() -> None:
    letters = set(glyph_images.letters())
    assert {"A", "Z", "Ж", "Ω", "א", "ა"} <= letters
    alpha, cyrillic_a, accented, box = "\u0391", "\u0410", "\u00c1", "\ufffd"
    assert not letters & {alpha, cyrillic_a, accented, box, "c", " ", "5"}


def test_drawings_of_a_letter_differ_and_lie_inside_the_image() -> None:
    pool = pool_of(Glyphs(), "test")
    images = pool.images.view(len(pool.names), 20, 28, 28)
    assert all(len({image.numpy().tobytes() for image in letter}) == 20 for letter in images)
    ink = images.float() / 255
    assert ink.amax((-2, -1)).min() > 0.5
    border = torch.cat([ink[..., 0], ink[..., -1], ink[..., 0, :], ink[..., -1, :]], -1)
    assert border.max() == 0


def test_letters_are_neither_trivial_nor_hopeless_for_nearest_neighbours_in_pixels() -> None:
    right = []
    for i in range(100):
        task = pool_of(Glyphs(), "test").task(5, 1, 15, random.Random(i))
        nearest = torch.cdist(task.query_x.flatten(1), task.support_x.flatten(1)).argmin(1)
        right.append((nearest == task.query_y).float().mean())
    assert 0.5 < torch.stack(right).mean() < 0.75


def test_letters_in_other_sizes() -> None:
    source = Glyphs(size=20, channels=3, drawings=4)
    task = Tasks(source=source, shot=2, query=2).task("val", 0, 0)
    assert source.shape == (3, 20, 20) and task.query_x.shape == (10, 3, 20, 20)
    assert torch.equal(task.query_x[:, 0], task.query_x[:, 2])


# Omniglot


def test_a_source_knows_its_shape_without_its_data() -> None:
    assert Omniglot(root="/nowhere", size=20).shape == (1, 20, 20)
    assert CifarFS(root="/nowhere", channels=1).shape == (1, 32, 32)


def test_the_split_is_that_of_vinyals() -> None:
    arrays = np.load(Path(data("omniglot"), "omniglot", "omniglot_28_gray.npz"), allow_pickle=False)
    names = arrays["alphabet_names"][arrays["alphabet"]]
    ours = [vinyals_split(str(name), int(c)) for name, c in zip(names, arrays["character"], strict=True)]
    assert ours == [SPLITS[split] for split in arrays["vinyals_split"]]
    assert Counter(ours) == {"train": 1028, "val": 172, "test": 423}


def test_drawings_made_smaller_equal_those_that_were_stored_small(tmp_path: Path) -> None:
    root = Path(data("omniglot"), "omniglot")
    (tmp_path / "omniglot_105_bits.npz").symlink_to(root / "omniglot_105_bits.npz")
    small, large = (pool_of(Omniglot(root=str(folder)), "val") for folder in (root, tmp_path))
    assert small.names == large.names and torch.equal(small.images, large.images)


def test_folders_of_drawings_equal_the_arrays(tmp_path: Path) -> None:
    arrays = np.load(Path(data("omniglot"), "omniglot", "omniglot_105_bits.npz"), allow_pickle=False)
    bits = arrays["images_packed"]
    for row in np.flatnonzero(arrays["character"] <= 2):
        part = omniglot_images.FOLDERS[arrays["subset"][row]]
        alphabet, character = arrays["alphabet_names"][arrays["alphabet"][row]], arrays["character"][row]
        folder = tmp_path / "omniglot-py" / part / str(alphabet) / f"character{character:02}"
        folder.mkdir(parents=True)
        for drawer in (0, 1):
            ink = np.unpackbits(bits[row, drawer], axis=-1, count=105)
            image = Image.fromarray(255 - 255 * ink).convert("1")
            image.save(folder / f"{arrays['character_id'][row]:04}_{drawer + 1:02}.png")
    for split in SPLITS:
        from_folders = pool_of(Omniglot(root=str(tmp_path)), split)
        whole = pool_of(Omniglot(root=str(DATA)), split)
        images = whole.images.view(len(whole.names), 20, 1, 28, 28)
        known = {name: image[:2] for name, image in zip(whole.names, images, strict=True)}
        assert set(from_folders.names) == {name for name in known if name[-2:] in ("01", "02")}
        for name, pair in zip(from_folders.names, from_folders.images.view(-1, 2, 1, 28, 28), strict=True):
            assert torch.equal(pair, known[name])


def test_drawings_are_the_same_everywhere() -> None:
    tasks = Tasks(source=Omniglot(root=data("omniglot")), shot=OneOf(options=(1, 5)), augment=RotateClasses())
    task = tasks.task("train", 1, 2)
    assert fingerprint(task) == "be50db24d0286b59"
    assert task.query_x.max() == 1 and 0 < task.query_x.mean() < 0.25  # ink is 1, and there is little of it


def test_data_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATNAS_DATA", str(tmp_path))
    with pytest.raises(Unable, match=r'not found in .*: set root = "..." or ATNAS_DATA .*download = true'):
        Tasks(source=Omniglot(size=21)).open()
    with pytest.raises(Unable, match=r"CIFAR-100 was not found in .* ATNAS_DATA"):
        Tasks(source=CifarFS(size=21)).open()
    (tmp_path / "cifar-100-python").mkdir()
    with pytest.raises(Unable, match="pickles, which can run code and are not opened"):
        Tasks(source=CifarFS(size=21)).open()


def test_damaged_arrays_are_named(tmp_path: Path) -> None:
    file = tmp_path / "omniglot_28_gray.npz"
    whole = {"alphabet_names": np.array(["a"] * 50), "alphabet": np.zeros(1623, int)}
    whole |= {"character": np.ones(1623, int), "images": np.zeros((1623, 2, 2, 2), np.uint8)}
    np.savez(file, **whole)
    sound = file.read_bytes()
    pickled = tmp_path / "pickled.npz"
    np.savez(pickled, **(whole | {"images": np.array([{}], dtype=object)}))
    for content in (b"", b"nothing of the kind", sound[: len(sound) // 2], pickled.read_bytes(), sound):
        file.write_bytes(content)
        with pytest.raises(Unable, match=r"omniglot_28_gray\.npz is (damaged or )?not the file"):
            Omniglot(root=str(tmp_path)).open("train")
    np.save(tmp_path / "plain.npy", np.zeros(3))
    file.write_bytes((tmp_path / "plain.npy").read_bytes())
    with pytest.raises(Unable, match="damaged or not the file"):
        Omniglot(root=str(tmp_path)).open("train")


# Downloads


def archive(folder: Path, name: str, members: dict[str, bytes]) -> Archive:
    """A zip file on a `file://` address, and its checksum."""
    file = folder / f"{name}.zip"
    with zipfile.ZipFile(file, "w") as zipped:
        for member, content in members.items():
            zipped.writestr(member, content)
    return Archive(file.as_uri(), hashlib.md5(file.read_bytes()).hexdigest())


def drawing(tmp_path: Path) -> bytes:
    file = tmp_path / "drawing.png"
    pixels = np.full((105, 105), 255, np.uint8)
    pixels[40:60, 40:60] = 0
    Image.fromarray(pixels).save(file)
    return file.read_bytes()


def test_omniglot_is_fetched_once_when_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    png = drawing(tmp_path)
    archives = (
        archive(tmp_path, "images_background", {"images_background/Greek/character01/0394_01.png": png}),
        archive(tmp_path, "images_evaluation", {"images_evaluation/Keble/character03/1200_01.png": png}),
    )
    monkeypatch.setattr(omniglot_images, "ARCHIVES", archives)
    source = Omniglot(root=str(tmp_path / "data"), download=True)
    assert pool_of(source, "train").names == ("Greek/character01",)
    for file in tmp_path.glob("*.zip"):
        file.unlink()
    pool = pool_of(source, "test")
    assert pool.names == ("Keble/character03",) and pool.images.max() == 255
    assert sorted(path.name for path in (tmp_path / "data" / "omniglot").iterdir()) == [
        "images_background",
        "images_evaluation",
    ]


def test_a_download_that_fails_leaves_nothing(tmp_path: Path) -> None:
    sound = archive(tmp_path, "letters", {"letters/a.png": b"a"})
    evil = archive(tmp_path, "evil", {"evil/../../outside.png": b"x", "evil/a.png": b"a"})
    other = archive(tmp_path, "other", {"else/a.png": b"a"})
    text = tmp_path / "text.zip"
    text.write_bytes(b"not a zip")
    target = tmp_path / "data"
    for bad, said in [
        (replace(sound, md5="0" * 32), "cut short or changed"),
        (evil, "outside its folder"),
        (other, "no folder other"),
        (Archive(text.as_uri(), hashlib.md5(b"not a zip").hexdigest()), "not a sound zip"),
        (Archive((tmp_path / "absent.zip").as_uri(), "0" * 32), "could not be fetched"),
        (Archive("http://127.0.0.1:9/letters.zip", "0" * 32), "could not be fetched"),
    ]:
        with pytest.raises(Unable, match=said):
            fetch(bad, target)
        assert list(target.iterdir()) == [] and not (tmp_path / "outside.png").exists()
    fetch(sound, target)
    assert (target / "letters" / "a.png").read_bytes() == b"a"


# CIFAR


def test_the_splits_are_the_published_ones() -> None:
    arrays = np.load(Path(data("cifar100"), "cifar100", "cifar100_test.npz"), allow_pickle=False)
    assert list(cifar_split.CLASSES) == arrays["class_names"].tolist()
    for ours, theirs in ((cifar_split.CIFAR_FS, "cifar_fs_split"), (cifar_split.FC100, "fc100_split")):
        assert list(ours.values()) == [SPLITS[split] for split in arrays[theirs]]
    assert Counter(cifar_split.CIFAR_FS.values()) == {"train": 64, "val": 16, "test": 20}
    assert Counter(cifar_split.FC100.values()) == {"train": 60, "val": 20, "test": 20}


def test_images_are_unpacked_to_the_published_checksum(one_shard: str) -> None:
    label = np.load(Path(one_shard, "cifar100_test.npz"), allow_pickle=False)["label"]
    images = np.zeros((10_000, 3, 32, 32), np.uint8)
    for split in SPLITS:
        pool = pool_of(CifarFS(root=one_shard), split)
        for name, block in zip(pool.names, pool.images.view(-1, 100, 3, 32, 32).numpy(), strict=True):
            images[label == cifar_split.CLASSES.index(name)] = block
    digest = hashlib.sha256(np.moveaxis(images, 1, -1).tobytes()).hexdigest()
    assert digest == "2716d826d85ee9ca7f948fb4dc3b3d7515225d1a436d1c4b7e6975855da3d9ee"


def test_colours_are_normalised(one_shard: str) -> None:
    task = Tasks(source=CifarFS(root=one_shard), way=20, query=99).task("test", 0, 0)
    assert task.query_x.shape == (1980, 3, 32, 32)
    assert task.query_x.mean((0, 2, 3)).abs().max() < 0.3
    assert (task.query_x.std((0, 2, 3)) - 1).abs().max() < 0.2


def write_images(folder: Path, count: int, level: int = 0, size: tuple[int, int] = (32, 32)) -> None:
    folder.mkdir(parents=True)
    for i in range(count):
        Image.new("RGB", size, (level, i, 0)).save(folder / f"{i:03}.png")


def test_cifar_in_folders(tmp_path: Path) -> None:
    for level, name in enumerate(cifar_split.CLASSES):
        write_images(tmp_path / "cifar100" / "train" / name, 2, level)
        write_images(tmp_path / "cifar100" / "test" / name, 1, level)
    pool = pool_of(FewShotCifar100(root=str(tmp_path)), "val")
    assert pool.counts == (3,) * 20
    assert [cifar_split.CLASSES[level] for level in pool.images[::3, 0, 0, 0].tolist()] == list(pool.names)


# Folders of the user's own


def test_classes_of_a_folder_are_split_by_the_hash_of_their_names(tmp_path: Path) -> None:
    for i in range(25):
        write_images(tmp_path / f"bird {i}", 3, 10 * i)
    pools = [pool_of(ImageFolder(root=str(tmp_path), size=8), split) for split in SPLITS]
    assert [len(pool.names) for pool in pools] == [16, 4, 5]
    assert len({name for pool in pools for name in pool.names}) == 25
    assert pools[2].names == ("bird 11", "bird 17", "bird 20", "bird 24", "bird 8")
    assert [int(name.split()[1]) * 10 for name in pools[0].names] == pools[0].images[::3, 0, 0, 0].tolist()


def test_classes_that_are_split_by_hand(tmp_path: Path) -> None:
    for split, name in zip(SPLITS, ("cat", "dog", "owl"), strict=True):
        write_images(tmp_path / split / name, 2)
    source = ImageFolder(root=str(tmp_path), channels=1)
    assert [pool_of(source, split).names for split in SPLITS] == [("cat",), ("dog",), ("owl",)]
    write_images(tmp_path / "test" / "cat", 2)
    with pytest.raises(Unable, match=r"class 'cat' is in both .*test and .*train"):
        source.open("test")


def test_images_are_cut_to_their_middle(tmp_path: Path) -> None:
    picture = np.zeros((10, 50, 3), np.uint8)
    picture[:, 10:40, 0] = 255
    for split in SPLITS:
        folder = tmp_path / split / f"of {split}"
        folder.mkdir(parents=True)
        Image.fromarray(picture).save(folder / "a.png")
        (folder / "notes.txt").write_text("not an image")
    pool = pool_of(ImageFolder(root=str(tmp_path), size=5), "val")
    assert pool.images.shape == (1, 3, 5, 5)
    assert pool.images[0, 0].min() == 255 and pool.images[0, 1].max() == 0
    task = pool.task(1, 1, 0, random.Random(0))
    assert task.support_x[0, 0, 0, 0] == pytest.approx((1 - 0.485) / 0.229)


def test_a_folder_that_is_not_as_it_should_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def opening(match: str) -> None:
        with pytest.raises(Unable, match=match):
            Tasks(source=ImageFolder(root=str(tmp_path / "birds")), way=2, query=2).open()

    opening("birds was not found")
    (tmp_path / "birds").mkdir()
    opening("birds has no classes for the train split")
    for i in range(12):
        write_images(tmp_path / "birds" / f"bird {i}", 3)
    (tmp_path / "birds" / "bird 0" / "000.png").write_bytes(b"\x89PNG\r\n\x1a\nbroken")
    opening(r"bird 0/000\.png cannot be read as an image")
    (tmp_path / "birds" / "bird 0" / "000.png").unlink()
    opening(r"class 'bird 0' has 2 images, and a task takes shot \+ query = 1 \+ 2")
    (tmp_path / "birds" / "bird 0" / "003.png").write_bytes((tmp_path / "birds/bird 1/000.png").read_bytes())
    monkeypatch.setenv("ATNAS_DATA", str(tmp_path))
    Tasks(source=ImageFolder(root="birds"), way=2, query=2).open()
    (tmp_path / "birds" / "empty").mkdir()
    with pytest.raises(Unable, match="empty holds no images"):
        Tasks(source=ImageFolder(root="birds", size=9, fractions=(0.98, 0.01, 0.01))).task("train", 0, 0)
    with pytest.raises(MisfitError, match="add up to 1"):
        ImageFolder(root="birds", fractions=(0.5, 0.5, 0.5))
