"""Where an expression stands."""

from __future__ import annotations

from collections.abc import Mapping

from atnas.dsl.cases import TRUE, Cases
from atnas.dsl.elaborate.naming import Steps
from atnas.dsl.elaborate.values import Value
from atnas.dsl.modules import Module
from atnas.dsl.record import record
from atnas.dsl.syntax import ast


@record
class Context:
    """Where an expression stands.

    `way` begins the names of its decisions, `place` the names of its weights; `turns` are the turns of `*` and `for`
    around it within its expression; the guard holds in those architectures that come here at all. `nodes` are those of
    the op or cell whose body this is, for conditions on it; None is the whole space.
    """

    module: Module
    scope: Mapping[str, Value]
    way: str
    place: str
    steps: Steps
    guard: Cases[bool] = TRUE
    turns: tuple[int, ...] = ()
    nodes: tuple[int, int] | None = None

    # These are written out since `dataclasses.replace` took a tenth of all time.

    def turn(self, i: int, scope: Mapping[str, Value] | None = None) -> Context:
        """In the i-th turn of a `*` or `for`, where it binds names with them in scope."""
        turns = (*self.turns, i)
        names = self.scope if scope is None else scope
        return Context(self.module, names, self.way, self.place, self.steps, self.guard, turns, self.nodes)

    def under(self, way: str, place: str) -> Context:
        """On another way."""
        return Context(self.module, self.scope, way, place, self.steps, self.guard, self.turns, self.nodes)

    def seeing(self, scope: Mapping[str, Value]) -> Context:
        """With other names in scope."""
        return Context(self.module, scope, self.way, self.place, self.steps, self.guard, self.turns, self.nodes)

    def within(self, steps: Steps) -> Context:
        """At the beginning of an expression whose sites have these steps."""
        return Context(self.module, self.scope, self.way, self.place, steps, self.guard, (), self.nodes)

    def where(self, guard: Cases[bool]) -> Context:
        """In fewer architectures."""
        return Context(self.module, self.scope, self.way, self.place, self.steps, guard, self.turns, self.nodes)

    def name(self, node: ast.Expr) -> str:
        """The name of the decision made at a site, or the way into it."""
        step = self.steps[id(node)]
        turns = "".join(f"[{t}]" for t in self.turns)
        head, dot, tail = step.rpartition(".") if step.endswith(".depth") else (step, "", "")
        between = "." if self.way and head and not head.startswith("[") else ""
        return self.way + between + head + turns + dot + tail

    def unnamed(self, word: str) -> str:
        """The way into an op that came in a list or under another name."""
        return (f"{self.way}." if self.way else "") + word + "".join(f"[{t}]" for t in self.turns)

    def beneath(self, word: str) -> str:
        return f"{self.place}/{word}" + "".join(f"[{t}]" for t in self.turns)
