"""Findings as an editor shows them, and their cures as edits."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from atnas.dsl.findings.diagnostics import Diagnostic, Edit


@dataclass(frozen=True)
class Action:
    """A cure that can be applied as it stands."""

    title: str
    finding: Diagnostic
    edits: tuple[Edit, ...]


def message(finding: Diagnostic) -> str:
    """The sentence of a finding with all that is said below it."""
    lines = [finding.message + (f": {finding.inner}" if finding.inner else "")]
    lines += [f"when {finding.when}"] if finding.when else []
    lines += [f"help: {finding.help}"] if finding.help else []
    return "\n".join(lines)


def actions(findings: Iterable[Diagnostic], start: int, end: int) -> list[Action]:
    """The cures of the findings that touch a stretch of their file."""
    found = [f for f in findings if f.fix and f.span.start <= end and start <= f.span.end]
    return [Action(title(f), f, f.fix) for f in found]


def title(finding: Diagnostic) -> str:
    """What a cure does, in a few words."""
    if len(finding.fix) == 1:
        edit = finding.fix[0]
        old, new = _short(edit.span.text), _short(edit.text)
        if not new:
            return f"Remove `{old}`"
        return f"Replace `{old}` by `{new}`" if old else f"Insert `{new}`"
    return finding.help or finding.message


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 40 else f"{line[:38]}.."
