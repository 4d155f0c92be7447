"""A value that a field cannot hold, and the sentence that says so."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple

Form = Literal["must", "has", "cannot", "said"]


class Misfit(NamedTuple):
    """What is wrong with the value of a field or, where `item` is its number, with one item of its list.

    `says` stands in a sentence of this form. must: "`way` must be at least 2, not `1`"; has: "`betas` has too few
    items"; cannot: "`size` cannot be `x`: the reason"; said: it is the sentence. A `vague` one says that another
    kind of value belongs there, which tells less than a bound that is passed.
    """

    name: str
    value: object
    says: str
    form: Form = "must"
    item: int | None = None
    vague: bool = False

    def sentence(self, written: str) -> str:
        """What is wrong with a value that is written so."""
        match self.form:
            case "must":
                return f"`{self.name}` {self.says}, not `{written}`"
            case "has":
                return f"`{self.name}` {self.says}"
            case "cannot":
                return f"`{self.name}` cannot be `{written}`: {self.says}"
            case "said":
                return self.says


class MisfitError(ValueError):
    """Values that a `Settings` cannot hold; each of `misfits` says what is wrong with one."""

    def __init__(self, misfits: Iterable[Misfit]) -> None:
        self.misfits = tuple(misfits)
        super().__init__(self.misfits)

    def __str__(self) -> str:
        return "; ".join(misfit.sentence(str(misfit.value)) for misfit in self.misfits)


def misfit(value: object, says: str, form: Form = "must", vague: bool = False) -> MisfitError:
    """That a value is wrong, of whatever field it is."""
    return MisfitError([Misfit("", value, says, form, vague=vague)])
