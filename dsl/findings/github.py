"""Findings as workflow commands of GitHub Actions, which shows them in the change that they are in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from atnas.dsl.findings.diagnostics import Diagnostic
from atnas.dsl.findings.render import in_order
from atnas.dsl.source import Span


def github(findings: Iterable[Diagnostic]) -> str:
    """One command a finding, in source order: `::error file=..,line=..::message`.

    Columns are given where a finding ends on the line it begins on; GitHub takes none elsewhere.
    """
    return "\n".join(_command(f) for f in in_order(findings))


def _command(f: Diagnostic) -> str:
    properties = {**dict(_place(f.span)), "title": f"{f.severity}[{f.code}]"}
    listed = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    notes = (f"{word}: {note}" for word, note in (("when", f.when), ("help", f.help)) if note)
    return f"::{f.severity} {listed}::{_data(chr(10).join([f.message, *notes]))}"


def _place(span: Span) -> Iterator[tuple[str, str]]:
    """What is on no disk, as standard input, has no place that GitHub could show."""
    if span.source.path.startswith("<"):
        return
    (line, column), (end_line, end_column) = map(span.source.position, (span.start, span.end))
    yield from (("file", span.source.path), ("line", str(line)), ("endLine", str(end_line)))
    if line == end_line:
        yield from (("col", str(column)), ("endColumn", str(end_column)))


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
