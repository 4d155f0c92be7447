"""What may be written in `tasks`, `train`, `search` and `experiment`, and what takes arguments there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from atnas.dsl.modules import Module
from atnas.dsl.settings import Uniform
from atnas.dsl.settings.configure import GOALS, settable
from atnas.dsl.settings.fields import known
from atnas.editor.cursor import ENDING, Arguments, Cursor, in_condition
from atnas.editor.meaning import Builtin, Declaration, Part, Setting, Word
from atnas.editor.proposals import TRUTHS, Proposal, arguments, keywords, metrics, proposal
from atnas.editor.settings import MIX, OBJECTIVES, UNIFORM, Expected, argument, expects, part, parts
from atnas.editor.signature import Signature, signature
from atnas.runtime.program import MODELS

LINES: Final = ("maximize", "minimize", "require")


def in_settings(at: Cursor, module: Module, keyword: str) -> Iterator[Proposal]:
    """The proposals in the body of a declaration of settings."""
    inside = at.brackets
    if not inside or at.tokens.kind(inside[0]) != "LBRACE":
        yield from _mix(at, module, keyword)
        return
    if len(inside) == 1 and at.begins_statement:
        yield from _settings(at, keyword)
    elif in_condition(at):
        yield from metrics(1)
    elif at.before not in ENDING:
        yield from _values(at, module, inside[1:])


def _mix(at: Cursor, module: Module, keyword: str) -> Iterator[Proposal]:
    """What may stand in `tasks both = mix(0.7 * letters, 0.3 * pictures)`."""
    if keyword != "tasks" or not at.in_body or at.before in ENDING:
        return
    if not at.brackets:
        yield proposal(MIX, Builtin(MIX), 1)
        return
    for name, declared in module.names.items():
        if declared.syntax.keyword == keyword:
            yield proposal(name, Declaration(declared), 1)


def settings_signature(at: Cursor, module: Module, word: str, outside: Sequence[int]) -> Signature | None:
    """The signature of a word of settings that takes arguments; `outside` are the brackets around its call."""
    expected = _expected(at, outside[1:])
    if expected is None:
        return None
    found = part(word, expected.accepts)
    if found is not None:
        return signature(found)
    reference = expected.accepts.reference
    declared = module.names.get(word)
    if reference is None or declared is None or declared.syntax.keyword != reference.keyword:
        return None
    return signature(Declaration(declared))


def _settings(at: Cursor, keyword: str) -> Iterator[Proposal]:
    """The settings that are not set yet."""
    body, around = at.brackets[0], at.tokens.brackets.around
    inside = (k for k in range(body + 1, len(around)) if around[k] == body and k != at.i)
    there = {at.text(k) for k in inside if at.tokens.begins_statement(k)}
    model = MODELS[keyword]
    for name in settable(model):
        if name not in there:
            made = proposal(name, Setting(keyword, model, name), 1)
            rank = 0 if known(model)[name].required else 1
            yield Proposal(name, "parameter", rank, made.detail, made.doc, f"{name} = ")
    if GOALS in known(model):
        yield from keywords(LINES, 2)


def _values(at: Cursor, module: Module, brackets: Sequence[int]) -> Iterator[Proposal]:
    """What the setting takes in which the cursor stands."""
    given = at.arguments(brackets[-1]) if brackets else None
    if given is not None and given.fresh:
        yield from _arguments(at, module, given, brackets)
    expected = _expected(at, brackets)
    if expected is None:
        return
    accepts = expected.accepts
    yield from (proposal(word, Word(word, expected.setting), 0) for word in accepts.words)
    if accepts.is_truth:
        yield from keywords(TRUTHS, 0)
    for found in parts(accepts):
        yield proposal(found.word, found, 1)
    if accepts.draws and at.before == "TILDE":
        yield proposal(UNIFORM, Part(UNIFORM, Uniform), 1)
    if accepts.reference is not None:
        for name, declared in module.names.items():
            if declared.syntax.keyword == accepts.reference.keyword:
                yield proposal(name, Declaration(declared), 0)


def _arguments(at: Cursor, module: Module, given: Arguments, brackets: Sequence[int]) -> Iterator[Proposal]:
    """The parameters of the call around the cursor that are not given yet."""
    callee = settings_signature(at, module, at.text(given.callee), [-1, *brackets[:-1]])
    if callee is not None:
        filled = {name or callee.filled(given.before[:i]) for i, name in enumerate(given.before)}
        yield from arguments((p for p in callee.parameters if p.name not in filled), 1)


def _expected(at: Cursor, brackets: Sequence[int]) -> Expected | None:
    """What may stand within these brackets of the statement around the cursor, the outermost first."""
    expected = _of_statement(at)
    for bracket in brackets:
        if expected is None:
            return None
        given = at.arguments(bracket)
        if given is not None:
            expected = _of_argument(part(at.text(given.callee), expected.accepts), given)
        elif at.tokens.kind(bracket) == "LSQB":
            expected = Expected(expected.setting, expected.accepts.items or expected.accepts)
    return expected


def _of_statement(at: Cursor) -> Expected | None:
    first, declaration = at.statement, at.declaration
    if first is None or declaration is None:
        return None
    keyword, word = at.text(declaration), at.text(first)
    if word in ("maximize", "minimize"):
        return OBJECTIVES
    return expects(Setting(keyword, MODELS[keyword], word))


def _of_argument(callee: Part | None, given: Arguments) -> Expected | None:
    if callee is None:
        return None
    name = given.current or argument(callee.model, given.before)
    expected = None if name is None else expects(Setting(callee.word, callee.model, name))
    if expected is not None and given.current is None and expected.accepts.items is not None:
        return Expected(expected.setting, expected.accepts.items)
    return expected
