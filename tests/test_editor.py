"""What an editor is answered with, without the protocol around it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from atnas.dsl.errors import Unable
from atnas.dsl.source import Source
from atnas.editor.actions import actions
from atnas.editor.complete import complete
from atnas.editor.convert import Encoding, Lines, Place, is_file, path_of, readable, uri_of
from atnas.editor.folders import files
from atnas.editor.formatting import formatting
from atnas.editor.help import signature_help
from atnas.editor.hints import hints
from atnas.editor.hover import hover
from atnas.editor.navigate import definition, highlights, references
from atnas.editor.rename import renamable, rename
from atnas.editor.shapes import summary
from atnas.editor.symbols import folds, outline
from atnas.editor.tokens import tokens
from atnas.editor.workspace import Checked, View, Workspace

ROOT = Path(__file__).parents[1]
PROGRAMS = [
    path.read_text(encoding="utf-8")
    for folder in ("examples", "grammars/std")
    for path in sorted((ROOT / folder).glob("*.atnas"))
]
ENCODINGS: list[Encoding] = ["utf-8", "utf-16", "utf-32"]
CURSOR = "<|>"
PATH = "/nets/net.atnas"


def nothing(path: str) -> str:
    raise Unable(f"{path} is not there")


def opened(text: str, **others: str) -> tuple[Workspace, View, int]:
    """A workspace with a text, files beside it, and where the cursor stood in the text."""
    workspace = Workspace(nothing)
    for name, other in others.items():
        workspace.put(f"file:///nets/{name}.atnas", other, 1)
    at = max(text.find(CURSOR), 0)
    workspace.put(f"file://{PATH}", text.replace(CURSOR, ""), 1)
    return workspace, workspace.view(PATH), at


def proposed(text: str) -> list[str]:
    workspace, view, at = opened(text)
    return [proposal.label for proposal in complete(workspace, view, at)]


def said(text: str) -> str:
    workspace, _, at = opened(text)
    checked = workspace.check(PATH)
    found = hover(checked, at, checked.facts)
    return "" if found is None else found.markdown


# Places and files


@given(
    st.text(alphabet=st.sampled_from("ab\n\r\t\u00e9\u4e2d\U0001f600")), st.sampled_from(["utf-8", "utf-16", "utf-32"])
)
def test_every_character_has_a_place_that_leads_back(text: str, encoding: Encoding) -> None:
    text = readable(text)
    lines = Lines(text, encoding)
    for offset in range(len(text) + 1):
        if text[offset - 1 : offset + 1] != "\r\n":  # between the two there is no place
            assert lines.offset(lines.place(offset)) == offset


@given(st.text(), st.integers(0, 50), st.integers(0, 200))
def test_a_place_beyond_the_text_is_its_end(text: str, line: int, column: int) -> None:
    offset = Lines(text).offset(Place(line, column))
    assert 0 <= offset <= len(text)


def test_columns_are_counted_in_code_units() -> None:
    text = "a\U0001f600b"
    assert [Lines(text, encoding).place(2).column for encoding in ENCODINGS] == [5, 3, 2]


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("file:///nets/a.atnas", "/nets/a.atnas"),
        ("file:///my%20nets/a%23.atnas", "/my nets/a#.atnas"),
        ("file:///C%3A/nets/a.atnas", "c:/nets/a.atnas"),
        ("file:///c:/nets/a.atnas", "c:/nets/a.atnas"),
        ("file://server/nets/a.atnas", "//server/nets/a.atnas"),
        ("untitled:Untitled-1", "untitled:Untitled-1"),
        ("vscode-vfs://github/a.atnas", "vscode-vfs://github/a.atnas"),
        ("file://[/a.atnas", "file://[/a.atnas"),
    ],
)
def test_documents_have_paths(uri: str, path: str) -> None:
    assert path_of(uri) == path
    assert is_file(path) == (path != uri)
    assert path_of(uri_of(path)) == path


@given(st.text())
def test_any_uri_has_a_path(uri: str) -> None:
    path_of(uri)
    path_of(f"file://{uri}")


def test_sources_are_found_where_authors_write_them(tmp_path: Path) -> None:
    for name in ("a.atnas", "deep/b.atnas", ".git/c.atnas", "node_modules/d.atnas", "venv/e.atnas", "f.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "venv" / "pyvenv.cfg").touch()
    found = [Path(path).relative_to(tmp_path).as_posix() for path in files([str(tmp_path)])]
    assert found == ["a.atnas", "deep/b.atnas"]


# Meanings


SCOPES = """\
op f(c) = conv(c, 3)
op g(c, d = c) [x: (c2, h, w)] -> y {
  c1 = x -> f(c) -> bn
  y  = add([t -> f(c = d) for t in [c1, x]])
}
"""


@pytest.mark.parametrize(
    ("place", "leads"),
    [
        ("f(<|>c) ->", "g(<|>c"),
        ("(c<|> = d)", "f(<|>c) ="),
        ("c = <|>d", "c, <|>d = c"),
        ("[<|>t ->", "for <|>t in"),
        ("[<|>c1,", "  <|>c1 ="),
        ("c1, <|>x]", "[<|>x: "),
        ("-> <|>y {", "  <|>y  ="),
    ],
)
def test_the_nearest_name_is_meant(place: str, leads: str) -> None:
    workspace, view, at = opened(SCOPES.replace(place.replace(CURSOR, ""), place, 1))
    found = definition(workspace, view, at)
    assert found is not None
    before, _, after = leads.partition(CURSOR)
    assert found.start == SCOPES.index(before + after) + len(before)


def test_a_parameter_is_referred_to_from_other_files() -> None:
    others = {"blocks": "op block(c, k = 3) = conv(c, k)\n"}
    text = 'use "blocks.atnas" (block)\nspace s [x: (3, 8, 8)] -> y { y = x -> block(8, <|>k = 5) }\n'
    workspace, view, at = opened(text, **others)
    found = references(workspace, view, at)
    assert sorted((o.span.source.path, o.span.start) for o in found) == [
        ("/nets/blocks.atnas", others["blocks"].index("k = 3")),
        ("/nets/blocks.atnas", others["blocks"].index("k)")),
        (PATH, at),
    ]


def test_names_of_one_kind_do_not_answer_for_another() -> None:
    text = "op f(c) = conv(c, 3)\nop g(<|>c) = conv(c, 5)\n"
    workspace, view, at = opened(text)
    assert {o.span.start for o in references(workspace, view, at)} == {at, text.replace(CURSOR, "").index("c, 5")}


def test_the_library_is_not_renamed() -> None:
    workspace, view, at = opened("use std.spaces (conv<|>_cells)\n")
    with pytest.raises(Unable, match="belongs to the standard library"):
        rename(workspace, view, at, "other")


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("g", "has a `g` already"),
        ("c1", "`g` has a binding `c1`, which would hide it"),
        ("extern", "word of the language"),
    ],
)
def test_a_declaration_is_not_renamed_into_what_is_there(name: str, reason: str) -> None:
    workspace, view, at = opened(SCOPES.replace("op f", "op <|>f"))
    with pytest.raises(Unable, match=reason):
        rename(workspace, view, at, name)


def test_a_name_of_a_body_does_not_hide_what_the_body_uses() -> None:
    workspace, view, at = opened(SCOPES.replace("  c1 =", "  <|>c1 ="))
    with pytest.raises(Unable, match="`g` uses `f`, which this would hide"):
        rename(workspace, view, at, "f")


# Shapes and counts


@pytest.mark.parametrize(
    ("shapes", "line"),
    [
        ([(16, 32, 32)], "(16, 32, 32)"),
        ([(16, 8, 8), (32, 8, 8)], "(16|32, 8, 8)"),
        ([(n, 8) for n in range(8, 200, 8)], "(8..192, 8)"),
        ([(16,), (16, 8)], "(16) | (16, 8)"),
        ([], None),
        ([(n,) * 9 for n in (100, 200)], None),
    ],
)
def test_shapes_in_one_short_line(shapes: list[tuple[int, ...]], line: str | None) -> None:
    assert summary(shapes) == line


def test_the_shapes_of_a_space_are_those_that_the_tasks_of_its_experiment_give() -> None:
    assert "shape `(1, 20, 20)`" in said(
        (ROOT / "examples/quickstart.atnas").read_text().replace("[image", "[<|>image")
    )


def test_shapes_stay_while_something_else_is_wrong() -> None:
    text = "space s [x: (3, 8, 8)] -> y {\n  a = x -> conv(8, 3)\n  y = <|>a -> convv(3)\n}\n"
    assert "shape `(8, 8, 8)`" in said(text)


@pytest.mark.parametrize(
    ("program", "place", "count"),
    [
        ("nas_bench_201", "cell <|>dag", "15,625 architectures of each use"),
        ("nas_bench_201", "  <|>x2 =", "125 architectures up to here"),
        ("ofa_mobilenet_v3", "op <|>stage", "7,371 architectures of each use"),
        ("ofa_mobilenet_v3", "space <|>ofa", "21,758,655,492,572,485,851 architectures"),
        ("darts", "cell <|>normal", "1,037,664,180 architectures of each use"),
    ],
)
def test_parts_are_counted_as_their_papers_count_them(program: str, place: str, count: str) -> None:
    text = (ROOT / f"grammars/std/{program}.atnas").read_text(encoding="utf-8")
    assert count in said(text.replace(place.replace(CURSOR, ""), place, 1))


# Writing


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("op f(c) = conv(c, kernel = 3, <|>", ["stride", "dilation"]),
        ("op f(c) = conv(c, bias = <|>)", ["true", "false"]),
        ("space s [x: (3, h, w)] -> y {\n  a = x -> relu\n  y = [t -> r<|> for t in [a]]", ["x", "h", "w", "a", "t"]),
        ("space s [x: (3, 8, 8)] -> y {\n  require <|>\n}", ["params", "macs"]),
        ("space s [x: (3, 8, 8)] -> y {\n  <|>\n}", ["require"]),
        ("op f(c) = conv(c, 3) <|>", ["of", "step"]),
        ("train t {\n  learner = maml(inner = sgd(<|>", ["lr"]),
        ("train t {\n  outer = adam(decay = <|>)\n}", ["cosine"]),
        ("search t {\n  schedule = interleaved(1k, <|>)\n}", ["every"]),
        ("search t {\n  require <|>\n}", ["params"]),
        ("tasks t {\n  shot ~ <|>\n}", ["uniform"]),
        ("tasks a {\n source = glyphs }\ntasks t = mix(0.5 * <|>)", ["a", "t"]),
        ("use std.spaces (conv_cells)\nexperiment e {\n  space = conv_cells(<|>)\n}", ["C"]),
    ],
)
def test_what_may_stand_is_proposed(text: str, wanted: list[str]) -> None:
    assert set(wanted) <= set(proposed(text))


@pytest.mark.parametrize("text", ["# <|>", 'use "<|>"', "op f(c) = conv(16<|>", "op <|>", "op f(<|>"])
def test_where_nothing_can_be_known_nothing_is_proposed(text: str) -> None:
    assert proposed(text) == []


def test_what_is_given_is_not_proposed_again() -> None:
    found = proposed("op f(c) = conv(c, stride = 2, <|>)")
    assert "channels" not in found
    assert "stride" not in found


def test_formatting_changes_no_more_than_it_must() -> None:
    text = "op f(c) = conv(c, 3)\r\nop   g(c) = bn\r\nop h(c) = relu\r\n"
    (edit,) = formatting(Source(PATH, text)) or ()
    assert (edit.span.text, edit.text) == ("op   g(c) = bn\r\n", "op g(c) = bn\r\n")


# Robust


def everything(workspace: Workspace, view: View, checked: Checked, at: int) -> list[Callable[[], object]]:
    """Every question that an editor can ask at a place."""
    size = len(view.source.text)
    return [
        lambda: complete(workspace, view, at),
        lambda: signature_help(view, at),
        lambda: hover(checked, at, checked.facts, checked.found),
        lambda: definition(workspace, view, at),
        lambda: references(workspace, view, at),
        lambda: highlights(view, at),
        lambda: renamable(view, at),
        lambda: rename(workspace, view, at, "other"),
        lambda: hints(checked.module.program, checked.facts.places, 0, size),
        lambda: outline(view.module.program),
        lambda: folds(view.module.program),
        lambda: tokens(view.index),
        lambda: formatting(view.source),
        lambda: actions(checked.found, 0, size),
    ]


def ask(text: str, at: int) -> None:
    """Asks everything; a refusal in words is an answer."""
    workspace = Workspace(nothing)
    path = workspace.put("untitled:Untitled-1", text, 1)
    view, checked = workspace.view(path), workspace.check(path)
    for question in everything(workspace, view, checked, at):
        try:
            question()
        except Unable:
            continue


PIECES = [*'(){}[]=|,.~"#\n\r ', "->", "..", "op ", "use ", "of ", "for x in ", "space s ", "1k", "\U0001f600", "\x00"]


@st.composite
def half_written(draw: st.DrawFn) -> tuple[str, int]:
    """A program of the library or the examples, cut and torn as while somebody types, and a place in it."""
    text = draw(st.sampled_from(PROGRAMS))
    for _ in range(draw(st.integers(0, 3))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.integers(0, 12)))
        torn = [text[:start], text[:start] + text[end:], text[:start] + draw(st.sampled_from(PIECES)) + text[start:]]
        text = draw(st.sampled_from(torn))
    return text, draw(st.integers(0, len(text)))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(half_written())
def test_half_written_programs_are_answered(case: tuple[str, int]) -> None:
    ask(*case)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from([*PIECES, "x", "conv", "f", "op f(c) = "])).map("".join), st.data())
def test_heaps_of_words_are_answered(text: str, data: st.DataObject) -> None:
    ask(text, data.draw(st.integers(0, len(text))))


@pytest.mark.parametrize(
    "text",
    [
        "(" * 10_000,
        "op f = " + "relu -> " * 20_000 + "relu",
        "op f = " + "[" * 5_000 + "]" * 5_000,
        "x" * 200_000,
        "space s [x: (3, 8, 8)] -> y { y = x -> relu * 1000000000 }",
        "\n".join(f"op f{i} = f{i + 1} | f{i + 1}" for i in range(300)) + "\nspace s [x: (1)] -> y { y = x -> f0 }",
    ],
    ids=["parentheses", "a long pipeline", "brackets", "a long name", "many turns", "uses within uses"],
)
def test_hostile_files_are_answered(text: str) -> None:
    ask(text, len(text) // 2)
    ask(text, len(text))
