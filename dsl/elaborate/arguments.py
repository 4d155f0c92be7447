"""Arguments against parameters: which is which, what is missing, unknown, of the wrong kind or out of bounds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from atnas.dsl.cases import Case, Cases, apply, leaf, only, values
from atnas.dsl.elaborate.build import Builder
from atnas.dsl.elaborate.mismatch import Failure, Refusal
from atnas.dsl.elaborate.values import Alternatives, ListOf, Tensor, Undecided, Unknown, Value, sort
from atnas.dsl.extern import Signature, layer_class
from atnas.dsl.findings.calls import left_out, matched
from atnas.dsl.findings.diagnostics import Diagnostic, Edit, Label
from atnas.dsl.findings.suggest import nearest
from atnas.dsl.net import Arith, Num, Pick, Read, number
from atnas.dsl.operator import ParameterInfo, parameters
from atnas.dsl.record import record
from atnas.dsl.source import Span
from atnas.dsl.syntax import ast
from atnas.dsl.syntax.unparse import text
from atnas.dsl.syntax.walk import PLAIN


@record
class Given:
    """One argument after its value is known."""

    syntax: ast.Argument
    value: Value


def assign(
    builder: Builder,
    call: ast.Call | ast.Name,
    given: Sequence[Given],
    names: Sequence[str],
    required: set[str],
) -> dict[str, Given] | None:
    """Parameters by name to what they are given; None where a finding was made."""
    found, findings = matched(call, names, required)
    for finding in findings:
        builder.tell(finding)
    by_syntax = {id(g.syntax): g for g in given}
    return None if findings else {name: by_syntax[id(argument)] for name, argument in found.items()}


def settle(
    builder: Builder,
    call: ast.Call | ast.Name,
    operator: str | Signature,
    given: Sequence[Given],
    guard: Cases[bool],
) -> tuple[tuple[str, Num], ...] | None:
    """All parameters of an operator with their checked values; None where a finding was made.

    A value that does not fit in some cases is refused, where the guard holds, and stands for those in which it does.
    """
    if not all(isinstance(g.value, int | float | str | Undecided) for g in given):
        return _settled(builder, call, operator, given, guard)
    # Most calls are come to many times with the same plain values.
    key = id(call), operator, *((type(v), v.name if isinstance(v, Undecided) else v) for v in (g.value for g in given))
    if key in builder.settled:
        return builder.settled[key]
    refused = len(builder.refusals)
    found = _settled(builder, call, operator, given, guard)
    if len(builder.refusals) == refused:
        builder.settled[key] = found
    return found


def _settled(
    builder: Builder,
    call: ast.Call | ast.Name,
    operator: str | Signature,
    given: Sequence[Given],
    guard: Cases[bool],
) -> tuple[tuple[str, Num], ...] | None:
    infos = parameters(layer_class(operator))
    required = {i.name for i in infos if i.required}
    found = assign(builder, call, given, [i.name for i in infos], required)
    if found is None:
        return None
    settled: list[tuple[str, Num]] = []
    for info in infos:
        value = _checked(builder, call, info, found[info.name], guard) if info.name in found else info.default
        if not isinstance(value, Unknown):
            settled.append((info.name, value))
    return tuple(settled) if len(settled) == len(infos) else None


def _checked(
    builder: Builder, call: ast.Call | ast.Name, info: ParameterInfo, given: Given, guard: Cases[bool]
) -> Num | Unknown:
    """The value of one argument if it fits its parameter."""
    span = given.syntax.value.span
    if isinstance(given.value, Unknown):
        return given.value
    value = _plain(info, given.value)
    if _varies(info, value) or (info.words and isinstance(given.value, Alternatives)):
        builder.report(
            "E209",
            span,
            f"`{info.name}` cannot be a choice: it is not elastic",
            "choose between layers instead, each with its own value",
            labels=_made(builder, given.value, span),
        )
        return Unknown()
    if isinstance(value, Unknown):
        cure, fix = _meant(call, info, given)
        builder.report("E201", span, f"`{info.name}` takes {_wanted(info)}, not {sort(given.value)}", cure, fix=fix)
        return value
    odd = [v for v in values(number(value)) if _complaint(info, v) is not None]
    if not odd:
        return value
    cases = apply(lambda v: v if _complaint(info, v) is None else Failure("", value=v), number(value))
    refusal = ArgumentRefusal(span, cases, guard, syntax=call, info=info, given=given)
    if isinstance(given.syntax.value, PLAIN):  # it is wrong wherever it stands
        builder.tell(refusal.finding(builder, Failure("", value=odd[0]), {}))
        return Unknown()
    builder.refuse(refusal)
    fits = apply(lambda v: not isinstance(v, Failure), cases)
    # The same number, and none where it does not fit.
    return Unknown() if builder.is_strict else Arith("*", value, Read(only(fits, leaf(1))))


@dataclass(frozen=True, kw_only=True)
class ArgumentRefusal(Refusal):
    """A value that an operator does not take."""

    syntax: ast.Call | ast.Name
    info: ParameterInfo
    given: Given

    def finding(self, builder: Builder, failure: Failure, case: Case) -> Diagnostic:
        """See `Refusal`."""
        del builder, case
        info, value = self.info, failure.value
        cure, fix = _inferred(self.syntax, info, self.given) or _nearest_word(info, self.given, value)
        shown = f"`{value}`" if isinstance(self.given.value, Undecided) else _shown(value)
        message = f"`{info.name}` {_complaint(info, value)}, not {shown}"
        return Diagnostic("E201", self.span, message, cure, fix=fix)


def _varies(info: ParameterInfo, value: Num | Unknown) -> bool:
    """Whether a choice stands where none may."""
    return not info.elastic and isinstance(value, Pick | Arith) and len(values(number(value))) > 1


def _made(builder: Builder, value: Value, span: Span) -> tuple[Label, ...]:
    """Where the decision of a value was written, if that is elsewhere."""
    while isinstance(value, Arith):
        value = value.left if isinstance(value.left, Pick | Arith) else value.right
    where = value.span if isinstance(value, Alternatives) else None
    if isinstance(value, Pick) and (about := builder.decisions[value.decision]) is not None:
        where = about.span
    if where is None or (where.source == span.source and span.start <= where.start and where.end <= span.end):
        return ()
    return (Label(where, "this is the choice"),)


def _plain(info: ParameterInfo, value: Value) -> Num | Unknown:
    """A number, word or truth value as it is; the name of an operator as a word, where words are wanted."""
    if isinstance(value, Undecided) and info.words:
        return value.name
    if value is None or isinstance(value, int | float | str | Pick | Arith | Read):
        return value
    return Unknown()


def _complaint(info: ParameterInfo, value: Any) -> str | None:
    """What is wanted in place of a wrong value, in words that follow the parameter's name."""
    if info.words:
        return None if value in info.words else f"must be one of {', '.join(info.words)}"
    if info.kind is bool:
        return None if isinstance(value, bool) else "must be true or false"
    if info.kind is str:
        return None if isinstance(value, str) else f"takes {_wanted(info)}"
    if isinstance(value, bool | str) or not isinstance(value, int | float):
        return f"takes {_wanted(info)}"
    if info.kind is int and not isinstance(value, int):
        return "must be a whole number"
    if info.low is not None and value < info.low:
        return f"must be at least {info.low:g}"
    if info.high is not None and value > info.high:
        return f"must be at most {info.high:g}"
    return None


