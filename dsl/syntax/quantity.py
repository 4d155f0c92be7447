"""Numbers with units: `60k`, `1.5M`, `20ms`, `2GB`, `10%`."""

from __future__ import annotations

import re
from decimal import Decimal
from functools import lru_cache
from typing import Final

from atnas.dsl.findings.suggest import nearest

UNITS: Final[dict[str, tuple[Decimal, str]]] = {
    "": (Decimal(1), ""),
    "k": (Decimal(10) ** 3, ""),
    "M": (Decimal(10) ** 6, ""),
    "G": (Decimal(10) ** 9, ""),
    "us": (Decimal("1e-6"), "s"),
    "ms": (Decimal("1e-3"), "s"),
    "s": (Decimal(1), "s"),
    "min": (Decimal(60), "s"),
    "h": (Decimal(3600), "s"),
    "B": (Decimal(1), "B"),
    "kB": (Decimal(10) ** 3, "B"),
    "MB": (Decimal(10) ** 6, "B"),
    "GB": (Decimal(10) ** 9, "B"),
    "TB": (Decimal(10) ** 12, "B"),
    "%": (Decimal("1e-2"), "%"),
}
"""How much one of each unit is, and of what: seconds, bytes or hundredths."""

_FORM: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?)([eE][+-]?[0-9]+)?(.*)", re.DOTALL)
_LONGEST: Final = 24
_LARGEST: Final = Decimal("1e300")
_OUT_OF_RANGE: Final = (
    "this number is out of range",
    f"write one of at most {_LONGEST} characters, no larger than 1e300",
)


class QuantityError(ValueError):
    """Not a quantity. The message says why; `cure` what to do; `text` what to write instead, where that is clear."""

    def __init__(self, message: str, cure: str, text: str = "") -> None:
        super().__init__(message)
        self.cure = cure
        self.text = text


@lru_cache(maxsize=1024)
def quantity(text: str) -> tuple[int | float, str]:
    """The value in base units and the unit: `"20ms"` is (0.02, "s"), `"1.5M"` is (1500000, "").

    A number without point, exponent and unit is an int; with a unit it is one where it comes out whole.
    Raises QuantityError.
    """
    form = _FORM.fullmatch(text)
    assert form is not None
    digits, exponent, unit = form[1], form[2] or "", form[3]
    if unit not in UNITS:
        raise QuantityError(*_bad_unit(text, digits, unit))
    if len(text) > _LONGEST or len(exponent) > len("e+300"):
        raise QuantityError(*_OUT_OF_RANGE)
    factor, base = UNITS[unit]
    value = Decimal(digits + exponent) * factor
    if value > _LARGEST:
        raise QuantityError(*_OUT_OF_RANGE)
    whole = value == value.to_integral_value() if unit else digits.isdecimal() and not exponent
    return (int(value) if whole and base != "%" else float(value)), base


def _bad_unit(text: str, digits: str, unit: str) -> tuple[str, str, str]:
    no_number = f"`{text}` is not a number"
    if unit.startswith("_"):
        whole = text.replace("_", "")
        return no_number, f"digits stand together: `{whole}`", whole
    if digits == "0" and re.fullmatch("x[0-9a-fA-F]{1,16}|o[0-7]{1,16}|b[01]{1,64}", unit):
        return no_number, f"numbers are decimal: `{int(text, 0)}`", str(int(text, 0))
    if unit == f"x{digits}":
        return no_number, f"the side of a square is one number: `{digits}`", digits
    message = f"`{unit}` is not a unit"
    near = nearest(unit, UNITS)
    if near:
        return message, f"did you mean `{digits}{near}`?", f"{digits}{near}"
    return message, f"the units are {', '.join(u for u in UNITS if u)}", ""
