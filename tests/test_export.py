"""Exports: a found architecture as PyTorch source, ONNX or torch.export, which compute what the supernet computes."""

from __future__ import annotations

import io
import json
import random
import re
import runpy
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from commands import TINY, atnas, run, sentence
from exports import SPACES, errors, library, rows, supernet, track, write_down
from library import CIFAR, Architecture, space
from safetensors.torch import load_file
from test_library_cells import DARTS_V2, DARTS_WORDS, EDGES, cells

from atnas.compiler.export.source import Source, written
from atnas.compiler.space import Compiled, compile
from atnas.compiler.supernet import Supernet
from atnas.dsl.errors import Unable
from atnas.dsl.source import Source as Text
from atnas.runtime import exporting, trained
from atnas.runtime.checking import read_program
from atnas.runtime.learn.maml import Maml

ENOUGH = 1e-5


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


# Every space


@pytest.fixture(scope="module")
def all_written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random architecture of each space of the library; every second one has running averages."""
    folder = tmp_path_factory.mktemp("written")
    for i, name in enumerate(SPACES):
        of = library(name)
        network, genotype = supernet(of), of.encoding.sample(random.Random(name))
        if i % 2:
            track(network, genotype)
        write_down(folder, name, network, genotype)
    return folder


def test_source_computes_what_the_supernet_does_where_there_is_no_atnas(all_written: Path, tmp_path: Path) -> None:
    found = errors(all_written, tmp_path)
    assert found.keys() == SPACES.keys()
    assert {name: error for name, error in found.items() if not error <= ENOUGH} == {}


def test_source_is_as_a_formatter_and_a_linter_want_it(all_written: Path) -> None:
    style = ["--isolated", "--line-length", "120", str(all_written)]
    rules = ["--select", "E,F,W,I,N,UP,B,C4,SIM,RET,ARG,PTH,RUF", "--target-version", "py311"]
    for command in (["format", "--check", *style], ["check", *rules, *style]):
        done = subprocess.run([sys.executable, "-m", "ruff", *command], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout


def test_weights_are_named_as_the_modules_are(all_written: Path) -> None:
    weights = load_file(all_written / "nas_bench_201.safetensors")
    network = runpy.run_path(str(all_written / "nas_bench_201.py"))["load"]()
    assert weights.keys() == network.state_dict().keys()
    assert not network.training


# As a person would write it


def source(of: Compiled, chosen: Architecture, tracked: bool = True) -> str:
    """An architecture without its docstring, imports and `load`."""
    state = {"running_mean": torch.empty(0)} if tracked else {}
    text = written(of.net, of.encoding.encode(chosen), state, "An architecture.").text
    return text[text.index("\n\n\n") + 3 : text.index("\n\n\nWEIGHTS = ")]


NAS_BENCH_201 = '''\
class ResidualBlock(nn.Module):
    """NAS-Bench-201's: twice relu, conv 3x3, batch norm; the shortcut pools, projects or passes on."""

    def __init__(self, c_in: int, c_out: int) -> None:
        super().__init__()
        self.a = nn.Sequential(
            nn.ReLU(),
            nn.Conv2d(c_in, c_out, 3, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(c_out),
        )
        self.b = nn.Sequential(nn.ReLU(), nn.Conv2d(c_out, c_out, 3, padding=1, bias=False), nn.BatchNorm2d(c_out))
        self.shortcut = nn.Sequential(nn.AvgPool2d(2, stride=2, ceil_mode=True), nn.Conv2d(c_in, c_out, 1, bias=False))

    def forward(self, x: Tensor) -> Tensor:
        shortcut: Tensor = self.shortcut(x)
        branch: Tensor = self.b(self.a(x))
        return shortcut + branch


def unit(c: int) -> nn.Sequential:
    return nn.Sequential(nn.ReLU(), nn.Conv2d(c, c, 3, padding=1, bias=False), nn.BatchNorm2d(c))


class Dag(nn.Module):
    def __init__(self, c: int) -> None:
        super().__init__()
        self.x1 = unit(c)
        self.x2 = unit(c)

    def forward(self, x: Tensor) -> Tensor:
        x1 = self.x1(x)
        x2 = self.x2(x1)
        return x + x2


class NasBench201(nn.Sequential):
    def __init__(self) -> None:
        super().__init__(
            nn.Conv2d(3, 16, 3, padding=1, bias=False),
            nn.BatchNorm2d(16),
            *[Dag(16) for _ in range(5)],
            ResidualBlock(16, 32),
            *[Dag(32) for _ in range(5)],
            ResidualBlock(32, 64),
            *[Dag(64) for _ in range(5)],
            nn.BatchNorm2d(64),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(64, 10),
        )'''


def test_a_cell_is_one_class_for_all_widths_and_repeats_are_loops() -> None:
    """Network 11472 of NAS-Bench-201: two convolutions in a row, and a skip; three edges are none."""
    chosen = ["unit(c, 3)", "none", "unit(c, 3)", "skip", "none", "skip"]
    assert source(space("nas_bench_201", ends=CIFAR), dict(zip(EDGES, chosen, strict=True))) == NAS_BENCH_201


def test_the_guide_shows_what_is_written() -> None:
    """Cells that take turns are called in a loop; what differs in one place of a cell is given to it."""
    guide = (Path(__file__).parents[1] / "docs" / "export.md").read_text()
    shown = re.search(r"```python\n(class Normal.*?)```", guide, re.DOTALL)
    assert shown is not None
    text = source(space("darts", ends=CIFAR), cells(DARTS_V2, DARTS_WORDS))
    for definition in shown[1].strip().split("\n\n\n"):
        assert definition in text


def test_layers_in_a_row_are_one_sequential() -> None:
    chosen: Architecture = {"act": "tanh", "y.depth": 2, "y.features[0]": 20, "y.features[1]": 40}
    assert (
        source(space("mlp", ends=((4,), 3)), chosen)
        == """\
class Mlp(nn.Sequential):
    def __init__(self) -> None:
        super().__init__(nn.Linear(4, 20), nn.Tanh(), nn.Linear(20, 40), nn.Tanh(), nn.Linear(40, 3))"""
    )


def test_residual_blocks_read_as_in_the_space() -> None:
    of = space("autoformer", "autoformer_tiny", ((3, 32, 32), 5))
    text = source(of, of.encoding.decode(of.encoding.sample(random.Random(0))))
    assert (
        """
    def forward(self, x: Tensor) -> Tensor:
        y = x + self.attention(x)
        return y + self.mlp(y)
"""
        in text
    )
    assert (
        "self.mlp = nn.Sequential(nn.LayerNorm(dim), nn.Linear(dim, hidden), nn.GELU(), nn.Linear(hidden, dim))" in text
    )


def test_without_running_averages_norms_say_that_they_go_by_the_batch() -> None:
    text = source(space("conv4", ends=CIFAR), {}, tracked=False)
    assert "nn.BatchNorm2d" not in text
    assert "BatchNorm2d(c_out)" in text


# Layers of one's own, and what is odd


LAYERS = """
import torch
from torch import nn
from torch.nn import functional as F

def conv(n, c, k=3, sharp=False):
    if sharp:
        return nn.Conv2d(n, c, k, 1, k // 2, bias=True)
    return nn.Conv2d(n, c, k, 1, k // 2, bias=False)

class Swirl(nn.Module):
    '''Turns.'''

    def __init__(self, n, c, k, gain):
        super().__init__()
        self.conv = conv(n, c, k)
        self.gain = gain

    def forward(self, x):
        # Around and around.
        y = self.conv(x).sin()
        return y * 2 if self.gain > 1 else y

class Gate(nn.Module):
    def forward(self, a, b):
        return a * torch.sigmoid(b)

class Scale(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(n, 1, 1))
        self.register_buffer("table", torch.linspace(0, 1, n)[:, None, None])

    def forward(self, x):
        return F.gelu(x * self.scale + self.table)

class Looks(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.mix = nn.Conv2d(n, n, 1)

    def forward(self, x):
        return self.mix(x) if x.shape[0] > 1 else self.mix(-x)
"""

OWN = """
extern op swirl(c: int, k: int = 3, gain: int = 1) [x: (n, h, w)] -> (c, h, w) = "layers_of_ours:Swirl"
extern op gate [a: (n, h, w), b: (n, h, w)] -> (n, h, w) = "layers_of_ours:Gate"
extern op scale [x: (n, h, w)] -> (n, h, w) = "layers_of_ours:Scale"
extern op looks [x: (n, h, w)] -> (n, h, w) = "layers_of_ours:Looks"

space own [x: (3, 8, 8)] -> y {
  a = x -> swirl(8) -> scale -> swirl(8, k = 5) -> looks
  b = [a, x -> conv(8, 1)] -> gate
  y = b -> scale -> global_avg_pool -> linear(4)
}
"""

SPLIT = """
op split(c) [a, b] -> [p, q] {
  p = a -> conv(c, 3) -> bn + b
  q = b -> conv(c, 1) + p -> relu
}

space two [x: (3, 8, 8)] -> y {
  stem = x -> conv(6, 3)
  out  = [stem, stem] -> split(6) * 2
  y    = concat(out[0], out[1]) -> flatten -> linear(4)
}
"""

NOTHING = """
cell dag(c) [x0] -> x3 {
  x1 = x0 -> none
  x2 = x0 -> conv(c, 3) + x1 -> avg_pool(3, 1) + x1 -> relu
  x3 = concat(x2, x1)
}

space nothing [x: (3, 8, 8)] -> y {
  y = x -> conv(4, 3) -> dag(4) -> none(2) -> conv(4, 3, bias = true) -> flatten -> linear(4)
}
"""

WORDS = """
op lambda(c) [input] -> class_ {
  type   = input -> conv(c, 3)
  torch  = type -> bn + input -> conv(c, 1)
  class_ = concat(torch -> relu, type)
}

space list [self: (3, 8, 8)] -> l { l = self -> lambda(4) * 3 -> lambda(8) -> flatten -> linear(3) }
"""

GIVEN = """
op residual(f) [x] -> y { y = x + x -> f }
op around(f) [x] -> y { y = x -> max_pool(2) -> f -> upsample(2) + x }
op wide(c) = conv(c, 3 | 5) -> bn -> (relu | hswish)

space given [x: (4, 8, 8)] -> y {
  y = x -> residual(wide(4)) -> around(around(wide(4))) -> residual(residual(wide(4))) -> flatten -> linear(3)
}
"""

PLAIN = """
space same [x: (5)] -> y { y = x -> (skip | relu) }
"""

TOKENS = """
space tokens_ [x: (3, 8, 8)] -> y {
  c = 0..2 of [x -> conv(8, 3), x -> crossed_conv(8, 5)]
  y = add(c) -> mbconv(8, act = gelu, se = true) -> ln -> gn(2) -> tokens -> pos_embed -> dropout(0.1)
    -> attention(8, heads = 2, causal = true) -> token(3) -> linear(4) -> relu6
}
"""


def compiled(text: str) -> Compiled:
    program = read_program(Text("file.atnas", text), str)
    assert not [f.message for f in program.findings if f.severity == "error"]
    (made,) = (worked.net for worked in program.spaces.values())
    assert made is not None
    return compile(made)


@pytest.fixture
def layers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    (tmp_path / "layers_of_ours.py").write_text(LAYERS)
    monkeypatch.syspath_prepend(tmp_path)
    yield
    sys.modules.pop("layers_of_ours", None)


def loaded(of: Compiled, genotype: tuple[int, ...], folder: Path) -> tuple[Source, float]:
    """The source of an architecture, and how far what it loads is from the supernet."""
    network = supernet(of)
    made = write_down(folder, "network", network, genotype)
    batches = load_file(folder / "network.batches")
    with torch.no_grad():
        y = runpy.run_path(str(folder / "network.py"))["load"]()(batches["x4"])
    return made, float((y - batches["y4"]).abs().max())


@pytest.mark.parametrize("text", [SPLIT, NOTHING, WORDS, GIVEN, PLAIN, TOKENS], ids=lambda text: text.split()[1])
def test_odd_spaces_are_written_too(text: str, tmp_path: Path) -> None:
    """Cells of several outputs, zeros that nothing takes away, words of Python, ops that are given layers."""
    of = compiled(text)
    for genotype in {of.encoding.sample(random.Random(seed)) for seed in range(6)}:
        _, error = loaded(of, genotype, tmp_path)
        assert error <= ENOUGH


@pytest.mark.usefixtures("layers")
def test_layers_of_ones_own_are_carried_over_as_source(tmp_path: Path) -> None:
    of = compiled(OWN)
    made, error = loaded(of, (), tmp_path)
    assert error <= ENOUGH
    assert (
        '''
class Swirl(nn.Module):
    """Turns."""

    def __init__(self, n, c, k):
        super().__init__()
        self.conv = nn.Conv2d(n, c, k, padding=k // 2, bias=False)

    def forward(self, x):
        # Around and around.
        y = self.conv(x).sin()
        return y
'''
        in made.text
    )
    assert "b = a * torch.sigmoid(self.conv(x))" in made.text
    assert "return functional.gelu(x * self.scale + self.table)" in made.text
    assert "layers_of_ours" not in made.text


def test_words_of_a_space_cannot_end_the_docstring(tmp_path: Path) -> None:
    of = compiled(PLAIN)
    about = 'It says """; raise SystemExit(1) # \\'
    source = written(of.net, (1,), {}, about)
    path = tmp_path / "network.py"
    path.write_text(source.text)
    assert runpy.run_path(str(path))["__doc__"].strip() == about


# The command


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of a perceptron on sine waves."""
    folder = tmp_path_factory.mktemp("finished")
    (folder / "tiny.atnas").write_text(TINY)
    ended = run(folder / "tiny.atnas", folder / "run")
    assert ended.code == 0, ended.err
    return folder / "run"


def weights(of: Path) -> Supernet:
    return trained.trained(of).supernet


def outputs(finished: Path, genotype: tuple[int, ...], count: int) -> tuple[torch.Tensor, torch.Tensor]:
    """A batch, and what the run's supernet makes of it."""
    network = weights(finished)
    path, x = network.path(genotype), rows(network, count)
    with torch.no_grad():
        return x, path(path.weights(), x)


def test_source_and_weights_of_what_a_run_found(finished: Path, tmp_path: Path) -> None:
    ended = atnas("export", finished, "--to", "py", "-o", tmp_path / "found.py")
    assert (ended.code, ended.out) == (0, f"{tmp_path / 'found.safetensors'}\n{tmp_path / 'found.py'}\n"), ended.err
    module = runpy.run_path(str(tmp_path / "found.py"))
    best = json.loads((finished / "best.json").read_text())
    for name, value in best.items():
        assert f"    {name} = {value}\n" in module["__doc__"]
    assert "It takes `x` [N, 1] and gives `y` [N, 1]." in module["__doc__"]
    result = json.loads((finished / "result.json").read_text())
    network = module["load"]()
    assert sum(p.numel() for p in network.parameters()) == result["params"]
    x, wanted = outputs(finished, trained.architecture(trained.trained(finished), "best"), 5)
    assert torch.allclose(network(x), wanted, atol=ENOUGH)


def test_files_lie_in_the_run_if_not_said_otherwise(finished: Path) -> None:
    assert atnas("export", finished, "--to", "py").code == 0
    assert (finished / "mlp.py").exists()
    assert (finished / "mlp.safetensors").exists()


def _of_pt2(file: bytes) -> Callable[[torch.Tensor], torch.Tensor]:
    module: Any = torch.export.load(io.BytesIO(file)).module()
    return lambda x: module(x)


def _of_onnx(file: bytes) -> Callable[[torch.Tensor], torch.Tensor]:
    import onnxruntime

    session = onnxruntime.InferenceSession(file)
    assert [i.name for i in session.get_inputs()] == ["x"]
    assert [o.name for o in session.get_outputs()] == ["y"]
    return lambda x: torch.from_numpy(session.run(["y"], {"x": x.numpy()})[0])


@pytest.mark.filterwarnings("ignore:.*is deprecated:FutureWarning")
@pytest.mark.parametrize(("form", "opened"), [("pt2", _of_pt2), ("onnx", _of_onnx)])
def test_graphs_take_batches_of_any_size(
    form: str, opened: Callable[[bytes], Callable[[torch.Tensor], torch.Tensor]], finished: Path, tmp_path: Path
) -> None:
    file = tmp_path / f"found.{form}"
    ended = atnas("export", finished, "--to", form, "-o", file)
    assert (ended.code, ended.out) == (0, f"{file}\n"), ended.err
    network = opened(file.read_bytes())
    for count in (1, 3, 32):
        x, wanted = outputs(finished, trained.architecture(trained.trained(finished), "best"), count)
        assert torch.allclose(network(x), wanted, atol=ENOUGH)


def test_onnx_is_an_extra(finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxscript", None)
    ended = atnas("export", finished, "--to", "onnx", "-o", tmp_path / "found.onnx")
    assert sentence(ended) == "onnxscript is missing, and ONNX takes it: pip install 'atnas[onnx]'"
    assert ended.code == 2


def test_any_trial_can_be_exported(finished: Path, tmp_path: Path) -> None:
    opened = trained.trained(finished)
    last = opened.trials[-1]
    key = opened.space.encoding.key(last.genotype)
    words = json.dumps(opened.space.encoding.decode(last.genotype))
    (tmp_path / "words.json").write_text(words + "\n")
    assert {trained.architecture(opened, name) for name in (str(last.number), key, key[:12].upper(), words)} == {
        last.genotype
    }
    texts = set()
    for arch in (key[:12], f"@{tmp_path / 'words.json'}"):
        assert atnas("export", finished, "--arch", arch, "--to", "py", "-o", tmp_path / "one.py").code == 0
        texts.add((tmp_path / "one.py").read_text())
    assert len(texts) == 1


@pytest.mark.parametrize(
    ("arch", "said"),
    [
        ("99", "has no trial `99`: trials are 0 to 11, and `best` is what the run found"),
        ("best?", "has no trial `best?`"),
        ("", "architectures among the trials have identities that begin with ``: give more"),
        ("{", "the architecture is no JSON"),
        ('{"width": 5}', "the architecture is no architecture of `mlp`: `width` cannot be 5; its options are 4, 8, 12"),
        ("@nowhere.json", "nowhere.json is not there"),
    ],
)
def test_an_architecture_that_is_not_there(arch: str, said: str, finished: Path, tmp_path: Path) -> None:
    ended = atnas("export", finished, "--arch", arch, "--to", "py", "-o", tmp_path / "one.py")
    assert said in sentence(ended)
    assert (ended.code, list(tmp_path.iterdir())) == (2, [])


def test_what_is_no_run_or_not_done(finished: Path, tmp_path: Path) -> None:
    assert "holds no run; name the folder" in sentence(atnas("export", tmp_path, "--to", "py"))
    (tmp_path / "program.atnasc").write_bytes((finished / "program.atnasc").read_bytes())
    assert "has no weights yet; `atnas run` goes on with it" in sentence(atnas("export", tmp_path, "--to", "py"))
    (tmp_path / "checkpoints").mkdir()
    best = "checkpoints/best.safetensors"
    (tmp_path / best).write_bytes((finished / best).read_bytes())
    assert "has found nothing yet" in sentence(atnas("export", tmp_path, "--to", "py"))
    (tmp_path / best).write_bytes(b"")
    assert "is damaged" in sentence(atnas("export", tmp_path, "--to", "py"))
    assert "let it end in .py" in sentence(atnas("export", finished, "--to", "py", "-o", tmp_path / "one.txt"))


def test_what_came_out_wrong_is_a_fault_of_ours_and_is_not_written(
    finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong(*arguments: Any) -> Source:
        right = written(*arguments)
        return Source(right.text.replace("nn.ReLU()", "nn.ELU()").replace("nn.Tanh()", "nn.ELU()"), right.weights)

    monkeypatch.setattr(exporting, "written", wrong)
    ended = atnas("export", finished, "--to", "py", "-o", tmp_path / "one.py")
    assert ended.code == 70
    assert "Different: outputs for a batch of 1 are" in ended.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("layers")
def test_a_layer_that_decides_by_its_tensors_has_source_and_no_graph() -> None:
    of = compiled(OWN)
    plan = SimpleNamespace(train=SimpleNamespace(learner=Maml()))
    opened = trained.Trained(None, plan, of, supernet(of), (), None)  # type: ignore[arg-type]
    with pytest.raises(Unable, match="which no graph can; export to py"):
        exporting.export(exporting.of_run(opened, ()), "pt2")
