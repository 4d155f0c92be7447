"""What each rule of the grammar makes: the nodes of the syntax tree.

An action takes the values of its rule's symbols, tokens included, and returns the value of the rule.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from atnas.dsl.findings.diagnostics import Diagnostic, Edit
from atnas.dsl.source import Part, Span
from atnas.dsl.syntax import ast
from atnas.dsl.syntax.lex import Token
from atnas.dsl.syntax.quantity import QuantityError, quantity
from atnas.dsl.syntax.split import documentation

Action = Callable[["Actions", list[Any]], Any]


@dataclass(frozen=True)
class Parentheses:
    """An expression in parentheses: they widen what stands around them, not the expression."""

    span: Span
    inside: ast.Expr


def begin(value: Any) -> int:
    """Where a token or node begins in its part."""
    start: int = value.start if isinstance(value, Token) else value.span.first
    return start


def end(value: Any) -> int:
    """Where a token or node ends in its part."""
    stop: int = value.end if isinstance(value, Token) else value.span.last
    return stop


class Actions:
    """The actions for one part of a file. Numbers that are none are reported to `findings`, while these are few."""

    def __init__(self, part: Part, findings: list[Diagnostic], most: int) -> None:
        self.part = part
        self.findings = findings
        self.most = most

    def _span(self, first: Any, last: Any) -> Span:
        return Span(self.part, begin(first), end(last))

    # Lists

    def nothing(self, _: list[Any]) -> list[Any]:
        return []

    empty = nothing

    def items(self, c: list[Any]) -> list[Any]:
        """`item` and `items separator item`."""
        if len(c) == 1:
            return [c[0]]
        first = c[0] if isinstance(c[0], list) else [c[0]]
        first.append(c[2])
        return first

    def run(self, c: list[Any]) -> list[Any]:
        """`items item`."""
        c[0].append(c[1])
        return c[0]  # type: ignore[no-any-return]

    def between(self, c: list[Any]) -> Any:
        return c[1]

    def names(self, c: list[Any]) -> list[ast.Name]:
        return self.items([*c[:-1], self.name(c[-1:])])

    # Declarations

    def start(self, c: list[Any]) -> tuple[ast.Declaration, ...]:
        return tuple(c[0])

    def use(self, c: list[Any]) -> ast.Use:
        return ast.Use(self._span(c[0], c[-1]), c[1], tuple(c[3]), self._doc(c[0]))

    def dotted(self, c: list[Any]) -> ast.Name:
        if len(c) == 1:
            return self.name(c)
        return ast.Name(self._span(c[0], c[2]), f"{c[0].id}.{c[2].text}")

    def short_layer(self, c: list[Any]) -> ast.Layer:
        word, name, parameters, _, value = c
        span = self._span(word, value)
        return ast.Layer(
            span, word.text, self.name([name]), tuple(parameters), (), (), (), _bare(value), self._doc(word)
        )

    def long_layer(self, c: list[Any]) -> ast.Layer:
        word, name, parameters, inputs, _, outputs, _, body, close = c
        broken = None if inputs[0].name.id else inputs[0].name
        return ast.Layer(
            self._span(word, close),
            word.text,
            self.name([name]),
            tuple(parameters),
            () if broken else tuple(inputs),
            () if broken else tuple(outputs),
            () if broken else tuple(body),
            broken,
            self._doc(word),
        )

    def extern(self, c: list[Any]) -> ast.Extern:
        word, _, name, parameters, inputs, _, _, sizes, *_, target = c
        return ast.Extern(
            self._span(word, target),
            self.name([name]),
            tuple(parameters),
            tuple(inputs),
            tuple(map(_bare, sizes)),
            self.string([target]),
            self._doc(word),
        )

    def typed_parameter(self, c: list[Any]) -> ast.TypedParameter:
        default = _bare(c[4]) if len(c) > 3 else None
        return ast.TypedParameter(self._span(c[0], c[-1]), self.name(c), self.name(c[2:]), default)

    def parameter(self, c: list[Any]) -> ast.Parameter:
        return ast.Parameter(self._span(c[0], c[-1]), self.name(c), _bare(c[2]) if len(c) > 1 else None)

    def port(self, c: list[Any]) -> ast.Port:
        return ast.Port(self._span(c[0], c[-1]), self.name(c), tuple(c[3]) if len(c) > 1 else None)

    def short_settings(self, c: list[Any]) -> ast.Settings:
        word, name, _, value = c
        span = self._span(word, value)
        return ast.Settings(span, word.text, self.name([name]), (), _bare(value), self._doc(word))

    def long_settings(self, c: list[Any]) -> ast.Settings:
        word, name, _, body, close = c
        span = self._span(word, close)
        return ast.Settings(span, word.text, self.name([name]), tuple(body), None, self._doc(word))

    def _doc(self, word: Token) -> str:
        return documentation(self.part.whole.text, self.part.offset + word.start)

    # Statements

    def bind(self, c: list[Any]) -> ast.Bind:
        return ast.Bind(self._span(c[0], c[2]), self.name(c), _bare(c[2]))

    def draw(self, c: list[Any]) -> ast.Draw:
        return ast.Draw(self._span(c[0], c[2]), self.name(c), _bare(c[2]))

    def goal(self, c: list[Any]) -> ast.Goal:
        return ast.Goal(self._span(c[0], c[1]), c[0].text, _bare(c[1]))

    def require(self, c: list[Any]) -> ast.Require:
        return ast.Require(self._span(c[0], c[-1]), _bare(c[1]), _bare(c[3]) if len(c) > 2 else None)

    # Expressions

    def name(self, c: list[Any]) -> ast.Name:
        word = c[0]
        return ast.Name(Span(self.part, word.start, word.end), word.text)

    def number(self, c: list[Any]) -> ast.Number | ast.Name:
        span, text = self._span(c[0], c[0]), c[0].text
        if len(self.findings) >= self.most:
            return ast.Name(span, "")
        try:
            value, unit = quantity(text)
        except QuantityError as error:
            fix = (Edit(span, error.text),) if error.text else ()
            self.findings.append(Diagnostic("E003", span, str(error), error.cure, fix=fix))
            return ast.Name(span, "")
        return ast.Number(span, value, text, unit)

    def string(self, c: list[Any]) -> ast.String:
        text = c[0].text
        closed = len(text) > 1 and text[0] == text[-1]
        return ast.String(self._span(c[0], c[0]), text[1:-1] if closed else text[1:])

    def truth(self, c: list[Any]) -> ast.Bool:
        return ast.Bool(self._span(c[0], c[0]), c[0].text == "true")

    def sequence(self, c: list[Any]) -> ast.List:
        return ast.List(self._span(c[0], c[-1]), tuple(map(_bare, c[1])) if len(c) > 2 else ())

    def each(self, c: list[Any]) -> ast.Each:
        return ast.Each(self._span(c[0], c[-1]), _bare(c[1]), tuple(c[3]), _bare(c[5]))

    def argument(self, c: list[Any]) -> ast.Argument:
        return ast.Argument(self._span(c[0], c[-1]), self.name(c) if len(c) > 1 else None, _bare(c[-1]))

    def call(self, c: list[Any]) -> ast.Call:
        return ast.Call(self._span(c[0], c[-1]), self.name(c), tuple(c[2]) if len(c) > 3 else ())

    def index(self, c: list[Any]) -> ast.Index:
        return ast.Index(self._span(c[0], c[3]), _bare(c[0]), _bare(c[2]))

    def negate(self, c: list[Any]) -> ast.Negate:
        return ast.Negate(self._span(c[0], c[1]), _bare(c[1]))

    def range(self, c: list[Any]) -> ast.Range:
        step = _bare(c[4]) if len(c) > 3 else None
        return ast.Range(self._span(c[0], c[-1]), _bare(c[0]), _bare(c[2]), step)

    def subset(self, c: list[Any]) -> ast.Subset:
        return ast.Subset(self._span(c[0], c[2]), _bare(c[0]), _bare(c[2]))

    def binary(self, c: list[Any]) -> ast.Binary:
        return ast.Binary(self._span(c[0], c[2]), c[1].text, _bare(c[0]), _bare(c[2]))

    def pipe(self, c: list[Any]) -> ast.Pipe:
        return ast.Pipe(self._span(c[0], c[2]), _bare(c[0]), _bare(c[2]))

    def choice(self, c: list[Any]) -> ast.Choice:
        options = c[0]
        return ast.Choice(self._span(options[0], options[-1]), tuple(map(_bare, options)))

    def parentheses(self, c: list[Any]) -> Parentheses:
        return Parentheses(self._span(c[0], c[2]), _bare(c[1]))


def _bare(value: Any) -> Any:
    return value.inside if isinstance(value, Parentheses) else value
