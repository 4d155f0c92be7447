"""What a picture says of a space beyond its text: decisions by where they are written, shapes, and one architecture."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice, product

from atnas.compiler.drawing.parts import Body, Member, Node, Num, Port, Repeat, Serial, Site, Slot, Use, Wire, sites
from atnas.compiler.drawing.unfolding import Instance
from atnas.dsl.cases import TRUE, Cases, apply, leaf, support, values
from atnas.dsl.net import Decision, InputNode, Net, Pick, number
from atnas.dsl.operator import Shape

Shapes = tuple[Cases[Shape], ...]
"""Of each output."""


@dataclass(eq=False)
class Facts:
    """What the parts of a picture stand for: decisions, shapes, the net's nodes, and the decisions within uses."""

    net: Net
    decisions: dict[Site, list[int]] = field(default_factory=lambda: defaultdict(list))
    shapes: dict[tuple[Node, int], list[Cases[Shape]]] = field(default_factory=lambda: defaultdict(list))
    numbers: dict[Node, list[int]] = field(default_factory=lambda: defaultdict(list))
    leads: dict[Use, set[int]] = field(default_factory=lambda: defaultdict(set))
    outputs: dict[Instance, Shapes] = field(default_factory=dict)

    def within(self, use: Instance) -> list[int]:
        """The decisions of one use, in the order of the space."""
        names = _within(use)
        return [i for i, decision in enumerate(self.net.decisions) if decision.name in names]

    def shape(self, node: Node, port: int = 0, once: bool = False) -> str:
        """The shapes of an output, over all architectures and uses; empty where they are not known, and where uses
        differ if that is asked for."""
        found = self.shapes.get((node, port), [])
        return "" if once and len(found) > 1 else written(found, self.net)


def gather(net: Net, space: Instance) -> Facts:
    """The facts of a space."""
    facts = Facts(net)
    index = {decision.name: i for i, decision in enumerate(net.decisions)}
    inputs = tuple(leaf(node.shape) for node in net.nodes[: len(net.inputs)] if isinstance(node, InputNode))
    _visit(facts, space, inputs)
    for here in space.walk():
        for site, name in _named(here):
            if name in index and index[name] not in facts.decisions[site]:
                facts.decisions[site].append(index[name])
        if here.inner is not None and isinstance(here.part, Use):
            facts.leads[here.part] |= {index[name] for name in _within(here) if name in index}
    return facts


def _within(use: Instance) -> set[str]:
    """The decisions that are made in a use, and not in a cell in it, which are its own."""
    outside = {name for _, name in _written(use)}
    return {name for here in _own(use) for _, name in _named(here)} - outside


def _own(use: Instance) -> Iterator[Instance]:
    """An instance and what is in it, but for the bodies of cells."""
    stack = [use]
    while stack:
        top = stack.pop()
        yield top
        stack += [part for part in top.parts if part.inner is None or part.inner.panel.syntax.keyword != "cell"]


def _written(here: Instance) -> Iterator[tuple[Site, str]]:
    """The decisions that are written in a part itself."""
    for site in sites(here.part):
        yield site, here.frame.name(site.name)


def _named(here: Instance) -> Iterator[tuple[Site, str]]:
    """The decisions that are written in a part, and in the body of a use, each with its site."""
    yield from _written(here)
    frame = here.inner
    if frame is None:
        return
    numbers = [number for _, number in frame.panel.numbers]
    numbers += [value for value in frame.panel.defaults.values() if isinstance(value, Num)]
    found = [site for number in numbers for site in number.sites]
    found += [arrow.member[0] for node in frame.panel.body.nodes for arrow in node.takes if arrow.member is not None]
    for site in found:
        yield site, frame.name(site.name)


def _visit(facts: Facts, here: Instance, inputs: Shapes) -> Shapes:
    """Notes the shapes of what stands in an instance, and gives those that come of it."""
    facts.outputs[here] = _shapes(facts, here, inputs)
    return facts.outputs[here]


def _shapes(facts: Facts, here: Instance, inputs: Shapes) -> Shapes:
    if here.inner is not None:
        return _body(facts, here, here.inner.panel.body, inputs)
    given = inputs
    passes = isinstance(here.part, Serial | Repeat | Slot | Member)
    for part in here.parts:
        outputs = _visit(facts, part, given)
        given = outputs if passes else given
    if here.nodes:
        return tuple(facts.net.nodes[n].shape for n in here.nodes)  # type: ignore[misc]
    return given


def _body(facts: Facts, use: Instance, body: Body, inputs: Shapes) -> Shapes:
    ports = iter(inputs)
    made: dict[Wire, Cases[Shape]] = {}
    for i, (node, instance) in enumerate(zip(body.nodes, use.parts, strict=True)):
        given = tuple(made[arrow.wire] for arrow in node.takes if arrow.wire in made)
        outputs = _visit(facts, instance, tuple(islice(ports, 1)) if isinstance(node.what, Port) else given)
        facts.numbers[node] += [n for inner in instance.walk() for n in inner.nodes]
        for port, shape in enumerate(outputs):
            made[Wire(i, port)] = shape
            if shape not in facts.shapes[node, port]:
                facts.shapes[node, port].append(shape)
    return tuple(made[wire] for wire in body.outputs if wire in made)


# Shapes as text


def written(shapes: Sequence[Cases[Shape]], net: Net) -> str:
    """`(64..256, 8, 8)`; a size that is a number that somebody named is shown by that name."""
    found = list(dict.fromkeys(shape for cases in shapes for shape in values(cases)))
    if not found or len({len(shape) for shape in found}) > 1:
        return ""
    sizes = [_size(shapes, i, [shape[i] for shape in found], net) for i in range(len(found[0]))]
    return f"({', '.join(sizes)})"


def _size(shapes: Sequence[Cases[Shape]], i: int, found: Sequence[int], net: Net) -> str:
    least, most = min(found), max(found)
    if least == most:
        return str(least)
    if len(shapes) == 1:
        for decision in sorted(support(shapes[0])):
            about = net.decisions[decision]
            if about.kind == "number" and _is(shapes[0], i, decision, about):
                return about.name
    return f"{least}..{most}"


def _is(cases: Cases[Shape], i: int, decision: int, about: Decision) -> bool:
    """Whether a size is what a decision says, in every architecture."""
    value = number(Pick(decision, about.options))  # type: ignore[arg-type]
    return apply(lambda shape, option: shape[i] == option, cases, value) is TRUE


# Names


def patterns(names: Sequence[str]) -> list[str]:
    """Names that differ in their numbers as one: `stage[0..4].mb[1]`."""
    groups: dict[str, list[tuple[int, ...]]] = defaultdict(list)
    for name in names:
        groups[re.sub(r"\[\d+\]", "[]", name)].append(tuple(int(n) for n in re.findall(r"\[(\d+)\]", name)))
    found: list[str] = []
    for form, indices in groups.items():
        columns = [sorted(set(column)) for column in zip(*indices, strict=True)]
        ranges = [f"{c[0]}..{c[-1]}" if len(c) > 1 else str(c[0]) for c in columns]
        whole = set(product(*(range(c[0], c[-1] + 1) for c in columns)))
        each = [ranges] if whole == set(indices) else [[str(i) for i in index] for index in indices]
        found += [_filled(form, index) for index in each]
    return found


def _filled(form: str, index: Sequence[str]) -> str:
    pieces = form.split("[]")
    return "".join(f"{piece}[{at}]" for piece, at in zip(pieces, index, strict=False)) + pieces[-1]
