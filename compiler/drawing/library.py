"""The panels of a program."""

from __future__ import annotations

from collections.abc import Mapping

from atnas.compiler.drawing.parts import (
    Choice,
    Items,
    Layer,
    Member,
    Num,
    Panel,
    Part,
    Port,
    Repeat,
    Serial,
    Slot,
    Use,
    Value,
    Wire,
    Word,
)
from atnas.compiler.drawing.reading import Reading
from atnas.dsl.extern import layer_class
from atnas.dsl.modules import Declared
from atnas.dsl.syntax import ast


class Library:
    """The panels of a program, each read when it is first asked for."""

    def __init__(self) -> None:
        self.panels: dict[int, Panel] = {}

    def panel(self, declared: Declared, given: Mapping[str, Value]) -> Panel:
        """The panel of an op or cell that is first used with these arguments."""
        key = id(declared.syntax)
        if key not in self.panels:
            self.panels[key] = Reading(self, declared).panel(given, _standing)
        return self.panels[key]

    def space(self, declared: Declared) -> Panel:
        """The panel of a space with its defaults, those that are known put in."""
        return Reading(self, declared).panel({}, lambda _, value: value)

    def outputs(self, part: Part) -> int:
        """How many tensors a layer puts out."""
        match part:
            case Use(declared, given=given):
                return len(self.panel(declared, given).body.outputs)
            case Slot(value=Word(target=Declared() as declared)):
                return len(self.panel(declared, {}).body.outputs)
            case Slot(value=inner) | Repeat(part=inner) | Member(part=inner) if not isinstance(inner, Word):
                return self.outputs(inner)
            case Serial(parts=(*_, last)):
                return self.outputs(last)
            case Choice(options=(first, *_)):
                return self.outputs(first)
            case _:
                return 1

    def inputs(self, part: Part) -> int:
        """How many tensors a layer takes."""
        match part:
            case Use(declared, given=given):
                return sum(isinstance(n.what, Port) for n in self.panel(declared, given).body.nodes)
            case Slot(value=inner) | Repeat(part=inner) | Member(part=inner) if not isinstance(inner, Word):
                return self.inputs(inner)
            case Serial(parts=(first, *_)) | Choice(options=(first, *_)):
                return self.inputs(first)
            case Layer(operator=operator):
                return layer_class(operator).inputs
            case _:
                return 1


def _standing(name: str, value: Value) -> Value:
    """What stands in a body for a parameter that each use gives anew."""
    match value:
        case Num(expr=expr):
            return Num(ast.Name(expr.span, name))
        case Word(target=target):
            return Word(name, target, given=True)
        case Items() | Wire():
            return value
        case _:
            return Slot(name, value, None, "", "", "")
