"""`atnas fmt`: one style, the same program, every comment, and nothing to change the second time."""

from __future__ import annotations

import os
import random
import re
import stat
from pathlib import Path

import pytest
from commands import Ended, atnas, sentence
from hypothesis import given, settings
from random_programs import programs, random_program, seeds
from sound_programs import sound_program

from atnas.dsl.source import Source
from atnas.dsl.syntax import ast
from atnas.dsl.syntax import format as formatting
from atnas.dsl.syntax.comments import comments
from atnas.dsl.syntax.format import FormatError, formatted
from atnas.dsl.syntax.parse import parse
from atnas.runtime.checking import read_program

ROOT = Path(__file__).parents[1]
FILES = [p for folder in ("examples", "grammars/std", "tests/spec/programs") for p in (ROOT / folder).glob("*.atnas")]

UGLY = "op f(c)=conv( c,3 )->bn  # a layer\n"
NEAT = "op f(c) = conv(c, 3) -> bn  # a layer\n"
BROKEN = "op f(c) = conv(c, 3 ->\n"


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def read(text: str) -> ast.Program:
    program, findings = parse(Source("file.atnas", text))
    assert findings == [], (text, findings)
    return program


def fmt(text: str) -> str:
    return formatted(read(text))


def body(*lines: str) -> str:
    """The lines of a body, formatted."""
    text = fmt("op f [x] -> y {\n" + "\n".join(lines) + "\n}")
    return "\n".join(line.removeprefix("  ") for line in text.splitlines()[1:-1])


# What holds of every program


@settings(max_examples=120, deadline=None)
@given(programs(noise=0.3))
def test_a_formatted_program_is_the_same_program_with_the_same_comments_and_stays_as_it_is(text: str) -> None:
    text = text.replace("\r\n", "\n")
    program = read(text)
    once = formatted(program)
    again = read(once)
    assert again.declarations == program.declarations
    assert [c.text for c in comments(once)] == [c.text for c in comments(text)]
    assert formatted(again) == once


@settings(max_examples=40, deadline=None)
@given(seeds)
def test_a_formatted_program_is_checked_to_the_same(seed: int) -> None:
    text = sound_program(random.Random(seed)).replace("\r\n", "\n")
    before, after = (checked(written) for written in (text, fmt(text)))
    assert before == after
    assert before[1]


def checked(text: str) -> tuple[list[tuple[str, ...]], list[object]]:
    """Findings and decisions, without the places that they come from."""
    program = read_program(Source("file.atnas", text), lambda path: path)
    nets = [worked.net for worked in program.spaces.values() if worked.net is not None]
    found = [(f.code, f.message, f.help or "", f.when or "") for f in program.findings]
    return found, [(net.outputs, [(d.name, d.options) for d in net.decisions]) for net in nets]


@settings(max_examples=40, deadline=None)
@given(programs(noise=0))
def test_lines_are_short_and_have_no_spaces_at_their_ends(text: str) -> None:
    once = fmt(text)
    assert all(len(line) <= 120 and line == line.rstrip() for line in once.split("\n"))
    assert once.endswith("\n") and "\n\n\n" not in once


@settings(max_examples=40, deadline=None)
@given(programs(noise=0))
def test_spaces_and_line_ends_between_words_do_not_matter_where_they_are_not_kept(text: str) -> None:
    assert fmt(text) == fmt(re.sub(r'("[^"]*")|  *', lambda m: m[1] or "  ", text))


def test_random_programs_depend_on_their_seed_alone_and_have_every_construct() -> None:
    texts = [random_program(random.Random(seed)) for seed in range(300)]
    assert texts == [random_program(random.Random(seed)) for seed in range(300)]
    kinds = {type(node).__name__ for text in texts for node in nodes(read(text.replace("\r\n", "\n")).declarations)}
    declared = {c.__name__ for c in vars(ast).values() if isinstance(c, type) and issubclass(c, ast.Node)}
    assert kinds == declared - {"Node"}


