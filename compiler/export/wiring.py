"""The layers of one architecture and whose tensors each takes, without those that do nothing.

y = x -> skip + x -> none + x -> conv(8)        becomes        y = x + x -> conv(8)
"""

from __future__ import annotations

import operator
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, fx, nn

from atnas.compiler.configuration import Configuration
from atnas.compiler.export.carried import can_carry, carry, is_torch
from atnas.compiler.export.functions import Function, Operand, function
from atnas.compiler.export.literals import Unwritable, literal
from atnas.compiler.export.parts import Chain, Layer, Part, Shape, Weight
from atnas.compiler.export.places import word
from atnas.compiler.export.recording import Calls, recorded
from atnas.compiler.export.reduced import Carried, Made
from atnas.compiler.operators.modules import Fold, Zero
from atnas.compiler.path import Zeros, network
from atnas.dsl.cases import at
from atnas.dsl.errors import Unable
from atnas.dsl.net import InputNode, LayerNode, Net


@dataclass(frozen=True)
class Node:
    """What is applied to the tensors of earlier nodes: a module, a function, or nothing. Node 0 is the input."""

    place: str
    does: Part | Function | None
    takes: tuple[int, ...] = ()


@dataclass(frozen=True)
class Wiring:
    """One architecture. A node takes nodes before it, by number; `shapes` are per example, by the place of a layer."""

    nodes: tuple[Node, ...]
    output: int
    shapes: Mapping[str, Shape]


def wiring(net: Net, genotype: Sequence[int]) -> Wiring:
    """An architecture of a space with one input and one output. Raises `Unable` where a layer has no source."""
    made: dict[str, tuple[nn.Module, Configuration]] = {}
    calls: Calls = {}

    def layer(node: LayerNode, configuration: Configuration) -> nn.Module:
        module, own = recorded(configuration)
        calls.update(own)
        made[node.place] = module, configuration
        return module

    whole = network(net, genotype, layer)
    found = _Nodes(calls, made)
    numbers: dict[object, int] = {}
    output = 0
    for node in _Tracer(lambda _: True).trace(whole).nodes:
        takes = tuple(numbers[n] for n in node.args if isinstance(n, fx.Node))
        match node.op:
            case "placeholder":
                numbers[node] = 0
            case "output":
                output = takes[0]
            case _:
                numbers[node] = found.layer(node.target, whole._modules[node.target], takes)
    shapes = {n.place: at(n.shape, genotype) for n in net.nodes if isinstance(n, LayerNode) and n.place in made}
    (start,) = (n for n in net.nodes if isinstance(n, InputNode))
    return _needed(Wiring(tuple(found.nodes), output, {**shapes, "": start.shape}))


class _Tracer(fx.Tracer):
    """Sees a network as calls of those modules that are leaves."""

    def __init__(self, is_leaf: Callable[[nn.Module], bool]) -> None:
        super().__init__()
        self._is_leaf = is_leaf

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        del module_qualified_name
        return self._is_leaf(m)


class _Taking(nn.Module):
    """A layer of any number of inputs as one of a list of them."""

    def __init__(self, layer: nn.Module, count: int) -> None:
        super().__init__()
        self.layer, self.count = layer, count

    def forward(self, inputs: Sequence[Tensor]) -> Any:
        return self.layer(*[inputs[i] for i in range(self.count)])


