"""One architecture's way through a supernet: only its own layers run, on slices of the shared weights."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from atnas.compiler.activity import Genotype
from atnas.compiler.configuration import Configuration
from atnas.compiler.elastic import Region, configuration, region
from atnas.compiler.norm import Averages, Mode, Norm, Statistics
from atnas.dsl.cases import at
from atnas.dsl.net import ChoiceNode, InputNode, LayerNode, Net, NetNode, evaluate
from atnas.dsl.operator import Shape

Weights = dict[str, Tensor]

CHANNELS_OF_A_VECTOR = 16
"""What the widest registers of a processor hold."""


@dataclass(frozen=True)
class Step:
    """A layer and the values it takes: 0 is the network's input, i + 1 the output of step i."""

    place: str
    layer: nn.Module
    takes: tuple[int, ...]


class Network(nn.Module):
    """Layers one after another, [N, ...] to [N, ...]; its children are named by their places.

    Values are kept in slots that are used again, or emptied, as soon as nothing needs what they hold, so that memory is
    that of a network written by hand.
    """

    def __init__(self, steps: Sequence[Step], output: int) -> None:
        super().__init__()
        for step in steps:
            # Not add_module: it refuses a place named as a method of nn.Module, and nobody looks these up as
            # attributes.
            self._modules[step.place] = step.layer
        takes = [step.takes for step in steps]
        slots = _slots(takes, output)
        self._program = [
            (step.layer, tuple(slots[value] for value in step.takes), slots[i], dead)
            for i, (step, dead) in enumerate(zip(steps, _dead(takes, slots, output), strict=True), start=1)
        ]
        self._swaps = _swaps(steps, output)
        self._width = max(slots) + 1
        self._output = slots[output]
        self.last = _last_with_weights(steps, output)
        self.ends = steps[output - 1].place if output else ""

    def pool_first(self) -> None:
        """From here on a relu and the maximum over windows of it run in each other's places.

        The maximum of relus is the relu of the maximum, with the same gradients; the relu then has a fourth of the
        numbers to go through, as a rule.
        """
        for relu, pool in self._swaps:
            first, second = self._program[relu], self._program[pool]
            self._program[relu], self._program[pool] = (second[0], *first[1:]), (first[0], *second[1:])

    def exchanged(self, layers: Mapping[str, nn.Module]) -> Network:
        """The same with other layers in the places."""
        made = copy.copy(self)
        made._modules = dict(layers)
        names = {id(layer): place for place, layer in self._modules.items()}
        made._program = [(layers[names[id(layer)]], *rest) for layer, *rest in self._program]  # type: ignore[misc]
        return made

    def forward(self, x: Tensor) -> Tensor:
        slots: list[Any] = [x] * self._width
        del x
        for layer, takes, gives, dead in self._program:
            slots[gives] = layer(*[slots[i] for i in takes])
            for i in dead:
                slots[i] = None
        result: Tensor = slots[self._output]
        return result


