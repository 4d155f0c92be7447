"""Types and bounds that are not settings' own, judged by pydantic, and what it says in words for people.

Imported late, so that a program that needs none of this starts fast.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import PydanticSchemaGenerationError, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from atnas.dsl.settings.accepts import Member, article
from atnas.dsl.settings.limits import plain
from atnas.dsl.settings.misfit import Misfit, MisfitError, misfit

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
BOUNDS = {"minimum": "at least", "exclusiveMinimum": "above", "maximum": "at most", "exclusiveMaximum": "below"}


def judged(value: object, member: Member) -> object:
    """The value in a member's type. Raises `MisfitError` where pydantic does not take it."""
    try:
        return TypeAdapter[Any](member.annotated).validate_python(value)
    except PydanticSchemaGenerationError:  # a class that it does not know
        says = f"must be {article(getattr(member.type, '__name__', str(member.type)))}"
        raise misfit(value, says, vague=True) from None
    except ValidationError as error:
        raise MisfitError(_misfit(detail, value) for detail in error.errors(include_url=False)) from None


def bounds(member: Member) -> Iterator[str]:
    """The bounds of a number in words: "at least 1"."""
    schema = TypeAdapter[Any](member.annotated).json_schema()
    return (f"{text} {schema[key]}" for key, text in BOUNDS.items() if key in schema)


def _misfit(detail: ErrorDetails, value: object) -> Misfit:
    kind = detail["type"]
    context = {key: plain(bound) for key, bound in detail.get("ctx", {}).items()}
    item = next((step for step in detail["loc"] if isinstance(step, int)), None)
    if kind in VALIDATORS:
        return Misfit("", value, str(context["error"]), "said", item)
    if kind in SAID:
        return Misfit("", value, SAID[kind].format_map(context), "must", item, kind in TYPES)
    return Misfit("", value, f"{detail['msg'][:1].lower()}{detail['msg'][1:]}", "cannot", item, kind in TYPES)
