"""Whether a value fits what a field accepts.

The types that settings are made of are judged here. Of any other type, and of bounds that are not `setting`'s,
pydantic is the judge; it is imported when it is asked, which the settings that come with atnas never do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import is_dataclass
from pathlib import PurePath
from sys import float_info
from typing import Any, get_args, get_origin

from atnas.dsl.settings.accepts import Accepts, Member, accepts, article, listed
from atnas.dsl.settings.misfit import Misfit, MisfitError, misfit


def fit(value: object, accept: Accepts) -> object:
    """The value in a type that the field accepts: 1 becomes 1.0 where it takes a float, a list becomes a tuple.

    Raises `MisfitError`; where several types are accepted, with the most telling misfit of each place.
    """
    if value is None and accept.optional:
        return value
    found: dict[int | None, Misfit] = {}
    for member in sorted(accept.members, key=lambda member: (member.type is not type(value), not member.is_simple)):
        try:
            return _within(_taken(value, member), member)
        except MisfitError as error:
            for wrong in error.misfits:
                if wrong.item not in found or (found[wrong.item].vague and not wrong.vague):
                    found[wrong.item] = wrong._replace(name=accept.name)
    raise MisfitError(found.values())


def _taken(value: Any, member: Member) -> object:
    """The value in a member's type."""
    kind = member.type
    if kind is Any:
        return value
    if member.is_simple:
        if member.literals:
            return _literal(value, member.literals)
        return _simple(value, kind) if member.items is None else _list(value, kind)
    if isinstance(kind, type) and not member.is_foreign:
        if isinstance(value, kind):
            return value
        if is_dataclass(kind):  # settings, above all: they are built from words, and from nothing else
            raise misfit(value, f"must be {article(kind.__name__)}", vague=True)
    from atnas.dsl.settings.foreign import judged

    return judged(value, member)


def _simple(value: Any, kind: Any) -> object:
    """A number, a truth value, a text or a path."""
    if type(value) is kind:
        return value
    if kind is int and isinstance(value, float) and value.is_integer():
        return int(_below(2**63, value))
    if kind is float and type(value) is int:
        return float(_below(float_info.max, value))
    if issubclass(kind, str | PurePath) and isinstance(value, str | kind):
        return kind(value)
    says = {int: "must be a whole number", float: "must be a number", bool: "must be `true` or `false`"}
    raise misfit(value, says.get(kind, "must be text in quotes"))


def _below(most: float, value: float) -> float:
    """A number that is to become one of the other kind, and what it must be below for that."""
    if abs(value) >= most:
        raise misfit(value, "it is too large", "cannot")
    return value


def _literal(value: object, literals: Sequence[object]) -> object:
    if any(type(value) is type(one) and value == one for one in literals):
        return value
    raise misfit(value, f"must be {listed(map(repr, literals))}", vague=True)


def _list(value: Any, kind: Any) -> object:
    """A list or tuple whose items all fit."""
    if not isinstance(value, list | tuple):
        raise misfit(value, "must be a list", vague=True)
    kinds = _kinds(kind, len(value))
    if len(value) > len(kinds):
        raise misfit(value, f"must have no more than {len(kinds)} items")
    misfits: list[Misfit] = []
    found: list[object] = []
    for at, (item, its_kind) in enumerate(zip(value, kinds, strict=False)):
        try:
            found.append(fit(item, accepts("", its_kind)))
        except MisfitError as error:
            misfits += (wrong._replace(item=at) for wrong in error.misfits)
    if len(value) < len(kinds):
        misfits += misfit(value, "has too few items", "has").misfits
    if misfits:
        raise MisfitError(misfits)
    return found if (get_origin(kind) or kind) is list else tuple(found)


def _kinds(kind: Any, count: int) -> Sequence[Any]:
    """The types of the items of a list that has so many."""
    inner = get_args(kind)
    if get_origin(kind) is list or inner[-1:] == (...,):
        return [inner[0]] * count
    return inner if get_origin(kind) is tuple else [Any] * count


def _within(value: object, member: Member) -> object:
    """The value, held to the bounds of a member."""
    for limits in member.limits:
        says = None
        if isinstance(value, int | float):
            says = limits.of_number(value)
        elif isinstance(value, str):
            says = limits.of_text(value)
        elif isinstance(value, list | tuple):
            says = limits.of_list(len(value))
        if says is not None:
            raise misfit(value, says)
    return value
