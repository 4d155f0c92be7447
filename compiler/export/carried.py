"""The classes of operators that are not torch's own, carried over as source."""

from __future__ import annotations

import ast
import builtins
import inspect
import sys
import textwrap
from collections.abc import Mapping, Sequence
from functools import cache
from types import FunctionType

from torch import nn

from atnas.compiler.export.agreed import Undecided
from atnas.compiler.export.literals import Unwritable
from atnas.compiler.export.reduced import KNOWN, Carried, Made, reduced


def is_torch(cls: type | Carried) -> bool:
    """Whether a class is one of torch's own layers."""
    if isinstance(cls, Carried):
        return False
    return cls.__module__.startswith("torch.nn.") and getattr(nn, cls.__name__, None) is cls


@cache
def can_carry(cls: type) -> bool:
    """Whether the source of a class can stand alone: an `nn.Module` that speaks of torch and its own file only."""
    try:
        is_plain = cls.__bases__ == (nn.Module,) and all(map(_is_method, _tree(cls).body))
        return is_plain and all(_is_known(cls, name) for name in _globals(cls))
    except (OSError, TypeError, SyntaxError):
        return False


def carry(made: Mapping[type, Sequence[Made]]) -> dict[nn.Module, Carried]:
    """For each module the source of its class; where its uses do not go together, there are several.

    A module is left out where its class has no source that stands alone.
    """
    found: dict[nn.Module, Carried] = {}
    single: dict[type, Carried] = {}
    for cls in _inner_first(made):
        inside = [single[inner] for inner in _beside(cls) if inner in single]
        groups = _apart(cls, made[cls], inside)
        for number, uses in enumerate(groups, start=1):
            one = reduced(cls, cls.__name__ if number == 1 else f"{cls.__name__}{number}", uses, inside)
            found.update((module, one) for module, _ in uses)
            if len(groups) == 1:
                single[cls] = one
    return found


def _apart(cls: type, made: Sequence[Made], inside: Sequence[Carried]) -> list[Sequence[Made]]:
    """The uses of a class in groups that one source is good for; none where there is no source."""
    try:
        reduced(cls, cls.__name__, made, inside)
    except Undecided as apart:
        sides = [[use for use, side in zip(made, apart.sides, strict=True) if side is which] for which in (True, False)]
        return [group for side in sides for group in _apart(cls, side, inside)]
    except Unwritable:
        return []
    return [made]


def _inner_first(made: Mapping[type, Sequence[Made]]) -> list[type]:
    """Classes after those that they make modules of."""
    order: list[type] = []

    def visit(cls: type) -> None:
        if cls in made and cls not in order:
            for inner in _beside(cls):
                visit(inner)
            order.append(cls)

    for cls in made:
        visit(cls)
    return order


def _beside(cls: type) -> list[type]:
    """The classes of modules of the same file that a class speaks of."""
    found = (vars(sys.modules[cls.__module__]).get(name) for name in _globals(cls))
    return [f for f in found if isinstance(f, type) and issubclass(f, nn.Module) and f.__module__ == cls.__module__]


# What a class speaks of


def _tree(cls: type) -> ast.ClassDef:
    (tree,) = ast.parse(textwrap.dedent(inspect.getsource(cls))).body
    assert isinstance(tree, ast.ClassDef)
    return tree


def _is_method(statement: ast.stmt) -> bool:
    """Whether a statement of a class is a method, or says nothing to Python: a docstring, an annotation."""
    is_note = isinstance(statement, ast.AnnAssign) and statement.value is None
    return isinstance(statement, ast.FunctionDef | ast.Expr) or is_note


@cache
def _globals(cls: type) -> frozenset[str]:
    """The names that a class takes from outside of itself."""
    parts = list(ast.walk(_tree(cls)))
    own = {part.arg for part in parts if isinstance(part, ast.arg)}
    names = [part for part in parts if isinstance(part, ast.Name)]
    own |= {name.id for name in names if isinstance(name.ctx, ast.Store)}
    return frozenset(name.id for name in names) - own


def _is_known(home: type, name: str) -> bool:
    value = vars(sys.modules[home.__module__]).get(name, getattr(builtins, name, None))
    if name in KNOWN or hasattr(builtins, name):
        return value is KNOWN.get(name, getattr(builtins, name, None))
    if isinstance(value, type):
        return value is home or (value.__module__ == home.__module__ and can_carry(value))
    # What functions and other values speak of is seen where they are written out.
    return isinstance(value, FunctionType | dict | int | float | str)
