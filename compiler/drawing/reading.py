"""Declarations to panels: what is known is put in, what is not stays as it is written.

The rules are those of `dsl/elaborate`, which works a checked program out use by use; here a body is read once for all
its uses.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from atnas.compiler.drawing.folding import combined, known, literal, negated
from atnas.compiler.drawing.here import Here, parameter_names
from atnas.compiler.drawing.parts import (
    PARTS,
    Arguments,
    Arrow,
    Body,
    Choice,
    Items,
    Layer,
    Member,
    Merge,
    Node,
    Num,
    Panel,
    Part,
    Port,
    Repeat,
    Select,
    Serial,
    Site,
    Slot,
    Use,
    Value,
    Wire,
    Word,
)
from atnas.dsl.elaborate.builtins import BUILTINS
from atnas.dsl.elaborate.naming import Unique
from atnas.dsl.extern import layer_class
from atnas.dsl.modules import Declared
from atnas.dsl.syntax import ast
from atnas.dsl.syntax.unparse import text

if TYPE_CHECKING:
    from atnas.compiler.drawing.library import Library


class Reading:
    """The body of one declaration while it is read."""

    def __init__(self, library: Library, declared: Declared) -> None:
        assert isinstance(declared.syntax, ast.Layer)
        self.library = library
        self.declared = declared
        self.syntax = declared.syntax
        self.nodes: list[Node] = []
        self.names: dict[Wire, str] = {}
        self.numbers: list[tuple[str, Num]] = []
        self.loops = 0
        self.ways = Unique()

    def panel(self, given: Mapping[str, Value], standing: Callable[[str, Value], Value]) -> Panel:
        """The panel, with `given` arguments; what stands in the body for one is `standing` of its name and value."""
        scope: dict[str, Value] = {}
        defaults: dict[str, Value] = {}
        for parameter in self.syntax.parameters:
            name, value = parameter.name.id, given.get(parameter.name.id)
            if parameter.default is not None:
                here = Here(self.declared.module, dict(scope)).under(name, parameter.default)
                defaults[name] = self.value(parameter.default, here)
            value = value or defaults.get(name) or Num(parameter.name)
            if isinstance(value, Num) and not value.is_known:
                value = Num(parameter.name)
            scope[name] = self._node(Port(name)) if isinstance(value, Wire) else standing(name, value)
        outputs = self._body(Here(self.declared.module, scope))
        return Panel(self.declared, defaults, Body(tuple(self.nodes), outputs, self.names), tuple(self.numbers))

    def _body(self, here: Here) -> tuple[Wire, ...]:
        if self.syntax.short is not None:
            inner = here.inside(self.syntax.short)
            layer = self.layer(self.value(self.syntax.short, inner), self.syntax.short, inner)
            ports = [self._node(Port("")) for _ in range(self.library.inputs(layer))]
            return _wires(self.apply(layer, [Arrow(port) for port in ports]))
        scope = dict(here.scope)
        for port in self.syntax.inputs:
            scope[port.name.id] = self._node(Port(port.name.id))
            self.names[self._node_wire] = port.name.id
        for port in (*self.syntax.inputs, *self.syntax.outputs):
            for size in port.sizes or ():
                if isinstance(size, ast.Name):
                    scope.setdefault(size.id, Num(size))
        for statement in self.syntax.body:
            if isinstance(statement, ast.Bind):
                scope[statement.name.id] = self._bind(statement, Here(here.module, scope))
        return tuple(wire for port in self.syntax.outputs for wire in _wires(scope[port.name.id]))

    def _bind(self, statement: ast.Bind, here: Here) -> Value:
        name = statement.name.id
        inner = here.under(name, statement.value)
        value = self._settled(self.value(statement.value, inner), statement.value, inner)
        if isinstance(value, Wire):
            self.names.setdefault(value, name)
        if isinstance(value, Num) and not value.is_known:
            self.numbers.append((name, value))
            return Num(statement.name)
        return replace(value, name=name) if isinstance(value, Choice) else value

    def _settled(self, value: Value, node: ast.Expr, here: Here) -> Value:
        """An op without parentheses that needs no arguments becomes a use of it."""
        if isinstance(value, Items):
            written = node.items if isinstance(node, ast.List) else [node] * len(value.items)
            turns = [here if isinstance(node, ast.List) else here.turn(i) for i in range(len(written))]
            items = (self._settled(v, n, t) for v, n, t in zip(value.items, written, turns, strict=True))
            return Items(tuple(items), value.chosen, value.count)
        if isinstance(value, Word) and isinstance(value.target, Declared) and not value.given:
            parameters = value.target.syntax.parameters if isinstance(value.target.syntax, ast.Layer) else ()
            if all(p.default is not None for p in parameters):
                return self.layer(value, node, here)
        return value

    # Nodes

    @property
    def _node_wire(self) -> Wire:
        return Wire(len(self.nodes) - 1)

    def _node(self, what: Any, takes: Sequence[Arrow] = ()) -> Wire:
        self.nodes.append(Node(what, tuple(takes)))
        return self._node_wire

    def apply(self, layer: Part, takes: Sequence[Arrow]) -> Value:
        """The output of a layer, or the list of its outputs."""
        for part in layer.parts if isinstance(layer, Serial) else (layer,):
            wire = self._node(part, takes)
            outputs = self.library.outputs(part)
            takes = [Arrow(Wire(wire.node, port)) for port in range(outputs)]
        return takes[0].wire if len(takes) == 1 else Items(tuple(arrow.wire for arrow in takes))

    def join(self, word: Word, given: Sequence[Value], here: Here) -> Wire:
        """Tensors merged."""
        assert not isinstance(word.target, Declared)
        takes = [arrow for value in given for arrow in _arrows(value)]
        return self._node(Merge(word.target, here.beneath(word.name)), takes)

    # Expressions

    def value(self, node: ast.Expr, here: Here) -> Value:
        """What an expression means here."""
        return _RULES[type(node)](self, node, here)

    def _plain(self, node: ast.Expr, here: Here) -> Value:
        del here
        return Num(node)

    def _name(self, node: ast.Name, here: Here) -> Value:
        return here.lookup(node.id) or Num(node)

    def _list(self, node: ast.List, here: Here) -> Value:
        return Items(tuple([self.value(item, here) for item in node.items]))

    def _each(self, node: ast.Each, here: Here) -> Value:
        source = self.value(node.source, here)
        assert isinstance(source, Items)
        items = []
        for i, item in enumerate(source.items):
            parts = item.items if isinstance(item, Items) and len(node.names) > 1 else (item,)
            bound = {name.id: part for name, part in zip(node.names, parts, strict=True)}
            items.append(self.value(node.item, here.turn(i, bound)))
        return Items(tuple(items), source.chosen, source.count)

    def _index(self, node: ast.Index, here: Here) -> Value:
        target, index = self.value(node.target, here), self.value(node.index, here)
        assert isinstance(target, Items) and isinstance(index, Num)
        at = known(index.expr)
        if isinstance(at, int) and target.chosen is None:
            return target.items[at]
        number = Num(index.expr, (*index.sites, *([] if target.chosen is None else [target.chosen])))
        return self._among(None, number, target.items, [node] * len(target.items), node, here)

    def _range(self, node: ast.Range, here: Here) -> Value:
        low, high = (self._expr(e, here) for e in (node.low, node.high))
        made = ast.Range(node.span, low, high, None if node.step is None else self._expr(node.step, here))
        return Num(made, (Site(here.site(node) or "", made),))

    def _expr(self, node: ast.Expr, here: Here) -> ast.Expr:
        found = self.value(node, here)
        return found.expr if isinstance(found, Num) else node

    def _choice(self, node: ast.Choice, here: Here) -> Value:
        options = [self.value(option, here) for option in node.options]
        numbers = [option for option in options if isinstance(option, Num)]
        if len(numbers) == len(options):
            made = ast.Choice(node.span, tuple(number.expr for number in numbers))
            inner = [site for number in numbers for site in number.sites]
            return Num(made, (Site(here.site(node) or "", made), *inner))
        return self._among(Site(here.site(node) or "", node), None, options, node.options, node, here)

    def _among(
        self,
        site: Site | None,
        index: Num | None,
        options: Sequence[Value],
        nodes: Sequence[ast.Expr],
        node: ast.Expr,
        here: Here,
    ) -> Value:
        """One of several tensors, numbers or layers."""
        if all(isinstance(option, Wire) for option in options):
            return self._node(Select(site, index), [a for option in options for a in _arrows(option)])
        if all(isinstance(option, Num) for option in options):
            return Num(node, () if index is None else index.sites)
        layers = [self.layer(option, each, here) for option, each in zip(options, nodes, strict=True)]
        return Choice(site, tuple(layers), index)

    def _subset(self, node: ast.Subset, here: Here) -> Value:
        site = Site(here.site(node) or "", node)
        source = self.value(node.items, here)
        assert isinstance(source, Items)
        if isinstance(node.count, ast.Range):
            low, high = (self._expr(end, here) for end in (node.count.low, node.count.high))
            count = text(ast.Range(node.count.span, low, high, None))
        else:
            size = self._expr(node.count, here)
            count = f"({text(size)})" if isinstance(size, ast.Binary) else text(size)
        return Items(source.items, site, count)

    def _negate(self, node: ast.Negate, here: Here) -> Value:
        operand = self.value(node.operand, here)
        assert isinstance(operand, Num)
        return negated(node, operand)

    def _binary(self, node: ast.Binary, here: Here) -> Value:
        if node.op == "+":
            parts = list(_summands(node))
            values = [self.value(part, here) for part in parts]
            if not all(isinstance(value, Num) for value in values):
                return self.join(Word("add", "add"), values, here)
        if node.op == "*" and not here.is_number(node.left) and not self._is_element(node.left, here):
            return self._repeat(node, here)
        left, right = self.value(node.left, here), self.value(node.right, here)
        assert isinstance(left, Num) and isinstance(right, Num)
        return combined(node, left, right)

    def _is_element(self, node: ast.Expr, here: Here) -> bool:
        """Whether this is a number in a list."""
        return isinstance(node, ast.Index) and isinstance(self.value(node, here), Num)

    def _repeat(self, node: ast.Binary, here: Here) -> Value:
        times = self.value(node.right, here)
        assert isinstance(times, Num)
        self.loops += 1
        turn, loop = here.turn(-self.loops), self.loops
        return Repeat(self.layer(self.value(node.left, turn), node.left, turn), times, loop, node.span)

    def _pipe(self, node: ast.Pipe, here: Here) -> Value:
        left, right = self.value(node.left, here), self.value(node.right, here)
        if isinstance(left, Wire | Items):
            return self.apply(self.layer(right, node.right, here), list(_arrows(left)))
        first = self.layer(left, node.left, here)
        return _serial((first, self.layer(right, node.right, here)))

    # Layers

    def layer(self, value: Value, node: ast.Expr, here: Here) -> Part:
        """A value as a layer; an operator's bare name is a use of it without arguments."""
        if isinstance(value, Word):
            return self._use(value, (), node, here)
        assert isinstance(value, PARTS), value
        return value

    def _call(self, node: ast.Call, here: Here) -> Value:
        word = node.function.id
        if word in BUILTINS and word not in here.scope and word not in here.module.names:
            return self._builtin(word, node.arguments[0].value, here)
        target = here.lookup(word)
        assert isinstance(target, Word)
        given = tuple([(None if a.name is None else a.name.id, self.value(a.value, here)) for a in node.arguments])
        if not isinstance(target.target, Declared) and given and layer_class(target.target).variadic:
            return self.join(target, [value for _, value in given], here)
        return self._use(target, given, node, here)

    def _use(self, word: Word, given: Arguments, node: ast.Expr, here: Here) -> Part:
        """A use of an operator, an op or a cell."""
        way = here.site(node)
        if word.given:
            way = way if way is not None else here.unnamed(word.name)
            beneath = f"{here.place}/" if here.place else ""
            return Slot(word.name, word, given, way, beneath, here.counted)
        if not isinstance(word.target, Declared):
            return Layer(word.name, word.target, given, here.beneath(word.name))
        if way is None:
            way = self.ways(here.unnamed(word.target.name), node)
        names = parameter_names(word)
        rest = iter(names)
        bound = {name if name is not None else next(rest): value for name, value in given}
        return Use(word.target, word.name, given, bound, way, here.beneath(word.name))

    def _builtin(self, word: str, node: ast.Expr, here: Here) -> Value:
        value = self.value(node, here)
        if word == "range":
            size = known(value.expr) if isinstance(value, Num) else None
            assert isinstance(size, int)
            return Items(tuple(Num(literal(node.span, i)) for i in range(size)))
        assert isinstance(value, Items)
        written = node.items if isinstance(node, ast.List) else [node] * len(value.items)
        plain = isinstance(node, ast.List) or value.chosen is not None
        turns = [here if plain else here.turn(i) for i in range(len(written))]
        layers = [self.layer(v, n, t) for v, n, t in zip(value.items, written, turns, strict=True)]
        if value.chosen is None:
            return _serial(layers)
        return _serial([Member(value.chosen, i, value.count, layer) for i, layer in enumerate(layers)])