def nodes(value: object) -> list[ast.Node]:
    if isinstance(value, tuple):
        return [node for item in value for node in nodes(item)]
    return [value, *nodes(tuple(vars(value).values()))] if isinstance(value, ast.Node) else []


# The files of the repository


@pytest.mark.parametrize("path", FILES, ids=lambda p: f"{p.parent.name}/{p.name}")
def test_examples_and_library_are_formatted(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert fmt(text) == text


# What the manual does not show


@pytest.mark.parametrize(
    ("written", "neat"),
    [
        ("op f()=a", "op f = a\n"),
        ("op f [ x, ] -> [y] { }", "op f [x] -> y {}\n"),
        ("op f=-( -a )", "op f = --a\n"),
        ("op f=(a|b)|c", "op f = (a | b) | c\n"),
        ("op f=10%3+10% *2", "op f = 10 % 3 + 10% * 2\n"),
        ("op f=1 ..( n-1 )step 2", "op f = 1..(n - 1) step 2\n"),
        ('use "a b.atnas"(x,)', 'use "a b.atnas" (x)\n'),
        ("use std . spaces(a)op f=a", "use std.spaces (a)\n\nop f = a\n"),
        (
            'extern op e(c:int,k:int=3)[x:(n,h)]->(c,h)="m:C"',
            'extern op e(c: int, k: int = 3) [x: (n, h)] -> (c, h) = "m:C"\n',
        ),
        ("tasks both=mix(0.7*a,.5)".replace(".5", "0.5"), "tasks both = mix(0.7 * a, 0.5)\n"),
        ("op f=[g( x )for x , y in[ [1,2] ]]", "op f = [g(x) for x, y in [[1, 2]]]\n"),
        ("# alone", "# alone\n"),
        ("\n\n", ""),
        ("", ""),
        ("\N{ZERO WIDTH NO-BREAK SPACE}# first\nop f=a", "# first\nop f = a\n"),
    ],
)
def test_spelling(written: str, neat: str) -> None:
    assert fmt(written) == neat


def test_a_range_before_an_operator_keeps_the_parentheses_that_it_has_and_gets_none() -> None:
    """`1..n - 1` is a finding: parentheses would hide it, and without them `(1..n) - 1` would become one."""
    assert fmt("op f=1..n-1") == "op f = 1..n - 1\n"
    assert fmt("op f=((1..n))-1+2") == "op f = (1..n) - 1 + 2\n"


def test_numbers_stay_as_they_are_written() -> None:
    numbers = "0.50 1e-3 1.0 60k 1.5M 10% 20ms 2GB 007"
    assert fmt(f"op f = [{numbers.replace(' ', ',')}]") == f"op f = [{numbers.replace(' ', ', ')}]\n"


def test_a_column_that_would_make_a_line_too_long_is_not_made() -> None:
    long = "b = " + " + ".join(["value"] * 14)
    assert body(f"a_name_of_some_length = {'x' * 40}", long).splitlines()[1] == long


def test_statements_of_several_lines_and_blank_lines_part_columns() -> None:
    lines = ["a = 1", "bb = [", "  2,", "]", "ccc = 3", "", "dddd = 4", "# remark", "e = 5"]
    assert body(*lines).splitlines() == [*lines[:-1], "e    = 5"]


def test_a_head_that_is_too_long_has_a_parameter_a_line() -> None:
    parameters = [f"parameter_{i} = {i}" for i in range(8)]
    text = fmt(f"space s({', '.join(parameters)}) [image: (c, h, w)] -> logits: (way) {{ logits = image }}")
    lines = text.splitlines()
    assert lines[0] == "space s("
    assert lines[1:9] == [f"  {parameter}," for parameter in parameters]
    assert lines[9:] == [") [image: (c, h, w)] -> logits: (way) { logits = image }"]


def test_a_chain_within_a_chain_is_indented_further() -> None:
    assert body("y = a", "-> b", "+ c -> d") == "y =\n  a\n    -> b\n  + c -> d"


def test_one_statement_stays_on_the_line_of_its_braces_and_several_do_not() -> None:
    assert fmt("op f[x]->y{y=x}") == "op f [x] -> y { y = x }\n"
    assert fmt("op f[x]->y{\ny=x}") == "op f [x] -> y {\n  y = x\n}\n"
    assert fmt("op f[x]->y{a=x y=a}") == "op f [x] -> y {\n  a = x\n  y = a\n}\n"
    assert fmt("search a{minimize b}\nsearch cc{minimize d}") == "search a { minimize b }\nsearch cc { minimize d }\n"


def test_bodies_of_several_lines_have_blank_lines_around_them() -> None:
    written = "op a = b\nop c [x] -> y {\n  y = x\n}\n# about d\nop d = e\n\n\nop g = h"
    assert fmt(written) == "op a = b\n\nop c [x] -> y {\n  y = x\n}\n\n# about d\nop d = e\n\nop g = h\n"


def test_comments_between_any_words_stay_in_their_place() -> None:
    written = """\
op f(  # parameters
c) = a # first
-> # second
(b # third
| c) + f(  # fourth
1, # fifth
k =
# sixth
2
)"""
    assert (
        fmt(written)
        == """\
op f(  # parameters
  c,
) =
  a  # first
    # second
    -> (
      b  # third
      | c
    )
  + f(  # fourth
    1,  # fifth
    k =
      # sixth
      2,
  )
"""
    )


def test_a_comment_in_parentheses_that_go_does_not_become_documentation() -> None:
    written = "op f = (a  # one\n)  ## two\nop g = b\n"
    assert fmt(written) == "op f = (\n  a  # one\n)  ## two\nop g = b\n"
    assert [d.doc for d in read(fmt(written)).declarations if isinstance(d, ast.Layer)] == ["", ""]


def test_documentation_stays_what_it_is() -> None:
    written = "# file\n\n## One,\n# not this\n\n##  two.\nop f=a\n"
    assert fmt(written) == "# file\n\n## One,\n# not this\n\n##  two.\nop f = a\n"


def test_deep_and_wide_programs() -> None:
    assert fmt("op f = " + "(" * 99 + "x" + ")" * 99) == "op f = x\n"
    deep = "op f = " + "g(x -> [" * 24 + "y" + "])" * 24
    assert fmt(fmt(deep)) == fmt(deep)
    wide = fmt("op f = " + " | ".join(f"unit({n})" for n in range(3000)))
    assert fmt(wide) == wide and max(map(len, wide.splitlines())) <= 120


def test_what_would_change_the_program_is_a_fault_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formatting, "layout", lambda _: "op f = other\n")
    with pytest.raises(FormatError, match="another program"):
        fmt("op f = a")
    monkeypatch.setattr(formatting, "layout", lambda _: "op f = a\n")
    with pytest.raises(FormatError, match="comments"):
        fmt("op f = a  # gone")


