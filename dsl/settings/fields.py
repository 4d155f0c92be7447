"""The fields of a `Settings`, and whether values fit them."""

from __future__ import annotations

import sys
from collections.abc import Collection, Mapping
from dataclasses import MISSING, Field
from functools import cached_property
from inspect import get_annotations
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, get_type_hints

from atnas.dsl.errors import Unable
from atnas.dsl.settings.accepts import Accepts, accepts
from atnas.dsl.settings.fit import fit
from atnas.dsl.settings.misfit import Misfit, MisfitError

if TYPE_CHECKING:
    from atnas.dsl.settings.model import Settings


class Known:
    """One field of a model."""

    def __init__(self, model: type[Settings], field: Field[Any]) -> None:
        self.name = field.name
        self.required = field.default is MISSING and field.default_factory is MISSING
        self._model = model
        self._field = field

    @cached_property
    def accepts(self) -> Accepts:
        """What it accepts. Raises `Unable` where its type is not to be had.

        The type is read only when it is asked for: what a program does not set costs nothing.
        """
        owner = next(c for c in self._model.__mro__ if self.name in get_annotations(c))
        annotated = SimpleNamespace(__annotations__={self.name: get_annotations(owner)[self.name]})
        names = getattr(sys.modules.get(owner.__module__), "__dict__", {})
        try:
            hints = get_type_hints(annotated, names, dict(vars(owner)), include_extras=True)
        except Exception as error:  # reading an extension's annotation may fail in any way
            raise Unable(f"the type of `{self.name}` in {owner.__qualname__} cannot be read: {error}") from error
        return accepts(self.name, hints[self.name], self._field)

    @property
    def default(self) -> Any:
        """Its value where none is given."""
        return self._field.default if self._field.default_factory is MISSING else self._field.default_factory()

    @property
    def doc(self) -> str:
        """One line of documentation, the field's own or that of its type."""
        return self._field.metadata.get("doc") or self.accepts.doc


def known(model: type[Settings]) -> Mapping[str, Known]:
    """The fields of a model by name, in order."""
    return model.__settings__


def fitted(model: type[Settings], values: Mapping[str, object], absent: Collection[str] = ()) -> dict[str, object]:
    """The fields of a model with these values, in the types that it declares, or with their defaults.

    Those that are `absent` are left out, and required ones may be missing. Raises `MisfitError` with all that does
    not fit.
    """
    found: dict[str, object] = {}
    misfits: list[Misfit] = []
    for name, field in known(model).items():
        if name in values:
            try:
                found[name] = fit(values[name], field.accepts)
            except MisfitError as error:
                misfits += error.misfits
        elif not field.required and name not in absent:
            found[name] = field.default
    for each in model.__rules__:
        if broken := each.ask(values, found):
            blamed, sentence = broken
            misfits.append(Misfit(blamed, values[blamed], sentence, "said"))
    if misfits:
        raise MisfitError(misfits)
    return found
