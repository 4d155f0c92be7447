"""The signature of the call that is being written, and which of its parameters."""

from __future__ import annotations

from dataclasses import dataclass

from atnas.editor.complete import called
from atnas.editor.cursor import cursor
from atnas.editor.signature import Signature
from atnas.editor.workspace import View


@dataclass(frozen=True)
class Help:
    """A signature; `active` is the number of the parameter that the cursor stands in, None where that is unknown."""

    signature: Signature
    active: int | None


def signature_help(view: View, offset: int) -> Help | None:
    """What to tell of the innermost call around an offset; None where there is none."""
    at = cursor(view.source, offset)
    found = None if at is None else called(at, view)
    if found is None or not found[0].parameters:
        return None
    callee, given = found
    name = given.current or callee.filled(given.before)
    places = [i for i, parameter in enumerate(callee.parameters) if parameter.name == name]
    return Help(callee, places[0] if places else None)