class Zeros(nn.Module):
    """A sum of nothing: zeros of a shape for each row of x [N, ...]."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape

    def forward(self, x: Tensor) -> Tensor:
        return x.new_zeros((x.shape[0], *self.shape))


def network(net: Net, genotype: Sequence[int], layer: Callable[[LayerNode, Configuration], nn.Module]) -> Network:
    """The active part of a space in one architecture; `layer` makes its layers."""
    taken = _active(net, genotype)
    values: dict[int, int] = {}
    steps: list[Step] = []
    for number in sorted(taken):
        node, takes = net.nodes[number], taken[number]
        if isinstance(node, LayerNode):
            steps.append(_step(net, node, takes, tuple(values[t] for t in takes), genotype, layer))
            values[number] = len(steps)
        else:
            values[number] = values[takes[0]] if takes else 0
    return Network(steps, values[_output(net)])


class Path:
    """An architecture whose weights lie in a supernet.

    `module` is the plain network, on the meta device; its parameters have the same names as `weights()`, and
    as the supernet's. `regions` says for each of them which part of the supernet's parameter it is; None is
    all of it.
    """

    def __init__(self, genotype: Genotype, module: Network, owners: Mapping[str, nn.Module], mode: Mode) -> None:
        self.genotype = genotype
        self.module = module
        module.pool_first()
        self.is_narrow = any(map(_is_narrow, module.modules()))
        self.regions: dict[str, Region] = {}
        self.mode = mode
        self._weights: list[tuple[str, _Slot]] = []
        self._norms: list[tuple[str, Norm, nn.Module]] = []
        for name, part in module.named_modules():
            self._bind(name, part, owners)

    @property
    def head(self) -> frozenset[str]:
        """The names of the weights that no other weights come after: those of the last layer."""
        return frozenset(name for name, _ in self._weights if name.partition(".")[0] in self.module.last)

    @property
    def ends_in_head(self) -> bool:
        """Whether the outputs are what the last layer with weights gives, as it gives it."""
        return self.module.last == {self.module.ends}

    @property
    def norms(self) -> frozenset[str]:
        """The names of the weights of batch norms."""
        return frozenset(f"{name}.{local}" for name, norm, _ in self._norms for local, _ in norm.named_parameters())

    def weights(self) -> Weights:
        """The supernet's parameters for this architecture: detached views."""
        return {name: slot.owned().detach() for name, slot in self._weights}

    def attached(self) -> Weights:
        """The same, through which gradients reach the supernet's parameters."""
        return {name: slot.owned() for name, slot in self._weights}

    def averages(self) -> dict[str, Averages]:
        """Views of the running averages of each batch norm, by its name in `module`."""
        return {name: _averages(owner, norm.features) for name, norm, owner in self._norms}

    @torch.no_grad()
    def observed(self, weights: Mapping[str, Tensor], x: Tensor) -> dict[str, Averages]:
        """What each batch norm normalises by as rows x [N, *shape] go through: mean and biased variance."""
        found: dict[str, Averages] = {}

        def watch(name: str) -> Callable[[nn.Module, tuple[Tensor]], None]:
            def see(norm: nn.Module, takes: tuple[Tensor]) -> None:
                del norm
                (rows,) = takes
                over = [0, *range(2, rows.dim())]
                mean, var = rows.mean(over), rows.var(over, correction=0)
                found[name] = Averages(mean, var, torch.ones_like(mean, dtype=torch.long))

            return see

        watching = [norm.register_forward_pre_hook(watch(name)) for name, norm, _ in self._norms]
        try:
            self(weights, x)
        finally:
            for each in watching:
                each.remove()
        return found

    def __call__(self, weights: Mapping[str, Tensor], x: Tensor, statistics: Statistics = "batch") -> Tensor:
        """The output for x [N, *shape] with these weights, [N, *shape of the output].

        Purely functional but for `statistics="track"`, which moves the supernet's running averages.
        """
        self.mode.statistics = statistics
        if statistics in ("running", "track"):
            for _, norm, owner in self._norms:
                norm.averages = _averages(owner, norm.features)
        try:
            for name, slot in self._weights:
                slot.lend(weights[name])
            return self.module(_rows_first(x) if self.is_narrow else x)  # type: ignore[no-any-return]
        finally:
            for _, slot in self._weights:
                slot.restore()

    def _bind(self, name: str, part: nn.Module, owners: Mapping[str, nn.Module]) -> None:
        if isinstance(part, Norm):
            self._norms.append((name, part, owners[name]))
        for local, parameter in part.named_parameters(recurse=False):
            slot = _Slot(part._parameters, owners[name]._parameters, local, parameter)
            self._weights.append((f"{name}.{local}", slot))
            self.regions[f"{name}.{local}"] = slot.region


class _Slot:
    """A parameter of a path's module, in whose place weights are lent for the length of a call.

    Dictionaries are written directly, as torch.func.functional_call does in the end: it looks every name up
    each time, which costs several percent of a small network's forward pass.
    """

    __slots__ = ("_held", "_holder", "_name", "_owner", "_sparse", "region")

    def __init__(
        self, holder: dict[str, Any], owner: Mapping[str, nn.Parameter | None], name: str, held: nn.Parameter
    ) -> None:
        self._holder, self._owner, self._name, self._held = holder, owner, name, held
        self.region = region(tuple(self._whole().shape), tuple(held.shape))
        self._sparse = None if self.region is None else self._whole()[self.region].stride()

    def owned(self) -> Tensor:
        return self._whole() if self.region is None else self._whole()[self.region]

    def lend(self, weight: Tensor) -> None:
        # A strided view of a larger weight gives other last digits than the dense weight of an extracted
        # layer, and is slower.
        dense = self._sparse is None or weight.stride() != self._sparse
        self._holder[self._name] = weight if dense else weight.contiguous()

    def restore(self) -> None:
        self._holder[self._name] = self._held

    def _whole(self) -> nn.Parameter:
        whole = self._owner[self._name]
        assert whole is not None
        return whole


