"""`extern op`: declared in a file, checked without Python, built from the user's own module."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import nn

from atnas.compiler.space import compile
from atnas.compiler.supernet import Supernet
from atnas.dsl.errors import Unable
from atnas.dsl.net import Net
from atnas.dsl.source import Source
from atnas.runtime.checking import read_program
from atnas.runtime.program import Program

LAYERS = """
import torch
from torch import nn

class Swirl(nn.Module):
    def __init__(self, n, c, k):
        super().__init__()
        self.conv = nn.Conv2d(n, c, k, padding=k // 2)
    def forward(self, x):
        return self.conv(x).sin()

class Gate(nn.Module):
    def forward(self, a, b):
        return a * torch.sigmoid(b)

class Wrong(nn.Module):
    def forward(self, x):
        return x[:, :, ::2]

def called():
    raise SystemExit("this must never run")
"""

SPACE = """
extern op swirl(c: int, k: int = 3) [x: (n, h, w)] -> (c, h, w) = "my_layers:Swirl"
extern op gate [a: (n, h, w), b: (n, h, w)] -> (n, h, w) = "my_layers:Gate"

space s [x: (3, 8, 8)] -> y {
  a = x -> (swirl(8) | swirl(8, k = 5) | conv(8, 3))
  b = [a, x -> conv(8, 1)] -> gate
  y = b -> global_avg_pool -> linear(4)
}
"""


@pytest.fixture
def layers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    (tmp_path / "my_layers.py").write_text(LAYERS)
    monkeypatch.syspath_prepend(tmp_path)
    yield
    sys.modules.pop("my_layers", None)


def program(text: str) -> Program:
    def nothing(path: str) -> str:
        raise Unable(f"{path} is not there")

    return read_program(Source("file.atnas", text), nothing)


def net(text: str) -> Net:
    found = program(text)
    assert not found.findings
    made = found.spaces["s"].net
    assert made is not None
    return made


def test_a_file_is_checked_without_importing_the_module() -> None:
    assert not program(SPACE).findings
    assert "my_layers" not in sys.modules


def test_shapes_are_those_of_the_declaration() -> None:
    wrong = SPACE.replace("conv(8, 1)", "conv(4, 1)")
    (finding,) = program(wrong).findings
    assert finding.code == "E302"
    assert finding.message == "`gate` takes (n, h, w) as `b`, and (4, 8, 8) came"


@pytest.mark.usefixtures("layers")
def test_it_is_built_and_runs_as_torch_runs_it() -> None:
    space = compile(net(SPACE))
    supernet = Supernet(space.net, space.encoding, seed=1)
    x = torch.randn(2, 3, 8, 8)
    genotype = space.encoding.encode({"a": "swirl(8, k = 5)"})
    weights = supernet.path(genotype).weights()
    swirl = next(name.removesuffix(".conv.weight") for name in weights if "swirl" in name)
    a = torch.sin(nn.functional.conv2d(x, weights[f"{swirl}.conv.weight"], weights[f"{swirl}.conv.bias"], padding=2))
    point = next(n.removesuffix(".weight") for n in weights if n.endswith("conv.weight") and not n.startswith(swirl))
    b = a * torch.sigmoid(nn.functional.conv2d(x, weights[f"{point}.weight"]))
    last = next(n.removesuffix(".weight") for n in weights if n.endswith("linear.weight"))
    expected = nn.functional.linear(b.mean((2, 3)), weights[f"{last}.weight"], weights[f"{last}.bias"])
    torch.testing.assert_close(supernet(x, genotype), expected)


@pytest.mark.usefixtures("layers")
def test_its_costs_are_counted_on_the_module() -> None:
    costs = compile(net(SPACE)).costs
    least, most = (costs.extreme("params", largest=largest)[0] for largest in (False, True))
    rest = 3 * 8 + (8 * 4 + 4)
    assert (least, most) == (3 * 8 * 9 + rest, 3 * 8 * 25 + 8 + rest)  # the conv has no bias


@pytest.mark.usefixtures("layers")
def test_it_costs_what_a_standard_layer_of_the_same_sizes_does() -> None:
    text = 'extern op mine(c: int, k: int = 3) [x: (n, h, w)] -> (c, h, w) = "my_layers:Swirl"\n'
    text += "space s [x: (3, 8, 8)] -> y {\n  y = x -> (mine(8) | conv(8, 3, bias = true))\n}\n"
    space = compile(net(text))
    mine, standard = (space.costs.of((i,)) for i in (0, 1))
    assert mine == standard


@pytest.mark.usefixtures("layers")
@pytest.mark.parametrize(
    ("target", "sentence"),
    [
        ("no_such_module:Swirl", "no_such_module, named by an `extern op`, cannot be imported"),
        ("my_layers:Nothing", "is no subclass of torch.nn.Module"),
        ("my_layers:called", "is no subclass of torch.nn.Module"),
        ("os:system", "is no subclass of torch.nn.Module"),
        ("my_layers:Wrong", "gives (3, 4, 8) for (3, 8, 8), and `f` declares (3, 8, 8)"),
        ("my_layers:Swirl", "my_layers:Swirl cannot be made with"),
    ],
)
def test_what_cannot_be_built_is_one_sentence(target: str, sentence: str) -> None:
    text = f'extern op f [x: (n, h, w)] -> (n, h, w) = "{target}"\nspace s [x: (3, 8, 8)] -> y {{ y = x -> f }}\n'
    space = compile(net(text))
    with pytest.raises(Unable) as caught:
        Supernet(space.net, space.encoding)
    assert sentence in str(caught.value)


@pytest.mark.parametrize(
    ("declaration", "codes"),
    [
        ('extern op f(c: integer) [x: (n)] -> (c) = "m:F"', ["E107"]),
        ('extern op f(c: int = 0.5) [x: (n)] -> (c) = "m:F"', ["E107"]),
        ('extern op f(c: bool = 1) [x: (n)] -> (n) = "m:F"', ["E107"]),
        ('extern op f(c: int, c: int) [x: (n)] -> (c) = "m:F"', ["E102"]),
        ('extern op f(c: int) [x] -> (c) = "m:F"', ["E304"]),
        ('extern op f(c: int) [x: (n)] -> (d) = "m:F"', ["E101"]),
        ('extern op f(c: int) [x: (n)] -> (c | 2) = "m:F"', ["E107"]),
        ('extern op f(c: int) [x: (n)] -> (c) = "m.F"', ["E107"]),
        ('extern op f(c: int) [x: (n)] -> (c) = "m:F()"', ["E107"]),
        ('extern op f(c: int) [x: (n)] -> (c / 3) = "m:F"\nspace s [x: (8)] -> y { y = x -> f(4) }', ["E302"]),
        ('extern op f(c: int) [x: (n)] -> (c / 0) = "m:F"\nspace s [x: (8)] -> y { y = x -> f(4) }', ["E302"]),
        ('extern op f(c: int) [x: (n)] -> (c) = "m:F"\nspace s [x: (8)] -> y { y = x -> f(4 | 8) }', ["E209"]),
        ('extern op f(c: int) [x: (n)] -> (c) = "m:F"\nspace s [x: (8)] -> y { y = x -> f }', ["E204"]),
        ('extern op f(c: int) [x: (n)] -> (c) = "m:F"\nspace s [x: (8)] -> y { y = x -> f(k = 3) }', ["E203"]),
    ],
)
def test_declarations_and_uses_that_do_not_fit_are_findings(declaration: str, codes: list[str]) -> None:
    assert [f.code for f in program(declaration).findings] == codes
