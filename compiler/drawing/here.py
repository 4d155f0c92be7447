"""Where an expression stands in a body, as `dsl/elaborate/context.py` has it for a whole space."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from atnas.compiler.drawing.parts import Items, Num, Value, Word
from atnas.dsl.elaborate.naming import Names, Steps, steps
from atnas.dsl.extern import layer_class, signature
from atnas.dsl.modules import Declared, Module
from atnas.dsl.operator import parameters
from atnas.dsl.plugins import entries
from atnas.dsl.syntax import ast


@dataclass(frozen=True)
class Here:
    """`way` begins the names of decisions, `place` those of layers, both within the body; a turn below 0 is any turn
    of that loop."""

    module: Module
    scope: Mapping[str, Value]
    way: str = ""
    place: str = ""
    steps: Steps | None = None
    turns: tuple[int, ...] = ()

    def turn(self, i: int, names: Mapping[str, Value] | None = None) -> Here:
        """In a turn of a `*` or `for`, where it binds names with them."""
        return replace(self, turns=(*self.turns, i), scope={**self.scope, **(names or {})})

    def under(self, name: str, expr: ast.Expr) -> Here:
        """At the beginning of the expression that a name is bound to."""
        way = f"{self.way}.{name}" if self.way else name
        place = f"{self.place}/{name}" if self.place else name
        return replace(self, way=way, place=place, turns=()).inside(expr)

    def inside(self, expr: ast.Expr) -> Here:
        """At the beginning of an expression."""
        names = Names(self._leads, self._argument, self.is_number)
        return replace(self, steps=steps(expr, names), turns=())

    def site(self, node: ast.Expr) -> str | None:
        """The name of the decision made at a site, or the way into it; None where none is written there."""
        step = (self.steps or {}).get(id(node))
        if step is None:
            return None
        head, dot, tail = step.rpartition(".") if step.endswith(".depth") else (step, "", "")
        between = "." if self.way and head and not head.startswith("[") else ""
        return self.way + between + head + self.counted + dot + tail

    def unnamed(self, word: str) -> str:
        """The way into an op that came in a list or under another name."""
        return (f"{self.way}." if self.way else "") + word + self.counted

    def beneath(self, word: str) -> str:
        """The place of a layer."""
        return (f"{self.place}/" if self.place else "") + word + self.counted

    @property
    def counted(self) -> str:
        return "".join(f"[{turn}]" for turn in self.turns)

    def lookup(self, word: str) -> Value | None:
        """What a word means here; None for one that an operator takes as an argument."""
        if word in self.scope:
            return self.scope[word]
        declared = self.module.names.get(word)
        if declared is not None and isinstance(declared.syntax, ast.Layer):
            return Word(word, declared)
        if declared is not None and isinstance(declared.syntax, ast.Extern):
            return Word(word, signature(declared.syntax))
        return Word(word, word) if word in entries("ops") else None

    def is_number(self, node: ast.Expr) -> bool:
        """Whether the left side of `*` is a number."""
        match node:
            case ast.Number() | ast.Range() | ast.Negate() | ast.Bool():
                return True
            case ast.Name(id=word):
                return isinstance(self.scope.get(word), Num)
            case ast.Binary(left=first) | ast.Choice(options=(first, *_)):
                return self.is_number(first)
            case ast.Index(target=ast.Name(id=word), index=ast.Number(value=int(i))):
                target = self.scope.get(word)
                return isinstance(target, Items) and i < len(target.items) and isinstance(target.items[i], Num)
            case _:
                return False

    def _leads(self, word: str) -> bool:
        if word in self.scope:
            return isinstance(self.scope[word], Word)
        declared = self.module.names.get(word)
        return declared is not None and isinstance(declared.syntax, ast.Layer)

    def _argument(self, function: str, position: int) -> str:
        target = self.lookup(function)
        names = parameter_names(target) if isinstance(target, Word) else []
        return names[position] if position < len(names) else ""


def parameter_names(word: Word) -> list[str]:
    """The parameters of what a word stands for."""
    if isinstance(word.target, Declared):
        return [p.name.id for p in word.target.syntax.parameters] if isinstance(word.target.syntax, ast.Layer) else []
    cls = layer_class(word.target)
    return [] if cls.variadic else [info.name for info in parameters(cls)]
