"""What a `Settings` can be given, in words: the documentation of an extension."""

from __future__ import annotations

from typing import NamedTuple

from atnas.dsl.plugins import entries, load
from atnas.dsl.settings import Between, OneOf, Settings, Uniform
from atnas.dsl.settings.accepts import Accepts, accepts, listed


class Described(NamedTuple):
    """One setting or argument. `default` is written as in a file, None where there is no word for it."""

    name: str
    type: str
    default: str | None
    doc: str
    required: bool


def describe(model: type[Settings]) -> list[Described]:
    """Every field of a model, in order."""
    found = []
    for name, field in model.model_fields.items():
        accept = accepts(name, field)
        phrases = accept.phrases(bounds=True)
        if accept.draws:
            phrases.append("a number drawn anew for each task")
        default = None if field.is_required() else field.get_default(call_default_factory=True)
        spelt = None if default is None else spell(default, accept)
        found.append(Described(name, listed(phrases), spelt, field.description or "", field.is_required()))
    return found


def spell(value: object, accept: Accepts) -> str:
    """A value of a field as it is written in a file: `true`, `[0.9, 0.999]`, `sgd(lr = 0.4)`, `1 | 5`."""
    match value:
        case bool():
            return str(value).lower()
        case str():
            return value if value in accept.words else f'"{value}"'
        case tuple() | list():
            items = accept.items or accept
            return f"[{', '.join(spell(item, items) for item in value)}]"
        case OneOf(options=options):
            return " | ".join(map(str, options))
        case Between(first=first, last=last, step=step):
            return f"{first}..{last}" if step == 1 else f"{first}..{last} step {step}"
        case Uniform(first=first, last=last):
            return f"uniform({first}, {last})"
        case Settings():
            return _call(value, accept)
        case _:
            return str(value)


def _call(value: Settings, accept: Accepts) -> str:
    """The word of a `Settings` and the arguments that differ from its defaults."""
    fields = type(value).model_fields
    given = [
        f"{name} = {spell(inner, accepts(name, fields[name]))}"
        for name, inner in value
        if fields[name].is_required() or inner != fields[name].get_default(call_default_factory=True)
    ]
    word = _word(type(value), accept)
    return f"{word}({', '.join(given)})" if given else word


def _word(model: type[Settings], accept: Accepts) -> str:
    """What a class is called in the language."""
    words = dict(accept.variants.words) if accept.variants else {}
    if accept.extension is not None:
        group = accept.extension.group
        words |= {word: load(group, word) for word in entries(group)}
    return next((word for word, found in words.items() if found is model), model.__name__)
