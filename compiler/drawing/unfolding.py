"""What each part of a picture stands for in the net: the bodies are walked use by use, beside the net's own nodes.

The net holds layers and choices in the order in which they were applied, so the walk takes them one after another.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from atnas.compiler.drawing.folding import most
from atnas.compiler.drawing.library import Library
from atnas.compiler.drawing.parts import (
    Choice,
    Group,
    Layer,
    Member,
    Merge,
    Node,
    Panel,
    Part,
    Port,
    Repeat,
    Select,
    Serial,
    Slot,
    Use,
    Value,
    Word,
)
from atnas.dsl.elaborate.naming import Unique
from atnas.dsl.modules import Declared
from atnas.dsl.net import ChoiceNode, LayerNode, Net

TURN = re.compile(r"\[-(\d+)\]")
AGAIN = re.compile(r"~\d+")


@dataclass(frozen=True, eq=False)
class Frame:
    """A use of a body: the way and the place to it, the turns that are on, and what its parameters are given there."""

    panel: Panel
    way: str = ""
    place: str = ""
    turns: Mapping[int, int] = field(default_factory=dict)
    given: Mapping[str, tuple[Value, Frame]] = field(default_factory=dict)

    def name(self, local: str) -> str:
        """The full name of a decision, or the way to a use."""
        local = self._filled(local)
        dot = "." if self.way and local and not local.startswith("[") else ""
        return self.way + dot + local

    def at(self, local: str) -> str:
        """The full place of a layer."""
        local = self._filled(local)
        return f"{self.place}/{local}" if self.place else local

    def turn(self, loop: int, i: int) -> Frame:
        """In a turn of a loop."""
        return Frame(self.panel, self.way, self.place, {**self.turns, loop: i}, self.given)

    def _filled(self, local: str) -> str:
        return TURN.sub(lambda match: f"[{self.turns[int(match[1])]}]", local)


@dataclass(frozen=True, eq=False)
class Instance:
    """A part where it is come to once. `nodes` are the net's own: of a layer or merge itself, of a choice or repeat
    those that choose its outputs. `parts` are the options, turns, layers or the nodes of the body in it, `inner` is the
    body's frame."""

    part: Port | Merge | Select | Part
    frame: Frame
    inner: Frame | None = None
    nodes: tuple[int, ...] = ()
    parts: tuple[Instance, ...] = ()

    def walk(self) -> Iterator[Instance]:
        """This and all in it."""
        stack = [self]
        while stack:
            top = stack.pop()
            yield top
            stack += top.parts[::-1]


class Astray(Exception):
    """The net has another layer than the walk comes to."""


