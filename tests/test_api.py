"""`import atnas`: what the command line does, from Python."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from commands import TINY, atnas, timeless
from test_adapt import CLASSES, folder
from test_run_learners import PROGRAM

import atnas as api

SPACE = "space s [x: (4)] -> y: (2) {\n  w = 2 | 8\n  y = x -> linear(w) -> (relu | tanh) -> linear(2)\n}\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "space.atnas"
    path.write_text(SPACE)
    return path


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of images, and a folder of others."""
    root = tmp_path_factory.mktemp("made")
    (root / "p.atnas").write_text(PROGRAM.replace("LEARNER", "maml(inner = sgd(lr = 0.1), steps = 3)"))
    api.run(root / "p.atnas", out=root / "run", workers=1, progress=False)
    folder(root / "mine", dict.fromkeys(CLASSES, 3))
    return root


def test_every_name_is_there_and_none_costs_anything_before_it_is_used() -> None:
    assert set(api.__all__) <= set(dir(api))
    assert all(getattr(api, name) is not None for name in api.__all__)
    with pytest.raises(AttributeError, match="no attribute `nothing`"):
        _ = api.nothing
    light = "import sys, atnas; print(sorted({'torch', 'numpy', 'lark', 'pydantic'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", light], capture_output=True, text=True).stdout == "[]\n"


# Programs and spaces


def test_a_space_says_of_itself_what_info_says(file: Path) -> None:
    space = api.load(file).space()
    (told,) = json.loads(atnas("info", file, "--json").out)["spaces"]
    assert space.name == told["name"]
    assert str(space.count) == told["architectures"] == "4"
    assert {name: list(options) for name, options in space.decisions.items()} == {
        decision["name"]: decision["options"] for decision in told["decisions"]
    }
    assert space.extremes("params") == (told["params"]["min"], told["params"]["max"])


def test_samples_are_those_of_the_command_line(file: Path) -> None:
    drawn = api.load(file).space("s").sample(5, seed=3)
    lines = atnas("sample", file, "-n", 5, "--seed", 3).out.splitlines()
    assert [dict(each) for each in drawn] == [json.loads(line) for line in lines]


def test_an_architecture_is_a_module_with_the_costs_that_it_says(file: Path) -> None:
    space = api.load(file).space()
    one = space.architecture(dict(space.sample(seed=2)[0]))
    module = one.module(seed=1)
    assert sum(p.numel() for p in module.parameters()) == one.costs["params"]
    assert module(torch.zeros(3, 4)).shape == (3, 2)
    again = one.module(seed=1)
    assert all(torch.equal(a, b) for a, b in zip(module.parameters(), again.parameters(), strict=True))
    with pytest.raises(ValueError, match="w"):
        space.architecture({"w": 3})


def test_mistakes_are_findings_with_their_places(tmp_path: Path) -> None:
    path = tmp_path / "wrong.atnas"
    path.write_text(SPACE.replace("relu", "rely"))
    with pytest.raises(api.Findings) as caught:
        api.load(path)
    assert [finding.code for finding in caught.value.findings] == [finding.code for finding in api.check(path)]
    assert "did you mean `relu`?" in str(caught.value)
    assert f"{path}:3" in str(caught.value)
    with pytest.raises(api.Unable, match="is not there"):
        api.load(tmp_path / "missing.atnas")
    with pytest.raises(api.Unable, match="no space `t`; it has s"):
        path.write_text(SPACE)
        api.load(path).space("t")


def test_an_artifact_is_that_of_the_command_line(tmp_path: Path) -> None:
    path = tmp_path / "tiny.atnas"
    path.write_text(TINY)
    assert api.compile(path) == tmp_path / "tiny.atnasc"
    assert atnas("compile", path, "-o", tmp_path / "other.atnasc").code == 0
    assert (tmp_path / "tiny.atnasc").read_bytes() == (tmp_path / "other.atnasc").read_bytes()


# Runs


