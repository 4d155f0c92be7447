"""The one style of the language, as edits to a document."""

from __future__ import annotations

import logging

from atnas.dsl.findings.diagnostics import Edit
from atnas.dsl.source import Source, Span
from atnas.dsl.syntax.format import FormatError, formatted
from atnas.dsl.syntax.parse import parse

log = logging.getLogger(__name__)


def formatting(source: Source) -> list[Edit] | None:
    """The edit that formats a document: none where it is as it should be, None where it cannot be read."""
    program, findings = parse(Source(source.path, source.text.replace("\r\n", "\n")))
    if findings:
        return None
    try:
        text = formatted(program)
    except FormatError as error:
        log.error("%s", error)
        return None
    if "\r\n" in source.text:
        text = text.replace("\n", "\r\n")
    return [] if text == source.text else [_smallest(source, text)]


def _smallest(source: Source, text: str) -> Edit:
    """The edit that leaves alone the lines before the first and after the last that changes."""
    old, new = source.text.splitlines(keepends=True), text.splitlines(keepends=True)
    most = min(len(old), len(new))
    same = next((i for i in range(most) if old[i] != new[i]), most)
    tail = next((i for i in range(most - same) if old[-1 - i] != new[-1 - i]), most - same)
    start, end = len("".join(old[:same])), len(source.text) - len("".join(old[len(old) - tail :]))
    return Edit(Span(source, start, end), "".join(new[same : len(new) - tail]))
