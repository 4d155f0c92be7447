"""Text to syntax tree, with every syntax error found on the way."""

from __future__ import annotations

from typing import Any, Final

from lark import Token
from lark.exceptions import UnexpectedToken

from atnas.dsl.findings.diagnostics import Diagnostic
from atnas.dsl.source import Source, Span
from atnas.dsl.syntax import ast
from atnas.dsl.syntax.actions import Actions
from atnas.dsl.syntax.grammar import lark
from atnas.dsl.syntax.lex import END, lex
from atnas.dsl.syntax.recover import Recovery
from atnas.dsl.syntax.tokens import Tokens

LARGEST: Final = 5_000_000
MOST_TOKENS: Final = 1_000_000
MOST_FINDINGS: Final = 100


def parse(source: Source) -> tuple[ast.Program, list[Diagnostic]]:
    """The program as written and its syntax errors, in order.

    Never raises, and work grows linearly with the text. After an error parsing goes on at the next statement.
    Where a value could not be read, of a statement or of a declaration's short form, stands `Name("")`: it has
    been reported, and nothing more should be said of it.
    """
    if len(source.text) > LARGEST:
        return ast.Program(source, ()), [_too_large(source, "more than five million characters")]
    tokens: list[Token] = []
    findings: list[Diagnostic] = []
    for item in lex(source):
        (tokens if isinstance(item, Token) else findings).append(item)  # type: ignore[arg-type]
        if len(findings) >= MOST_FINDINGS:
            return ast.Program(source, ()), [*findings, _given_up(findings[-1].span)]
        if len(tokens) > MOST_TOKENS:
            return ast.Program(source, ()), [_too_large(source, "more than a million words")]
    declarations = _run(source, Tokens(source, tokens), findings)
    return ast.Program(source, declarations), sorted(findings, key=lambda f: (f.span.start, f.span.end))


def _run(source: Source, tokens: Tokens, findings: list[Diagnostic]) -> tuple[ast.Declaration, ...]:
    """Feeds the tokens to lark's parser; at an error `Recovery` mends its stack and says where to go on."""
    parser = lark().parse_interactive()
    state, actions = parser.parser_state, Actions(source, findings)
    state.parse_conf.callbacks = actions.by_rule(lark().rules)  # type: ignore[assignment]
    recovery = Recovery(parser, tokens, findings)
    i = 0
    result: tuple[ast.Declaration, ...] | None = None
    while result is None:
        token = tokens[i]
        if recovery.foresees(i):
            i = recovery.resume(i)
            continue
        try:
            result = state.feed_token(token, token.type == END)
        except UnexpectedToken:
            i = recovery.resume(i)
        else:
            i += 1
        if result is None and len(findings) >= MOST_FINDINGS:
            findings.append(_given_up(findings[-1].span))
            result = _declarations(state.value_stack)
    return result


def _declarations(values: list[Any]) -> tuple[ast.Declaration, ...]:
    return tuple(values[0]) if values and isinstance(values[0], list) else ()


def _too_large(source: Source, what: str) -> Diagnostic:
    return Diagnostic("E008", Span(source, 0, 0), f"this file has {what}", "split it, and join the parts with `use`")


def _given_up(last: Span) -> Diagnostic:
    return Diagnostic("E009", last, f"more than {MOST_FINDINGS} syntax errors: the rest was not read")
