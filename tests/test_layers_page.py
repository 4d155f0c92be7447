"""The module that "Layers of your own" shows does what that page says of it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from pages import MANUAL, last_net, told
from torch import nn

from atnas.compiler.space import Compiled, compile
from atnas.compiler.supernet import Supernet

PAGE = next(page for page in MANUAL if page.stem == "15_layers_of_your_own")
MODULE = PAGE.read_text(encoding="utf-8").partition("```python\n")[2].partition("```\n")[0]
FILTERS = torch.arange(64 * 3 * 7 * 7, dtype=torch.float32).reshape(64, 3, 7, 7).sin()

FIXED = """
from torch import nn

class Fixed(nn.Linear):
    def __init__(self, D):
        super().__init__(D, D)
        self.requires_grad_(False)
"""


@pytest.fixture
def space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Compiled]:
    """The space of the page, in a folder with the module and with the weights that it names."""
    (tmp_path / "my_layers.py").write_text(MODULE)
    torch.save({"conv1.weight": FILTERS}, tmp_path / "resnet18.pt")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    yield compile(last_net(told(PAGE)[0].program()))
    sys.modules.pop("my_layers", None)


def test_weights_in_a_buffer_stay_as_they_are_and_are_not_counted(space: Compiled) -> None:
    choice = {"width": 16, "stem": 'frozen("resnet18.pt")', "body": "gru(64)"}
    frozen, trained = (
        space.encoding.encode(choice | {"stem": stem}) for stem in (choice["stem"], "conv(64, 7, stride = 2)")
    )
    assert space.costs.of(trained)["params"] - space.costs.of(frozen)["params"] == FILTERS.numel()
    supernet = Supernet(space.net, space.encoding)
    assert not any("frozen" in name for name in supernet.state_dict())
    kept = supernet.extract(frozen).state_dict()
    assert torch.equal(next(value for name, value in kept.items() if "frozen" in name), FILTERS)


def test_a_size_that_is_read_off_the_input_takes_the_front_of_the_largest_weights(space: Compiled) -> None:
    supernet = Supernet(space.net, space.encoding)
    small, large = (
        supernet.path(
            space.encoding.encode({"width": w, "stem": "conv(64, 7, stride = 2)", "body": "gru(64)"})
        ).weights()
        for w in (16, 32)
    )
    (name,) = (n for n in small if n.endswith("weight_ih_l0"))
    assert torch.equal(small[name], large[name][:, :16])


def test_its_activations_are_those_of_its_output(space: Compiled) -> None:
    def activations(body: str) -> int:
        choice = {"width": 16, "stem": "conv(64, 7, stride = 2)", "body": body}
        return space.costs.of(space.encoding.encode(choice))["activations"]

    assert activations("gru(128)") - activations("gru(64)") == 64 * (128 - 64)  # 8 * 8 tokens


def test_a_parameter_is_trained_whatever_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "fixed_layers.py").write_text(FIXED)
    monkeypatch.syspath_prepend(tmp_path)
    case = told(PAGE)[0]
    case.text = 'extern op fixed [x: (D)] -> (D) = "fixed_layers:Fixed"\nspace s [x: (4)] -> y { y = x -> fixed }\n'
    space = compile(last_net(case.program()))
    parameters = list(Supernet(space.net, space.encoding).parameters())
    assert len(parameters) == 2
    assert all(isinstance(p, nn.Parameter) and p.requires_grad for p in parameters)
