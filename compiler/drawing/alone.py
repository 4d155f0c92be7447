"""One architecture by itself: what it takes of each choice, and nothing else.

A cell is drawn once, for it is the same at every use, and so is an op in which nothing is decided. Any other op is
another at each use: there its body stands in its place. Turns that came out alike are one, with their number.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Final

from atnas.compiler.drawing import labels
from atnas.compiler.drawing.facts import Facts
from atnas.compiler.drawing.folding import literal, resolved
from atnas.compiler.drawing.parts import (
    PARTS,
    Arguments,
    Arrow,
    Body,
    Choice,
    Group,
    Layer,
    Member,
    Merge,
    Node,
    Num,
    Panel,
    Part,
    Port,
    Repeat,
    Select,
    Serial,
    Site,
    Slot,
    Use,
    Wire,
)
from atnas.compiler.drawing.unfolding import Frame, Instance
from atnas.dsl.cases import at, leaf
from atnas.dsl.net import ChoiceNode, Decision, evaluate
from atnas.dsl.syntax import ast

PLAIN_MERGES: Final = ("add", "concat", "mul")
"""Operators that make of one tensor that tensor."""

Made = tuple[Part, Instance]
"""A layer, and where it is come to."""


@dataclass
class Alone:
    """The panels of one architecture, and their facts. A gene of the genotype is the option of a decision."""

    facts: Facts
    genotype: Sequence[int]
    active: frozenset[int]
    panels: dict[Panel, Panel] = field(default_factory=dict)
    shown: Facts = field(init=False)

    def __post_init__(self) -> None:
        self.shown = Facts(self.facts.net)
        self.shown.shapes.update(self.facts.shapes)
        self._index = {decision.name: i for i, decision in enumerate(self.facts.net.decisions)}

    def of(self, space: Instance) -> list[Panel]:
        """The panels, the space itself first."""
        self._add(space)
        return list(self.panels.values())

    def _add(self, use: Instance) -> None:
        """The panel of a use that is the same wherever it is used, and those of all in it."""
        assert use.inner is not None
        written = use.inner.panel
        if written in self.panels:
            return
        self.panels[written] = written
        numbers = self._numbers(use.inner, use.inner)
        self.panels[written] = replace(written, body=self._body(use, use.inner), numbers=numbers)

    def _numbers(self, frame: Frame, root: Frame) -> tuple[tuple[str, Num], ...]:
        return tuple((name, self._value(number, frame, root)) for name, number in frame.panel.numbers)

    def _value(self, number: Num, frame: Frame, root: Frame) -> Num:
        """A number with the options that are taken in it, and what the names in it are given up to the root."""
        options = {id(site.node): site for site in number.sites}

        def instead(expr: ast.Expr) -> ast.Expr | None:
            if id(expr) in options:
                found = self._option(options[id(expr)], frame)
                return found if found is expr else resolved(found, instead)
            return self._named(expr.id, frame, root) if isinstance(expr, ast.Name) else None

        return Num(resolved(number.expr, instead))

    def _named(self, name: str, frame: Frame, root: Frame) -> ast.Expr | None:
        """What a name stands for in a body that is drawn in the place of its use; a number that it is bound to, if that
        is known."""
        bound = dict(frame.panel.numbers).get(name)
        if bound is not None:
            value = self._value(bound, frame, root)
            return value.expr if value.is_known else None
        if frame.panel is root.panel:
            return None
        given, home = frame.given.get(name, (frame.panel.defaults.get(name), frame))
        return self._value(given, home, root).expr if isinstance(given, Num) else None

    def _option(self, site: Site, frame: Frame) -> ast.Expr:
        decision = self._index.get(frame.name(site.name))
        if decision is None:
            return site.node
        option = self.genotype[decision]
        if isinstance(site.node, ast.Choice):
            return site.node.options[option]
        found = self.facts.net.decisions[decision].options[option]
        return site.node if isinstance(found, list) else literal(site.node.span, found)

    # Bodies

    def _body(self, use: Instance, root: Frame) -> Body:
        """What is active of a body; it is drawn in the panel whose frame is `root`."""
        assert use.inner is not None
        body, frame = use.inner.panel.body, use.inner
        nodes: list[Node] = []
        wires: dict[Wire, Wire] = {}
        for i, (node, instance) in enumerate(zip(body.nodes, use.parts, strict=True)):
            if not isinstance(node.what, Port) and not self._is_active(instance):
                continue
            takes = [replace(a, wire=wires[a.wire], member=None) for a in node.takes if self._takes(a, frame, wires)]
            if isinstance(node.what, Select):
                at_ = self._key(instance)
                wires[Wire(i)] = wires[node.takes[at_].wire]
                continue
            if isinstance(node.what, Merge) and node.what.operator in PLAIN_MERGES and len(takes) == 1:
                wires[Wire(i)] = takes[0].wire
                continue
            if isinstance(node.what, Port | Merge):
                nodes.append(Node(node.what, tuple(takes)))
                wires[Wire(i)] = Wire(len(nodes) - 1)
                self._shaped(nodes[-1], node, instance, root)
                continue
            outputs = self._applied(nodes, self._parts(instance, root), [a.wire for a in takes], root, node)
            wires.update({Wire(i, port): wire for port, wire in enumerate(outputs)})
        names = {wires[wire]: name for wire, name in reversed(list(body.names.items())) if wire in wires}
        return Body(tuple(nodes), tuple(wires[w] for w in body.outputs), names)

    def _applied(
        self, nodes: list[Node], made: Sequence[Made], wires: list[Wire], root: Frame, written: Node
    ) -> list[Wire]:
        """Layers one after another as nodes, and what comes of them."""
        for part, instance in made:
            nodes.append(Node(part, tuple(Arrow(wire) for wire in wires)))
            outputs = len(self.facts.outputs[instance])
            wires = [Wire(len(nodes) - 1, port) for port in range(outputs)]
            self._shaped(nodes[-1], written, instance, root)
        return wires

    def _shaped(self, node: Node, written: Node, instance: Instance, root: Frame) -> None:
        """Notes the shapes of a node."""
        for port, shape in enumerate(self.facts.outputs[instance]):
            cases = self.facts.shapes[written, port] if root.panel.syntax.keyword == "cell" else [shape]
            self.shown.shapes[node, port] = list(dict.fromkeys(leaf(at(c, self.genotype)) for c in cases))

    def _takes(self, arrow: Arrow, frame: Frame, wires: Mapping[Wire, Wire]) -> bool:
        if arrow.wire not in wires or arrow.member is None:
            return arrow.wire in wires
        site, number, _ = arrow.member
        decision = self._index[frame.name(site.name)]
        chosen = self.facts.net.decisions[decision].options[self.genotype[decision]]
        return isinstance(chosen, list) and number in chosen

    def _is_active(self, instance: Instance) -> bool:
        numbers = {n for inner in instance.walk() for n in inner.nodes}
        return not numbers or not self.active.isdisjoint(numbers)

    def _key(self, instance: Instance) -> int:
        """Which of the sources of a choice is taken."""
        node = self.facts.net.nodes[instance.nodes[0]]
        assert isinstance(node, ChoiceNode)
        return node.keys.index(evaluate(node.selector, self.genotype))

    # Layers

    def _parts(self, here: Instance, root: Frame) -> list[Made]:
        """The layers that are there, one after another."""
        match here.part:
            case Layer():
                arguments = self._arguments(here.part.arguments, here.frame, root)
                return [(replace(here.part, arguments=arguments), here)]
            case Use():
                return self._use(here, here.part, root)
            case Slot() if here.frame is root and root.panel.syntax.keyword == "cell":
                return [(here.part, here)]
            case Slot() | Serial():
                return [made for part in here.parts for made in self._parts(part, root)]
            case Choice():
                return self._parts(here.parts[self._key(here)], root)
            case Member():
                return self._parts(here.parts[0], root) if self._key(here) else []
            case Repeat():
                return self._turns(here, here.part, root)
            case _:
                raise AssertionError(here.part)

    def _turns(self, here: Instance, repeat: Repeat, root: Frame) -> list[Made]:
        """Turns that are alike as one."""
        count = len(here.parts)
        if here.nodes:
            node = self.facts.net.nodes[here.nodes[0]]
            assert isinstance(node, ChoiceNode)
            size = evaluate(node.selector, self.genotype)
            assert isinstance(size, int)
            count = size
        made = [self._parts(turn, root) for turn in here.parts[:count]]
        found: list[Made] = []
        for _, alike in groupby(made, key=lambda parts: tuple(look(part) for part, _ in parts)):
            turns = list(alike)
            last = turns[-1]
            if len(turns) == 1:
                found += last
            elif last:
                part = last[0][0] if len(last) == 1 else Serial(tuple(p for p, _ in last))
                times = Num(literal(repeat.span, len(turns)))
                found.append((Repeat(part, times, repeat.loop, repeat.span), last[-1][1]))
        return found

    def _arguments(self, arguments: Arguments, frame: Frame, root: Frame) -> Arguments:
        """Arguments as they are in this architecture; layers among them are drawn where they are applied."""
        shown = ((name, value) for name, value in arguments if not isinstance(value, PARTS))
        return tuple(
            (name, self._value(value, frame, root) if isinstance(value, Num) else value) for name, value in shown
        )

    def _use(self, here: Instance, use: Use, root: Frame) -> list[Made]:
        assert here.inner is not None
        shown = replace(use, arguments=self._arguments(use.arguments, here.frame, root))
        if here.inner.panel.syntax.keyword == "cell" or not self.facts.leads.get(use):
            self._add(here)
            return [(shown, here)]
        body = self._body(here, root)
        only = [node.what for node in body.nodes if not isinstance(node.what, Port)]
        if len(only) == 1 and isinstance(only[0], Layer | Use | Group):
            return [(only[0], here)]
        decided = [self.facts.net.decisions[d] for d in self.facts.within(here)]
        if all(decision.kind == "number" for decision in decided) and any(isinstance(w, Merge) for w in only):
            self._library(here)
            return [(replace(shown, values=self._values(here, decided)), here)]
        unknown = tuple((name, value) for name, value in self._numbers(here.inner, root) if not value.is_known)
        return [(Group(shown, body, unknown), here)]

    def _library(self, here: Instance) -> None:
        """Adds the panels of a use as they are in the space."""
        for inner in here.walk():
            if inner.inner is not None:
                self.panels.setdefault(inner.inner.panel, inner.inner.panel)

    def _values(self, here: Instance, decided: Sequence[Decision]) -> tuple[str, ...]:
        """Decisions within a use, by their names there, with what is taken."""
        assert here.inner is not None
        found = []
        for decision in decided:
            option = self.genotype[self._index[decision.name]]
            name = decision.name.removeprefix(here.inner.way).lstrip(".")
            found.append(f"{name} = {decision.words[option]}" if name else decision.words[option])
        return tuple(found)


def look(part: Part) -> Hashable:
    """What two layers share that are drawn alike."""
    match part:
        case Layer() | Use() | Slot():
            words = tuple(run for piece in labels.call(part) for run in piece)
            values = part.values if isinstance(part, Use) else ()
            return words, values, tuple(map(look, labels.nested(part.arguments)))
        case Serial(parts=parts):
            return tuple(map(look, parts))
        case Repeat(part=inner, times=times):
            return labels.written(times), look(inner)
        case Group(use=use, body=body):
            return look(use), tuple(_node(node) for node in body.nodes), body.outputs
        case _:
            return id(part)


def _node(node: Node) -> Hashable:
    return look(node.what) if isinstance(node.what, PARTS) else type(node.what).__name__, node.takes
