"""`Settings`: what can be set, as a dataclass that refuses what it cannot hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import Field, FrozenInstanceError, dataclass, fields
from typing import Any, ClassVar, dataclass_transform

from atnas.dsl.settings.fields import Known, fitted
from atnas.dsl.settings.rules import Rule, rules


@dataclass_transform(kw_only_default=True, frozen_default=True)
class Settings:
    """Base of everything that can be set. A subclass is a frozen dataclass whose fields are given by name.

    `positional` names the fields that arguments without a name fill, in order; a last name with a star,
    `"*angles"`, takes all that are left as a tuple.
    """

    positional: ClassVar[tuple[str, ...]] = ()
    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]
    __settings__: ClassVar[Mapping[str, Known]] = {}
    __rules__: ClassVar[tuple[Rule, ...]] = ()

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        # The methods of a dataclass stand below, once for all: made for each class, they would be most of the time
        # that importing a module of settings takes.
        doc = cls.__doc__
        dataclass(init=False, repr=False, eq=False, kw_only=True)(cls)
        cls.__doc__ = doc  # and not a signature where there is none
        cls.__settings__ = {field.name: Known(cls, field) for field in fields(cls)}
        cls.__rules__ = rules(cls, cls.__settings__)

    def __init__(self, **values: Any) -> None:
        """Raises `MisfitError` where a field cannot hold its value, `TypeError` for names as any function does."""
        unknown = [name for name in values if name not in self.__settings__]
        missing = [name for name, field in self.__settings__.items() if field.required and name not in values]
        if unknown or missing:
            what = f"has no setting `{unknown[0]}`" if unknown else f"needs `{missing[0]}`"
            raise TypeError(f"{type(self).__name__} {what}")
        self.__dict__.update(fitted(type(self), values))
        self.__post_init__()

    def __post_init__(self) -> None:
        """Raises `ValueError`, with a sentence, where fields do not suit each other and none of them is to blame.

        See `rule` for what one of them is to blame for.
        """

    def __setattr__(self, name: str, value: object) -> None:
        raise FrozenInstanceError(f"cannot assign to field {name!r}")

    def __delattr__(self, name: str) -> None:
        raise FrozenInstanceError(f"cannot delete field {name!r}")

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and self._values() == other._values()

    def __hash__(self) -> int:
        return hash((type(self), self._values()))

    def __repr__(self) -> str:
        given = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.__settings__)
        return f"{type(self).__qualname__}({given})"

    def _values(self) -> tuple[object, ...]:
        return tuple(getattr(self, name) for name in self.__settings__)
