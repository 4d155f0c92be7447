"""Text to syntax tree, with every syntax error found on the way."""

from __future__ import annotations

from collections import defaultdict
from typing import Any, Final

from atnas.dsl.findings.diagnostics import Diagnostic
from atnas.dsl.source import Part, Source, Span
from atnas.dsl.syntax import ast
from atnas.dsl.syntax.actions import Actions
from atnas.dsl.syntax.lex import MOST_TOKENS, lex
from atnas.dsl.syntax.machine import Machine
from atnas.dsl.syntax.recover import Recovery
from atnas.dsl.syntax.split import documentation, split
from atnas.dsl.syntax.tokens import Tokens

Known = dict[tuple[str, str], list[ast.Chunk]]
"""Chunks by their documentation and text."""

LARGEST: Final = 5_000_000
MOST_LINES: Final = 100_000
MOST_FINDINGS: Final = 100


def parse(source: Source, before: ast.Program | None = None) -> tuple[ast.Program, list[Diagnostic]]:
    """The program as written and its syntax errors, in order.

    Never raises, and work grows linearly with the text. After an error parsing goes on at the next statement.
    Where a value could not be read, of a statement or of a declaration's short form, stands `Name("")`: it has
    been reported, and nothing more should be said of it.

    Each part of a text is read by itself. Those that stand, without error, in the program as it was before keep their
    declarations, the very objects, whose places are from now on those in this source: nothing but this should go on to
    use that program.
    """
    if len(source.text) > LARGEST:
        return ast.Program(source, ()), [_too_large(source, f"more than {LARGEST:,} characters")]
    if source.text.count("\n") > MOST_LINES:
        return ast.Program(source, ()), [_too_large(source, f"more than {MOST_LINES:,} lines")]
    known = _known(before)
    chunks: list[ast.Chunk] = []
    findings: list[Diagnostic] = []
    tokens = 0
    for part in split(source):
        chunk = _again(part, known) or _read(part, findings)
        chunks.append(chunk)
        tokens += chunk.tokens
        if tokens > MOST_TOKENS:
            return ast.Program(source, ()), [_too_large(source, f"more than {MOST_TOKENS:,} words")]
        if len(findings) >= MOST_FINDINGS:
            findings.append(_given_up(findings[-1].span))
            break
    declarations = tuple(declaration for chunk in chunks for declaration in chunk.declarations)
    return ast.Program(source, declarations, tuple(chunks)), sorted(findings, key=lambda f: (f.span.start, f.span.end))


def _known(before: ast.Program | None) -> Known:
    """What was read without error, the last first."""
    known: Known = defaultdict(list)
    for chunk in reversed(before.chunks if before else ()):
        if chunk.sound:
            known[chunk.doc, chunk.part.text].append(chunk)
    return known


def _again(part: Part, known: Known) -> ast.Chunk | None:
    """The chunk that was read from the same text, with the same documentation, moved to where it stands now."""
    same = known.get((documentation(part.whole.text, part.offset), part.text))
    if not same:
        return None
    chunk = same.pop()
    chunk.part.move(part.whole, part.offset)
    return chunk


def _read(part: Part, findings: list[Diagnostic]) -> ast.Chunk:
    """Reads a part; at an error `Recovery` mends the machine and says where to go on."""
    most = MOST_FINDINGS - len(findings)
    tokens, found = lex(part, most)
    whole = len(tokens) <= MOST_TOKENS and len(found) < most
    declarations = _run(Tokens(part, tokens), found, most) if whole else ()
    findings += found[:most]
    return ast.Chunk(part, documentation(part.whole.text, part.offset), declarations, len(tokens), not found)


def _run(tokens: Tokens, findings: list[Diagnostic], most: int) -> tuple[ast.Declaration, ...]:
    """Feeds the tokens of a part to the machine; what is after them is the end."""
    machine = Machine(Actions(tokens.part, findings, most))
    recovery = Recovery(machine, tokens, findings)
    last = len(tokens) - 1
    stops = tokens.suspect() | {last}
    i = 0
    while len(findings) < most:
        if recovery.foresees(i):
            i = recovery.resume(i)
        elif i < last and machine.feed(tokens[i]):
            i = machine.run(tokens, i + 1, stops)
        elif i == last and machine.ends(tokens.kind(i)):
            return tuple(machine.values[0])
        else:
            i = recovery.resume(i)
    return _declarations(machine.values)


def _declarations(values: list[Any]) -> tuple[ast.Declaration, ...]:
    return tuple(values[0]) if values and isinstance(values[0], list) else ()


def _too_large(source: Source, what: str) -> Diagnostic:
    return Diagnostic("E008", Span(source, 0, 0), f"this file has {what}", "split it, and join the parts with `use`")


def _given_up(last: Span) -> Diagnostic:
    return Diagnostic("E009", last, f"more than {MOST_FINDINGS} syntax errors: the rest was not read")
