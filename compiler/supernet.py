"""The supernet: the weights that all architectures of a space share.

Every use of a layer owns its weights, at the largest of its sizes. Only the layers of the architecture asked
for run (Guo et al., "Single Path One-Shot", arXiv 1904.00420), on slices of those (Cai et al., "Once-for-
All", arXiv 1908.09791).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, Protocol, Self

import torch
from torch import Tensor, fx, nn

from atnas.compiler.activity import Genotype
from atnas.compiler.configuration import Configuration
from atnas.compiler.elastic import owner
from atnas.compiler.extract import extract
from atnas.compiler.graph import sources
from atnas.compiler.norm import BATCH_NORMS, Averages, Mode, Norm, Statistics, plain, substitute
from atnas.compiler.path import Network, Path, Weights, network
from atnas.dsl.net import LayerNode, Net, NetNode

__all__ = ["Genotype", "Path", "Statistics", "Supernet", "Weights"]

PATHS = 1024


class Canonical(Protocol):
    """What a supernet asks of an encoding."""

    def canonical(self, genotype: Genotype) -> Genotype:
        """The same architecture with inactive genes at 0."""
        ...


class Supernet(nn.Module):
    """The shared weights of a space of one input and one output, and the ways through them.

    Parameters are named by the place of their layer and their name in it:
    `logits/dag[0]/x1/edge/conv.weight`. They are initialised as torch's layers of the largest size are, by
    `seed` alone; no global generator is drawn from. Batch norms normalise by the batch unless told otherwise;
    their running averages move only under `statistics="track"`.
    """

    def __init__(self, net: Net, encoding: Canonical, seed: int = 0) -> None:
        super().__init__()
        if len(net.inputs) != 1 or len(net.outputs) != 1:
            raise ValueError(f"space `{net.name}`: a supernet takes spaces of one input and one output")
        self.net = net
        self.encoding = encoding
        for place, layer in _owners(net, seed).items():
            # Not add_module: it refuses a place that is also a method's name.
            self._modules[place] = layer
        self._owners = dict(self.named_modules())
        self._mode = Mode()
        self._layers: dict[tuple[str, Configuration], nn.Module] = {}
        self._paths: dict[Genotype, Path] = {}

    @property
    def norms(self) -> frozenset[str]:
        """The names of the parameters of batch norms."""
        holders = (name for name, part in self.named_modules() if "running_mean" in part._buffers)
        return frozenset(f"{name}.{local}" for name in holders for local in self._owners[name]._parameters)

    def path(self, genotype: Genotype) -> Path:
        """The way of one architecture; the same object for the same architecture while it is in use."""
        key = self.encoding.canonical(genotype)
        found = self._paths.pop(key, None)
        if found is None:
            found = Path(key, network(self.net, key, self._layer), self._owners, self._mode)
        self._paths[key] = found
        if len(self._paths) > PATHS:
            del self._paths[next(iter(self._paths))]
        return found

    def forward(self, x: Tensor, genotype: Genotype, statistics: Statistics = "batch") -> Tensor:
        """The output of one architecture for x [N, *shape]; gradients reach what it uses of them all."""
        path = self.path(genotype)
        return path(path.attached(), x, statistics)

    def extract(self, genotype: Genotype, statistics: Literal["batch", "running"] | None = None) -> fx.GraphModule:
        """One architecture as a plain module with copied weights, in evaluation mode, free of atnas.

        Its outputs equal the path's bit for bit. Batch norms normalise by the running averages or by each
        batch; if not said, by the averages where all of them have been tracked.
        """
        return extract(*self.plain(genotype, statistics))

    def plain(
        self, genotype: Genotype, statistics: Literal["batch", "running"] | None = None
    ) -> tuple[Network, Weights]:
        """What `extract` makes its module of: torch's layers by their places, without numbers, and the
        numbers, copied, by the names that they have there.
        """
        path = self.path(genotype)
        averages = path.averages()
        running = statistics == "running" or (statistics is None and _tracked(averages))
        module = unfilled(self.net, path.genotype, running, next(self.parameters(), torch.empty(0)))
        numbers = {name: _copy(weight) for name, weight in path.weights().items()}
        kept = buffers(averages) if running else {}
        return module, {**module.state_dict(), **numbers, **kept}

    def train(self, mode: bool = True) -> Self:
        """Switches dropout and its like on or off in every path; batch norm goes by `statistics` alone."""
        super().train(mode)
        for layer in self._layers.values():
            layer.train(mode)
        return self

    def _layer(self, node: LayerNode, configuration: Configuration) -> nn.Module:
        key = (node.place, configuration)
        if key not in self._layers:
            like = next(self.parameters(), torch.empty(0))
            layer = _built(configuration, lambda norm: Norm(norm, self._mode), like)
            self._layers[key] = layer.train(self.training)
        return self._layers[key]

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        self._layers.clear()
        self._paths.clear()
        super()._apply(fn, recurse)  # type: ignore[no-untyped-call]
        return self


def unfilled(net: Net, genotype: Genotype, running: bool, like: Tensor | None = None) -> Network:
    """One architecture as a plain network without numbers, but for tables that are no weights.

    `running`: its batch norms go by running averages; `like`: a tensor of the type and on the device of the tables.
    """
    sample = torch.empty(0) if like is None else like
    return network(net, genotype, lambda _, c: _built(c, lambda norm: plain(norm, running), sample))


def _built(configuration: Configuration, norm: Callable[[Any], nn.Module], like: Tensor) -> nn.Module:
    layer = configuration.build_meta()
    if _has_tables(layer):
        with torch.random.fork_rng(devices=[]), torch.device("cpu"):
            layer = configuration.build().to(like)
    return substitute(layer, norm)


def _owners(net: Net, seed: int) -> dict[str, nn.Module]:
    with torch.random.fork_rng(devices=[]), torch.device("cpu"):
        torch.default_generator.manual_seed(seed)
        owners = {node.place: owner(net, node) for node in _reachable(net) if isinstance(node, LayerNode)}
    return {place: layer for place, layer in owners.items() if layer.state_dict()}


def _reachable(net: Net) -> list[NetNode]:
    """The nodes that the output needs in some architecture."""
    needed = {output for _, output in net.outputs}
    for number in range(len(net.nodes) - 1, -1, -1):
        if number in needed:
            needed.update(sources(net.nodes[number]))
    return [net.nodes[number] for number in sorted(needed)]


def _has_tables(layer: nn.Module) -> bool:
    parts = (part for part in layer.modules() if not isinstance(part, BATCH_NORMS))
    return any(part._buffers for part in parts)


def _tracked(averages: dict[str, Averages]) -> bool:
    return all(bool((each.num_batches_tracked > 0).all()) for each in averages.values())


def buffers(averages: dict[str, Averages]) -> Weights:
    """The averages as an ordinary batch norm keeps them, copied."""
    return {
        f"{name}.{field}": _copy(value if field != "num_batches_tracked" else value.min())
        for name, each in averages.items()
        for field, value in each._asdict().items()
    }


def _copy(tensor: Tensor) -> Tensor:
    return tensor.detach().clone(memory_format=torch.contiguous_format)