def _wanted(info: ParameterInfo) -> str:
    if info.words:
        return f"one of {', '.join(info.words)}"
    return {int: "a whole number", float: "a number", bool: "true or false", str: "text in quotes"}[info.kind]


def _meant(call: ast.Call | ast.Name, info: ParameterInfo, given: Given) -> tuple[str | None, tuple[Edit, ...]]:
    """The cure where a list or a tensor stands for one value: a choice was meant, or the input."""
    node, value = given.syntax.value, given.value
    if isinstance(value, Tensor) and isinstance(call, ast.Call):
        return f"a layer is applied with `->`: {text(node)} -> {call.function.id}(..)", ()
    if not (info.elastic and isinstance(value, ListOf)):
        return None, ()
    options = dict.fromkeys(value.items)
    if len(options) < 2 or len(options) < len(value.items) or not all(isinstance(i, int | float) for i in options):
        return None, ()
    if not isinstance(node, ast.List):  # the list stands elsewhere, under a name
        return f"a choice is written {' | '.join(map(str, options))}", ()
    choice = text(ast.Choice(node.span, node.items))
    return f"a choice is written {choice}", (Edit(node.span, choice),)


def _inferred(call: ast.Call | ast.Name, info: ParameterInfo, given: Given) -> tuple[str, tuple[Edit, ...]] | None:
    """The cure of `linear(512, 10)`, where the input's size was written as PyTorch takes it."""
    if info.name != "bias" or isinstance(call, ast.Name) or not isinstance(given.syntax.value, ast.Number):
        return None
    if given.syntax.name is not None or len(call.arguments) != 2:
        return None
    cure = f"the input's size is inferred: write {call.function.id}({given.syntax.value.text})"
    return cure, left_out(call, 0)


def _nearest_word(info: ParameterInfo, given: Given, value: object) -> tuple[str | None, tuple[Edit, ...]]:
    """The word that was meant, and the edit where it is written there."""
    close = nearest(value, info.words) if isinstance(value, str) else None
    if close is None:
        return None, ()
    node = given.syntax.value
    spelt = f'"{close}"' if isinstance(node, ast.String) else close
    fix = (Edit(node.span, spelt),) if isinstance(node, ast.String) or isinstance(given.value, Undecided) else ()
    return f"did you mean `{close}`?", fix


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value != round(value, 2) and abs(value) >= 1:
        return str(round(value, 2))
    return f'`"{value}"`' if isinstance(value, str) else str(value)
