"""Python code, reduced by what is the same in all uses of it."""

from __future__ import annotations

import ast
import copy
import inspect
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from types import FunctionType
from typing import Any

from torch import Tensor, nn

from atnas.compiler.export.literals import Unwritable, literal

Scope = Mapping[str, Any]

PLAIN = (
    ast.Name,
    ast.Attribute,
    ast.Subscript,
    ast.Constant,
    ast.Compare,
    ast.BoolOp,
    ast.UnaryOp,
    ast.BinOp,
    ast.Tuple,
    ast.operator,
    ast.unaryop,
    ast.boolop,
    ast.cmpop,
    ast.expr_context,
)
"""What may be worked out: it has no effects."""

NEUTRAL = {ast.Add: 0, ast.Sub: 0, ast.Mult: 1, ast.FloorDiv: 1, ast.Div: 1, ast.Pow: 1}
"""What changes nothing on the right of an operator; of the first and third on the left as well."""


class Undecided(Exception):
    """Uses disagree on a condition, and the code does not go well with both; `sides` says which are on which."""

    def __init__(self, sides: tuple[bool, ...]) -> None:
        self.sides = sides


class Agreed(ast.NodeTransformer):
    """Decides conditions, writes functions of the same file out, and drops arguments that are torch's defaults.

    `scopes` hold what each use knows. `kept` gives the parameters that are left of a carried class. What is read off an
    attribute that is `moving` is not worked out.
    """

    def __init__(
        self, scopes: Sequence[Scope], kept: Mapping[type, Iterable[str]], moving: Iterable[str] = ("training",)
    ) -> None:
        self._start = scopes
        self.scopes = [dict(scope) for scope in scopes]
        self.kept = kept
        self.moving = frozenset(moving)
        self.given: dict[str, dict[Any, Any]] = {}
        """Parameters that are looked up in a table: what they stand for is given instead."""
        self.decided: set[str] = set()
        """Names that were compared with something: the code is good for no other value of theirs."""

    def again(self) -> Agreed:
        """The same from the beginning, with what is known now to be decided."""
        other = Agreed(self._start, self.kept, self.moving)
        other.decided = self.decided
        return other

    def values(self, node: ast.expr) -> tuple[Any, ...] | None:
        """The value of an expression in each use; None where it cannot be worked out."""
        if not all(isinstance(part, PLAIN) and getattr(part, "attr", "") not in self.moving for part in ast.walk(node)):
            return None
        code = compile(ast.Expression(ast.fix_missing_locations(copy.deepcopy(node))), "<carried>", "eval")
        try:
            return tuple(eval(code, {"__builtins__": {}}, scope) for scope in self.scopes)
        except Exception:
            return None

    def agreed(self, node: ast.expr) -> tuple[Any, ...]:
        """The one value of an expression in all uses; nothing where there are several, or it is not known."""
        found = self.values(node)
        if not found or isinstance(found[0], Tensor):
            return ()
        alike = all(type(value) is type(found[0]) and value == found[0] for value in found)
        return (found[0],) if alike else ()

    def _decide(self, test: ast.expr) -> tuple[Any, ...]:
        """The value of a condition where all uses agree on it."""
        found = self.agreed(test)
        for part in ast.walk(test) if found else ():
            if isinstance(part, ast.Compare) and isinstance(part.ops[0], ast.Eq | ast.NotEq | ast.In):
                self.decided |= {name.id for name in ast.walk(part) if isinstance(name, ast.Name)}
        return found

    # Statements

    def visit_If(self, node: ast.If) -> Any:
        match self._decide(node.test):
            case (value,):
                kept = [self.visit(statement) for statement in (node.body if value else node.orelse)]
                return [s for made in kept for s in (made if isinstance(made, list) else [made])]
        return self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> Any:
        if node.value is not None:
            node.value = self.visit(node.value)
            self._know(node.target, node.value)
        return node

    def visit_Assign(self, node: ast.Assign) -> Any:
        match node.targets, node.value:
            case [ast.Tuple(elts=targets)], ast.Tuple(elts=values) if all(map(_is_attribute, targets)):
                pairs = zip(targets, values, strict=True)
                return [self.visit(ast.Assign([target], value, lineno=node.lineno)) for target, value in pairs]
        node.value = self.visit(node.value)
        for target in node.targets:
            self._know(target, node.value)
        return node

    def _know(self, target: ast.expr, value: ast.expr) -> None:
        """Takes note of a name's new value in each use."""
        if not isinstance(target, ast.Name):
            return
        found = self.values(value)
        for i, scope in enumerate(self.scopes):
            scope.pop(target.id, None)
            if found is not None:
                scope[target.id] = found[i]

    # Expressions

    def visit_IfExp(self, node: ast.IfExp) -> Any:
        match self._decide(node.test):
            case (value,):
                return self.visit(node.body if value else node.orelse)
        return self.generic_visit(node)

    def visit_BoolOp(self, node: ast.BoolOp) -> Any:
        self.generic_visit(node)
        neutral = isinstance(node.op, ast.And)
        rest = [value for value in node.values if self.agreed(value) != (neutral,) or not self._decide(value)]
        if len(rest) < 2:
            return rest[0] if rest else ast.Constant(neutral)
        return ast.BoolOp(node.op, rest)

    def visit_BinOp(self, node: ast.BinOp) -> Any:
        self.generic_visit(node)
        if isinstance(node.left, ast.Constant) and isinstance(node.right, ast.Constant):
            return ast.Constant(self.agreed(node)[0])
        neutral = NEUTRAL.get(type(node.op))
        if neutral is None:
            return node
        if self.agreed(node.right) == (neutral,):
            return node.left
        if isinstance(node.op, ast.Add | ast.Mult) and self.agreed(node.left) == (neutral,):
            return node.right
        return node

    def visit_Name(self, node: ast.Name) -> Any:
        if not isinstance(node.ctx, ast.Load):
            return node
        match self.agreed(node):
            case (bool() | str() | None as value,):
                return ast.Constant(value)
            case (int() as value,) if node.id in self.decided:
                return ast.Constant(value)
        return node

    def visit_Subscript(self, node: ast.Subscript) -> Any:
        match node:
            case ast.Subscript(value=ast.Name(), slice=ast.Name(id=name), ctx=ast.Load()):
                tables = self.agreed(node.value)
                if tables and isinstance(tables[0], dict) and (found := self.values(node)):
                    if len(set(found)) == 1:
                        return ast.parse(literal(found[0]), mode="eval").body
                    self.given[name] = tables[0]
                    return node.slice
        return self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> Any:
        self.generic_visit(node)
        if any(isinstance(a, ast.Starred) for a in node.args) or any(k.arg is None for k in node.keywords):
            return node
        called = self.agreed(node.func)
        match called:
            case (FunctionType() as made,) if made.__module__ == self.scopes[0].get("__name__"):
                return self._written_out(made, node)
            case (type() as cls,) if issubclass(cls, nn.Module):
                return self._shortened(cls, node)
        return node

    # Calls

    def _written_out(self, called: FunctionType, node: ast.Call) -> ast.expr:
        """What a function returns, for these arguments."""
        definition = ast.parse(textwrap.dedent(inspect.getsource(called))).body[0]
        assert isinstance(definition, ast.FunctionDef)
        bound = inspect.signature(called).bind(*node.args, **{k.arg or "": k.value for k in node.keywords})
        names = {name: value for name, value in _defaults(definition).items() if name not in bound.arguments}
        return self._returned(definition.body, {**names, **bound.arguments})

    def _returned(self, body: Sequence[ast.stmt], names: dict[str, ast.expr]) -> ast.expr:
        for i, statement in enumerate(body):
            match statement:
                case ast.Expr(value=ast.Constant()):
                    continue
                case ast.Assign(targets=[ast.Name(id=name)], value=value):
                    names[name] = self._of(value, names)
                case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                    names[name] = self._of(value, names)
                case ast.Return(value=ast.expr() as value):
                    return self._of(value, names)
                case ast.If(test=test, body=inside, orelse=other):
                    taken = self._decided(_put(test, names))
                    return self._returned([*(inside if taken else other), *body[i + 1 :]], names)
                case _:
                    raise Unwritable(ast.unparse(statement))
        raise Unwritable("a function that returns nothing")

    def _of(self, value: ast.expr, names: Mapping[str, ast.expr]) -> ast.expr:
        made: ast.expr = self.visit(_put(value, names))
        return made

    def _decided(self, test: ast.expr) -> bool:
        self._decide(test)
        found = self.values(test)
        if found is None:
            raise Unwritable(ast.unparse(test))
        sides = tuple(map(bool, found))
        if len(set(sides)) > 1:
            raise Undecided(sides)
        return sides[0]

    def _shortened(self, cls: type[nn.Module], node: ast.Call) -> ast.Call:
        """A call of a constructor without what is its default, or what it takes no more."""
        signature = inspect.signature(cls.__init__)
        parameters = signature.parameters
        if any(p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD) for p in parameters.values()):
            return node
        bound = signature.bind(None, *node.args, **{k.arg or "": k.value for k in node.keywords})
        given = dict(list(bound.arguments.items())[1:])
        if cls in self.kept:
            given = {name: value for name, value in given.items() if name in self.kept[cls]}
        given = {name: value for name, value in given.items() if not self._is_default(value, parameters[name])}
        wanted = [p.name for p in parameters.values() if p.default is p.empty and p.kind is not p.KEYWORD_ONLY]
        first = [given.pop(name) for name in wanted if name in given]
        return ast.Call(node.func, first, [ast.keyword(name, value) for name, value in given.items()])

    def _is_default(self, value: ast.expr, parameter: inspect.Parameter) -> bool:
        found = self.agreed(value)
        return found != () and type(found[0]) is type(parameter.default) and found[0] == parameter.default


def _is_attribute(target: ast.expr) -> bool:
    return isinstance(target, ast.Attribute)


def _put(node: ast.expr, names: Mapping[str, ast.expr]) -> ast.expr:
    """An expression with others in place of names."""

    class Put(ast.NodeTransformer):
        def visit_Name(self, node: ast.Name) -> ast.expr:
            return copy.deepcopy(names[node.id]) if node.id in names else node

    made: ast.expr = Put().visit(copy.deepcopy(node))
    return made


def _defaults(definition: ast.FunctionDef) -> dict[str, ast.expr]:
    taken = definition.args
    last = taken.args[len(taken.args) - len(taken.defaults) :]
    pairs = [*zip(last, taken.defaults, strict=True), *zip(taken.kwonlyargs, taken.kw_defaults, strict=True)]
    return {argument.arg: value for argument, value in pairs if value is not None}
