"""The manual is the test suite: every program in tests/spec is checked, and gives exactly what stands below it.

What a page holds is told in pages.py.

    ATNAS_UPDATE_SPEC=1 pytest tests/test_spec.py

writes what comes out today into the pages. Read it: what stands there is what users are promised.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from pages import CORPUS, GUIDES, MANUAL, OUTCOMES, Case, told

from atnas.dsl.findings.render import concise

DOCS = Path(__file__).parents[1] / "docs" / "language.md"
PAGES = (*MANUAL, *CORPUS, *GUIDES)


def write(page: Path) -> None:
    """Puts what comes out today into a page."""
    text = page.read_text(encoding="utf-8")
    blocks = [(b, OUTCOMES[kind](case.program())) for case in told(page) for kind, b in case.expected.items()]
    for block, outcome in reversed(blocks):
        text = text[: block.start(3)] + (f"{outcome}\n" if outcome else "") + text[block.end(3) :]
    page.write_text(text, encoding="utf-8")


if os.environ.get("ATNAS_UPDATE_SPEC") == "1":
    for each in PAGES:
        write(each)

EVERY = [pytest.param(page, case, id=f"{page.stem}:{case.line}") for page in PAGES for case in told(page)]


@pytest.mark.parametrize(("page", "case"), EVERY)
def test_program_of_the_manual(page: Path, case: Case) -> None:
    program = case.program()
    for kind, block in case.expected.items():
        assert OUTCOMES[kind](program) == block[3].removesuffix("\n"), f"{page.name}:{case.line} ({kind})"
    if "findings" not in case.expected and "full" not in case.expected:
        assert concise(program.findings) == "", f"{page.name}:{case.line}"


def test_the_reference_links_every_page() -> None:
    linked = re.findall(r"\(\.\./tests/spec/([\w.]+\.md)\)", DOCS.read_text(encoding="utf-8"))
    assert linked == [page.name for page in MANUAL]
