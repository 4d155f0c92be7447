"""The corpus of broken programs, tests/spec/broken: what holds of all of them. What is said of each: test_spec.py."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

import pytest
from pages import CORPUS, MANUAL, Case, told

from atnas.dsl.findings.diagnostics import Diagnostic
from atnas.dsl.findings.explain import explanations
from atnas.dsl.source import Source
from atnas.runtime.checking import read_program

ELSEWHERE = {
    "E008": "a file of five million characters fits no page: test_parse.py",
    "E009": "a hundred syntax errors fit no page: test_parse.py",
    "E408": "told by the commands that work costs out: test_budget.py",
}
"""Codes that no page shows, and why."""

BROKEN = [pytest.param(case, id=f"{page.stem}:{case.line}") for page in CORPUS for case in told(page)]


def test_the_corpus_is_as_large_as_promised() -> None:
    assert len(BROKEN) >= 130


def test_every_code_stands_in_a_page() -> None:
    blocks = (b for page in (*MANUAL, *CORPUS) for case in told(page) for b in case.expected.values())
    shown = {code for block in blocks for code in re.findall(r"\b[EW]\d{3}\b", block[3])}
    assert shown | set(ELSEWHERE) == set(explanations())
    assert not shown & set(ELSEWHERE)


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_program_has_findings_and_no_two_at_one_place(case: Case) -> None:
    found = case.program().findings
    assert found
    places = Counter((f.span.source.path, f.span.start, f.span.end) for f in found)
    assert max(places.values()) == 1, places


@pytest.mark.parametrize("case", BROKEN)
def test_what_is_said_is_said_in_one_style(case: Case) -> None:
    """A sentence without its full stop, that begins small, on one line; what is quoted is closed."""
    for text in (text for f in case.program().findings for text in (f.message, f.help) if text):
        assert text == text.strip() and "\n" not in text
        assert not text.endswith(".") or text.endswith(".."), text
        assert not re.match(r"[A-Z][a-z]", text), text
        assert text.count("`") % 2 == 0 or "```" in text, text


def fixes() -> Iterator[tuple[Case, Diagnostic]]:
    for parameter in BROKEN:
        (case,) = parameter.values
        for finding in case.program().findings:  # type: ignore[union-attr]
            if finding.fix:
                yield case, finding  # type: ignore[misc]


@pytest.mark.parametrize(
    ("case", "finding"),
    [pytest.param(case, finding, id=f"{case.line}-{finding.code}-{finding.span.start}") for case, finding in fixes()],
)
def test_a_fix_cures_its_finding_and_breaks_nothing(case: Case, finding: Diagnostic) -> None:
    def findings(text: str) -> Counter[tuple[str, str]]:
        return Counter((f.code, f.message) for f in read_program(Source("file.atnas", text), case.read).findings)

    def errors(found: Counter[tuple[str, str]]) -> Counter[tuple[str, str]]:
        return Counter({told: count for told, count in found.items() if told[0].startswith("E")})

    before, text = findings(case.text), case.text
    for edit in sorted(finding.fix, key=lambda e: e.span.start, reverse=True):
        assert edit.span.source.path == "file.atnas"
        text = text[: edit.span.start] + edit.text + text[edit.span.end :]
    after = findings(text)
    assert errors(after) <= errors(before)
    assert after[finding.code, finding.message] == before[finding.code, finding.message] - 1


def test_fixes_are_common() -> None:
    assert len(list(fixes())) >= 120
