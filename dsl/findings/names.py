"""What is said of a name that does not stand for what is wanted."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from atnas.dsl.findings.diagnostics import Diagnostic, Edit
from atnas.dsl.findings.suggest import LAYERS, nearest, plain
from atnas.dsl.syntax import ast

CHOOSING: Final = frozenset(
    ["choice", "choices", "choose", "layerchoice", "valuechoice", "inputchoice", "oneof", "mutable", "categorical"]
)
"""What other frameworks call a choice, in small letters without `_`."""

FUNCTIONS: Final = frozenset(("abs", "ceil", "exp", "floor", "int", "len", "log", "max", "min", "pow", "round", "sqrt"))
"""What other languages make numbers of numbers by."""

_RESHAPING: Final = ("rearrange", "reshape", "squeeze", "unsqueeze", "view")
_PARTING: Final = ("chunk", "split", "unbind", "unstack")
_CURES: Final = {
    **dict.fromkeys(_RESHAPING, "shapes are changed by `flatten`, `tokens` and `transpose`"),
    **dict.fromkeys(_PARTING, "one layer gives one tensor: make each part by a layer of its own"),
    **dict.fromkeys(("logsoftmax", "softmax"), "leave it out at the end of a space: the loss has it"),
}
"""What to do without some of `LAYERS`."""


def unknown(name: ast.Name, meant: Iterable[str], otherwise: str | None = None) -> Diagnostic:
    """That there is no such name. One of `meant` may have been meant; `otherwise` is the cure where none is like it."""
    message = f"there is no `{name.id}`"
    if name.id.casefold().replace("_", "") in CHOOSING:
        return Diagnostic("E101", name.span, message, "a choice is written `a | b`, a range `1..4`")
    return misspelt("E101", name, meant, message, otherwise or _elsewhere(name.id))


def _elsewhere(word: str) -> str | None:
    """The cure of a name that means something in Python or PyTorch, and nothing here."""
    if word in FUNCTIONS:
        return f"numbers have no function `{word}`; a table stands for one: t = [4, 8, 8] and t[i]"
    foreign = plain(word)
    if foreign not in LAYERS:
        return None
    return _CURES.get(foreign) or f"there is no such operator; declare a torch module of your own: extern op {word} .."


def misspelt(code: str, name: ast.Name, meant: Iterable[str], message: str, otherwise: str | None = None) -> Diagnostic:
    """A finding on a name that is not one of `meant`, cured by the one that is like it."""
    close = nearest(name.id, meant)
    if close is None:
        return Diagnostic(code, name.span, message, otherwise)
    return Diagnostic(code, name.span, message, f"did you mean `{close}`?", fix=(Edit(name.span, close),))


def no_layer(name: ast.Name, keyword: str) -> Diagnostic:
    """That a name of settings stands where a layer is wanted."""
    return Diagnostic("E201", name.span, f"`{name.id}` is a `{keyword}`, not a layer")
