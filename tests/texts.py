"""Programs to read: the files of this project, the words of the language, expressions at random."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from atnas.dsl.source import Source, Span
from atnas.dsl.syntax import ast
from atnas.dsl.syntax.ast import Name, Number
from atnas.dsl.syntax.quantity import quantity

ROOT = Path(__file__).parents[1]
GRAMMAR = ROOT / "grammars" / "atnas.lark"
PROGRAMS = sorted(ROOT.glob("tests/spec/programs/*.atnas"))
FILES = [*PROGRAMS, *sorted(ROOT.glob("examples/*.atnas")), *sorted(ROOT.glob("grammars/std/*.atnas"))]
NOWHERE = Span(Source("nowhere", ""), 0, 0)

WORDS = [
    "op",
    "cell",
    "space",
    "tasks",
    "train",
    "search",
    "experiment",
    "use",
    "require",
    "maximize",
    "minimize",
    "of",
    "step",
    "for",
    "in",
    "if",
    "and",
    "true",
    "false",
    "x",
    "y",
    "3",
    "1.5M",
    "10%",
    '"s"',
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ",",
    ":",
    ".",
    "..",
    "->",
    "|",
    "+",
    "-",
    "*",
    "/",
    "%",
    "=",
    "~",
    "==",
    "!=",
    "<",
    "<=",
    ">",
    ">=",
]


def nodes(value: Any) -> list[ast.Node]:
    if isinstance(value, tuple):
        return [node for item in value for node in nodes(item)]
    if not isinstance(value, ast.Node):
        return []
    return [value, *(node for f in fields(value) for node in nodes(getattr(value, f.name)))]


names = st.sampled_from(["a", "b", "conv", "x1", "_n", "or_", "steps"]).map(lambda id: Name(NOWHERE, id))
numbers = st.sampled_from(["0", "3", "0.5", "1e-3", "60k", "1.5M", "10%", "20ms", "2GB"]).map(
    lambda written: Number(NOWHERE, quantity(written)[0], written, quantity(written)[1])
)
strings = st.text(st.characters(exclude_characters='"\n', codec="utf-8"), max_size=5).map(
    lambda value: ast.String(NOWHERE, value)
)
argument_names = st.one_of(names, st.sampled_from(["space", "tasks"]).map(lambda id: Name(NOWHERE, id)))


def larger(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    several = st.lists(inner, max_size=3).map(tuple)
    arguments = st.builds(ast.Argument, st.just(NOWHERE), st.none() | argument_names, inner)
    return st.one_of(
        st.builds(ast.Binary, st.just(NOWHERE), st.sampled_from("+-*/%"), inner, inner),
        st.builds(ast.Pipe, st.just(NOWHERE), inner, inner),
        st.builds(ast.Choice, st.just(NOWHERE), st.lists(inner, min_size=2, max_size=3).map(tuple)),
        st.builds(ast.Range, st.just(NOWHERE), inner, inner, st.none() | inner),
        st.builds(ast.Subset, st.just(NOWHERE), inner, inner),
        st.builds(ast.Negate, st.just(NOWHERE), inner),
        st.builds(ast.Index, st.just(NOWHERE), inner, inner),
        st.builds(ast.List, st.just(NOWHERE), several),
        st.builds(ast.Each, st.just(NOWHERE), inner, st.lists(names, min_size=1, max_size=2).map(tuple), inner),
        st.builds(ast.Call, st.just(NOWHERE), names, st.lists(arguments, max_size=3).map(tuple)),
    )


booleans = st.booleans().map(lambda value: ast.Bool(NOWHERE, value))
expressions = st.recursive(st.one_of(names, numbers, strings, booleans), larger, max_leaves=12)
comparisons = st.builds(
    ast.Binary, st.just(NOWHERE), st.sampled_from(["==", "!=", "<", "<=", ">", ">=", "in"]), expressions, expressions
)
conditions = st.recursive(
    comparisons, lambda inner: st.builds(ast.Binary, st.just(NOWHERE), st.just("and"), inner, inner), max_leaves=4
)