def test_a_run_is_that_of_the_command_line(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "tiny.atnas"
    path.write_text(TINY)
    made = api.run(path, out=tmp_path / "one", settings={"train.iterations": 5}, workers=1, progress=False)
    assert capfd.readouterr() == ("", "")
    assert atnas("run", path, "--out", tmp_path / "two", "--workers", 1, "--set", "train.iterations=5").code == 0
    results = [timeless(json.loads((tmp_path / name / "result.json").read_text())) for name in ("one", "two")]
    assert results[0] == results[1]
    assert timeless(dict(made.result)) == results[0]
    assert made.architecture == results[0]["architecture"]
    assert [trial.number for trial in made.trials] == list(range(12))
    assert [each.state for each in api.runs(tmp_path)] == ["finished", "finished"]
    assert timeless(dict(api.open_run(tmp_path / "two").result)) == results[0]


def test_an_interrupted_call_goes_on_with_the_same_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import signal

    from atnas.runtime.training import Training

    path, out = tmp_path / "tiny.atnas", tmp_path / "run"
    path.write_text(TINY)
    plain = Training.meta_step

    def step(self: Training, *arguments: Any) -> Any:
        if self.step == 3:
            signal.raise_signal(signal.SIGINT)
        return plain(self, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(Training, "meta_step", step)
        with pytest.raises(KeyboardInterrupt, match="the same call goes on from here"):
            api.run(path, out=out, workers=1, progress=False)
    stopped = api.open_run(out)
    assert (stopped.summary.state, stopped.summary.step) == ("stopped", 4)
    with pytest.raises(api.Unable, match="has no result: it is stopped at meta step 4"):
        _ = stopped.result
    assert api.run(path, out=out, workers=1, progress=False).result["training"]["iterations"] == 8


def test_what_is_no_run_says_so(tmp_path: Path) -> None:
    with pytest.raises(api.Unable, match="holds no run"):
        api.open_run(tmp_path)
    with pytest.raises(api.Unable, match="holds no model"):
        api.open_model(tmp_path)


# Models


def test_a_run_is_adapted_asked_and_handed_on(made: Path, tmp_path: Path) -> None:
    model = api.open_run(made / "run").adapt(made / "mine", out=tmp_path / "model")
    assert model.labels == CLASSES
    files = sorted((made / "mine" / "rings").iterdir())
    told = json.loads(atnas("predict", tmp_path / "model", *files, "--json").out)["predictions"]
    assert [(each.file, each.label) for each in model.predict(files)] == [(t["file"], t["label"]) for t in told]
    assert model.predict(files[0])[0].probability == pytest.approx(told[0]["probability"])
    assert api.open_model(tmp_path / "model").network(torch.zeros(2, 1, 16, 16)).shape == (2, 3)
    assert model.export("onnx", tmp_path / "model.onnx") == [tmp_path / "model.onnx"]
    paths = api.open_run(made / "run").export("py", tmp_path / "net.py")
    assert {path.suffix for path in paths} == {".py", ".safetensors"}
    (tmp_path / "bad.png").write_bytes(b"nothing")
    with pytest.raises(api.Unable, match="cannot be read as an image"):
        model.predict(tmp_path / "bad.png")
    assert model.predict([tmp_path / "bad.png", files[0]], skip_bad=True)[0].file == str(files[0])


def test_in_a_notebook_things_show_themselves(made: Path, file: Path, tmp_path: Path) -> None:
    space = api.load(file).space()
    for thing in (space, space.sample()[0]):
        assert thing._repr_html_().startswith('<img src="data:image/svg+xml;base64,')
    shown = api.open_run(made / "run")._repr_html_()
    score = api.open_run(made / "run").result["score"]
    assert f"{100 * score:.2f} ±" in shown
    assert "<script" not in shown
    model = api.open_run(made / "run").adapt(made / "mine", out=tmp_path / "model")
    assert model._repr_markdown_().startswith("# An image classifier of 3 classes")
    page = api.open_run(made / "run").report(tmp_path / "page.html")
    assert page.read_text().startswith("<!doctype html>")


def test_a_script_needs_no_guard_for_workers(tmp_path: Path) -> None:
    """What stands at its top level runs once."""
    (tmp_path / "tiny.atnas").write_text(TINY)
    (tmp_path / "script.py").write_text(
        "import atnas\n"
        "print('began')\n"
        "run = atnas.run('tiny.atnas', out='run', workers=2)\n"
        "print(len(run.result['architecture']) > 0)\n"
    )
    done = subprocess.run(
        [sys.executable, "script.py"], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120
    )
    assert (done.returncode, done.stdout) == (0, "began\nTrue\n"), done.stderr
