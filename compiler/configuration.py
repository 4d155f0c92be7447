"""One concrete layer, and which one a layer of a space is in each architecture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from atnas.compiler.activity import takes
from atnas.compiler.graph import Graph
from atnas.dsl.cases import Cases, apply, choose, leaf, only, otherwise
from atnas.dsl.extern import Signature, layer_class
from atnas.dsl.net import InputNode, LayerNode, NetNode, Static, number
from atnas.dsl.operator import Operator, Shape
from atnas.dsl.record import record

if TYPE_CHECKING:
    from torch import nn


@record
class Configuration:
    """One concrete layer: an operator with its arguments and input shapes decided."""

    operator: str | Signature
    arguments: tuple[tuple[str, Static], ...]
    inputs: tuple[Shape, ...]

    @property
    def layer(self) -> Operator:
        """The operator with its arguments."""
        return layer_class(self.operator)(**dict(self.arguments))

    def build(self) -> nn.Module:
        """The operator's module. Draws from torch's global generator unless on the meta device."""
        return self.layer.build(*self.inputs)

    def build_meta(self) -> nn.Module:
        """The operator's module without numbers."""
        import torch

        with torch.device("meta"):
            return self.build()


def configurations(graph: Graph, node: LayerNode, where: Cases[bool]) -> Cases[Configuration | None]:
    """What a layer, active in these cases, is in every architecture; None where it is inactive or takes no tensor."""
    names = [name for name, _ in node.arguments]
    shapes = [
        choose(only(where, taken), (True, False), (_shape(graph.nodes[source]), leaf(None)))
        for source, taken in takes(graph, node)
    ]

    def configuration(_: Shape, *values: Any) -> Configuration | None:
        inputs = tuple(shape for shape in values[: len(shapes)] if shape is not None)
        arguments = zip(names, values[len(shapes) :], strict=True)
        return Configuration(node.operator, tuple(arguments), inputs) if inputs else None

    settings = [only(where, number(num)) for _, num in node.arguments]
    # It has no shape where constraints leave no architecture.
    return otherwise(apply(configuration, node.shape, *shapes, *settings), None)


def _shape(node: NetNode) -> Cases[Shape]:
    return leaf(node.shape) if isinstance(node, InputNode) else node.shape
