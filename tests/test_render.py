"""How findings are shown: with their source, in one line, as JSON; and what the nearest word is."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.text import Text

from atnas.dsl.findings.diagnostics import Diagnostic, Label
from atnas.dsl.findings.render import as_json, concise, full
from atnas.dsl.findings.suggest import nearest
from atnas.dsl.source import Source, Span
from atnas.dsl.syntax.parse import parse

NET = Source("net.atnas", "\n" * 11 + "  x2 = x0 -> edge(c) + x1 -> down(2 * c)\n")


def at(source: Source, text: str, start: int = 0) -> Span:
    begin = source.text.index(text, start)
    return Span(source, begin, begin + len(text))


SHAPES = Diagnostic(
    "E301",
    at(NET, "x0 -> edge(c)"),
    "these branches have different shapes",
    help="give both branches the same stride and channels, or join them with concat after resize",
    when="edge = avg_pool",
    inner="(16, 32, 32)",
    labels=(Label(at(NET, "x1 -> down(2 * c)"), "(32, 16, 16)"),),
)


def test_the_finding_of_the_manual() -> None:
    assert (
        full([SHAPES])
        == """\
error[E301]: these branches have different shapes
  --> net.atnas:12:8
   |
12 |   x2 = x0 -> edge(c) + x1 -> down(2 * c)
   |        ^^^^^^^^^^^^^ (16, 32, 32)
   |                        ----------------- (32, 16, 16)
   = when: edge = avg_pool
   = help: give both branches the same stride and channels, or join them with concat after resize"""
    )


def test_labels_elsewhere_bring_their_lines() -> None:
    source = Source("a.atnas", "one\ntwo\nthree\nfour\nfive\nsix\n")
    labels = (Label(at(source, "one"), "first"), Label(at(source, "six"), "last"))
    finding = Diagnostic("W100", at(source, "three"), "look", labels=labels)
    assert (
        full([finding])
        == """\
warning[W100]: look
 --> a.atnas:3:1
  |
1 | one
  | --- first
2 | two
3 | three
  | ^^^^^
...
6 | six
  | --- last"""
    )


def test_labels_in_another_file_name_it() -> None:
    other = Source("lib.atnas", "op mb(c) = conv(c, 3)\n")
    finding = Diagnostic("E203", at(NET, "edge(c)"), "look", labels=(Label(at(other, "mb(c)"), "declared here"),))
    assert (
        full([finding])
        == """\
error[E203]: look
  --> net.atnas:12:14
   |
