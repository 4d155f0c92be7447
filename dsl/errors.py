"""What keeps something from being done: a missing file, a full disk, a program with mistakes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from atnas.dsl.findings.diagnostics import Diagnostic


class Unable(Exception):
    """It could not be done. The text is one sentence for the user, with the cure where there is one."""


class Findings(Exception):
    """A program has mistakes. Its text shows them all, each with its place and its cure."""

    def __init__(self, findings: Sequence[Diagnostic]) -> None:
        super().__init__(findings)
        self.findings = tuple(findings)

    def __str__(self) -> str:
        from atnas.dsl.findings.render import full

        return full(self.findings)
