"""A class of a module as source, reduced to some uses of it.

    self.reduce = conv(dims, c, squeezed, 1, bias=True)        becomes        self.reduce = nn.Conv2d(c, squeezed, 1)

where all uses have `dims` 2. Methods in which nothing changes stay as they were written, comments and all.
"""

from __future__ import annotations

import ast
import builtins
import copy
import inspect
import math
import sys
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from atnas.compiler.export.agreed import Agreed
from atnas.compiler.export.defaults import usual
from atnas.compiler.export.layout import INDENT, documented, plain, wrapped
from atnas.compiler.export.literals import Unwritable, literal

Made = tuple[nn.Module, Mapping[str, Any]]
"""A module and the arguments of its constructor."""

KNOWN: dict[str, object] = {"torch": torch, "nn": nn, "Tensor": Tensor, "functional": functional, "math": math}
"""What the file that is written imports where a class asks for it."""


@dataclass(frozen=True, eq=False)
class Carried:
    """A class as source: `lines`, and the parameters that are left of its own.

    `tables` hold, for a parameter that was looked up in one, what each of its values stands for.
    """

    cls: type
    name: str
    lines: tuple[str, ...]
    parameters: tuple[inspect.Parameter, ...] = ()
    tables: Mapping[str, Mapping[Any, Any]] = field(default_factory=dict)
    inside: tuple[Carried, ...] = ()
    """The classes that it makes modules of."""

    @property
    def __name__(self) -> str:
        return self.name

    def arguments(self, made: Mapping[str, Any]) -> dict[str, Any]:
        """What the class takes, for a module that was made with these arguments."""
        return {p.name: self.looked_up(p.name, made[p.name]) for p in self.parameters}

    def looked_up(self, name: str, value: Any) -> Any:
        """What is given for a parameter that had this value."""
        return self.tables[name][value] if name in self.tables else value


_NAMED = {inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY}


def reduced(cls: type, name: str, made: Sequence[Made], inside: Sequence[Carried]) -> Carried:
    """A class, called `name`, for these uses. `inside` are the classes of its own file that it makes modules of.

    Raises `Undecided` where no one source is good for all uses, `Unwritable` where there is none.
    """
    return _Reduced(cls, name, made, inside).whole()


@dataclass(frozen=True)
class _Method:
    """A method as it is written, and as it will be."""

    before: ast.FunctionDef
    after: ast.FunctionDef


class _Reduced:
    def __init__(self, cls: type, name: str, made: Sequence[Made], inside: Sequence[Carried]) -> None:
        self.made = made
        self.constructor = inspect.signature(cls.__init__)  # type: ignore[misc]
        self.names = vars(sys.modules[cls.__module__])
        self.source = textwrap.dedent(inspect.getsource(cls))
        (tree,) = ast.parse(self.source).body
        assert isinstance(tree, ast.ClassDef)
        self.methods = [s for s in tree.body if isinstance(s, ast.FunctionDef) and s.name != "__init__"]
        self.start = next((s for s in tree.body if isinstance(s, ast.FunctionDef) and s.name == "__init__"), None)
        if self.start is not None and not _NAMED.issuperset(p.kind for p in self.constructor.parameters.values()):
            raise Unwritable(f"{name} takes any number of arguments")
        self.doc = (ast.get_docstring(tree) or "").partition("\n\n")[0]
        self.bare = Carried(cls, name, (), inside=tuple(inside))

    def whole(self) -> Carried:
        methods = [self._method(method) for method in self.methods]
        if self.start is not None:
            methods.insert(0, self._constructor(self.start, [method.after for method in methods]))
        for method in methods:
            self._check(method.after)
        return replace(self.bare, lines=tuple(self._lines(methods)))

    def _method(self, method: ast.FunctionDef) -> _Method:
        own = _own(method) - {"self"}
        known = {name: value for name, value in self.names.items() if name not in own}
        agreed = self._agreed([{**known, "self": module} for module, _ in self.made])
        return _Method(method, agreed.visit(copy.deepcopy(method)))

    def _constructor(self, method: ast.FunctionDef, others: Sequence[ast.FunctionDef]) -> _Method:
        """The constructor with what is left to do in it; says what is left of the parameters."""
        agreed = self._agreed([{**self.names, **arguments} for _, arguments in self.made])
        agreed.visit(copy.deepcopy(method))
        agreed = agreed.again()
        start: ast.FunctionDef = agreed.visit(copy.deepcopy(method))
        _drop(start, lambda target: isinstance(target, ast.Attribute) and self._is_unread(target.attr, start, others))
        _drop(start, lambda target: isinstance(target, ast.Name) and target.id not in _read(start))
        read = _read(start)
        tables = {name: table for name, table in agreed.given.items() if name in read}
        self.bare = replace(self.bare, tables=tables)
        kept = [p for name, p in self.constructor.parameters.items() if name in read and name != "self"]
        self.bare = replace(self.bare, parameters=tuple(map(self._usual, kept)))
        start.args = _signature(method.args, self.bare)
        return _Method(method, start)

    def _usual(self, parameter: inspect.Parameter) -> inspect.Parameter:
        """A parameter whose default is what most uses give, where it may have one."""
        if parameter.kind is not parameter.KEYWORD_ONLY:
            return parameter
        default = usual([self.bare.looked_up(parameter.name, made[parameter.name]) for _, made in self.made])
        return parameter.replace(default=default[0]) if default else parameter

    def _agreed(self, scopes: Sequence[Mapping[str, Any]]) -> Agreed:
        attributes = [p for method in self.methods for p in ast.walk(method) if isinstance(p, ast.Attribute)]
        moved = {attribute.attr for attribute in attributes if isinstance(attribute.ctx, ast.Store)}
        kept = {carried.cls: [p.name for p in carried.parameters] for carried in self.bare.inside}
        return Agreed(scopes, kept, {"training", *moved})

    def _is_unread(self, name: str, start: ast.FunctionDef, others: Sequence[ast.FunctionDef]) -> bool:
        """Whether an attribute is a plain value that no method asks for."""
        if any(isinstance(getattr(module, name, None), nn.Module | Tensor) for module, _ in self.made):
            return False
        asked = [part for method in others for part in ast.walk(method)]
        asked += [p for p in ast.walk(start) if isinstance(p, ast.Attribute) and isinstance(p.ctx, ast.Load)]
        return not any(isinstance(p, ast.Attribute) and p.attr == name for p in asked)

    def _check(self, method: ast.FunctionDef) -> None:
        """Raises `Unwritable` where a method speaks of something that will not be there."""
        there = {*KNOWN, *dir(builtins), *(carried.name for carried in self.bare.inside), self.bare.name, *_own(method)}
        for name in sorted(_read(method) - there):
            raise Unwritable(f"{self.bare.name} speaks of `{name}`")

    def _lines(self, methods: Sequence[_Method]) -> Iterator[str]:
        yield f"class {self.bare.name}(nn.Module):"
        if self.doc:
            yield from documented(self.doc, INDENT)
            yield ""
        for i, method in enumerate(methods):
            if i:
                yield ""
            yield from self._written(method.before, method.after)

    def _written(self, before: ast.FunctionDef, after: ast.FunctionDef) -> Iterator[str]:
        if ast.dump(before) == ast.dump(after):
            first = min([before.lineno, *(d.lineno for d in before.decorator_list)])
            yield from self.source.splitlines()[first - 1 : before.end_lineno]
            return
        yield from wrapped(f"{INDENT}{_head(after)}")
        kept = {statement.lineno: ast.dump(statement) for statement in before.body}
        for statement in after.body:
            if kept.get(statement.lineno) == ast.dump(statement):
                yield from self._as_it_was(statement)
            else:
                for line in plain(ast.unparse(ast.fix_missing_locations(statement))).splitlines():
                    yield from wrapped(f"{INDENT}{INDENT}{line}")

    def _as_it_was(self, statement: ast.stmt) -> list[str]:
        lines = self.source.splitlines()
        first = statement.lineno - 1
        while lines[first - 1].lstrip().startswith("#"):
            first -= 1
        return lines[first : statement.end_lineno]


