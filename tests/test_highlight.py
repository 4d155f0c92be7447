"""Highlighting: Pygments' lexer and VS Code's grammar know the language's words, operators and units, and no others."""

from __future__ import annotations

import json
import re
import runpy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pygments import highlight, token
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name, get_lexer_for_filename, get_lexer_for_mimetype

from atnas import __version__
from atnas.dsl.plugins import entries
from atnas.dsl.syntax.grammar import SETTING_WORDS, pattern, punctuation, reserved
from atnas.dsl.syntax.quantity import UNITS
from atnas.highlight import AtnasLexer

ROOT = Path(__file__).parents[1]
FILES = sorted([*(ROOT / "examples").glob("*.atnas"), *(ROOT / "grammars").rglob("*.atnas")])
VSCODE = ROOT / "editors" / "vscode"

Token = tuple[Any, str]


def tokens(text: str) -> list[Token]:
    """What is not blank, with Pygments' kind."""
    found = AtnasLexer().get_tokens_unprocessed(text)
    return [(kind, value) for _, kind, value in found if kind not in token.Whitespace]


def kind_of(word: str, text: str) -> Any:
    """The kind of a word's first appearance."""
    return next(kind for kind, value in tokens(text) if value == word)


# Pygments


def test_pygments_finds_the_lexer_by_name_by_file_and_by_type() -> None:
    for lexer in (
        get_lexer_by_name("atnas"),
        get_lexer_for_filename("net.atnas"),
        get_lexer_for_mimetype("text/x-atnas"),
    ):
        assert isinstance(lexer, AtnasLexer)


