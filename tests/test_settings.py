"""What a plug-in gets by subclassing `Settings`: a frozen dataclass that holds only what its fields accept."""

from __future__ import annotations

import pickle
from abc import ABC, abstractmethod
from dataclasses import FrozenInstanceError, asdict, fields, replace
from fractions import Fraction
from math import inf, isnan, nan
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, PositiveInt, TypeAdapter, ValidationError

from atnas.dsl.errors import Unable
from atnas.dsl.settings import Draw, MisfitError, OneOf, Settings, rule, setting
from atnas.dsl.settings.accepts import accepts
from atnas.dsl.settings.configure import configure
from atnas.dsl.settings.describe import describe
from atnas.dsl.settings.fit import fit
from atnas.dsl.source import Source
from atnas.dsl.syntax import ast
from atnas.dsl.syntax.parse import parse


class Camera(Settings, ABC):
    """What all cameras share."""

    kind: ClassVar[str] = "camera"
    width: int = setting(640, ge=1, doc="pixels in a row")

    @abstractmethod
    def shoot(self) -> str: ...


class Pinhole(Camera):
    """A box with a hole."""

    hole: float = setting(gt=0, doc="its diameter")
    shutter: float | Draw = 1.0
    tilt: Literal[0, 90] = 0
    shape: tuple[int, int] = (4, 3)
    folder: Path | None = None
    low: float = 0.0
    high: float = 1.0

    @staticmethod
    @rule("high", "low")
    def _above_low(high: float, low: float) -> None:
        if low >= high:
            raise ValueError("`high` is above `low`")

    @staticmethod
    @rule("tilt")
    def _upright(tilt: int, width: int | None = None) -> None:
        if tilt and width is not None and width > 1000:
            raise ValueError("a wide camera is not tilted")

    def __post_init__(self) -> None:
        if self.hole > self.width:
            raise ValueError("the hole is larger than the picture")

    def shoot(self) -> str:
        return "click"


# A frozen dataclass


def test_fields_are_given_by_name_and_have_defaults() -> None:
    camera = Pinhole(hole=2, width=10)
    assert (camera.width, camera.hole, camera.shutter, camera.shape) == (10, 2.0, 1.0, (4, 3))
    assert type(camera.hole) is float
    assert [field.name for field in fields(camera)][:2] == ["width", "hole"]
    assert repr(replace(camera, tilt=90)).startswith("Pinhole(width=10, hole=2.0, shutter=1.0, tilt=90")
    assert asdict(camera)["shape"] == (4, 3)
    for wrong, said in (({"hole": 1, "size": 2}, "Pinhole has no setting `size`"), ({}, "Pinhole needs `hole`")):
        with pytest.raises(TypeError, match=said):
            Pinhole(**wrong)
    with pytest.raises(TypeError, match="abstract"):
        Camera()  # type: ignore[abstract]


def test_settings_are_values() -> None:
    camera = Pinhole(hole=2)
    assert camera == Pinhole(hole=2.0, width=640) != Pinhole(hole=3)
    assert hash(camera) == hash(Pinhole(hole=2)) and len({camera, Pinhole(hole=2), Pinhole(hole=3)}) == 2
    assert pickle.loads(pickle.dumps(camera)) == camera

    class Twin(Pinhole):
        pass

    assert Twin(hole=2) != camera
    with pytest.raises(FrozenInstanceError):
        camera.hole = 3  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError):
        del camera.hole


# What fields accept


@pytest.mark.parametrize(
    ("given", "field", "held"),
    [
        ({"hole": 1}, "hole", 1.0),
        ({"width": 8.0}, "width", 8),
        ({"shutter": OneOf(options=(1, 2))}, "shutter", OneOf(options=(1, 2))),
        ({"shape": [1, 2]}, "shape", (1, 2)),
        ({"folder": "a/b"}, "folder", Path("a/b")),
        ({"folder": None}, "folder", None),
        ({"tilt": 90, "width": 1000}, "tilt", 90),
    ],
)
def test_a_value_becomes_one_of_the_field(given: dict[str, Any], field: str, held: object) -> None:
    found = getattr(Pinhole(**{"hole": 1, **given}), field)
    assert (found, type(found)) == (held, type(held))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"width": 0}, "`width` must be at least 1, not `0`"),
        ({"width": 1.5}, "`width` must be a whole number, not `1.5`"),
        ({"width": True}, "`width` must be a whole number, not `True`"),
        ({"width": "8"}, "`width` must be a whole number, not `8`"),
        ({"width": 1e300}, "`width` cannot be `1e+300`: it is too large"),
        ({"hole": 10**400}, f"`hole` cannot be `{10**400}`: it is too large"),
        ({"hole": nan}, "`hole` must be more than 0, not `nan`"),
        ({"shutter": None}, "`shutter` must be a number, not `None`"),
        ({"tilt": 45}, "`tilt` must be 0 or 90, not `45`"),
        ({"tilt": False}, "`tilt` must be 0 or 90, not `False`"),
        ({"shape": 3}, "`shape` must be a list, not `3`"),
        ({"shape": (1,)}, "`shape` has too few items"),
        ({"shape": (1, 2, 3)}, "`shape` must have no more than 2 items, not `(1, 2, 3)`"),
        ({"shape": (1, 0.5)}, "`shape` must be a whole number, not `0.5`"),
        ({"folder": 3}, "`folder` must be text in quotes, not `3`"),
        ({"width": 0, "hole": 0}, "`width` must be at least 1, not `0`; `hole` must be more than 0, not `0.0`"),
        ({"low": 2}, "`high` is above `low`"),
        ({"high": -1}, "`high` is above `low`"),
        ({"low": "x", "high": -1}, "`low` must be a number, not `x`"),
        ({"tilt": 90, "width": 2000}, "a wide camera is not tilted"),
        ({"hole": 700}, "the hole is larger than the picture"),
    ],
)
def test_a_value_that_does_not_fit_is_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError) as refused:
        Pinhole(**{"hole": 1, **given})
    assert str(refused.value) == said


