"""What a `Settings` can be given, in words: the documentation of an extension."""

from __future__ import annotations

from typing import NamedTuple

from atnas.dsl.plugins import entries, load
from atnas.dsl.settings.accepts import Accepts, listed
from atnas.dsl.settings.distributions import Between, OneOf, Uniform
from atnas.dsl.settings.fields import known
from atnas.dsl.settings.model import Settings


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
    for name, field in known(model).items():
        accept = field.accepts
        phrases = accept.phrases(bounds=True)
        if accept.draws:
            phrases.append("a number drawn anew for each task")
        default = None if field.required else field.default
        spelt = None if default is None else spell(default, accept)
        found.append(Described(name, listed(phrases), spelt, field.doc, field.required))
    return found


def spell(value: object, accept: Accepts) -> str:
    """A value of a field as it is written in a file: `true`, `[0.9, 0.999]`, `sgd(lr = 0.4)`, `1 | 5`."""
    match value:
        case bool():
            return str(value).lower()
        case str():
            return value if value in accept.words or accept.bare else f'"{value}"'
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
    given = [
        f"{name} = {spell(getattr(value, name), field.accepts)}"
        for name, field in known(type(value)).items()
        if field.required or getattr(value, name) != field.default
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
