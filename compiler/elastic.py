"""Elastic layers: every size that a layer can have shares the weights of the largest.

A smaller layer uses the leading part of each channel dimension and the centre of each kernel dimension, as in
once-for-all (Cai et al., arXiv 1908.09791, section 3.3, without its kernel transformation matrices).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import product
from math import prod
from typing import Any

import torch
from torch import nn

from atnas.compiler.configuration import Configuration
from atnas.compiler.norm import BATCH_NORMS
from atnas.dsl.cases import Cases, apply, at, choose, leaf, member, nodes, values
from atnas.dsl.extern import Signature
from atnas.dsl.net import Edge, InputNode, LayerNode, Net, evaluate, number
from atnas.dsl.operator import Shape

Region = tuple[slice, ...] | None
Sizes = dict[str, Shape]
Row = tuple[Any, ...]

JOINT = 2000
"""Up to this product of diagrams, sizes are enumerated together; beyond it each for itself."""

BUILT = 64
"""Up to so many configurations of a layer all are looked at; beyond it only those that no other exceeds."""


def configuration(net: Net, layer: LayerNode, inputs: Iterable[int], genotype: Sequence[int]) -> Configuration:
    """The layer in one architecture, where it takes the tensors of these nodes."""
    return Configuration(
        layer.operator,
        tuple((name, evaluate(num, genotype)) for name, num in layer.arguments),
        tuple(at(shapes(net, node), genotype) for node in inputs),
    )


def shapes(net: Net, node: int) -> Cases[Shape]:
    """A tensor's shape for every architecture."""
    found = net.nodes[node]
    return leaf(found.shape) if isinstance(found, InputNode) else found.shape