numbers = st.integers() | st.integers(-5, 5) | st.floats() | st.sampled_from([inf, -inf, nan, 0.0, 1e300])
bounds = st.dictionaries(st.sampled_from(["ge", "gt", "le", "lt"]), st.integers(-3, 3), max_size=2)
lengths = st.dictionaries(st.sampled_from(["min_length", "max_length"]), st.integers(0, 3), max_size=2)


def outcome(judge: Any, value: object) -> object:
    """What becomes of a value, None where it is refused."""
    try:
        return judge(value)
    except (MisfitError, ValidationError):
        return None


def same(a: object, b: object) -> bool:
    return (type(a), a) == (type(b), b) or (isinstance(a, float) and isinstance(b, float) and isnan(a) and isnan(b))


@given(st.sampled_from([int, float, int | None, float | int, int | float]), bounds, numbers)
def test_numbers_are_judged_as_pydantic_judges_them(kind: Any, limits: dict[str, float], value: float) -> None:
    judge = TypeAdapter[Any](Annotated[kind, Field(**limits)])
    found = outcome(lambda v: fit(v, accepts("x", Annotated[kind, setting(**limits)])), value)
    assert same(found, outcome(judge.validate_python, value))


@given(
    st.sampled_from([tuple[int, ...], tuple[int, float], tuple[Literal[1, 2], ...], list[float]]),
    lengths,
    st.lists(numbers | st.just([1]), max_size=4),
)
def test_lists_are_judged_as_pydantic_judges_them(kind: Any, limits: dict[str, int], value: list[object]) -> None:
    judge = TypeAdapter[Any](Annotated[kind, Field(**limits)])
    found = outcome(lambda v: fit(v, accepts("x", Annotated[kind, setting(**limits)])), value)
    expected = outcome(judge.validate_python, value)
    assert repr(found) == repr(expected)


# Types of others


class Study(Settings):
    """With constraints and types that are pydantic's or one's own."""

    code: Annotated[str, Field(pattern="^[a-z]+$")] = "a"
    count: PositiveInt = 1
    even: Annotated[int, Field(multiple_of=2)] | None = setting(None, le=10, doc="an even number")
    ratio: Fraction = Fraction(1, 2)


def read(body: str) -> tuple[Study | None, list[str]]:
    program, _ = parse(Source("study.atnas", f"tasks t {{ {body} }}"))
    (declaration,) = program.declarations
    assert isinstance(declaration, ast.Settings)
    found, findings = configure(Study, declaration)
    return found, [finding.message for finding in findings]


def test_pydantic_judges_what_settings_do_not_know() -> None:
    found, messages = read('code = "ab" count = 3 even = 4')
    assert messages == [] and found == Study(code="ab", count=3, even=4)
    assert read('code = "A" count = 0 even = 3')[1] == [
        '`code` must have the form ^[a-z]+$, not `"A"`',
        "`count` must be more than 0, not `0`",
        "`even` must be a multiple of 2, not `3`",
    ]
    assert read("even = 12")[1] == ["`even` must be at most 10, not `12`"]
    assert Study(ratio=Fraction(1, 3)).ratio == Fraction(1, 3)
    assert [row.type for row in describe(Study)][1:3] == ["a whole number, above 0", "a whole number, at most 10"]


def test_a_class_of_ones_own_takes_its_instances() -> None:
    class Lens:
        pass

    lens = Lens()
    assert fit(lens, accepts("lens", Lens | None)) is lens
    with pytest.raises(MisfitError, match="`lens` must be a Lens, not `3`"):
        fit(3, accepts("lens", Lens | None))


# Mistakes of a plug-in's author


def test_a_type_that_cannot_be_read_is_told() -> None:
    class Odd(Settings):
        size: Sise  # type: ignore[name-defined]  # noqa: F821

    with pytest.raises(Unable, match=r"the type of `size` in .*Odd cannot be read: name 'Sise' is not defined"):
        Odd(size=3)


def test_a_rule_is_about_fields() -> None:
    with pytest.raises(TypeError, match="a rule of Odd names `with_`, which is no field of it"):

        class Odd(Settings):
            width: int = 3

            @staticmethod
            @rule("width")
            def _narrow(width: int, with_: int) -> None: ...
