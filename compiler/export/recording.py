"""With which arguments modules are made, so that the same calls can be written down."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from torch import nn

from atnas.compiler.configuration import Configuration

Calls = dict[nn.Module, Mapping[str, Any]]
"""The arguments of each module's constructor by name, defaults filled in; those without are under `*args`."""


def recorded(configuration: Configuration) -> tuple[nn.Module, Calls]:
    """The module of a layer, without numbers, and the calls that made it and everything in it."""
    classes = {type(part) for part in configuration.build_meta().modules()}
    calls: Calls = {}
    with _noted(classes, calls):
        return configuration.build_meta(), calls


@contextmanager
def _noted(classes: set[type[nn.Module]], calls: Calls) -> Iterator[None]:
    own = {cls: cls.__dict__.get("__init__") for cls in classes}
    for cls in classes:
        setattr(cls, "__init__", _noting(cls.__init__, calls))  # noqa: B010
    try:
        yield
    finally:
        for cls, constructor in own.items():
            if constructor is None:
                delattr(cls, "__init__")
            else:
                setattr(cls, "__init__", constructor)  # noqa: B010


def _arguments(bound: inspect.BoundArguments) -> dict[str, Any]:
    """All arguments but the module itself, `*args` and `**kwargs` under these names where there are any."""
    stars: dict[object, str] = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}
    named = {n: f"{stars.get(p.kind, '')}{n}" for n, p in bound.signature.parameters.items()}
    given = set(bound.arguments)
    bound.apply_defaults()
    found = {named[n]: value for n, value in bound.arguments.items() if n in given or named[n] == n}
    return dict(list(found.items())[1:])


def _noting(constructor: Any, calls: Calls) -> Any:
    signature = inspect.signature(constructor)

    @functools.wraps(constructor)
    def noting(self: nn.Module, *arguments: Any, **named: Any) -> None:
        if self not in calls:  # not again for the constructor of the class that this one extends
            bound = signature.bind(self, *arguments, **named)
            calls[self] = _arguments(bound)
        constructor(self, *arguments, **named)

    return noting
