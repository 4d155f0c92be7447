"""The parse tables in the repository are those that lark makes of the grammar, and are run as lark would run them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import lark
import pytest
from hypothesis import given, settings
from texts import FILES, GRAMMAR, conditions, expressions, nodes

from atnas import grammars
from atnas.dsl.source import Part, Source
from atnas.dsl.syntax import ast, tables
from atnas.dsl.syntax.actions import Actions
from atnas.dsl.syntax.lex import Token
from atnas.dsl.syntax.parse import parse
from atnas.dsl.syntax.unparse import text

LARK = lark.Lark(GRAMMAR.read_text("utf-8"), parser="lalr", maybe_placeholders=False, keep_all_tokens=True)


def by_lark(source: Source) -> tuple[ast.Declaration, ...]:
    """The declarations that lark's own lexer and driver read, the whole text at once."""
    actions = Actions(Part(source, 0, source.text), [], 1)

    def value(node: Any) -> Any:
        if isinstance(node, lark.Token):
            return Token(node.type, str(node), node.start_pos or 0, node.end_pos or 0)
        values = [value(child) for child in node.children]
        action = getattr(Actions, node.data, None)
        return action(actions, values) if action else values[0]

    found: tuple[ast.Declaration, ...] = value(LARK.parse(source.text))
    return found


def same(written: str) -> bool:
    """Whether both read the same nodes at the same places."""
    source = Source("same.atnas", written)
    ours, findings = parse(source)
    theirs = by_lark(source)
    places = [[node.span for node in nodes(declarations)] for declarations in (ours.declarations, theirs)]
    return not findings and ours.declarations == theirs and places[0] == places[1]


def test_the_file_is_what_lark_makes_of_the_grammar() -> None:
    assert grammars.text(tables.FILE) == tables.written(grammars.text(tables.GRAMMAR)), (
        f"write it anew: python -m {tables.__name__}"
    )


def test_the_file_does_not_depend_on_the_order_of_sets(tmp_path: Path) -> None:
    code = "from atnas.dsl.syntax.tables import *; print(written(grammars.text(GRAMMAR)))"
    made = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            cwd=tmp_path,
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(made) == 1


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_a_file_is_read_as_lark_reads_it(path: Path) -> None:
    assert same(path.read_text("utf-8"))


@settings(max_examples=100, deadline=None)
@given(expressions)
def test_an_expression_is_read_as_lark_reads_it(expr: ast.Expr) -> None:
    assert same(f"op f(a = {text(expr)}) = {text(expr)}")


@settings(max_examples=50, deadline=None)
@given(conditions)
def test_a_condition_is_read_as_lark_reads_it(expr: ast.Expr) -> None:
    assert same(f"cell f [x] -> y {{ require {text(expr)} if {text(expr)} }}")


def test_what_is_usual_needs_no_lark() -> None:
    code = "import sys; from atnas.dsl.syntax.parse import parse; from atnas.dsl.source import Source\n"
    code += "assert parse(Source('a', 'op f = x'))[0].declarations; sys.exit('lark' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("kept", [None, "{", '{"grammar": ["of another time"]}'], ids=["missing", "broken", "old"])
def test_a_grammar_that_the_file_does_not_fit_is_built_anew(kept: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    changed = grammars.text(tables.GRAMMAR).replace('"of"', '"among"')

    def read(name: str) -> str:
        if name == tables.GRAMMAR:
            return changed
        if kept is None:
            raise FileNotFoundError(name)
        return kept

    monkeypatch.setattr(grammars, "text", read)
    words = {terminal.pattern for terminal in tables.load().terminals}
    assert "among" in words and "of" not in words