def region(whole: Shape, part: Shape) -> Region:
    """Where a smaller parameter lies in the one that owns it; None where it is all of it.

    The first two dimensions are channels and lead; any others are a kernel's and are centred. Raises
    ValueError where it does not fit.
    """
    if whole == part:
        return None
    if len(whole) != len(part) or any(p > w for w, p in zip(whole, part, strict=True)):
        raise ValueError(f"weights of shape {part} are no part of the layer's largest, {whole}")
    starts = [0 if d < 2 else (w - p) // 2 for d, (w, p) in enumerate(zip(whole, part, strict=True))]
    return tuple(slice(start, start + size) for start, size in zip(starts, part, strict=True))


def owner(net: Net, layer: LayerNode) -> nn.Module:
    """What all sizes of a layer share: parameters and running averages, as large as any needs, named so.

    Drawn from torch's global generator, each value as the largest layer that has it draws it.
    """
    sizes = {c: parameter_sizes(c) for c in _configurations(net, layer)}
    store = nn.Module()
    for name, shape in _union(sizes.values()).items():
        parent, leaf_name = _parent(store, name)
        parent.register_parameter(leaf_name, nn.Parameter(torch.zeros(shape)))
    for concrete in _growing(sizes):
        _fill(store, concrete.build())
    return store


def owned(net: Net, layer: LayerNode) -> Sizes:
    """The shapes of the parameters that all sizes of a layer share, by name."""
    return _union(parameter_sizes(c) for c in _configurations(net, layer))


@lru_cache(maxsize=4096)
def parameter_sizes(layer: Configuration) -> Sizes:
    """The shapes of a layer's parameters by name."""
    return {name: tuple(p.shape) for name, p in layer.build_meta().named_parameters()}


def _configurations(net: Net, layer: LayerNode) -> list[Configuration]:
    """What the layer can be; of very many only the largest, since weights grow with arguments and inputs."""
    names = [name for name, _ in layer.arguments]
    parts: list[Cases[Any]] = [
        *(number(num) for _, num in layer.arguments),
        *(_along(net, edge) for edge in layer.edges),
        apply(lambda _: None, layer.shape),  # nothing where constraints leave no architecture
    ]
    rows = _joint(parts)
    return [_of_row(layer.operator, names, row) for row in (rows if len(rows) <= BUILT else _tops(rows))]


def _of_row(operator: str | Signature, names: Sequence[str], row: Row) -> Configuration:
    inputs = tuple(shape for shape in row[len(names) :] if shape is not None)
    return Configuration(operator, tuple(zip(names, row, strict=False)), inputs)


def _joint(parts: Sequence[Cases[Any]]) -> list[Row]:
    """The values that occur together; where that is too much work, every mixture of the largest of each."""
    if prod(sum(1 for _ in nodes(part)) for part in parts) <= JOINT:
        return values(apply(lambda *row: row, *parts))
    return list(product(*(_tops(values(part)) for part in parts)))


def _tops(among: Iterable[Any]) -> list[Any]:
    """Those that no other is at least as large as; of equals the first."""
    tops: list[Any] = []
    for value in among:
        if not any(_at_least(top, value) for top in tops):
            tops = [*(top for top in tops if not _at_least(value, top)), value]
    return tops


def _at_least(a: Any, b: Any) -> bool:
    """Element by element. Any shape is more than no tensor; words are only as much as themselves."""
    if a == b or (b is None and isinstance(a, tuple)):
        return True
    if isinstance(a, tuple) and isinstance(b, tuple):
        return len(a) == len(b) and all(map(_at_least, a, b))
    return isinstance(a, int | float) and isinstance(b, int | float) and a >= b


def _along(net: Net, edge: Edge) -> Cases[Shape | None]:
    """The shape along an edge; None where the edge is not taken."""
    found: Cases[Any] = shapes(net, edge.node)
    if edge.guard is None:
        return found
    decision = edge.guard.decision
    taken = member(decision, len(net.decisions[decision].options), edge.guard.allowed)
    return choose(taken, (True, False), [found, leaf(None)])


def _growing(sizes: dict[Configuration, Sizes]) -> list[Configuration]:
    """The layers that together have every weight, the largest last; most often there is one."""
    by_size = {tuple(sorted(size.items())): layer for layer, size in reversed(sizes.items())}
    tops = [a for a in by_size if not any(a != b and _covers(dict(b), dict(a)) for b in by_size)]
    return [by_size[top] for top in sorted(tops, key=lambda top: sum(prod(shape) for _, shape in top))]


def _covers(a: Sizes, b: Sizes) -> bool:
    return all(name in a and _at_least(a[name], size) for name, size in b.items())


def _union(all_sizes: Iterable[Sizes]) -> Sizes:
    """For each name the largest in every dimension."""
    union: Sizes = {}
    for sizes in all_sizes:
        for name, size in sizes.items():
            before = union.get(name, size)
            if len(before) != len(size):
                raise ValueError(
                    f"`{name}` has {len(before)} dimensions in one size of a layer and {len(size)} in another"
                )
            union[name] = tuple(map(max, before, size))
    return union


def _fill(store: nn.Module, layer: nn.Module) -> None:
    """Writes a layer's parameters into their regions and makes room for its norms' averages."""
    with torch.no_grad():
        for name, parameter in layer.named_parameters():
            whole = store.get_parameter(name)
            where = region(tuple(whole.shape), tuple(parameter.shape))
            whole[where if where is not None else ...].copy_(parameter)
    for name, norm in layer.named_modules():
        if isinstance(norm, BATCH_NORMS):
            parent, _ = _parent(store, f"{name}.weight" if name else "weight")
            known = parent._buffers.get("running_mean")
            if known is None or len(known) < norm.num_features:
                parent.register_buffer("running_mean", torch.zeros(norm.num_features))
                parent.register_buffer("running_var", torch.ones(norm.num_features))
                parent.register_buffer("num_batches_tracked", torch.zeros(norm.num_features, dtype=torch.long))


def _parent(store: nn.Module, name: str) -> tuple[nn.Module, str]:
    """The module that holds the parameter of a dotted name, made if need be, and the name's last part."""
    *path, last = name.split(".")
    for step in path:
        if step not in store._modules:
            store.add_module(step, nn.Module())
        store = store.get_submodule(step)
    return store, last
