"""Settings of `tasks`, `train`, `search` and `experiment`: frozen dataclasses whose fields are their words.

    class Blobs(TaskSource):
        "Points around centres; the base classes are `Settings`, which make dataclasses of their subclasses."

        dimensions: int = setting(2, ge=1, doc="numbers in a point")
        spread: float = setting(0.2, gt=0, doc="how far points lie from their centre")
        seed: int = 0

Fields are given by name. What does not fit is a finding in a file, and a `MisfitError` in Python.
"""

from atnas.dsl.settings.distributions import Between as Between
from atnas.dsl.settings.distributions import OneOf as OneOf
from atnas.dsl.settings.distributions import Uniform as Uniform
from atnas.dsl.settings.draw import Draw as Draw
from atnas.dsl.settings.limits import setting as setting
from atnas.dsl.settings.marks import Bare as Bare
from atnas.dsl.settings.marks import Extension as Extension
from atnas.dsl.settings.marks import Ref as Ref
from atnas.dsl.settings.marks import Reference as Reference
from atnas.dsl.settings.marks import Unit as Unit
from atnas.dsl.settings.marks import Variants as Variants
from atnas.dsl.settings.misfit import MisfitError as MisfitError
from atnas.dsl.settings.model import Settings as Settings
from atnas.dsl.settings.rules import rule as rule
