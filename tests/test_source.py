"""Places in a text, and parts of it that move."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atnas.dsl.source import Part, Source, Span

TEXT = Source("net.atnas", "one\ntwo three\n\nfour")


@pytest.mark.parametrize(("offset", "place"), [(0, (1, 1)), (3, (1, 4)), (4, (2, 1)), (14, (3, 1)), (19, (4, 5))])
def test_lines_and_columns_count_from_one(offset: int, place: tuple[int, int]) -> None:
    assert TEXT.position(offset) == place


def test_lines_come_without_their_ends() -> None:
    assert [TEXT.line(n) for n in (1, 2, 3, 4)] == ["one", "two three", "", "four"]
    assert Source("a", "one\r\ntwo").line(1) == "one"


@given(st.text(st.sampled_from("a\n\r\t\N{GREEK SMALL LETTER PI}"), max_size=30))
def test_a_position_leads_back_to_its_offset(text: str) -> None:
    source = Source("a", text)
    lines = text.split("\n")
    for offset in range(len(text) + 1):
        line, column = source.position(offset)
        assert len("\n".join(["", *lines[: line - 1]])) + column - 1 - (line == 1) + (line == 1) == offset
        assert source.line(line) == lines[line - 1].rstrip("\r")


def test_a_span_of_a_part_tells_its_place_in_the_whole() -> None:
    part = Part(TEXT, 4, "two three\n")
    span = Span(part, 4, 9)
    assert (span.text, span.start, span.end, span.source) == ("three", 8, 13, TEXT)
    assert repr(span) == "net.atnas:2:5"
    assert span == Span(TEXT, 8, 13) and hash(span) == hash(Span(TEXT, 8, 13))
    assert span != Span(TEXT, 8, 12) and span != Span(Source("other.atnas", TEXT.text), 8, 13)


def test_spans_follow_a_part_that_moves() -> None:
    part = Part(TEXT, 4, "two three\n")
    span = Span(part, 4, 9)
    later = Source("net.atnas", "a line more\n" + TEXT.text)
    part.move(later, 16)
    assert (span.text, span.start, repr(span)) == ("three", 20, "net.atnas:3:5")


def test_a_span_to_another_covers_both() -> None:
    part = Part(TEXT, 4, "two three\n")
    assert Span(part, 0, 3).to(Span(part, 4, 9)).text == "two three"
    assert Span(TEXT, 0, 3).to(Span(part, 0, 3)).text == "one\ntwo"


def test_a_span_survives_the_way_to_another_process() -> None:
    span = Span(Part(TEXT, 4, "two three\n"), 4, 9)
    assert pickle.loads(pickle.dumps(span)) == span
