"""The file: a docstring, imports, the classes and functions of a network, and `load`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor

from atnas.compiler.export.blocks import Blocks
from atnas.compiler.export.calls import numbered
from atnas.compiler.export.definitions import Lines, classes, definitions
from atnas.compiler.export.groups import grouped
from atnas.compiler.export.layout import documented, wrapped
from atnas.compiler.export.parts import Part
from atnas.compiler.export.places import Places
from atnas.compiler.export.ports import ports
from atnas.compiler.export.templates import Found
from atnas.compiler.export.wiring import wiring
from atnas.dsl.net import InputNode, LayerNode, Net

IMPORTS = (
    {
        "math": "import math",
        "partial": "from functools import partial",
        "Path": "from pathlib import Path",
    },
    {
        "torch": "import torch",
        "load_file": "from safetensors.torch import load_file",
        "nn": "from torch import Tensor, nn",
        "functional": "from torch.nn import functional",
    },
)
"""Lines by the name that asks for them: Python's own, then others."""

BATCH_NORM = re.compile(r"nn\.(BatchNorm\dd)\(")

LOAD = '''\
WEIGHTS = Path(__file__).with_suffix(".safetensors")


def load(weights: str | Path = WEIGHTS) -> NETWORK:
    """The network with its weights, in evaluation mode."""
    network = NETWORK()
    network.load_state_dict(load_file(weights))
    return network.eval()
'''


@dataclass(frozen=True)
class Source:
    """A file, and its weights by the names that they have in it."""

    text: str
    weights: Mapping[str, Tensor]


def written(net: Net, genotype: Sequence[int], state: Mapping[str, Tensor], about: str) -> Source:
    """One architecture of a space with one input and one output, as the source of a PyTorch module.

    `state` are its numbers by place, as `Supernet.plain` gives them; `about` begins the docstring. Raises `Unable`
    where the source of a layer cannot stand alone.
    """
    root = _root(net, genotype)
    found = Found(root, [carried.name for carried in classes(root)])
    norms: Lines = []
    lines = definitions(root, found)
    if not any(name.endswith("running_mean") for name in state):
        norms, lines = _by_batch(lines)
    code = "\n\n\n".join("\n".join(part for line in each for part in wrapped(line)) for each in lines)
    code = f"{code}\n\n\n{LOAD.replace('NETWORK', found.name)}"
    head = ["\n".join(documented(about)), *_imports("\n".join([*norms, code])), *(["\n".join(norms)] if norms else [])]
    return Source("\n\n".join(head) + f"\n\n\n{code}", dict(_weights(root, found, state)))


def _root(net: Net, genotype: Sequence[int]) -> Part:
    whole = wiring(net, genotype)
    layers = [node.place for node in net.nodes if isinstance(node, LayerNode)]
    places = Places([*layers, *(node.place for node in whole.nodes if node.place)])
    group = grouped(whole, places)
    (start,) = (node.name for node in net.nodes if isinstance(node, InputNode))
    return Blocks(whole, ports(group, whole)).root(group, net.name, start)


def _weights(root: Part, found: Found, state: Mapping[str, Tensor]) -> Iterator[tuple[str, Tensor]]:
    for new, old in numbered(root, found.of):
        if old in state:
            yield new, state[old]
        for name, tensor in state.items():
            if name.startswith(f"{old}."):
                yield f"{new}.{name.removeprefix(f'{old}.')}", tensor


def _by_batch(definitions: Iterable[Lines]) -> tuple[Lines, list[Lines]]:
    """Batch norms that normalise by each batch, and the definitions with them."""
    before = list(definitions)
    names = sorted({name for lines in before for line in lines for name in BATCH_NORM.findall(line)})
    norms = [f"{name} = partial(nn.{name}, track_running_stats=False)" for name in names]
    if norms:
        norms.insert(0, "# Batch norms normalise by each batch, in evaluation too: no running averages were tracked.")
    return norms, [[BATCH_NORM.sub(r"\1(", line) for line in lines] for lines in before]


def _imports(code: str) -> list[str]:
    """The lines that code asks for, in paragraphs."""
    needed = [[line for name, line in group.items() if re.search(rf"\b{name}\b[.(:, ]", code)] for group in IMPORTS]
    paragraphs = ["\n".join(lines) for lines in needed if lines]
    return paragraphs if "Tensor" in code else [text.replace("Tensor, ", "") for text in paragraphs]
