"""Findings: what is wrong in a user's file, where, and what cures it. Values, not exceptions."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from atnas.dsl.source import Span

Severity = Literal["error", "warning"]


@dataclass(frozen=True)
class Label:
    """A further place that explains a finding."""

    span: Span
    message: str


@dataclass(frozen=True)
class Edit:
    """Text to stand in place of what a span covers."""

    span: Span
    text: str


@dataclass(frozen=True)
class Diagnostic:
    """One finding.

    `message` is one sentence in the author's words; `help` is the cure; `when` names the decisions under
    which it happens; `inner` labels the main span itself; `fix` is the cure as edits, where it is that exact.
    """

    code: str
    span: Span
    message: str
    help: str | None = None
    when: str | None = None
    inner: str = ""
    labels: tuple[Label, ...] = ()
    fix: tuple[Edit, ...] = ()

    def used(self, call: Span) -> Diagnostic:
        """The same of something that is used in another file, with the place of that use.

        That is what is to be mended where what is used belongs to the library.
        """
        if self.span.source == call.source:
            return self
        if not self.span.source.is_library:
            return replace(self, labels=(*self.labels, Label(call, "used here")))
        labels = (Label(self.span, self.inner or "here"), *self.labels)
        return replace(self, span=call, inner="in this use", labels=labels, fix=())

    @property
    def severity(self) -> Severity:
        return "warning" if self.code.startswith("W") else "error"
