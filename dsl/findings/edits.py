"""Edits that cures are made of."""

from __future__ import annotations

from collections.abc import Sequence

from atnas.dsl.findings.diagnostics import Edit
from atnas.dsl.source import Span


def around(span: Span, opening: str, closing: str) -> tuple[Edit, ...]:
    """What puts a stretch between brackets."""
    first, last = Span(span.part, span.first, span.first), Span(span.part, span.last, span.last)
    return Edit(first, opening), Edit(last, closing)


def without(span: Span) -> tuple[Edit, ...]:
    """What leaves a statement or declaration out, with its lines where nothing else stands on them."""
    part, text = span.part, span.part.text
    first, last = text.rfind("\n", 0, span.first) + 1, text.find("\n", span.last) + 1 or len(text)
    if text[first : span.first].strip() or text[span.last : last].strip():
        return (Edit(span, ""),)
    return (Edit(Span(part, first, last), ""),)


def without_item(items: Sequence[Span], at: int) -> tuple[Edit, ...]:
    """What leaves one of several out, with what joins it to the one before, or to the next where it is the first.

    None where something else than a sign and spaces stands between: parentheses, say, or a comment.
    """
    if at == 0:
        span, joint = Span(items[0].part, items[0].first, items[1].first), _between(items[0], items[1])
    else:
        span, joint = Span(items[at].part, items[at - 1].last, items[at].last), _between(items[at - 1], items[at])
    return (Edit(span, ""),) if len(joint) == 1 else ()


def _between(one: Span, other: Span) -> str:
    return one.part.text[one.last : other.first].strip()
