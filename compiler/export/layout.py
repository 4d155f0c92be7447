"""Source text as `ruff format` leaves it: lines that are too long broken at their brackets, double quotes."""

from __future__ import annotations

import ast
import io
import re
import textwrap
import tokenize
from collections.abc import Iterator

WIDTH = 120
"""Characters of a line."""

INDENT = "    "


def wrapped(line: str) -> list[str]:
    """One statement, or the head of a definition, in as many lines as it needs."""
    if len(line) <= WIDTH:
        return [line]
    bare = line.lstrip()
    indent = line[: len(line) - len(bare)]
    is_head = bare.endswith(":")
    statement = ast.parse(f"{bare} pass" if is_head else bare).body[0]
    return list(_Broken(bare).statement(statement, indent)) or [line]


def documented(text: str, indent: str = "") -> list[str]:
    """A docstring of paragraphs; lines that begin with spaces stay as they are, save for their length.

    Nothing in the text ends it: it may hold words of a stranger's.
    """
    text = text.replace("\\", "\\\\").replace('"""', '\\"\\"\\"').removesuffix('"')
    lines = [f'"""{text}"""'] if "\n" not in text and len(indent) + len(text) + 6 <= WIDTH else [f'"""{text}', '"""']
    filled = [part for line in "\n".join(lines).splitlines() for part in _filled(line, indent)]
    return [f"{indent}{line}".rstrip() for line in filled]


def plain(source: str) -> str:
    """What `ast.unparse` wrote, in the formatter's style."""
    text = re.sub(r"([\w.]+) \*\* (-?[\w.]+)", r"\1**\2", source)
    tokens = list(tokenize.generate_tokens(io.StringIO(text).readline))
    lines = text.splitlines(keepends=True)
    for token in reversed(tokens):
        if token.type == tokenize.STRING and token.string.startswith("'") and '"' not in token.string:
            (row, start), (_, end) = token.start, token.end
            lines[row - 1] = f'{lines[row - 1][:start]}"{token.string[1:-1]}"{lines[row - 1][end:]}'
    return "".join(lines)


def _filled(line: str, indent: str) -> list[str]:
    lead = line[: len(line) - len(line.lstrip())]
    return textwrap.wrap(
        line,
        WIDTH - len(indent),
        subsequent_indent=f"{lead}{INDENT}" if lead else "",
        break_long_words=False,
        break_on_hyphens=False,
    ) or [""]


class _Broken:
    """A statement that is too long, bracket by bracket."""

    def __init__(self, source: str) -> None:
        self.source = source

    def statement(self, node: ast.stmt, indent: str) -> Iterator[str]:
        match node:
            case ast.FunctionDef():
                yield from self._head(node, indent)
            case ast.Assign(targets=[target], value=value):
                yield from self._value(f"{self._text(target)} = ", value, indent)
            case ast.Return(value=ast.expr() as value):
                yield from self._value("return ", value, indent)
            case ast.Expr(value=value):
                yield from self._value("", value, indent)

    def _value(self, before: str, node: ast.expr, indent: str) -> Iterator[str]:
        """The value of a statement: operators break only in parentheses."""
        if isinstance(node, ast.BinOp) and len(f"{indent}{before}{self._text(node)}") > WIDTH:
            yield f"{indent}{before}("
            yield from self._expression("", node, "", indent + INDENT)
            yield f"{indent})"
        else:
            yield from self._expression(before, node, "", indent)

    def _expression(self, before: str, node: ast.expr, after: str, indent: str) -> Iterator[str]:
        flat = f"{indent}{before}{self._text(node)}{after}"
        if len(flat) <= WIDTH:
            yield flat
            return
        match node:
            case ast.Call(func=func, args=args, keywords=keywords) if args or keywords:
                yield f"{indent}{before}{self._text(func)}("
                for argument in args:
                    yield from self._expression("", argument, ",", indent + INDENT)
                for keyword in keywords:
                    name = f"{keyword.arg}=" if keyword.arg else "**"
                    yield from self._expression(name, keyword.value, ",", indent + INDENT)
                yield f"{indent}){after}"
            case ast.Starred(value=value):
                yield from self._expression(f"{before}*", value, after, indent)
            case ast.Tuple(elts=items) | ast.List(elts=items) if items:
                opened, closed = "()" if isinstance(node, ast.Tuple) else "[]"
                yield f"{indent}{before}{opened}"
                for item in items:
                    yield from self._expression("", item, ",", indent + INDENT)
                yield f"{indent}{closed}{after}"
            case ast.BinOp(left=left, op=op, right=right):
                yield from self._expression(before, left, "", indent)
                sign = self.source[left.end_col_offset or 0 : right.col_offset].strip("() ")
                del op
                yield from self._expression(f"{sign} ", right, after, indent)
            case _:
                yield flat

    def _head(self, node: ast.FunctionDef, indent: str) -> Iterator[str]:
        opened = self.source.index("(")
        closed = self.source.rindex(")", 0, self.source.rindex("->") if node.returns else len(self.source))
        yield f"{indent}{self.source[: opened + 1]}"
        depth, start = 0, opened + 1
        for i in range(opened + 1, closed + 1):
            letter = self.source[i]
            depth += (letter in "([{") - (letter in ")]}")
            if (letter == "," and depth == 0) or i == closed:
                yield f"{indent}{INDENT}{self.source[start:i].strip()},"
                start = i + 1
        yield f"{indent}{self.source[closed:]}"

    def _text(self, node: ast.AST) -> str:
        return ast.get_source_segment(self.source, node) or ""
