"""docs/settings.md is what the code says of its settings.

    ATNAS_UPDATE_SPEC=1 pytest tests/test_settings_page.py

writes the page anew.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Iterator
from pathlib import Path

from atnas.dsl.plugins import Group, entries, load
from atnas.dsl.settings import Settings
from atnas.dsl.settings.accepts import Accepts, listed, quoted
from atnas.dsl.settings.describe import Described, describe
from atnas.dsl.settings.fields import known
from atnas.runtime.program import MODELS

PAGE = Path(__file__).parents[1] / "docs" / "settings.md"

HEAD = """\
# Settings

All that `tasks`, `train`, `search` and `experiment` take, as it comes with atnas. This page is written by a test, from
the code; [tasks, training, search](../tests/spec/11_experiments.md) tells what the four are for. What packages add is
listed by `atnas list tasks`, `trainers`, `searchers` and `objectives`.

A word with arguments stands bare where none of them is needed: `outer = adam`, or `outer = adam(lr = 3e-3)`. A setting
is needed, or has a default, or may be left out. On the command line any of them is replaced by
`atnas run FILE --set train.iterations=500`.
"""


def built_in(group: Group) -> Iterator[tuple[str, type[Settings]]]:
    """What comes with atnas; tests may run where other packages bring more."""
    for word, entry in entries(group).items():
        if entry.package == "atnas":
            yield word, load(group, word)


def words_of(accept: Accepts) -> list[tuple[str, type[Settings]]]:
    """The words that a setting takes and that have settings of their own."""
    if accept.extension is None:
        return list(accept.variants.words.items()) if accept.variants else []
    return [(word, model) for word, model in built_in(accept.extension.group) if issubclass(model, accept.classes)]


OBJECTIVES = list(built_in("objectives"))

LINES = {
    "goals": Described(
        "maximize`, `minimize",
        f"an objective: {listed(quoted(word) for word, _ in OBJECTIVES)}; one line for each goal",
        None,
        "the answer is chosen by the first",
        True,
    ),
    "constraints": Described(
        "require",
        "a condition, see [constraints](../tests/spec/12_constraints.md)",
        None,
        "`require` lines: all of them hold",
        False,
    ),
}
"""Settings that are whole lines, without `=`."""


class Writer:
    """The page as it grows. What is told once is not told again."""

    def __init__(self) -> None:
        self.parts: list[str] = [HEAD]
        self._told: set[type[Settings]] = set()

    def declaration(self, keyword: str, model: type[Settings]) -> None:
        """A `tasks`, `train`, `search` or `experiment`, and after it every word that its settings take."""
        self.parts += [f"## {keyword}", *described(model)]
        self._words_of(model, keyword)

    def _words_of(self, model: type[Settings], place: str) -> None:
        for name, field in known(model).items():
            models = OBJECTIVES if name == "goals" else words_of(field.accepts)
            self._section(f"{place}: {'objectives' if name == 'goals' else quoted(name)}", models)

    def _section(self, title: str, models: list[tuple[str, type[Settings]]]) -> None:
        new = [(word, model) for word, model in models if model not in self._told]
        if not new:
            return
        self.parts.append(f"### {title}")
        for word, model in new:
            self._told.add(model)
            summary, *rest = described(model)
            self.parts += [f"`{word}`: {summary}", *rest]
        for word, model in new:
            self._words_of(model, f"`{word}`")


def described(model: type[Settings]) -> Iterator[str]:
    """What a class says of itself, its settings as a table, and which of them need no name."""
    yield inspect.getdoc(model) or ""
    rows = [LINES.get(row.name, row._replace(type=taken(model, row))) for row in describe(model)]
    if rows:
        yield "\n".join(["| setting | takes | default | |", "| --- | --- | --- | --- |", *map(line, rows)])
    if model.positional:
        names = " and ".join(f"`{name.removeprefix('*')}`" for name in model.positional)
        yield f"Needs no name: {names}."


def taken(model: type[Settings], row: Described) -> str:
    """What a setting takes, with the words that come with atnas."""
    accept = known(model)[row.name].accepts
    words = [quoted(word) for word, _ in words_of(accept)] if accept.extension else []
    return f"{row.type}: {listed(words)}" if words else row.type


def line(row: Described) -> str:
    default = "needed" if row.required else "" if row.default is None else f"`{row.default}`".replace("|", "\\|")
    return f"| `{row.name}` | {row.type} | {default} | {row.doc} |"


def page() -> str:
    writer = Writer()
    for keyword, model in MODELS.items():
        writer.declaration(keyword, model)
    return "\n\n".join(part.strip() for part in writer.parts) + "\n"


def test_the_page_is_what_the_code_says() -> None:
    if os.environ.get("ATNAS_UPDATE_SPEC") == "1":
        PAGE.write_text(page(), encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == page()


def test_every_setting_of_the_four_declarations_says_what_it_is() -> None:
    assert [f"{k}.{row.name}" for k, model in MODELS.items() for row in describe(model) if not row.doc] == []
