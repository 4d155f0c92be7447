"""What is told of the word under the cursor, in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from atnas.dsl.errors import Unable
from atnas.dsl.extern import written
from atnas.dsl.findings.diagnostics import Diagnostic
from atnas.dsl.findings.explain import explanations
from atnas.dsl.operator import Shape
from atnas.dsl.settings.describe import describe
from atnas.dsl.source import Span
from atnas.dsl.syntax.unparse import text
from atnas.editor.convert import fixed
from atnas.editor.index import Occurrence
from atnas.editor.meaning import (
    Builtin,
    Declaration,
    File,
    Local,
    Meaning,
    Metric,
    Part,
    Setting,
    Standard,
    StandardParameter,
    Word,
)
from atnas.editor.shapes import summary
from atnas.editor.signature import Signature, signature
from atnas.editor.workspace import View, library

MOST_SHAPES: Final = 6
LONGEST: Final = 200

BUILTINS: Final = {
    "chain": "The layers of a list one after another. Of a chosen list, those that were chosen.",
    "range": "`range(3)` is `[0, 1, 2]`.",
    "mix": "Tasks of several kinds, each with its weight.",
    "uniform": "Any number between the two, drawn anew for each task.",
}

METRICS: Final = {
    "params": "Trainable numbers.",
    "macs": "Multiply-accumulates for one example.",
    "flops": "Twice the `macs`.",
    "activations": "Numbers in the outputs of convolutions, linear layers and attention products.",
    "depth": "Convolutions and linear layers on the longest way through.",
    "count": "How many uses of an op are active, or how many members of a subset are chosen.",
    "latency": "Time for one example on a device.",
}


class Facts(Protocol):
    """What a check knows of a word beyond its meaning."""

    def shapes(self, occurrence: Occurrence) -> Sequence[Shape]:
        """The shapes that the tensor has in the architectures of the file; none where it is no tensor."""

    def count(self, occurrence: Occurrence) -> str | None:
        """How many architectures there are of it, in words; None where that is not known."""


@dataclass(frozen=True)
class Hover:
    span: Span
    markdown: str


def hover(view: View, offset: int, facts: Facts | None = None, findings: Iterable[Diagnostic] = ()) -> Hover | None:
    """What there is to say of the word at an offset and of the findings there; None where there is nothing."""
    found = view.index.at(offset)
    spans = [] if found is None else [found.span]
    parts = [] if found is None else [*about(found.meaning)]
    if facts is not None and found is not None:
        parts += _facts(found, facts)
    for finding in findings:
        if finding.span.start <= offset <= finding.span.end and finding.code in explanations():
            spans.append(finding.span)
            parts += _explained(finding)
    return Hover(fixed(spans[0]), "\n\n".join(part for part in parts if part)) if parts else None


def _explained(finding: Diagnostic) -> Iterator[str]:
    """What the code of a finding means."""
    explanation = explanations()[finding.code]
    yield f"**{explanation.code}** {explanation.title}"
    yield explanation.text


def about(meaning: Meaning) -> Iterator[str]:
    """The documentation of a word: paragraphs of Markdown."""
    match meaning:
        case Declaration() | Standard() | Part():
            made = signature(meaning)
            assert made is not None
            yield from signed(made)
            if isinstance(meaning, Declaration):
                yield _from(meaning)
        case Local():
            yield from _local(meaning)
        case StandardParameter(operator=word, name=name):
            yield from _parameter(Standard(word), name)
        case Setting():
            yield from _setting(meaning)
        case Word(word=word, of=setting):
            yield f"`{word}`, one of the words that `{setting.name}` takes"
            yield from _setting(setting)
        case Builtin(name):
            yield BUILTINS[name]
        case Metric(name):
            yield f"**{name}**: {METRICS[name]}"
        case File(path):
            place = library(f"<{path}>")
            yield "A file of the standard library." if place else f"`{path}`"


def signed(made: Signature) -> Iterator[str]:
    """A signature with its documentation and that of its parameters."""
    yield _code(made.label)
    yield made.doc
    told = [f"- `{p.label}`: {p.doc}" for p in made.parameters if p.doc]
    if told:
        yield "\n".join(told)


def _facts(found: Occurrence, facts: Facts) -> Iterator[str]:
    shapes = list(facts.shapes(found))
    if shapes:
        line = summary(shapes, LONGEST) if len(shapes) > MOST_SHAPES else None
        listed = ", ".join(f"`{written(shape)}`" for shape in shapes[:MOST_SHAPES])
        yield f"{len(shapes)} shapes, `{line}`" if line else f"shape {listed}"
    count = facts.count(found)
    if count is not None:
        yield count


def _from(meaning: Declaration) -> str:
    path = meaning.declared.module.source.path
    return f"from `{path[1:-1]}`" if library(path) else ""


def _local(local: Local) -> Iterator[str]:
    owner = f"`{local.owner.syntax.keyword} {local.owner.name}`"
    name = local.name.id
    if local.value is None:
        kinds = {"size": "size of an input", "element": "element of a list"}
        yield f"`{name}`: {kinds.get(local.kind, local.kind)} of {owner}"
        return
    value = text(local.value)
    value = value if len(value) <= LONGEST else f"{value[:LONGEST]} .."
    yield _code(f"{name} = {value}")
    yield f"{local.kind} of {owner}"


def _parameter(callee: Standard, name: str) -> Iterator[str]:
    made = signature(callee)
    given = made.parameter(name) if made is not None else None
    if given is not None:
        yield _code(given.label)
        yield given.doc
        yield f"parameter of `{callee.name}`"


def _setting(setting: Setting) -> Iterator[str]:
    try:
        fields = describe(setting.model)
    except Unable:
        return
    field = next((f for f in fields if f.name == setting.name), None)
    if field is None:
        return
    yield _code(field.name if field.default is None else f"{field.name} = {field.default}")
    yield field.doc
    yield f"{'needed; ' if field.required else ''}{field.type}"


def _code(line: str) -> str:
    return f"```atnas\n{line}\n```"