class _Nodes:
    """The nodes of an architecture, as layer after layer is added. `zeros` are those whose tensors are nothing else."""

    def __init__(self, calls: Calls, made: Mapping[str, tuple[nn.Module, Configuration]]) -> None:
        self.calls, self.made = calls, made
        self.carried = _carried(calls)
        self.nodes = [Node("", None)]
        self.zeros: set[int] = set()

    def layer(self, place: str, module: Any, takes: tuple[int, ...]) -> int:
        """Adds a layer; the number of the node that gives its output."""
        if isinstance(module, nn.Identity):
            return takes[0]
        if isinstance(module, Zero):
            return self._zero(place, module, takes)
        if isinstance(module, Zeros):
            return self._of_nothing(place, module, takes)
        part = self._part(module, place, word(place.rpartition("/")[2]))
        is_bare = not is_torch(type(module)) and not module.state_dict()
        if part is None or is_bare:
            number = self._traced(place, module, takes)
            if number is not None:
                return number
        if part is None:
            raise Unable(f"{type(module).__name__}, at {place}, has no source that stands alone; export to pt2")
        number = self._new(Node(place, part, takes))
        if self.zeros.issuperset(takes) and _keeps_zeros(self.made[place][1]):
            self.zeros.add(number)
        return number

    def _new(self, node: Node) -> int:
        self.nodes.append(node)
        return len(self.nodes) - 1

    def _part(self, module: nn.Module, numbers: str, called: str = "") -> Part | None:
        """A module as one part; None where there is no call that makes it."""
        if isinstance(module, nn.Sequential):
            children = [(n, m) for n, m in module.named_children() if not isinstance(m, nn.Identity)]
            parts = [self._part(child, f"{numbers}.{name}") for name, child in children]
            return Chain(tuple(p for p in parts if p is not None), called) if None not in parts else None
        made = self.calls[module]
        if is_torch(type(module)) and _is_written(made):
            return Layer(type(module), made, numbers, called, bool(module.state_dict()))
        if module in self.carried:
            carried = self.carried[module]
            given = carried.arguments(made)
            return Layer(carried, given, numbers, called) if _is_written(given) else None
        return None

    def _has_call(self, module: nn.Module) -> bool:
        return self._part(module, "") is not None

    def _zero(self, place: str, module: Zero, takes: tuple[int, ...]) -> int:
        if any(part.step not in (None, 1) for part in module.kept):
            takes = (self._new(Node(place, Function(operator.getitem, False, (Operand(0), module.kept), ()), takes)),)
        number = self._new(Node(place, Function(torch.zeros_like, False, (Operand(0),), ()), takes))
        self.zeros.add(number)
        return number

    def _of_nothing(self, place: str, module: Zeros, takes: tuple[int, ...]) -> int:
        size = self._new(Node(place, Function(getattr, False, (Operand(0), "shape"), ()), takes))
        rows = self._new(Node(place, Function(operator.getitem, False, (Operand(0), 0), ()), (size,)))
        zeros = Function("new_zeros", True, (Operand(0), Operand(1), *module.shape), ())
        number = self._new(Node(place, zeros, (*takes, rows)))
        self.zeros.add(number)
        return number

    def _traced(self, place: str, module: nn.Module, takes: tuple[int, ...]) -> int | None:
        """What a module does, function by function; None where that cannot be said."""
        before = len(self.nodes)
        try:
            graph = _Tracer(lambda m: m is not module and self._has_call(m)).trace(_Taking(module, len(takes)))
            return self._followed(place, module, takes, graph)
        except (fx.proxy.TraceError, TypeError, Unwritable):
            del self.nodes[before:]
            return None

    def _followed(self, place: str, module: nn.Module, takes: tuple[int, ...], graph: fx.Graph) -> int:
        numbers: dict[object, int] = {}
        is_group = bool(module.state_dict())
        for node in graph.nodes:
            path = str(node.target).removeprefix("layer").removeprefix(".")
            within = f"{place}/{path.replace('.', '/')}"
            match node.op:
                case "placeholder":
                    continue
                case "output":
                    return numbers[node.args[0]]
                case "call_function" if node.target is operator.getitem and node.args[0].op == "placeholder":
                    numbers[node] = takes[node.args[1]]
                case "call_module":
                    part = self._part(module.get_submodule(path), f"{place}.{path}", path.rpartition(".")[2])
                    numbers[node] = self._new(Node(within, part, tuple(numbers[n] for n in node.all_input_nodes)))
                case "get_attr":
                    tensor = module.state_dict(keep_vars=True)[path]
                    weight = Weight(tuple(tensor.shape), f"{place}.{path}", isinstance(tensor, nn.Parameter))
                    numbers[node] = self._new(Node(within, weight))
                case _:
                    operands = node.all_input_nodes
                    does = function(node, operands)
                    at_place = f"{place}/{node.name}" if is_group else place
                    applied = Node(at_place, does, tuple(numbers[n] for n in operands))
                    numbers[node] = self._merged(applied) if isinstance(module, Fold) else self._new(applied)
        raise AssertionError

    def _merged(self, node: Node) -> int:
        """A sum or a product of two tensors of one shape, left out where one of them is zeros."""
        zeros = self.zeros.intersection(node.takes)
        if not zeros:
            return self._new(node)
        rest = [number for number in node.takes if number not in zeros]
        is_sum = isinstance(node.does, Function) and node.does.target is operator.add
        return rest[0] if rest and is_sum else zeros.pop()


def _carried(calls: Calls) -> dict[nn.Module, Carried]:
    """The sources of the classes that are not torch's."""
    made: dict[type, list[Made]] = defaultdict(list)
    for module, arguments in calls.items():
        cls: Any = type(module)
        if not is_torch(cls) and can_carry(cls):
            made[cls].append((module, arguments))
    return carry(made)


def _is_written(arguments: Mapping[str, Any]) -> bool:
    """Whether all arguments of a constructor have names of their own, and can be written down."""
    try:
        for value in arguments.values():
            literal(value)
    except Unwritable:
        return False
    return not any(name.startswith("*") for name in arguments)


def _keeps_zeros(configuration: Configuration) -> bool:
    """Whether a layer without weights makes zeros of zeros."""
    layer = configuration.build().eval()
    if layer.state_dict():
        return False
    with torch.no_grad():
        return not layer(*[torch.zeros(1, *shape) for shape in configuration.inputs]).any()


def _needed(whole: Wiring) -> Wiring:
    """Only what the output needs; the input always stays."""
    needed = {whole.output, 0}
    for number in range(whole.output, 0, -1):
        if number in needed:
            needed.update(whole.nodes[number].takes)
    new = {old: i for i, old in enumerate(sorted(needed))}
    kept = (whole.nodes[old] for old in new)
    nodes = tuple(replace(node, takes=tuple(new[t] for t in node.takes)) for node in kept)
    return replace(whole, nodes=nodes, output=new[whole.output])