def _serial(parts: Sequence[Part]) -> Part:
    """Layers one after another, without layers in it that are such themselves."""
    flat = tuple(p for part in parts for p in (part.parts if isinstance(part, Serial) else (part,)))
    return flat[0] if len(flat) == 1 else Serial(flat)


def _arrows(value: Value) -> Iterator[Arrow]:
    """The tensors of a list, and of lists in it."""
    if isinstance(value, Wire):
        yield Arrow(value)
    if isinstance(value, Items):
        for i, item in enumerate(value.items):
            for arrow in _arrows(item):
                yield arrow if value.chosen is None else Arrow(arrow.wire, (value.chosen, i, value.count))


def _wires(value: Value) -> tuple[Wire, ...]:
    return tuple(arrow.wire for arrow in _arrows(value))


def _summands(node: ast.Expr) -> Sequence[ast.Expr]:
    if isinstance(node, ast.Binary) and node.op == "+":
        return [*_summands(node.left), node.right]
    return [node]


_RULES: Final[dict[type, Callable[[Reading, Any, Here], Value]]] = {
    ast.Number: Reading._plain,
    ast.Bool: Reading._plain,
    ast.String: Reading._plain,
    ast.Name: Reading._name,
    ast.List: Reading._list,
    ast.Each: Reading._each,
    ast.Call: Reading._call,
    ast.Index: Reading._index,
    ast.Range: Reading._range,
    ast.Subset: Reading._subset,
    ast.Negate: Reading._negate,
    ast.Choice: Reading._choice,
    ast.Pipe: Reading._pipe,
    ast.Binary: Reading._binary,
}
