"""Every code that can be emitted is explained, and every explanation's example is true."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from atnas.dsl.errors import Unable
from atnas.dsl.findings.explain import explanations
from atnas.dsl.source import Source
from atnas.runtime.checking import read_program

ROOT = Path(__file__).resolve().parent.parent
WITHOUT_EXAMPLE = {"E007", "E008", "E009", "E408"}
"""Too long to print, and what `check` leaves to the commands that work costs out."""


def codes_of(text: str) -> list[str]:
    def nothing(path: str) -> str:
        raise Unable(f"{path} is not there")

    return [finding.code for finding in read_program(Source("file.atnas", text), nothing).findings]


def test_every_code_that_the_sources_name_is_explained_and_no_other() -> None:
    sources = [*ROOT.glob("dsl/**/*.py"), *ROOT.glob("compiler/**/*.py"), *ROOT.glob("runtime/**/*.py")]
    emitted = {code for path in sources for code in re.findall(r'"([EW]\d{3})"', path.read_text("utf-8"))}
    assert emitted == set(explanations())


def test_every_explanation_has_an_example_where_one_fits_a_page() -> None:
    assert {e.code for e in explanations().values() if not e.fails or not e.cured} == WITHOUT_EXAMPLE


@pytest.mark.parametrize("code", sorted(set(explanations()) - WITHOUT_EXAMPLE))
def test_the_example_has_the_finding_and_no_other_and_the_cured_one_has_none(code: str) -> None:
    assert set(codes_of(explanations()[code].fails)) == {code}
    assert codes_of(explanations()[code].cured) == []