def _head(method: ast.FunctionDef) -> str:
    taken = method.args
    first = [None] * (len(taken.args) - len(taken.defaults)) + list(taken.defaults)
    named = [_argument(a, d) for a, d in zip(taken.kwonlyargs, taken.kw_defaults, strict=True)]
    arguments = [*(_argument(a, d) for a, d in zip(taken.args, first, strict=True)), *(["*"] * bool(named)), *named]
    returns = f" -> {ast.unparse(method.returns)}" if method.returns else ""
    return f"def {method.name}({', '.join(arguments)}){returns}:"


def _argument(argument: ast.arg, default: ast.expr | None) -> str:
    note = f": {ast.unparse(argument.annotation)}" if argument.annotation else ""
    if default is None:
        return f"{argument.arg}{note}"
    return f"{argument.arg}{note}{' = ' if note else '='}{ast.unparse(default)}"


def _own(method: ast.FunctionDef) -> set[str]:
    """The names that a method gives things itself."""
    stored = {p.id for p in ast.walk(method) if isinstance(p, ast.Name) and isinstance(p.ctx, ast.Store)}
    return stored | {part.arg for part in ast.walk(method) if isinstance(part, ast.arg)}


def _read(method: ast.FunctionDef) -> set[str]:
    return {p.id for p in ast.walk(method) if isinstance(p, ast.Name) and isinstance(p.ctx, ast.Load)}


def _drop(method: ast.FunctionDef, is_idle: Callable[[ast.expr], bool]) -> None:
    """Takes assignments out whose target nobody wants."""

    class Drop(ast.NodeTransformer):
        def visit_Assign(self, node: ast.Assign) -> ast.Assign | None:
            return None if len(node.targets) == 1 and is_idle(node.targets[0]) else node

    Drop().visit(method)


def _signature(before: ast.arguments, bare: Carried) -> ast.arguments:
    """The parameters that are left, annotated as before."""
    kept = {p.name: p for p in bare.parameters}
    notes = {a.arg: a.annotation for a in (*before.args, *before.kwonlyargs)}
    notes.update((name, ast.parse("type[nn.Module]", mode="eval").body) for name in bare.tables)
    first = [a.arg for a in before.args if a.arg in kept]
    named = [a.arg for a in before.kwonlyargs if a.arg in kept]
    defaults = [kept[name].default for name in first if kept[name].default is not inspect.Parameter.empty]
    return ast.arguments(
        posonlyargs=[],
        args=[ast.arg("self"), *(ast.arg(name, notes[name]) for name in first)],
        kwonlyargs=[ast.arg(name, notes[name]) for name in named],
        kw_defaults=[_default(kept[name]) for name in named],
        defaults=[_expression(d) for d in defaults],
    )


def _default(parameter: inspect.Parameter) -> ast.expr | None:
    return None if parameter.default is parameter.empty else _expression(parameter.default)


def _expression(value: Any) -> ast.expr:
    return ast.parse(literal(value), mode="eval").body
