"""A program in the one style of the language: what `atnas fmt` writes.

The tree is walked in the order of the text, so that each comment is met where it stands. An author's line ends are kept
before operators, after `=` and after the opening bracket of a list; all others follow from the width.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from math import inf
from typing import Final, TypeVar

from atnas.dsl.source import Source
from atnas.dsl.syntax import ast
from atnas.dsl.syntax.align import Tab
from atnas.dsl.syntax.comments import Comment, apart, comments, without_comments
from atnas.dsl.syntax.layout import WIDTH, Doc, Fill, Group, IfBroken, Join, Line, Nest, Sep, layout, width
from atnas.dsl.syntax.parse import parse
from atnas.dsl.syntax.unparse import PRECEDENCE, Form, form, word

LOOSE: Final = frozenset(PRECEDENCE[op] for op in ("and", "|", "+", "->"))
"""Operators before which lines are broken. Around others an operand that takes several lines stays beside them."""

CHAINED: Final = LOOSE | {PRECEDENCE[op] for op in ("==", "*", "of")}
EQUALS: Final = Tab("=", 24)
WORDS: Final = Tab("word", 24)

Some = TypeVar("Some", bound=ast.Node)
Statement = ast.Bind | ast.Draw | ast.Goal | ast.Require
Link = tuple[str, ast.Expr, int]
"""An operator, its right operand, and how tightly that must bind."""


class FormatError(Exception):
    """A fault of ours: the formatted text does not mean the same."""


def formatted(program: ast.Program) -> str:
    """The text of a program without syntax errors, formatted. Formatting that again changes nothing.

    Raises `FormatError` where the result would be another program or lack a comment.
    """
    text = layout(_Walk(program.source.text).program(program.declarations))
    again, findings = parse(Source(program.source.path, text))
    if findings or again.declarations != program.declarations:
        raise FormatError(f"{program.source.path}: formatted, this would be another program")
    if [c.text for c in comments(text)] != [c.text for c in comments(program.source.text)]:
        raise FormatError(f"{program.source.path}: formatted, this would not have the same comments")
    return text


class _Walk:
    """One walk through a program. Methods take the comments before what they make a document of."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._bare = without_comments(text)
        self._comments = deque(comments(text))

    def program(self, declarations: Sequence[ast.Declaration]) -> Doc:
        parts: list[Doc] = []
        before: ast.Declaration | None = None
        long_before = False
        for declaration in declarations:
            found = self._take(declaration.span.start)
            doc = self._declaration(declaration)
            long = isinstance(declaration, ast.Layer | ast.Settings) and not declaration.short and width(doc) > WIDTH
            parted = before is not None and (
                long or long_before or isinstance(before, ast.Use) != isinstance(declaration, ast.Use)
            )
            parts += self._between(found, declaration.span.start, parted)
            parts.append(doc)
            before, long_before = declaration, long
        return Join((*parts, *self._take(len(self._text))))

    # Comments and blank lines

    def _take(self, end: int) -> list[Comment]:
        """The comments before an offset that have not been met yet."""
        found = []
        while self._comments and self._comments[0].start < end:
            found.append(self._comments.popleft())
        return found

    def _between(self, found: Sequence[Comment], start: int, parted: bool = False, first: bool = False) -> list[Doc]:
        """What stands before the line that begins at an offset; `parted` asks for a blank line somewhere there."""
        lines: list[Comment | Line] = [*found, Line(forced=True, apart=apart(self._text, start))]
        own = [i for i, line in enumerate(lines) if isinstance(line, Line) or line.own]
        if first or (parted and not any(lines[i].apart for i in own)):
            lines[own[0]] = replace(lines[own[0]], apart=not first)
        return list(lines)

    def _led(self, start: int, make: Callable[[], Doc]) -> Doc:
        """A document after the comments before it, indented where there are any."""
        found = self._take(start)
        return Nest((*found, make())) if found else make()

    # Declarations

    def _declaration(self, node: ast.Declaration) -> Doc:
        match node:
            case ast.Use():
                return self._use(node)
            case ast.Extern():
                return self._extern(node)
            case ast.Layer(short=None):
                return self._layer(node)
            case ast.Settings(short=None):
                return Join((f"{node.keyword} ", self._name(node.name), " ", self._body(node.body, node.span.end)))
        return self._short(node)

    def _use(self, node: ast.Use) -> Doc:
        path = f'"{node.path.value}"' if isinstance(node.path, ast.String) else node.path.id
        written = self._led(node.path.span.start, lambda: path)
        names = self._list("()", node.names, node.path.span.end, self._name)
        return Join(("use ", written, " ", names))

    def _extern(self, node: ast.Extern) -> Doc:
        name = self._name(node.name)
        parameters = self._parameters(node.parameters, node.name)
        inputs = self._ports(node.inputs, (node.parameters or (node.name,))[-1])
        sizes = self._list("()", node.output, node.inputs[-1].span.end, self._expr)
        target = self._led(node.target.span.start, lambda: f'"{node.target.value}"')
        return Join(("extern op ", name, parameters, " ", inputs, " -> ", sizes, " = ", target))

    def _layer(self, node: ast.Layer) -> Doc:
        name = self._name(node.name)
        parameters = self._parameters(node.parameters, node.name)
        inputs = self._ports(node.inputs, (node.parameters or (node.name,))[-1])
        several = len(node.outputs) > 1
        outputs = self._ports(node.outputs, node.inputs[-1]) if several else self._port(node.outputs[0])
        around = (f"{node.keyword} ", name), (" ", inputs, " -> ", outputs, " ")
        if isinstance(parameters, Group) and WIDTH - 1 < width(Join((*around[0], parameters, *around[1]))) < inf:
            parameters = replace(parameters, broken=True)
        return Join((*around[0], parameters, *around[1], self._body(node.body, node.span.end)))

    def _short(self, node: ast.Layer | ast.Settings) -> Doc:
        assert node.short is not None
        name = self._name(node.name)
        nodes = node.parameters if isinstance(node, ast.Layer) else ()
        parameters = self._parameters(nodes, node.name)
        value = self._value("=", (node.name, *nodes)[-1], node.short, node.span.end)
        return Group((f"{node.keyword} ", name, parameters, " ", EQUALS, "=", value))

    def _parameters(self, nodes: Sequence[ast.Parameter | ast.TypedParameter], name: ast.Name) -> Doc:
        return self._list("()", nodes, name.span.end, self._parameter) if nodes else ""

    def _parameter(self, node: ast.Parameter | ast.TypedParameter) -> Doc:
        parts = [self._name(node.name)]
        if isinstance(node, ast.TypedParameter):
            parts += [": ", self._name(node.type)]
        if node.default is not None:
            parts += [" = ", self._expr(node.default)]
        return Join(tuple(parts))

    def _ports(self, nodes: Sequence[ast.Port], before: ast.Node) -> Doc:
        return self._list("[]", nodes, before.span.end, self._port)

    def _port(self, node: ast.Port) -> Doc:
        name = self._name(node.name)
        if node.sizes is None:
            return name
        return Join((name, ": ", self._list("()", node.sizes, node.name.span.end, self._expr)))

    def _name(self, node: ast.Name) -> Doc:
        return self._led(node.span.start, lambda: node.id)

    # Bodies

    def _body(self, body: Sequence[Statement], end: int) -> Doc:
        """One statement stays on the line of the braces if that is how it was written."""
        inner: list[Doc] = []
        for i, node in enumerate(body):
            start = node.span.start
            found = self._take(start)
            if len(body) == 1 and not found and "\n" not in self._bare[self._bare.rfind("{", 0, start) : start]:
                inner.append(Line())
            else:
                inner += self._between(found, start, first=i == 0)
            inner.append(self._statement(node, alone=len(body) == 1))
        inner += self._take(end)
        return Group(("{", Nest(tuple(inner)), Line(), "}")) if inner else "{}"

    def _statement(self, node: Statement, alone: bool) -> Doc:
        """Statements that are `alone` have nothing to be aligned with."""
        equals, words = ("", "") if alone else (EQUALS, WORDS)
        match node:
            case ast.Bind() | ast.Draw():
                mark = "=" if isinstance(node, ast.Bind) else "~"
                name, value = self._name(node.name), self._value(mark, node.name, node.value, node.span.end)
                return Group((name, " ", equals, mark, value))
            case ast.Goal():
                found = self._take(self._begin(node.objective))
                return Group((f"{node.direction} ", words, Nest(tuple(found)), self._expr(node.objective)))
            case ast.Require():
                found = self._take(self._begin(node.condition))
                return Group(("require ", words, Nest(tuple(found)), self._required(node)))

    def _required(self, node: ast.Require) -> Doc:
        if node.guard is None:
            return self._expr(node.condition)
        return self._fill((node.condition, 0), [("if", node.guard, 0)], loose=True)

    def _value(self, mark: str, before: ast.Node, value: ast.Expr, end: int) -> Doc:
        """What stands after `=` or `~`, up to the end of the declaration or statement."""
        gap = self._bare[before.span.end : value.span.start]
        kept = "\n" in gap.rpartition(mark)[2].partition("(")[0]
        found = self._take(self._begin(value))
        row = self._expr(value)
        after = self._take(end)
        if after:  # in parentheses, so that they do not become the comments of what follows
            row = _parentheses((), row, after)
        plain = isinstance(value, ast.List | ast.Each) or word(value) is not None
        first = Sep(forced=bool(found) or (kept and not plain), comments=tuple(found))
        if isinstance(row, Fill) and not row.snug:
            return Fill(("", *row.parts), (first, *row.seps), hanging=True)
        return Fill(("", row), (first,), hanging=True) if first.forced else Join((" ", row))

    # Expressions

    def _expr(self, expr: ast.Expr) -> Doc:
        match expr:
            case ast.List(span, items):
                return self._list("[]", items, span.start, self._expr)
            case ast.Each():
                return self._each(expr)
            case ast.Call():
                return self._call(expr)
        written, made = word(expr), _form(expr)
        if made is None:
            assert written is not None
            return self._led(expr.span.start, lambda: written)
        if made.precedence in CHAINED:
            first, links = _links(expr)
            return self._fill(first, links, made.precedence in LOOSE)
        return self._joined(made)

    def _joined(self, made: Form) -> Doc:
        """A range, a sign or an index, which are never broken."""
        operands = [self._operand(*operand) for operand in made.operands]
        pairs = zip(operands, (*made.joints, made.closing), strict=False)
        return Join((made.opening, *(part for pair in pairs for part in pair)))

    def _fill(self, first: tuple[ast.Expr, int], links: Sequence[Link], loose: bool) -> Fill:
        parts, seps, before = [self._operand(*first)], [], first[0]
        for op, operand, tight in links:
            seps.append(self._sep(op, before, operand, tight, loose))
            parts.append(Join((f"{op} ", self._operand(operand, tight))))
            before = operand
        return Fill(tuple(parts), tuple(seps), snug=not loose, hanging=True)

    def _sep(self, op: str, before: ast.Expr, operand: ast.Expr, tight: int, loose: bool) -> Sep:
        gap = self._bare[before.span.end : operand.span.start]
        kept = loose and "\n" in gap.rpartition(")")[2].partition("(")[0]
        found = self._take(self._begin(operand, tight))
        return Sep(kept or bool(found), tuple(found), column=_first_name(operand) if op == "->" else "")

    def _begin(self, expr: ast.Expr, tight: int = 0) -> int:
        """Where an operand begins that must bind so tightly: no parentheses count that it does not need."""
        while (made := _form(expr)) is not None:
            if made.precedence < tight:
                return self._bare.rfind("(", 0, expr.span.start)
            if made.opening:
                break
            expr, tight = made.operands[0]
        return expr.span.start

    def _starts(self, node: ast.Node) -> int:
        """Where an element of a list begins."""
        if isinstance(node, ast.Argument) and node.name is None:
            node = node.value
        return self._begin(node) if isinstance(node, ast.Expr) else node.span.start

    def _operand(self, expr: ast.Expr, tight: int) -> Doc:
        made = _form(expr)
        wrapped = made is not None and made.precedence < tight
        return self._led(self._begin(expr, tight), lambda: self._parenthesised(expr) if wrapped else self._expr(expr))

    def _parenthesised(self, expr: ast.Expr) -> Doc:
        found = self._take(self._begin(expr))
        row = self._expr(expr)
        return _parentheses(found, row, self._take(self._bare.find(")", expr.span.end)))

    def _call(self, node: ast.Call) -> Doc:
        name = self._name(node.function)
        if self._embraces(node):
            return Join((name, "(", self._expr(node.arguments[0].value), ")"))
        return Join((name, self._list("()", node.arguments, node.function.span.end, self._argument)))

    def _embraces(self, node: ast.Call) -> bool:
        """Whether a call has one list for all its arguments: `chain([..])` has both brackets on one line."""
        if (
            len(node.arguments) != 1
            or node.arguments[0].name
            or not isinstance(node.arguments[0].value, ast.List | ast.Each)
        ):
            return False
        inner = node.arguments[0].value.span
        around = slice(node.function.span.end, inner.start), slice(inner.end, node.span.end)
        return all(self._text[part] == self._bare[part] for part in around)

    def _argument(self, node: ast.Argument) -> Doc:
        if node.name is None:
            return self._expr(node.value)
        name = self._name(node.name)
        return Join((name, " = ", self._operand(node.value, 0)))

    def _each(self, node: ast.Each) -> Doc:
        inner: list[Doc] = [*self._take(self._begin(node.item))]
        inner += (Line("", forced="\n" in self._bare[node.span.start : node.item.span.start]), self._expr(node.item))
        inner += (*self._take(node.names[0].span.start), Line(), "for ")
        for name in node.names:
            inner += (self._name(name), ", " if name is not node.names[-1] else " in ")
        inner += (self._operand(node.source, 0), *self._take(node.span.end))
        return Group(("[", Nest(tuple(inner)), Line(""), "]"))

    def _list(self, brackets: str, nodes: Sequence[Some], after: int, make: Callable[[Some], Doc]) -> Doc:
        """What stands in the next brackets after an offset: on one line, or each on a line of its own."""
        opening = self._bare.find(brackets[0], after)
        inner: list[Doc] = []
        for i, node in enumerate(nodes):
            start = self._starts(node)
            found = self._take(start)
            if i == 0:
                line = Line("", forced="\n" in self._bare[opening:start])
                found = [replace(comment, apart=False) for comment in found]
            else:
                inner.append(",")
                line = Line(apart=apart(self._text, start))
            inner += (*found, line, make(node))
        last = self._take(self._bare.find(brackets[1], nodes[-1].span.end if nodes else opening))
        if nodes:
            inner.append(IfBroken(","))
        elif not last:
            return brackets
        return Group((brackets[0], Nest((*inner, *last)), Line(""), brackets[1]))