@pytest.mark.parametrize("file", FILES, ids=lambda path: path.stem)
def test_every_token_of_our_files_is_known_and_none_is_lost(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    found = list(AtnasLexer().get_tokens_unprocessed(text))
    assert [value for _, kind, value in found if kind in token.Error] == []
    assert "".join(value for _, _, value in found) == text


@pytest.mark.parametrize("word", sorted(reserved()))
def test_a_reserved_word_is_highlighted(word: str) -> None:
    kind = kind_of(word, f"{word} ")
    assert kind in token.Keyword or kind in token.Operator.Word


@pytest.mark.parametrize("word", sorted(SETTING_WORDS))
def test_a_reserved_word_that_is_set_is_a_key(word: str) -> None:
    assert kind_of(word, f"{word} = a") is kind_of("word", "word = a") is token.Name.Attribute


def test_what_is_declared_is_told_from_what_is_used() -> None:
    text = """
        use std.spaces (cells)
        extern op f(c: int) [x: (n)] -> (c) = "module:F"
        cell g(c) [x] -> y { y = x -> bare -> conv(c) }
        tasks t {}
    """
    assert kind_of("std.spaces", text) is token.Name.Namespace
    assert kind_of("f", text) is kind_of("g", text) is kind_of("bare", text) is token.Name.Function
    assert kind_of("int", text) is token.Keyword.Type
    assert kind_of("t", text) is token.Name.Class
    assert kind_of("conv", text) is token.Name.Builtin
    assert kind_of("c", text) is kind_of("y", text) is token.Name


def test_a_number_and_its_unit_are_two_tokens_and_a_remainder_is_none() -> None:
    for unit in filter(None, UNITS):
        assert tokens(f"1.5{unit}") == [(token.Number, "1.5"), (token.Keyword.Type, unit)]
    assert [value for _, value in tokens("10%3 - 1..4")] == ["10", "%", "3", "-", "1", "..", "4"]


def test_documentation_is_told_from_comments() -> None:
    assert tokens("## a\n# b") == [(token.String.Doc, "## a"), (token.Comment.Single, "# b")]


def test_it_renders() -> None:
    page = highlight("op f = relu", get_lexer_by_name("atnas"), HtmlFormatter())
    assert '<span class="kd">op</span>' in page


pieces = st.sampled_from([*reserved(), *punctuation(), "a", "x1", "12", "3e-3", "60k", "10%", '"s"', "# c\n", "'", ";"])
texts = st.lists(pieces | st.text(max_size=3), max_size=20).map(" ".join)


@given(texts)
def test_a_text_has_errors_where_the_language_has_no_such_token(text: str) -> None:
    kinds = {match.lastgroup for match in pattern().finditer(text)}
    foreign = kinds & {"JUNK", "OPEN", "QUOTED"}
    found = list(AtnasLexer().get_tokens_unprocessed(text))
    assert any(kind in token.Error for _, kind, _ in found) == bool(foreign)
    assert "".join(value for _, _, value in found) == text


# VS Code


def grammar() -> dict[str, Any]:
    """The TextMate grammar; `npm test` runs it."""
    loaded: dict[str, Any] = json.loads((VSCODE / "syntaxes" / "atnas.tmLanguage.json").read_text(encoding="utf-8"))
    return loaded["repository"]


def words_of(part: str, *scopes: str) -> set[str]:
    """The words that rules of some scopes are made of."""
    rules = [r for r in grammar()[part]["patterns"] if r.get("name", "").startswith(scopes)]
    return {word for rule in rules for word in re.findall(r"[a-z]\w+", re.sub(r"\\.", " ", rule["match"]))}


def test_vs_code_knows_the_reserved_words() -> None:
    # `use` stands with what it takes, so its rule is another.
    assert words_of("words", "") == set(reserved()) - {"use"}
    assert grammar()["declarations"]["patterns"][0]["match"].startswith(r"\b(use)\b")


def test_vs_code_knows_the_standard_operators() -> None:
    ours = {name for name, entry in entries("ops").items() if entry.value.startswith("atnas.")}
    known = words_of("names", "support.function")
    assert known == ours - set(reserved()), "names.support.function of editors/vscode/syntaxes/atnas.tmLanguage.json"


def test_vs_code_knows_the_units() -> None:
    units = re.search(r"\(\((\?:[A-Za-z|]+)\)", grammar()["numbers"]["match"])
    assert units is not None
    assert {*units[1].removeprefix("?:").split("|"), "%", ""} == set(UNITS)


# Vim and Emacs


@pytest.mark.parametrize("file", ["vim/syntax/atnas.vim", "emacs/atnas-mode.el"])
@pytest.mark.parametrize("word", sorted(reserved()))
def test_vim_and_emacs_know_the_reserved_words(word: str, file: str) -> None:
    assert re.search(rf"\b{word}\b", (ROOT / "editors" / file).read_text(encoding="utf-8"))


# The extension, the picture


def test_the_extension_has_the_version_of_atnas() -> None:
    assert json.loads((VSCODE / "package.json").read_text(encoding="utf-8"))["version"] == __version__
    assert json.loads((VSCODE / "package-lock.json").read_text(encoding="utf-8"))["version"] == __version__


def test_the_problem_matcher_reads_the_concise_form() -> None:
    (matcher,) = json.loads((VSCODE / "package.json").read_text(encoding="utf-8"))["contributes"]["problemMatchers"]
    rule = matcher["pattern"]
    found = re.fullmatch(rule["regexp"], "a folder/net.atnas:12:8: E301 these branches differ: (1), (2)")
    assert found is not None
    parts = {name: found[group] for name, group in rule.items() if name != "regexp"}
    assert parts == {
        "file": "a folder/net.atnas",
        "line": "12",
        "column": "8",
        "code": "E301",
        "severity": "E",
        "message": "these branches differ: (1), (2)",
    }


def test_the_picture_shows_what_the_language_does_now() -> None:
    script = runpy.run_path(str(ROOT / "docs" / "highlighting.py"))
    drawn = (ROOT / "docs" / "highlighting.svg").read_text(encoding="utf-8")
    assert drawn == script["picture"](), "python docs/highlighting.py draws it anew"
