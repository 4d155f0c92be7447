"""Rules between the fields of a `Settings`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from inspect import Parameter, signature
from typing import Any, NamedTuple, TypeVar

F = TypeVar("F", bound=Callable[..., None])


def rule(*about: str) -> Callable[[F], F]:
    """Marks a static method as a check of some fields, which its parameters name.

        @staticmethod
        @rule("high")
        def _above_low(high: float, low: float) -> None:
            if high <= low:
                raise ValueError(f"`high` is above `low`, and here they are {high} and {low}")

    It raises `ValueError`, with a sentence, where they do not suit each other; the first of the fields that it is
    `about` is blamed, of those that are given. It is asked where one of these is given and nothing is wrong with
    any that it needs. What it can do without has a default in its head, and is left out where something is wrong.
    """

    def marked(check: F) -> F:
        parameters = signature(check).parameters
        needs = tuple(name for name, parameter in parameters.items() if parameter.default is Parameter.empty)
        check.__dict__["rule"] = Rule(about, tuple(parameters), needs, check)
        return check

    return marked


class Rule(NamedTuple):
    """A check of the fields `takes`."""

    about: tuple[str, ...]
    takes: tuple[str, ...]
    needs: tuple[str, ...]
    check: Callable[..., None]

    def ask(self, given: Collection[str], found: Mapping[str, object]) -> tuple[str, str] | None:
        """The field to blame and a sentence where the fields that were found do not suit each other."""
        blamed = next((name for name in self.about if name in given), None)
        if blamed is None or not all(name in found for name in self.needs):
            return None
        try:
            self.check(**{name: found[name] for name in self.takes if name in found})
        except ValueError as error:
            return blamed, str(error)
        return None


def rules(model: type, fields: Collection[str]) -> tuple[Rule, ...]:
    """The rules of a class and of those that it inherits from. Raises `TypeError` where one names no field."""
    checks: dict[str, Any] = {}
    for owner in reversed(model.__mro__):
        checks |= {name: member.__func__ for name, member in vars(owner).items() if isinstance(member, staticmethod)}
    found: list[Rule] = [check.rule for check in checks.values() if hasattr(check, "rule")]
    for each in found:
        odd = next((name for name in (*each.about, *each.takes) if name not in fields), None)
        if odd is not None:
            raise TypeError(f"a rule of {model.__name__} names `{odd}`, which is no field of it")
    return tuple(found)
