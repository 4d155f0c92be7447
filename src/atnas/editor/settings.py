"""What the words of `tasks`, `train`, `search` and `experiment` mean."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from atnas.dsl.errors import Unable
from atnas.dsl.modules import Declared, Module
from atnas.dsl.plugins import entries
from atnas.dsl.settings import Extension, Settings, Uniform
from atnas.dsl.settings.accepts import Accepts, Member
from atnas.dsl.settings.configure import GOALS
from atnas.dsl.settings.fields import known
from atnas.dsl.syntax import ast, walk
from atnas.dsl.syntax.walk import children
from atnas.editor.meaning import Builtin, Declaration, Meaning, Part, Setting, Word, extension, own_parameters
from atnas.runtime.experiment import Search
from atnas.runtime.program import MODELS
from atnas.runtime.search.objectives import Objective

UNIFORM: Final = "uniform"
MIX: Final = "mix"


class Said(NamedTuple):
    """A word and what it means."""

    name: ast.Name
    meaning: Meaning


class Expected(NamedTuple):
    """What may stand somewhere: a setting and what it accepts."""

    setting: Setting
    accepts: Accepts


OBJECTIVES: Final = Expected(
    Setting("search", Search, GOALS), Accepts("objective", (Member(Objective, (Extension("objectives"),)),))
)
"""What stands behind `maximize` and `minimize`."""


def words(declared: Declared) -> Iterator[Said]:
    """The meanings of the words in a declaration of settings, its `require` lines left out."""
    syntax = declared.syntax
    if not isinstance(syntax, ast.Settings):
        return
    for word in () if syntax.short is None else walk.words(syntax.short):
        if word.id in declared.module.names:
            yield Said(word, Declaration(declared.module.names[word.id]))
        elif word.id == MIX:
            yield Said(word, Builtin(MIX))
    model = MODELS[syntax.keyword]
    for line in syntax.body:
        if isinstance(line, ast.Goal):
            yield from _value(line.objective, OBJECTIVES, declared.module)
        elif isinstance(line, ast.Bind | ast.Draw):
            setting = Setting(syntax.keyword, model, line.name.id)
            expected = expects(setting)
            if expected is not None:
                yield Said(line.name, setting)
                yield from _value(line.value, expected, declared.module)


def expects(setting: Setting) -> Expected | None:
    """What a setting accepts; None where there is none of that name or its type is not to be had."""
    field = known(setting.model).get(setting.name)
    try:
        return None if field is None else Expected(setting, field.accepts)
    except Unable:
        return None


def part(word: str, accepts: Accepts) -> Part | None:
    """The extension or variant that a word stands for."""
    variant = accepts.variant(word)
    if variant is not None:
        return Part(word, variant)
    if accepts.draws and word == UNIFORM:
        return Part(word, Uniform)
    if accepts.extension is None:
        return None
    model = extension(accepts.extension.group, word)
    if model is None or not issubclass(model, accepts.classes):
        return None
    return Part(word, model, accepts.extension.group)


def parts(accepts: Accepts) -> Iterator[Part]:
    """Every extension and variant that may stand somewhere."""
    listed = [*(accepts.variants.words if accepts.variants else ())]
    listed += entries(accepts.extension.group) if accepts.extension else ()
    found = (part(word, accepts) for word in listed)
    yield from (each for each in found if each is not None)


def argument(model: type[Settings], before: Sequence[str | None]) -> str | None:
    """The field that an argument without a name fills, after arguments of these names."""
    place = sum(name is None for name in before)
    if place < len(model.positional):
        return model.positional[place].removeprefix("*")
    last = model.positional[-1] if model.positional else ""
    return last[1:] if last.startswith("*") else None


def _value(node: ast.Expr, expected: Expected, module: Module) -> Iterator[Said]:
    accepts = expected.accepts
    match node:
        case ast.Name() | ast.Call():
            word = node.function if isinstance(node, ast.Call) else node
            found = part(word.id, accepts)
            if found is not None:
                yield from _part(word, node, found, module)
            elif word.id in accepts.words:
                yield Said(word, Word(word.id, expected.setting))
            elif word.id in module.names:
                yield from _reference(word, node, module)
        case ast.List(items=items):
            inner = accepts.items or accepts
            for item in items:
                yield from _value(item, Expected(expected.setting, inner), module)
        case _:
            for child in children(node):
                yield from _value(child, expected, module)


def _part(word: ast.Name, node: ast.Expr, found: Part, module: Module) -> Iterator[Said]:
    yield Said(word, found)
    before: list[str | None] = []
    for given in node.arguments if isinstance(node, ast.Call) else ():
        name = given.name.id if given.name else argument(found.model, before)
        before.append(given.name.id if given.name else None)
        expected = None if name is None else expects(Setting(found.word, found.model, name))
        if expected is None:
            continue
        if given.name is not None:
            yield Said(given.name, expected.setting)
        accepts = expected.accepts
        starred = given.name is None and accepts.items is not None
        yield from _value(
            given.value, Expected(expected.setting, accepts.items or accepts) if starred else expected, module
        )


def _reference(word: ast.Name, node: ast.Expr, module: Module) -> Iterator[Said]:
    """A declaration of the program, as a setting names it, with the arguments of a space."""
    declared = module.names[word.id]
    yield Said(word, Declaration(declared))
    parameters = {p.name.id: p for p in own_parameters(declared)}
    for given in node.arguments if isinstance(node, ast.Call) else ():
        if given.name is not None and given.name.id in parameters:
            yield Said(given.name, parameters[given.name.id])
