"""What pydantic says about a value, in words for people."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import ValidationError
from pydantic_core import ErrorDetails

SAID: Mapping[str, str] = {
    "greater_than_equal": "must be at least {ge}",
    "greater_than": "must be more than {gt}",
    "less_than_equal": "must be at most {le}",
    "less_than": "must be less than {lt}",
    "multiple_of": "must be a multiple of {multiple_of}",
    "int_from_float": "must be a whole number",
    "int_type": "must be a whole number",
    "float_type": "must be a number",
    "bool_type": "must be `true` or `false`",
    "bool_parsing": "must be `true` or `false`",
    "string_type": "must be text in quotes",
    "string_pattern_mismatch": "must have the form {pattern}",
    "string_too_short": "must be no shorter than {min_length} characters",
    "string_too_long": "must be no longer than {max_length} characters",
    "literal_error": "must be {expected}",
    "list_type": "must be a list",
    "tuple_type": "must be a list",
    "too_short": "must have no fewer than {min_length} items",
    "too_long": "must have no more than {max_length} items",
}
"""What is wrong, by pydantic's name for it: what follows after "`way`"."""

VALIDATORS = frozenset({"value_error", "assertion_error"})
TYPES = frozenset({"is_instance_of", "model_type", "dataclass_type", "list_type", "tuple_type", "literal_error"})


def errors(error: ValidationError) -> dict[tuple[int | str, ...], ErrorDetails]:
    """The most telling error of each place, (field,) or (field, item); () is the model as a whole.

    A union tells what is wrong with each of its members. A bound that is violated tells more than a type
    that does not fit.
    """
    found: dict[tuple[int | str, ...], ErrorDetails] = {}
    for detail in error.errors(include_url=False):
        place = _place(detail["loc"])
        if place not in found or (found[place]["type"] in TYPES and detail["type"] not in TYPES):
            found[place] = detail
    return found


def sentence(detail: ErrorDetails, name: str, written: str) -> str:
    """One sentence on what is wrong with the value `written` of the setting `name`."""
    kind = detail["type"]
    context = {key: _plain(value) for key, value in detail.get("ctx", {}).items()}
    if kind in VALIDATORS:
        return str(context["error"])
    if kind == "missing":
        return f"`{name}` has too few items"
    if kind in SAID:
        return f"`{name}` {SAID[kind].format_map(context)}, not `{written}`"
    return f"`{name}` cannot be `{written}`: {detail['msg'][:1].lower()}{detail['msg'][1:]}"


def _plain(value: object) -> object:
    """A bound as people write it: 0, not 0.0."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _place(loc: tuple[int | str, ...]) -> tuple[int | str, ...]:
    """Pydantic's way to a value without the names of union members in it."""
    return (*loc[:1], *[step for step in loc[1:] if isinstance(step, int)][:1])