def _is_narrow(part: nn.Module) -> bool:
    """Whether oneDNN's gradient of a layer writes past its memory in channels-last, on processors without AVX-512.

    It does for a 1x1 convolution with a stride, of fewer channels than a vector holds (oneDNN issue 6035).
    """
    return (
        isinstance(part, nn.Conv2d)
        and part.kernel_size == (1, 1)
        and part.stride != (1, 1)
        and 1 < part.in_channels < CHANNELS_OF_A_VECTOR
    )


def _rows_first(x: Tensor) -> Tensor:
    """[N, C, H, W] in torch's own layout; one channel fits channels-last as well, where it is not copied."""
    return x.clone(memory_format=torch.contiguous_format)


def _averages(owner: nn.Module, features: int) -> Averages:
    mean, var, seen = owner.running_mean, owner.running_var, owner.num_batches_tracked
    assert isinstance(mean, Tensor) and isinstance(var, Tensor) and isinstance(seen, Tensor)
    return Averages(mean[:features], var[:features], seen[:features])


def _step(
    net: Net,
    node: LayerNode,
    nodes: Sequence[int],
    values: tuple[int, ...],
    genotype: Sequence[int],
    layer: Callable[[LayerNode, Configuration], nn.Module],
) -> Step:
    if not nodes:
        return Step(node.place, Zeros(at(node.shape, genotype)), (0,))
    return Step(node.place, layer(node, configuration(net, node, nodes, genotype)), values)


def _active(net: Net, genotype: Sequence[int]) -> dict[int, tuple[int, ...]]:
    """Every node that the output needs, and the nodes it takes."""
    output = _output(net)
    needed = {output}
    taken: dict[int, tuple[int, ...]] = {}
    for number in range(output, -1, -1):
        if number in needed:
            taken[number] = _takes(net.nodes[number], genotype)
            needed.update(taken[number])
    return taken


def _takes(node: NetNode, genotype: Sequence[int]) -> tuple[int, ...]:
    match node:
        case InputNode():
            return ()
        case ChoiceNode(selector, keys, sources):
            return (sources[keys.index(evaluate(selector, genotype))],)
        case LayerNode(edges=edges):
            return tuple(e.node for e in edges if e.guard is None or genotype[e.guard.decision] in e.guard.allowed)


def _output(net: Net) -> int:
    ((_, output),) = net.outputs
    return output


def _last_with_weights(steps: Sequence[Step], output: int) -> frozenset[str]:
    """The places of the layers with weights from which no way to the output passes another one."""
    found: set[str] = set()
    todo = [output]
    while todo:
        value = todo.pop()
        if value:
            step = steps[value - 1]
            if next(step.layer.parameters(), None) is None:
                todo += step.takes
            else:
                found.add(step.place)
    return frozenset(found)


def _swaps(steps: Sequence[Step], output: int) -> list[tuple[int, int]]:
    """The numbers of steps that are a relu, and of those that are its only reader and take the maximum over windows."""
    readers: dict[int, list[int]] = {}
    for i, step in enumerate(steps):
        for value in step.takes:
            readers.setdefault(value, []).append(i)
    found = []
    for i, step in enumerate(steps):
        if type(step.layer) in (nn.ReLU, nn.ReLU6) and i + 1 != output and len(readers.get(i + 1, ())) == 1:
            (reader,) = readers[i + 1]
            if type(steps[reader].layer) in (nn.MaxPool1d, nn.MaxPool2d):
                found.append((i, reader))
    return found


def _slots(takes: Sequence[tuple[int, ...]], output: int) -> list[int]:
    """For each value the slot that holds it: the first that is free once its maker has read what it takes."""
    last = _last(takes, output)
    slots, free, width = [0], [], 1
    for i, values in enumerate(takes, start=1):
        free += [slots[v] for v in set(values) if last[v] == i]
        if free:
            slot = free.pop()
        else:
            slot, width = width, width + 1
        slots.append(slot)
        if i not in last:
            free.append(slot)
    return slots


def _dead(takes: Sequence[tuple[int, ...]], slots: Sequence[int], output: int) -> list[tuple[int, ...]]:
    """For each step the slots whose values it was the last to read, but for the one that it fills."""
    last = _last(takes, output)
    return [tuple({slots[v] for v in values if last[v] == i} - {slots[i]}) for i, values in enumerate(takes, start=1)]


def _last(takes: Sequence[tuple[int, ...]], output: int) -> dict[int, int]:
    """The step that each value is last read by."""
    last = {value: i for i, values in enumerate(takes, start=1) for value in values}
    last[output] = len(takes) + 1
    return last
