"""Neural architecture search across tasks. The Python API is `atnas.api`, whose names are here, too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from atnas.api import (
        Architecture,
        Diagnostic,
        Findings,
        Model,
        Program,
        Run,
        Space,
        Summary,
        Unable,
        check,
        compile,
        load,
        open_model,
        open_run,
        run,
        runs,
    )

__all__ = [
    "Architecture",
    "Diagnostic",
    "Findings",
    "Model",
    "Program",
    "Run",
    "Space",
    "Summary",
    "Unable",
    "check",
    "compile",
    "load",
    "open_model",
    "open_run",
    "run",
    "runs",
]


def __getattr__(name: str) -> Any:
    """A name of the API, loaded when it is first asked for: `atnas check` needs none of it."""
    if name not in __all__:
        raise AttributeError(f"module `atnas` has no attribute `{name}`")
    from atnas import api

    return getattr(api, name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
