"""The standard library: every space is documented, has nothing to report and makes a supernet that computes and learns.

docs/library.md says of each what the compiler says.

    ATNAS_UPDATE_SPEC=1 pytest tests/test_library.py

writes into that page what comes out today. What was published of the spaces is in test_library_cells.py and
test_library_networks.py; spaces of our own are counted in test_library_counted.py.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
import torch
from commands import atnas
from library import FILES, LIBRARY, declared, space

from atnas.compiler.supernet import Supernet
from atnas.dsl.net import InputNode
from atnas.dsl.syntax import ast
from atnas.dsl.syntax.unparse import text

PAGE = Path(__file__).parents[1] / "docs" / "library.md"


def spaces() -> list[tuple[str, str]]:
    return [(path.stem, d.name) for path in FILES for d in declared(path.stem).names.values()]


each_space = pytest.mark.parametrize(("file", "name"), spaces())

SMALL = {
    "darts": "C = 2, N = 1",
    "darts_imagenet": "C = 4, N = 1",
    "darts_fewshot": "C = 4",
    "nas_bench_101": "C = 6, N = 1",
    "nas_bench_201": "C = 4, N = 1",
    "proxylessnas": "widths = [4, 4, 4, 8, 8, 8, 8, 8, 16]",
    "unet": "C = 8",
}
"""Arguments that make a supernet small."""

DENSE = ("unet",)
"""Those that answer at each place of the input."""

LARGE = ("autoformer_small", "autoformer_base", "ofa_resnet50")
"""Of hundreds of megabytes, and of layers that other spaces have too: left out."""


@each_space
def test_a_space_is_documented_and_its_file_names_the_source(file: str, name: str) -> None:
    syntax = declared(file).names[name].syntax
    assert isinstance(syntax, ast.Layer)
    assert syntax.doc
    assert (LIBRARY / f"{file}.atnas").read_text("utf-8").startswith("# ")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_file_of_the_library_has_nothing_to_report(path: Path) -> None:
    ended = atnas("check", path)
    assert (ended.code, ended.out) == (0, "")


@pytest.mark.parametrize(("file", "name"), [(file, name) for file, name in spaces() if name not in LARGE])
def test_a_supernet_computes_and_learns(file: str, name: str) -> None:
    of = space(file, name, arguments=SMALL.get(name, ""))
    net = Supernet(of.net, of.encoding)
    start = of.net.nodes[of.net.inputs[0]]
    assert isinstance(start, InputNode)
    x = torch.randn(2, *start.shape)
    for largest in (False, True):
        found = of.costs.extreme("params", largest)[1]
        logits = net(x, found)
        assert logits.shape == (2, 5, *(start.shape[1:] if name in DENSE else ()))
        assert sum(w.numel() for w in net.path(found).weights().values()) == of.costs.of(found)["params"]
    logits.square().mean().backward()
    assert any(w.grad is not None and w.grad.abs().sum() > 0 for w in net.parameters())


# The page


def row(file: str, name: str) -> list[str]:
    """What the compiler says of a space, for docs/library.md."""
    syntax = declared(file).names[name].syntax
    assert isinstance(syntax, ast.Layer)
    parameters = ", ".join(f"`{p.name.id} = {text(p.default)}`" for p in syntax.parameters if p.default is not None)
    ports = ", ".join(f"({', '.join(text(size) for size in port.sizes or ())})" for port in syntax.inputs)
    of = space(file, name)
    least, most = (of.costs.extreme("params", largest)[0] for largest in (False, True))
    return [f"`std.{file}`", parameters, ports, f"{of.encoding.count():,}", f"{least:,} to {most:,}"]


def table() -> dict[str, list[str]]:
    """The rows of docs/library.md by the name of the space."""
    rows = re.findall(r"^\| `(\w+)` \| (.*) \|$", PAGE.read_text("utf-8"), re.MULTILINE)
    return {name: [cell.strip() for cell in cells.split("|")] for name, cells in rows}


if os.environ.get("ATNAS_UPDATE_SPEC") == "1":
    written = table()
    lines = [
        f"| `{name}` | {' | '.join([written.get(name, [''])[0], *row(file, name)])} |\n" for file, name in spaces()
    ]
    head = re.split(r"(?<=---: \|\n)", PAGE.read_text("utf-8"), maxsplit=1)[0]
    tail = PAGE.read_text("utf-8").rsplit(" |\n", 1)[1]
    PAGE.write_text(head + "".join(lines) + tail, "utf-8")


def test_the_page_names_every_space() -> None:
    assert list(table()) == [name for _, name in spaces()]


def test_the_example_of_the_page_fits_its_space() -> None:
    file, name = re.findall(r"^use std\.(\w+) \((\w+)\)", PAGE.read_text("utf-8"), re.MULTILINE)[0]
    arguments = re.findall(rf"space  = {name}\((.*)\)$", PAGE.read_text("utf-8"), re.MULTILINE)[0]
    assert space(file, name, ((3, 96, 96), 20), arguments).encoding.count() == space(file, name).encoding.count()


@each_space
def test_the_page_says_what_the_compiler_says(file: str, name: str) -> None:
    assert table()[name][1:] == row(file, name)
