"""One architecture several times over, side by side, each time with weights and inputs of its own.

Tasks lie in the channels: what is [N, C, ...] for one of them is [N, T C, ...] for T, so that T convolutions are one of
T times as many groups, and T batch norms one. Layers that act on each number or each place alone run as they are.

T: copies; N: rows of each.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any, Final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from atnas.compiler.norm import Norm
from atnas.compiler.operators import modules
from atnas.compiler.path import Network, Path, Zeros
from atnas.compiler.twice import Window, batch_norm, convolution

ALONE: Final = (nn.ReLU, nn.ReLU6, nn.GELU, nn.SiLU, nn.Hardswish, nn.Sigmoid, nn.Tanh, nn.ELU, nn.Identity)
"""Layers that treat every number alike."""

MAPS: Final[Mapping[type[nn.Module], int]] = {
    **dict.fromkeys((nn.MaxPool1d, nn.AvgPool1d, nn.AdaptiveAvgPool1d, nn.ConstantPad1d, nn.Conv1d), 3),
    **dict.fromkeys((nn.MaxPool2d, nn.AvgPool2d, nn.AdaptiveAvgPool2d, nn.ConstantPad2d, nn.Conv2d), 4),
}
"""Layers of maps, with the dimensions of their input; torch takes one dimension less for a single map without rows."""

THROUGH: Final = (
    *(nn.Sequential, modules.InvertedResidual, modules.SqueezeExcite, modules.ResidualBlock),
    *(modules.FactorizedReduce, modules.Fold),
)
"""Layers made of others, whose own code does nothing that would mix channels of different tasks."""


class Grouped:
    """An architecture, many times over. It shares no numbers with the supernet: all are given at each call."""

    def __init__(self, path: Path) -> None:
        self._copies: list[_Copies] = []
        self._mode = path.mode
        self._is_narrow = path.is_narrow
        self._network: Network = self._through(path.module, "")

    def __call__(
        self, weights: Mapping[str, Tensor], x: Tensor, statistics: Any = "batch", twice: bool = False
    ) -> Tensor:
        """Outputs [T, N, *shape] for x [T, N, *shape] and weights [T, ...] each, by the names that the path has.

        Batch norms take their statistics for each task alone: of all its rows, or of the first so many. `twice`:
        gradients will be differentiated again, and layers for which that is written out take that way.
        """
        self._mode.statistics = statistics
        tasks = x.shape[0]
        for part in self._copies:
            part.lend(weights, tasks, twice)
        try:
            together = x.transpose(0, 1).flatten(1, 2)
            together = _channels_last(together) if together.dim() == 4 and not self._is_narrow else together
            y: Tensor = self._network(together)
        finally:
            for part in self._copies:
                part.forget()
        return _apart(y, tasks).transpose(0, 1)

    def _of(self, layer: nn.Module, name: str) -> nn.Module:
        if type(layer) in ALONE or (type(layer) is nn.Flatten and layer.start_dim == 1):
            return layer
        if type(layer) in THROUGH:
            through: nn.Module = self._through(layer, f"{name}.")
            return through
        made = COPIES.get(type(layer), _Each)(layer, name)
        self._copies.append(made)
        return made

    def _through(self, layer: Any, prefix: str) -> Any:
        """The layer with its parts exchanged for what holds them several times."""
        parts = {name: self._of(part, prefix + name) for name, part in layer.named_children()}
        if isinstance(layer, Network):
            return layer.exchanged(parts)
        made = copy.copy(layer)
        made._modules = parts
        return made


class _Copies(nn.Module):
    """A layer for several tasks at once; `names` are those of its parameters, by their names in it."""

    def __init__(self, layer: nn.Module, name: str) -> None:
        super().__init__()
        self.layer: list[Any] = [layer]  # in a list, so that its parameters are not parts of this module
        self.names = {local: f"{name}.{local}" for local, _ in layer.named_parameters()}
        self.lent: dict[str, Tensor] = {}
        self.tasks, self.twice = 1, False

    def lend(self, weights: Mapping[str, Tensor], tasks: int, twice: bool) -> None:
        """Weights for the call that follows, [T, ...] each."""
        self.lent = {local: weights[name] for local, name in self.names.items()}
        self.tasks, self.twice = tasks, twice

    def forget(self) -> None:
        """Lets go of them."""
        self.lent = {}

    def each(self, *inputs: Tensor) -> Tensor:
        """One task after another."""
        parts = zip(*(_apart(x, self.tasks).unbind(1) for x in inputs), strict=True)
        weights = ({name: tensor[t] for name, tensor in self.lent.items()} for t in range(self.tasks))
        done = [torch.func.functional_call(self.layer[0], w, given) for w, given in zip(weights, parts, strict=True)]
        return torch.stack(done, 1).flatten(1, 2)

    def together(self, local: str) -> Tensor | None:
        """A parameter [T, C, ...] as [T C, ...]."""
        found = self.lent.get(local)
        return None if found is None else found.flatten(0, 1)


class _Channels(_Copies):
    """A layer without weights that treats every channel of a map alike."""

    def forward(self, x: Tensor) -> Tensor:
        if x.dim() != MAPS.get(type(self.layer[0]), x.dim()):
            return self.each(x)
        y: Tensor = self.layer[0](x)
        return y


class _Convolution(_Copies):
    """T convolutions as one of T times as many groups."""

    def __init__(self, layer: Any, name: str) -> None:
        super().__init__(layer, name)
        self.run: Callable[..., Tensor] = F.conv1d if isinstance(layer, nn.Conv1d) else F.conv2d

    def forward(self, x: Tensor) -> Tensor:
        of = self.layer[0]
        if x.dim() != MAPS[type(of)] or of.padding_mode != "zeros":
            return self.each(x)
        weight, bias = self.together("weight"), self.together("bias")
        assert weight is not None
        groups = self.tasks * of.groups
        if self.twice and not isinstance(of.padding, str):
            return convolution(x, weight, bias, Window(of.stride, of.padding, of.dilation, groups))
        return self.run(x, weight, bias, of.stride, of.padding, of.dilation, groups)


class _Linear(_Copies):
    """T matrix products, of vectors [N, T F] or of tokens [N, T L, F]."""

    def forward(self, x: Tensor) -> Tensor:
        rows = _apart(x, self.tasks).transpose(0, 1)
        weight, bias = self.lent["weight"].transpose(1, 2), self.lent.get("bias")
        flat = rows.flatten(1, -2)
        y = flat @ weight if bias is None else torch.baddbmm(bias.unsqueeze(1), flat, weight)
        return y.view(*rows.shape[:-1], -1).transpose(0, 1).flatten(1, 2)


class _Norm(_Copies):
    """T batch norms, whose statistics are taken for each channel alone as they are."""

    def __init__(self, layer: Norm, name: str) -> None:
        super().__init__(layer, name)
        self.norm = copy.copy(layer)
        self.norm._parameters = dict.fromkeys(("weight", "bias"))

    def lend(self, weights: Mapping[str, Tensor], tasks: int, twice: bool) -> None:
        super().lend(weights, tasks, twice)
        own: Any = {name: self.together(name) for name in ("weight", "bias")}  # tensors that have a history
        self.norm._parameters = own

    def forget(self) -> None:
        super().forget()
        self.norm._parameters = dict.fromkeys(("weight", "bias"))

    def forward(self, x: Tensor) -> Tensor:
        if self.twice and self.norm.mode.statistics == "batch" and x.numel() > x.shape[1]:
            return batch_norm(x, self.norm.weight, self.norm.bias, self.norm.eps)
        y: Tensor = self.norm(x)
        return y


class _GroupNorm(_Copies):
    """T group norms as one of T times as many groups."""

    def forward(self, x: Tensor) -> Tensor:
        of = self.layer[0]
        return F.group_norm(x, self.tasks * of.num_groups, self.together("weight"), self.together("bias"), of.eps)


class _Concat(_Copies):
    """Tensors joined for each task."""

    def forward(self, *inputs: Tensor) -> Tensor:
        return torch.cat([_apart(x, self.tasks) for x in inputs], 2).flatten(1, 2)


class _Zeros(_Copies):
    """A sum of nothing for each task."""

    def forward(self, x: Tensor) -> Tensor:
        first, *rest = self.layer[0].shape
        return x.new_zeros((x.shape[0], self.tasks * first, *rest))


class _Each(_Copies):
    """Any other layer: one task after another."""

    def forward(self, *inputs: Tensor) -> Tensor:
        return self.each(*inputs)


COPIES: Final[Mapping[type[nn.Module], type[_Copies]]] = {
    **dict.fromkeys((*MAPS, modules.Zero), _Channels),
    nn.Conv1d: _Convolution,
    nn.Conv2d: _Convolution,
    nn.Linear: _Linear,
    Norm: _Norm,
    nn.GroupNorm: _GroupNorm,
    modules.Concat: _Concat,
    Zeros: _Zeros,
}


def _apart(x: Tensor, tasks: int) -> Tensor:
    """[N, T C, ...] as [N, T, C, ...]."""
    return x.view(x.shape[0], tasks, -1, *x.shape[2:])


def _channels_last(x: Tensor) -> Tensor:
    return x.contiguous(memory_format=torch.channels_last)
