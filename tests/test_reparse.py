"""A text that is read again after an edit: what was not touched keeps its syntax tree."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from texts import FILES, WORDS, nodes

from atnas.dsl.source import Source
from atnas.dsl.syntax import ast
from atnas.dsl.syntax.parse import parse
from atnas.dsl.syntax.split import split

PIECES = [piece.text for path in FILES for piece in split(Source("", path.read_text("utf-8")))]
INSERTS = [
    *WORDS,
    "\n",
    "\n\n",
    "# said\n",
    "## said\n",
    "\nop f = x\n",
    "\ncell g [x] -> y {\n",
    "extern\n",
    ";",
    "'a'",
    "3x",
]

THREE = """\
# A file.

## The first.
op first = relu  # with a comment

## The second.
op second(c) = first -> conv(c, 3)

space third [x: (3, 8, 8)] -> y {
  y = x -> second(8 | 16)
}
"""


def read(text: str, before: ast.Program | None = None) -> ast.Program:
    program, findings = parse(Source("test.atnas", text), before)
    assert findings == []
    return program


def test_parts_are_declarations_and_between_them_are_comments() -> None:
    assert [part.text for part in split(Source("", THREE))] == [
        "op first = relu  # with a comment\n",
        "op second(c) = first -> conv(c, 3)\n",
        "space third [x: (3, 8, 8)] -> y {\n  y = x -> second(8 | 16)\n}\n",
    ]


def test_an_edit_leaves_all_other_declarations_the_same_objects() -> None:
    program = read(THREE)
    edited = THREE.replace("relu", "gelu -> bn\n  -> relu")
    later = read(edited, program)
    assert later.declarations[0] is not program.declarations[0]
    assert later.declarations[1] is program.declarations[1]
    assert later.declarations[2] is program.declarations[2]
    name = later.declarations[2].name  # type: ignore[union-attr]
    assert (name.span.start, repr(name.span)) == (edited.index("third"), "test.atnas:10:7")
    assert later == read(edited)


def test_a_declaration_that_moves_is_the_same_object() -> None:
    *above, end = (THREE.index(word) for word in ("# A", "\n## The second", "\nspace", "}\n"))
    first, second, third = (THREE[i:j] for i, j in zip(above, [*above[1:], end + 2], strict=True))
    program = read(THREE)
    later = read(third + first + second, program)
    assert [later.declarations.index(d) for d in program.declarations] == [1, 2, 0]
    assert all(any(d is e for e in program.declarations) for d in later.declarations)


def test_a_comment_above_changes_nothing_and_documentation_only_what_it_is_of() -> None:
    program = read(THREE)
    commented = read(THREE.replace("# A file.", "# A file\n# of three."), program)
    assert all(d is e for d, e in zip(commented.declarations, program.declarations, strict=True))
    said = read(THREE.replace("## The second.", "## The other."), commented)
    assert [d is e for d, e in zip(said.declarations, commented.declarations, strict=True)] == [True, False, True]
    assert [d.doc for d in said.declarations] == ["The first.", "The other.", ""]


def test_declarations_of_the_same_text_are_objects_of_their_own() -> None:
    program = read("op f = x\n" * 2)
    one, two = program.declarations
    assert one == two and one.span.start != two.span.start
    three = read("op f = x\n" * 3, program).declarations
    assert three[:2] == (one, two) and len({d.span.start for d in three}) == 3


def test_a_mistake_is_found_again_where_it_is_now() -> None:
    broken = THREE.replace("(8 | 16)", "(8 | )")
    program, (before,) = parse(Source("test.atnas", broken))
    _, (after,) = parse(Source("test.atnas", "# More.\n" + broken), program)
    assert after.message == before.message
    assert after.span.start == before.span.start + len("# More.\n")


@pytest.mark.parametrize("gap", [" ", "\n", "\n# between\n", " # extern\n", "\n\n  "])
def test_a_line_that_begins_with_op_may_go_on_with_extern(gap: str) -> None:
    program = read(f'op a = b\nextern{gap}op f(c: int) [x: (n)] -> (c) = "layers:F"\nop d = f(3)')
    assert [type(d).__name__ for d in program.declarations] == ["Layer", "Extern", "Layer"]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(PIECES) | st.sampled_from(INSERTS), max_size=8))
def test_between_parts_are_only_blanks_and_comments(pieces: list[str]) -> None:
    source = Source("", "".join(pieces))
    end = 0
    for part in split(source):
        assert all(not line.strip() or line.startswith("#") for line in source.text[end : part.offset].splitlines())
        assert source.text.startswith(part.text, part.offset)
        end = part.offset + len(part.text)
    assert end == len(source.text)


def edited(text: str, rng: random.Random) -> str:
    start = rng.randrange(len(text) + 1)
    end = min(len(text), start + rng.choice([0, 0, 1, 5, 40]))
    return text[:start] + rng.choice(["", *INSERTS, rng.choice(PIECES)]) + text[end:]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=6), st.randoms(use_true_random=False))
def test_reading_again_after_any_edits_is_reading_afresh(pieces: list[str], rng: random.Random) -> None:
    text = "".join(pieces)
    program, _ = parse(Source("test.atnas", text))
    for _ in range(5):
        text = edited(text, rng)
        source = Source("test.atnas", text)
        program, findings = parse(source, program)
        fresh, expected = parse(source)
        assert program == fresh
        assert findings == expected
        assert [n.span for n in nodes(program.declarations)] == [n.span for n in nodes(fresh.declarations)]
        assert all(n.span.source is source for n in nodes(program.declarations))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(PIECES), min_size=1, max_size=6), st.data())
def test_all_but_what_was_edited_are_the_same_objects(pieces: list[str], data: st.DataObject) -> None:
    program = read("".join(pieces))
    parts = [chunk.part.text for chunk in program.chunks]
    i = data.draw(st.integers(0, len(parts) - 1))
    later = read("".join([*parts[:i], parts[i].rstrip("\n"), "\nop more = relu\n", *parts[i + 1 :]]), program)
    kept = [d for n, chunk in enumerate(program.chunks) if n != i for d in chunk.declarations]
    assert all(any(d is e for e in later.declarations) for d in kept)
