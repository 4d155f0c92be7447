"""Which weights of an old supernet a new one can begin with.

A layer carries over where the old space lies on it (see `overlay`); where it lies nowhere, by its place's name. Where
sizes differ it is the region that both have: the leading channels and the centre of a kernel, as in an elastic layer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod

import torch
from torch import Tensor

from atnas.compiler.contain import overlay
from atnas.compiler.elastic import owned, region
from atnas.dsl.cases import values
from atnas.dsl.extern import layer_class
from atnas.dsl.net import LayerNode, Net, Static, number
from atnas.dsl.operator import ParameterInfo, Shape, parameters


@dataclass(frozen=True)
class Carry:
    """How many layers with weights carry over, at least in part, of how many, and how many numbers of how many."""

    layers: int
    of_layers: int
    numbers: int
    of_numbers: int


def carry(old: Net, new: Net, weights: Mapping[str, Tensor] | None = None) -> Carry:
    """What carries over from one space to another; of these weights, where they are given."""
    after = _sizes(new)
    before = _sizes(old) if weights is None else {name: tuple(t.shape) for name, t in weights.items()}
    common = {}
    for name, source in _sources(old, new, before, after).items():
        common[name] = prod(map(min, before[source], after[name]))
    return Carry(
        len({_place(name) for name in common}),
        len({_place(name) for name in after}),
        sum(common.values()),
        sum(map(prod, after.values())),
    )


def carried(old: Net, new: Net, weights: Mapping[str, Tensor], state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A copy of the new supernet's state in which what carries over from the old one's weights stands."""
    found = {name: tensor.detach().clone() for name, tensor in state.items()}
    before, after = ({name: tuple(t.shape) for name, t in each.items()} for each in (weights, state))
    for name, source in _sources(old, new, before, after).items():
        common = tuple(map(min, before[source], after[name]))
        to, of = region(after[name], common), region(before[source], common)
        with torch.no_grad():
            found[name][... if to is None else to] = weights[source][... if of is None else of].to(found[name])
    return found


def _sources(old: Net, new: Net, before: Mapping[str, Shape], after: Mapping[str, Shape]) -> dict[str, str]:
    """For each name in the new state the old name whose numbers it takes, of as many dimensions."""
    places = _places(old, new)
    wanted = {name: places.get(_place(name), "") + name.removeprefix(_place(name)) for name in after}
    return {name: of for name, of in wanted.items() if of in before and len(before[of]) == len(after[name])}


def _places(old: Net, new: Net) -> dict[str, str]:
    """For each place of a new layer that of the old one it continues."""
    laid = overlay(new, old)
    if laid is None:
        kept = {n.place: n for n in old.nodes if isinstance(n, LayerNode)}
        layers = (n for n in new.nodes if isinstance(n, LayerNode) and n.place in kept)
        return {n.place: n.place for n in layers if _is_alike(kept[n.place], n)}
    found = {}
    for small, large in sorted(laid, reverse=True):  # of several old layers on one new layer the first counts
        mine, theirs = old.nodes[small], new.nodes[large]
        if isinstance(mine, LayerNode) and isinstance(theirs, LayerNode):
            found[theirs.place] = mine.place
    return found


def _is_alike(old: LayerNode, new: LayerNode) -> bool:
    """Whether two layers can be one in all that is not elastic. Weights of four groups mean nothing to one of two."""
    if old.operator != new.operator:
        return False
    fixed = [info for info in parameters(layer_class(new.operator)) if not info.elastic]
    return all(_possible(old, info) & _possible(new, info) for info in fixed)


def _possible(layer: LayerNode, info: ParameterInfo) -> set[Static]:
    """What a parameter can be."""
    return set(values(number(dict(layer.arguments).get(info.name, info.default))))


def _sizes(net: Net) -> dict[str, Shape]:
    """The parameters of a supernet by name."""
    layers = [node for node in net.nodes if isinstance(node, LayerNode)]
    return {f"{node.place}.{name}": size for node in layers for name, size in owned(net, node).items()}


def _place(name: str) -> str:
    """Places hold no dots."""
    return name.partition(".")[0]