def _parentheses(before: Sequence[Comment], row: Doc, after: Sequence[Comment]) -> Doc:
    inner = replace(row, hanging=False) if isinstance(row, Fill) else row
    return Group(("(", Nest((*before, Line(""), inner, *after)), Line(""), ")"))


def _links(expr: ast.Expr) -> tuple[tuple[ast.Expr, int], list[Link]]:
    """The operands of operators that group from the left, `a - b + c`: the first, and the others with theirs."""
    links: list[Link] = []
    made = _form(expr)
    while True:
        assert made is not None
        joined = zip(made.joints, made.operands[1:], strict=True)
        links += [(joint.strip(), *operand) for joint, operand in reversed(list(joined))]
        left, tight = made.operands[0]
        inner = _form(left)
        if inner is None or inner.precedence != made.precedence or tight > made.precedence:
            break
        expr, made = left, inner
    return (left, tight), links[::-1]


def _first_name(expr: ast.Expr) -> str:
    """What an operand begins with: `dag` of `dag(c) * 3`; lines of a pipe that begin so are parallel."""
    while not isinstance(expr, ast.Call):
        made = _form(expr)
        if made is None:
            return word(expr) or ""
        expr = made.operands[0][0]
    return expr.function.id


def _form(expr: ast.Expr) -> Form | None:
    """The form of an operation. Of `1..n - 1` it has no parentheses: they would hide a finding."""
    made = form(expr)
    if isinstance(expr, ast.Binary) and isinstance(expr.left, ast.Range) and made is not None:
        return (
            made
            if expr.left.span.start > expr.span.start
            else replace(made, operands=((expr.left, 0), made.operands[1]))
        )
    return made