12 |   x2 = x0 -> edge(c) + x1 -> down(2 * c)
   |              ^^^^^^^
  ::: lib.atnas:1:4
   |
 1 | op mb(c) = conv(c, 3)
   |    ----- declared here"""
    )


def test_findings_come_in_source_order_with_a_blank_line_between() -> None:
    source = Source("a.atnas", "one two\nthree\n")
    findings = [Diagnostic(code, at(source, word), word) for code, word in [("E1", "three"), ("E2", "two")]]
    assert re.findall(r"^error.*|^$", full(findings), re.MULTILINE) == ["error[E2]: two", "", "error[E1]: three"]
    assert concise(findings) == "a.atnas:1:5: E2 two\na.atnas:2:1: E1 three"
    assert [f["code"] for f in as_json(findings, 1)["findings"]] == ["E2", "E1"]


def under(source: str, word: str) -> tuple[str, str]:
    """The line shown, and the line with carets below it."""
    text = Source("a.atnas", source)
    lines = full([Diagnostic("E001", at(text, word), "look")]).splitlines()
    return lines[3], lines[4]


@pytest.mark.parametrize("before", ["\t", "日本", "e\u0301", "x\ty ", '"ｗｉｄｅ" '])
def test_carets_stand_under_their_text_in_a_terminal(before: str) -> None:
    line, carets = under(f"{before}bad = 1", "bad")
    assert cell_len(line[: line.index("bad")]) == cell_len(carets[: carets.index("^")])
    assert carets.count("^") == 3


def test_carets_are_as_wide_as_wide_text() -> None:
    assert under('x = "日本"', "日本")[1].count("^") == 4


@given(st.text(st.characters(exclude_characters="\n"), max_size=300), st.data())
def test_any_line_is_shown_on_one_line_with_a_caret(line: str, data: st.DataObject) -> None:
    source = Source("a.atnas", f"{line}\nnext\n")
    start = data.draw(st.integers(0, len(line)))
    span = Span(source, start, data.draw(st.integers(start, len(source.text))))
    shown = full([Diagnostic("E001", span, line or "look")]).split("\n")
    assert len(shown) == 5
    assert shown[4].strip(" |").strip("^") == "" and "^" in shown[4]
    assert all(part.isprintable() for part in shown)


def test_of_a_very_long_line_the_part_around_the_finding_is_shown() -> None:
    line, carets = under("x" * 100_000 + " bad " + "y" * 100_000, "bad")
    assert len(line) < 300
    assert line.index("bad") == carets.index("^")


def test_a_span_of_several_lines_is_underlined_on_its_first() -> None:
    assert under("x = [\n 1,\n]\n", "[\n 1,\n]") == ("1 | x = [", "  |     ^")


def test_the_end_of_the_file_can_be_pointed_at() -> None:
    source = Source("a.atnas", "op f = x\n")
    assert full([Diagnostic("E001", Span(source, 9, 9), "look")]).splitlines()[1:] == [
        " --> a.atnas:2:1",
        "  |",
        "2 |",
        "  | ^",
    ]


def test_nothing_in_a_file_steers_the_terminal() -> None:
    source = Source("a\x1b[2J.atnas", 'op f = "\x1b[31m" )\n')
    _, findings = parse(source)
    assert findings
    assert "\x1b" not in full(findings) + concise(findings)


def test_colours_only_when_asked_and_they_change_nothing_else() -> None:
    colored = full([SHAPES], color=True)
    assert "\x1b[" in colored and "\x1b" not in full([SHAPES])
    assert Text.from_ansi(colored).plain == full([SHAPES])


def test_json() -> None:
    warning = Diagnostic("W101", at(NET, "x2"), "look")
    report = json.loads(json.dumps(as_json([SHAPES, warning], files=3)))
    assert report == {
        "version": 1,
        "findings": [
            {
                "code": "W101",
                "severity": "warning",
                "message": "look",
                "help": None,
                "file": "net.atnas",
                "start": {"line": 12, "column": 3, "offset": 13},
                "end": {"line": 12, "column": 5, "offset": 15},
                "labels": [],
            },
            {
                "code": "E301",
                "severity": "error",
                "message": "these branches have different shapes",
                "help": "give both branches the same stride and channels, or join them with concat after resize",
                "file": "net.atnas",
                "start": {"line": 12, "column": 8, "offset": 18},
                "end": {"line": 12, "column": 21, "offset": 31},
                "labels": [
                    {
                        "message": "(32, 16, 16)",
                        "start": {"line": 12, "column": 24, "offset": 34},
                        "end": {"line": 12, "column": 41, "offset": 51},
                    }
                ],
            },
        ],
        "summary": {"files": 3, "errors": 1, "warnings": 1},
    }


def test_nothing_found() -> None:
    assert (full([]), concise([])) == ("", "")
    assert as_json([], 2)["summary"] == {"files": 2, "errors": 0, "warnings": 0}


# Did you mean


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("covn", "conv"),
        ("Linear", "linear"),
        ("lniear", "linear"),
        ("maxpool", "max_pool"),
        ("avgpool", "avg_pool"),
        ("RELU", "relu"),
        ("relu_6", "relu6"),
        ("banana", None),
        ("x", None),
        ("", None),
    ],
)
def test_nearest(word: str, meant: str | None) -> None:
    operators = ["conv", "linear", "max_pool", "avg_pool", "relu", "relu6", "bn", "ln", "skip"]
    assert nearest(word, operators) == meant


def test_nearest_prefers_the_same_case() -> None:
    assert nearest("mb", ["Mb", "MB", "mb"]) == "mb"
    assert nearest("conv", []) is None
