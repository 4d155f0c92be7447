"""Bodies as pictures: what is one after another flows from left to right, all else goes down."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from atnas.compiler.drawing.downward import BETWEEN, graph, lettered
from atnas.compiler.drawing.flow import flow, grouped
from atnas.compiler.drawing.marks import Drawn
from atnas.compiler.drawing.parts import Body, Port, Wire
from atnas.compiler.drawing.scheme import Scheme, scheme, takers
from atnas.compiler.drawing.view import View

NARROW: Final = 350.0
"""Of a graph that leaves room for another beside it."""
WORTH: Final = 0.7
"""How narrow a graph has to become for letters to be worth reading."""


def pictured(body: Body, outputs: Sequence[str], view: View, width: float) -> Drawn:
    """A body whose outputs have these names; where it is a row, in rows no wider."""
    made = scheme(body, outputs, view)
    if made.is_path:
        return flow(grouped(made.elements), width)
    whole = graph(made, BETWEEN)
    short = lettered(made) if whole.width > NARROW else whole
    return short if short.width <= whole.width * WORTH else whole


def inner(body: Body, view: View) -> Drawn:
    """A body in a box, from top to bottom. Inputs that one layer takes are where the arrow into the box ends."""
    by = takers(body)
    nodes = tuple(
        replace(node, what=Port("")) if isinstance(node.what, Port) and len(by.get(Wire(i), ())) < 2 else node
        for i, node in enumerate(body.nodes)
    )
    made = scheme(replace(body, nodes=nodes), [], view)
    if made.is_path:
        elements = grouped(made.elements)
        made = Scheme(elements, {(i, i + 1): "edge" for i in range(len(elements) - 1)})
    sources = {a for a, _ in made.edges}
    elements = [e if i in sources else replace(e, label="") for i, e in enumerate(made.elements)]
    return graph(Scheme(elements, made.edges), BETWEEN)
