"""What can be proposed to somebody who writes: words with their documentation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Literal

from atnas.dsl.elaborate.builtins import BUILTINS
from atnas.dsl.elaborate.conditions import MEASURED, METRICS
from atnas.dsl.modules import Module
from atnas.dsl.plugins import entries
from atnas.dsl.syntax import ast
from atnas.dsl.syntax.grammar import reserved
from atnas.editor.hover import about
from atnas.editor.meaning import Builtin, Declaration, Local, Meaning, Metric, Part, Setting, Standard, Word
from atnas.editor.signature import Given, signature

Kind = Literal["operator", "layer", "settings", "name", "parameter", "part", "word", "keyword", "metric", "library"]

KINDS: Final[dict[type, Kind]] = {
    Standard: "operator",
    Builtin: "operator",
    Local: "name",
    Metric: "metric",
    Part: "part",
    Setting: "parameter",
    Word: "word",
}

KEYWORDS: Final = {
    "use": "names from another file, or from the library",
    "extern": "a layer of your own in Python",
    "op": "a layer built from layers, decided afresh at each use",
    "cell": "a layer built from layers, decided once for all uses",
    "space": "a whole network family",
    "tasks": "a distribution over tasks",
    "train": "how the weights are learned over the tasks",
    "search": "how architectures are searched",
    "experiment": "a space, tasks, train and search under one name",
    "require": "a condition that every architecture must meet",
    "maximize": "an objective that is to be large",
    "minimize": "an objective that is to be small",
    "of": "`2 of xs`: a subset, a decision",
    "for": "`[f for x in xs]`: a list made from a list",
    "in": "`x in [3, 5]`: one of these; or the list of a `for`",
    "step": "`8..32 step 8`: a range in steps",
    "if": "`require a if b`: asks only where b holds",
    "and": "both conditions hold",
    "true": "",
    "false": "",
}

DECLARING: Final = ("use", "extern", "op", "cell", "space", "tasks", "train", "search", "experiment")
INFIX: Final = ("of", "for", "in", "step", "if", "and")
TRUTHS: Final = ("true", "false")


@dataclass(frozen=True)
class Proposal:
    """What is shown, what is written instead where that is another, and documentation in Markdown.

    Lower ranks come first.
    """

    label: str
    kind: Kind
    rank: int
    detail: str = ""
    doc: str = ""
    insert: str = ""


def proposal(label: str, meaning: Meaning, rank: int) -> Proposal:
    """A word that means this."""
    made = signature(meaning)
    kind = KINDS.get(type(meaning), "layer")
    if isinstance(meaning, Declaration) and isinstance(meaning.declared.syntax, ast.Settings):
        kind = "settings"
    doc = "\n\n".join(part for part in about(meaning) if part)
    return Proposal(label, kind, rank, made.label if made else "", doc)


def keywords(words: Iterable[str], rank: int) -> Iterator[Proposal]:
    yield from (Proposal(word, "keyword", rank, KEYWORDS[word]) for word in words)


def arguments(given: Iterable[Given], rank: int) -> Iterator[Proposal]:
    """Parameters to be given by name."""
    for parameter in given:
        if parameter.name:
            insert = f"{parameter.name} = "
            yield Proposal(parameter.name, "parameter", rank, parameter.label, parameter.doc, insert)


def layers(module: Module, rank: int) -> Iterator[Proposal]:
    """The ops, cells and layers in Python that a file has, and the standard operators."""
    for name, declared in module.names.items():
        if not isinstance(declared.syntax, ast.Settings) and declared.syntax.keyword != "space":
            yield proposal(name, Declaration(declared), rank)
    for word in (w for w in entries("ops") if w not in reserved()):
        yield proposal(word, Standard(word), rank + 1)
    yield from (proposal(word, Builtin(word), rank + 1) for word in BUILTINS)


def metrics(rank: int) -> Iterator[Proposal]:
    yield from (proposal(word, Metric(word), rank) for word in (*METRICS, *MEASURED))