class Unfolding:
    """A walk beside a net."""

    def __init__(self, net: Net, library: Library) -> None:
        self.net = net
        self.library = library
        self.next = len(net.inputs)
        self.cells = Unique()

    def space(self, panel: Panel) -> Instance:
        """The space; `Use`s in it hold their bodies. Raises `Astray`."""
        use = Use(panel.declared, panel.declared.name, (), {}, "", "")
        return self._body(use, Frame(panel), Frame(panel))

    def _body(self, use: Part, frame: Frame, inner: Frame) -> Instance:
        return Instance(use, frame, inner, (), tuple(self._node(node, inner) for node in inner.panel.body.nodes))

    def _node(self, node: Node, frame: Frame) -> Instance:
        match node.what:
            case Port():
                return Instance(node.what, frame)
            case Merge(place=place):
                return Instance(node.what, frame, None, (self._layer(frame.at(place)),))
            case Select():
                return Instance(node.what, frame, None, (self._choice(),))
            case _:
                return self.part(node.what, frame)

    def part(self, part: Part, frame: Frame) -> Instance:
        """A layer where it is applied."""
        match part:
            case Layer(place=place):
                return Instance(part, frame, None, (self._layer(frame.at(place)),))
            case Use():
                return self._use(part, frame)
            case Slot():
                return Instance(part, frame, None, (), (self._slot(part, frame),))
            case Serial(parts=parts):
                return Instance(part, frame, None, (), tuple(self.part(p, frame) for p in parts))
            case Member(part=inner):
                made = self.part(inner, frame)
                return Instance(part, frame, None, self._choices(inner), (made,))
            case Choice(options=options):
                made_options = tuple(self.part(option, frame) for option in options)
                return Instance(part, frame, None, self._choices(part), made_options)
            case Repeat():
                turns = tuple(self._turns(part, frame))
                return Instance(part, frame, None, self._counted(part), turns)
            case Group():
                raise AssertionError("what stands in the place of a use is no part of a space")

    def _use(self, use: Use, frame: Frame) -> Instance:
        panel = self.library.panel(use.declared, use.given)
        is_cell = panel.syntax.keyword == "cell"
        way = self.cells(use.declared.name, panel.syntax) if is_cell else frame.name(use.way)
        given = {name: (value, frame) for name, value in use.given.items()}
        return self._body(use, frame, Frame(panel, way, frame.at(use.place), {}, given))

    def _slot(self, slot: Slot, frame: Frame) -> Instance:
        value, home = _given(slot.word, frame)
        if not isinstance(value, Word):
            assert not isinstance(value, str)
            return self.part(value, home)  # type: ignore[arg-type]
        if isinstance(value.target, Declared):
            made: Part = Use(
                value.target,
                slot.word,
                slot.arguments or (),
                {},
                slot.way,
                slot.beneath + slot.word + slot.turns,
            )
        else:
            place = slot.beneath + value.name + slot.turns
            made = Layer(value.name, value.target, slot.arguments or (), place)
        return self.part(made, frame)

    def _turns(self, repeat: Repeat, frame: Frame) -> Iterator[Instance]:
        i, last = 0, most(repeat.times.expr)
        while (i < last) if last is not None else self._comes(repeat.part, frame.turn(repeat.loop, i)):
            before = self.next
            yield self.part(repeat.part, frame.turn(repeat.loop, i))
            i += 1
            if last is None and self.next == before:
                return

    def _comes(self, part: Part, frame: Frame) -> bool:
        """Whether the net's next layer is the first of a part; tensors may be chosen before it."""
        rest = (self.net.nodes[i] for i in range(self.next, len(self.net.nodes)))
        layer = next((node for node in rest if isinstance(node, LayerNode)), None)
        return layer is not None and any(_is_at(layer.place, place) for place in self._starts(part, frame))

    def _starts(self, part: Part, frame: Frame) -> Iterator[str]:
        """Where the first layer of a part may be: of a turn that may be none, what comes after it too."""
        match part:
            case Layer(place=place) | Use(place=place):
                yield frame.at(place)
            case Slot():
                value, home = _given(part.word, frame)
                if not isinstance(value, Word):
                    yield from self._starts(value, home)  # type: ignore[arg-type]
                else:
                    word = part.word if isinstance(value.target, Declared) else value.name
                    yield frame.at(part.beneath + word + part.turns)
            case Serial(parts=parts):
                for inner in parts:
                    yield from self._starts(inner, frame)
            case Choice(options=options):
                for inner in options:
                    yield from self._starts(inner, frame)
            case Repeat(part=inner, loop=loop):
                yield from self._starts(inner, frame.turn(loop, 0))
            case Member(part=inner):
                yield from self._starts(inner, frame)

    def _layer(self, place: str) -> int:
        number = self.next
        node = self.net.nodes[number] if number < len(self.net.nodes) else None
        if not isinstance(node, LayerNode) or AGAIN.sub("", node.place) != place:
            raise Astray(f"{place}, not {node}")
        self.next += 1
        return number

    def _choices(self, part: Part) -> tuple[int, ...]:
        return tuple(self._choice() for _ in range(self.library.outputs(part)))

    def _choice(self) -> int:
        number = self.next
        if number >= len(self.net.nodes) or not isinstance(self.net.nodes[number], ChoiceNode):
            raise Astray("a choice")
        self.next += 1
        return number

    def _counted(self, repeat: Repeat) -> tuple[int, ...]:
        """What chooses between the turns, where their number is a decision."""
        node = self.net.nodes[self.next] if self.next < len(self.net.nodes) else None
        if isinstance(node, ChoiceNode) and node.span == repeat.span:
            return self._choices(repeat)
        return ()


def _given(name: str, frame: Frame) -> tuple[Value, Frame]:
    """What a parameter is, and where that was written."""
    value, home = frame.given.get(name) or (frame.panel.defaults[name], frame)
    match value:
        case Word(name=word, given=True) | Slot(word=word):
            return _given(word, home)
        case _:
            return value, home


def _is_at(place: str, start: str) -> bool:
    place = AGAIN.sub("", place)
    return place == start or place.startswith(f"{start}/")
