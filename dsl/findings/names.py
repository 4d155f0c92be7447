"""What is said of a name that does not stand for what is wanted."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from atnas.dsl.findings.diagnostics import Diagnostic, Edit
from atnas.dsl.findings.suggest import nearest
from atnas.dsl.syntax import ast

CHOOSING: Final = frozenset(
    ["choice", "choices", "choose", "layerchoice", "valuechoice", "inputchoice", "oneof", "mutable", "categorical"]
)
"""What other frameworks call a choice, in small letters without `_`."""


def unknown(name: ast.Name, meant: Iterable[str], otherwise: str | None = None) -> Diagnostic:
    """That there is no such name. One of `meant` may have been meant; `otherwise` is the cure where none is like it."""
    message = f"there is no `{name.id}`"
    if name.id.casefold().replace("_", "") in CHOOSING:
        return Diagnostic("E101", name.span, message, "a choice is written `a | b`, a range `1..4`")
    return misspelt("E101", name, meant, message, otherwise)


def misspelt(code: str, name: ast.Name, meant: Iterable[str], message: str, otherwise: str | None = None) -> Diagnostic:
    """A finding on a name that is not one of `meant`, cured by the one that is like it."""
    close = nearest(name.id, meant)
    if close is None:
        return Diagnostic(code, name.span, message, otherwise)
    return Diagnostic(code, name.span, message, f"did you mean `{close}`?", fix=(Edit(name.span, close),))


def no_layer(name: ast.Name, keyword: str) -> Diagnostic:
    """That a name of settings stands where a layer is wanted."""
    return Diagnostic("E201", name.span, f"`{name.id}` is a `{keyword}`, not a layer")