# The command


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A folder with a file to format, one that is fine and one with a syntax error."""
    folder = tmp_path / "folder"
    (folder / "below").mkdir(parents=True)
    (folder / "ugly.atnas").write_text(UGLY)
    (folder / "below" / "neat.atnas").write_text(NEAT)
    (folder / "broken.atnas").write_text(BROKEN)
    return folder


def test_a_folder_is_formatted_and_what_has_syntax_errors_left_alone(files: Path) -> None:
    ended = atnas("fmt", files)
    assert ended.code == 1
    assert ended.out == ""
    assert "broken.atnas:1:15" in ended.err and "this `(` is never closed" in ended.err
    assert ended.err.endswith("1 file formatted, 1 file left as it is, 1 file with syntax errors left alone\n")
    assert (files / "ugly.atnas").read_text() == NEAT
    assert (files / "broken.atnas").read_text() == BROKEN
    (files / "broken.atnas").unlink()
    assert atnas("fmt", files) == Ended(0, "", "2 files left as they are\n")


def test_check_names_what_would_change_and_writes_nothing(files: Path) -> None:
    (files / "broken.atnas").unlink()
    ended = atnas("fmt", "--check", files)
    assert ended == Ended(1, f"{files}/ugly.atnas\n", "1 file would be formatted, 1 file left as it is\n")
    assert (files / "ugly.atnas").read_text() == UGLY
    assert atnas("fmt", "--check", files / "below").code == 0


def test_diff_shows_what_would_change_and_writes_nothing(files: Path) -> None:
    ended = atnas("fmt", "--diff", "--check", files / "ugly.atnas")
    path = files / "ugly.atnas"
    assert ended.code == 1
    assert ended.out == f"--- {path}\n+++ {path}\n@@ -1 +1 @@\n-{UGLY}+{NEAT}"
    assert path.read_text() == UGLY
    path.write_text(NEAT.rstrip("\n"))
    assert "\\ No newline at end of file\n" in atnas("fmt", "--diff", path).out
    path.write_text(NEAT)
    assert atnas("fmt", "--diff", path) == Ended(0, "", "1 file left as it is\n")


def test_standard_input_goes_to_standard_output() -> None:
    assert atnas("fmt", "-", stdin=UGLY) == Ended(0, NEAT, "")
    assert atnas("fmt", "-", stdin=NEAT) == Ended(0, NEAT, "")
    assert atnas("fmt", "-", "--check", stdin=UGLY) == Ended(1, "<stdin>\n", "")
    assert atnas("fmt", "-", "--check", stdin=NEAT) == Ended(0, "", "")
    broken = atnas("fmt", "-", stdin=BROKEN)
    assert (broken.code, broken.out) == (1, "") and "<stdin>:1:15" in broken.err


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_line_ends_and_byte_order_marks_stay(tmp_path: Path, mark: bytes, end: bytes) -> None:
    file = tmp_path / "file.atnas"
    ugly, neat = (mark + text.encode().replace(b"\n", end) for text in (UGLY * 2, NEAT * 2))
    file.write_bytes(ugly)
    assert atnas("fmt", file).code == 0
    assert file.read_bytes() == neat
    assert atnas("fmt", "--check", file).code == 0


def test_modes_and_links_stay(tmp_path: Path) -> None:
    file, link = tmp_path / "file.atnas", tmp_path / "link.atnas"
    file.write_text(UGLY)
    file.chmod(0o640)
    link.symlink_to(file.name)
    assert atnas("fmt", link).code == 0
    assert link.is_symlink() and file.read_text() == NEAT
    assert stat.S_IMODE(file.stat().st_mode) == 0o640


def test_what_cannot_be_read_or_written_is_told_and_the_rest_is_formatted(
    files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (files / "broken.atnas").write_bytes(b"op f = \xff")
    ended = atnas("fmt", files)
    assert ended.code == 2
    assert "broken.atnas is not a text in UTF-8" in ended.err
    assert (files / "ugly.atnas").read_text() == NEAT
    (files / "broken.atnas").write_text(UGLY)
    monkeypatch.setattr(os, "access", lambda *_: False)
    ended = atnas("fmt", files)
    assert ended.code == 2 and "broken.atnas could not be written: it is read-only" in ended.err
    assert (files / "broken.atnas").read_text() == UGLY
    assert sentence(atnas("fmt", "nowhere.atnas")) == "nowhere.atnas is not there"


def test_a_fault_of_ours_leaves_the_file_as_it_is(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formatting, "layout", lambda _: "op f = other\n")
    ended = atnas("fmt", files / "ugly.atnas")
    assert ended.code == 70 and "FormatError" in ended.err
    assert (files / "ugly.atnas").read_text() == UGLY
