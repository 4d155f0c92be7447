"""Ops and cells that reach themselves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from atnas.dsl.findings.diagnostics import Diagnostic
from atnas.dsl.lint.hiding import bound
from atnas.dsl.syntax import ast
from atnas.dsl.syntax.walk import expressions, words

Uses = Mapping[str, Sequence[ast.Name]]
"""The names that each layer of a file says and does not bind itself."""


def free(layer: ast.Layer) -> list[ast.Name]:
    """The names in a layer that it does not bind itself."""
    own = {name.id for name in bound(layer)}
    return [word for expression in expressions(layer) for word in words(expression) if word.id not in own]


def loops(said: Uses) -> Iterator[Diagnostic]:
    """Layers of a file that reach themselves, each once."""
    uses = {name: [word for word in among if word.id in said] for name, among in said.items()}
    blamed: set[str] = set()
    for loop in _circles(uses):
        if blamed.isdisjoint(w.id for w in loop):
            blamed.update(w.id for w in loop)
            names = " -> ".join([loop[-1].id, *(w.id for w in loop)])
            message = f"`{loop[-1].id}` reaches itself: {names}"
            yield Diagnostic("E104", loop[0].span, message, help="repeat a layer with `*` instead")


def _circles(uses: Uses) -> Iterator[list[ast.Name]]:
    """The names along ways from a declaration to itself, at least one way for each that has any."""
    done: set[str] = set()
    for start in uses:
        way: list[ast.Name] = []
        ahead = {} if start in done else {start: iter(uses[start])}
        while ahead:
            here = next(reversed(ahead))
            word = next((w for w in ahead[here] if w.id not in done), None)
            if word is None:
                done.add(here)
                del ahead[here], way[-1:]
            elif word.id in ahead:
                yield [*way[list(ahead).index(word.id) :], word]
            else:
                way.append(word)
                ahead[word.id] = iter(uses[word.id])
