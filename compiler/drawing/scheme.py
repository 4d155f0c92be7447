"""A body as things and arrows between them, before anything has a place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from atnas.compiler.drawing import labels
from atnas.compiler.drawing.boxes import box, pill, titled
from atnas.compiler.drawing.marks import Drawn, Run
from atnas.compiler.drawing.parts import Arrow, Body, Layer, Merge, Node, Port, Select, Use, Wire, sites
from atnas.compiler.drawing.scene import drawn
from atnas.compiler.drawing.view import View
from atnas.dsl.syntax.unparse import text

NOTHING: Final[list[Run]] = [("skip", "faint")]
"""What stands in a body that passes on what it is given."""
LONGEST: Final = 28
"""Letters of a choice between tensors that is written out."""

KINDS: Final = ("chosen", "edge", "maybe", "off")
"""Of arrows; of two that lie on each other the first is seen."""


@dataclass(frozen=True)
class Element:
    """A thing in a graph; `label` is the shape of what it puts out, where that is another than what it takes.

    `name` is that of the tensor that it stands for, `kind` and `runs` those of a layer of one line.
    """

    drawn: Drawn
    label: str = ""
    is_on: bool = True
    name: str = ""
    kind: str = ""
    runs: tuple[Run, ...] = ()


@dataclass(frozen=True)
class Scheme:
    """Things and the arrows between them, by their numbers, with their kinds."""

    elements: list[Element]
    edges: dict[tuple[int, int], str]

    @property
    def is_path(self) -> bool:
        """Whether each follows the one before it."""
        return set(self.edges) == {(i, i + 1) for i in range(len(self.elements) - 1)}


def scheme(body: Body, outputs: Sequence[str], view: View) -> Scheme:
    """A body whose outputs have these names; one without a name has no element of its own."""
    made = _Drawing(body, view)
    for i, node in enumerate(body.nodes):
        made.add(i, node)
    for wire, name in zip(body.outputs, outputs, strict=False):
        made.end(wire, name)
    return Scheme(made.elements or [Element(box([NOTHING], "layer"))], made.edges)


class _Drawing:
    """A body as it becomes a scheme. `at` says which element puts a tensor out, `told` which shape was shown for it."""

    def __init__(self, body: Body, view: View) -> None:
        self.body = body
        self.view = view
        self.elements: list[Element] = []
        self.edges: dict[tuple[int, int], str] = {}
        self.at: dict[Wire, int] = {}
        self.told: list[set[str]] = []
        self.hidden: set[str] = set()
        self.takers = takers(body)
        self.ports = _together(body)

    def add(self, number: int, node: Node) -> None:
        """The element of a node, and another for a tensor with a name that several take."""
        if isinstance(node.what, Port):
            self._port(number, node.what)
            return
        is_on = _is_on(node, self.view)
        wires = _wires(self.body, number)
        shape = self.view.facts.shape(node, wires[-1].port, once=True)
        name = self.body.names.get(wires[0], "")
        here = self._element(_element(node, name, self.view), is_on, name if is_named(node) else "")
        if isinstance(node.what, Layer | Use) and (runs := labels.line(node.what)) is not None:
            kind = "layer" if isinstance(node.what, Layer) else "use"
            self.elements[here] = replace(self.elements[here], kind=kind, runs=(*runs, *self._value(node.what)))
        for place, taken in enumerate(node.takes):
            self._edge(node, place, taken, here)
        self.at.update(dict.fromkeys(wires, here))
        if is_named(node) or not self._is_merged(wires):
            self._tell(here, shape)
        if name and len(self.takers.get(wires[0], ())) > 1 and not is_named(node):
            self._named(wires[0], name, is_on)

    def _value(self, part: Layer | Use) -> list[Run]:
        """What is taken in a use, behind its text."""
        value = self.view.value(part)
        return [(": ", "plain"), *value] if value else []

    def end(self, wire: Wire, name: str) -> None:
        """An output, where nothing has its name yet."""
        here = self.at.get(wire)
        if not name or here is None or self.elements[here].name == name:
            return
        last = self._element(pill([(name, "name")], "tensor"), self.elements[here].is_on, name)
        self.edges[here, last] = "edge"

    def _port(self, number: int, port: Port) -> None:
        if not port.name:
            self.hidden = {self.view.facts.shape(self.body.nodes[number])}
            return
        if self.ports and self.elements:
            self.at[Wire(number)] = 0
            return
        name = ", ".join(self.ports) if self.ports else port.name
        here = self._element(pill([(name, "name")], "tensor"), True, name)
        self.at[Wire(number)] = here
        self._tell(here, self.view.facts.shape(self.body.nodes[number]))

    def _named(self, wire: Wire, name: str, is_on: bool) -> None:
        before = self.at[wire]
        here = self._element(pill([(name, "name")], "tensor"), is_on, name)
        self.edges[before, here] = "edge" if is_on else "off"
        self.at[wire] = here
        label = self.elements[before].label
        self.elements[before] = replace(self.elements[before], label="")
        self.elements[here] = replace(self.elements[here], label=label)
        self.told[here] |= self.told[before]

    def _element(self, made: Drawn, is_on: bool, name: str = "") -> int:
        self.elements.append(Element(made, "", is_on, name))
        self.told.append(set())
        return len(self.elements) - 1

    def _edge(self, node: Node, place: int, taken: Arrow, here: int) -> None:
        source = self.at.get(taken.wire)
        if source is None:
            self.told[here] |= self.hidden
            return
        is_on = self.elements[here].is_on and self.elements[source].is_on
        kind = _kind(node, place, taken, is_on, self.view)
        self.edges[source, here] = min(self.edges.get((source, here), kind), kind, key=KINDS.index)
        self.told[here] |= self.told[source]

    def _tell(self, here: int, shape: str) -> None:
        """Shows a shape, unless it was shown on the way there."""
        if shape and shape not in self.told[here]:
            self.elements[here] = replace(self.elements[here], label=shape)
            self.told[here] = {shape}

    def _is_merged(self, wires: Sequence[Wire]) -> bool:
        """Whether only merges take what a node puts out: the shape is shown there."""
        takers = {taker for wire in wires for taker in self.takers.get(wire, ())}
        return bool(takers) and all(isinstance(self.body.nodes[t].what, Merge | Select) for t in takers)


def _wires(body: Body, number: int) -> list[Wire]:
    """The outputs of a node that are spoken of; one at least."""
    wires = {w for w in (*(a.wire for node in body.nodes for a in node.takes), *body.outputs) if w.node == number}
    return sorted(wires, key=lambda wire: wire.port) or [Wire(number)]


def takers(body: Body) -> dict[Wire, set[int]]:
    """The nodes that take each tensor."""
    found: dict[Wire, set[int]] = {}
    for i, node in enumerate(body.nodes):
        for taken in node.takes:
            found.setdefault(taken.wire, set()).add(i)
    return found


def _together(body: Body) -> list[str]:
    """The names of several inputs that one node takes, and no other: they are drawn as one."""
    by = takers(body)
    ports = [(Wire(i), node.what.name) for i, node in enumerate(body.nodes) if isinstance(node.what, Port)]
    who = {number for wire, _ in ports for number in by.get(wire, ())}
    return [name for _, name in ports] if len(ports) > 1 and len(who) == 1 else []


def is_named(node: Node) -> bool:
    """Whether a node is drawn with the name of what it puts out."""
    return isinstance(node.what, Merge | Select)


def _element(node: Node, name: str, view: View) -> Drawn:
    match node.what:
        case Port(name=port):
            return pill([(port, "name")], "tensor")
        case Merge(operator=operator):
            return _merge(node, str(operator), name, view)
        case Select():
            return _select(node, name, view)
        case part:
            return drawn(part, view)


def _merge(node: Node, operator: str, name: str, view: View) -> Drawn:
    runs: list[Run] = [(f"{name}: ", "name")] if name else []
    runs.append((operator, "plain"))
    members = {a.member[0]: a.member[2] for a in node.takes if a.member is not None}
    for site, count in members.items():
        of = sum(a.member is not None and a.member[0] is site for a in node.takes)
        runs.append((f" {count} of {of}", "choice"))
    return titled(pill(runs, "merge"), *view.told(list(members)))


def _select(node: Node, name: str, view: View) -> Drawn:
    assert isinstance(node.what, Select)
    runs: list[Run] = [(f"{name}: ", "name")] if name else []
    site = node.what.site
    words = text(site.node) if site is not None else ""
    shown = words if 0 < len(words) <= LONGEST else f"1 of {len(node.takes)}"
    return titled(pill([*runs, (shown, "choice")], "choice"), *view.told(sites(node.what)))


# One architecture


def _is_on(node: Node, view: View) -> bool:
    numbers = view.facts.numbers.get(node, [])
    return view.active is None or not numbers or not view.active.isdisjoint(numbers)


def _kind(node: Node, number: int, taken: Arrow, is_on: bool, view: View) -> str:
    """The kind of an arrow."""
    if view.taken is None:
        return "edge" if taken.member is None and not isinstance(node.what, Select) else "maybe"
    if not is_on:
        return "off"
    if taken.member is not None:
        site, member, _ = taken.member
        return "chosen" if view.takes(site, lambda option: isinstance(option, list) and member in option) else "off"
    if isinstance(node.what, Select) and node.what.site is not None:
        return "chosen" if number in [option for _, option in view.decided(node.what.site)] else "off"
    return "edge"
