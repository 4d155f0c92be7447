"""What a field of a `Settings` accepts, read from its annotation."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import Field, dataclass
from functools import cached_property
from pathlib import PurePath
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple, TypeVar, Union, get_args, get_origin

from atnas.dsl.plugins import entries
from atnas.dsl.settings.draw import Draw
from atnas.dsl.settings.limits import Limits
from atnas.dsl.settings.marks import Bare, Extension, Reference, Unit, Variants

if TYPE_CHECKING:
    from atnas.dsl.settings.model import Settings

MARKS = (Bare, Extension, Variants, Reference, Unit)
Mark = TypeVar("Mark", Bare, Extension, Variants, Reference, Unit)


class Member(NamedTuple):
    """One alternative of a field's type: the bare type and what `Annotated` adds to it."""

    type: Any
    metadata: tuple[object, ...]

    @property
    def annotated(self) -> Any:
        """The type with its bounds, for validation on its own."""
        return Annotated[(self.type, *self.metadata)] if self.metadata else self.type

    @property
    def is_simple(self) -> bool:
        """Whether this is a type that settings are made of: a number, a text, words, a list."""
        if self.is_foreign:
            return False
        return bool(self.literals) or self.items is not None or self.type in (int, float, bool, str) or self.is_path

    @property
    def is_foreign(self) -> bool:
        """Whether it is annotated with something that settings do not know."""
        return not all(isinstance(mark, (Field, *MARKS)) for mark in self.metadata)

    @property
    def is_path(self) -> bool:
        return isinstance(self.type, type) and issubclass(self.type, PurePath)

    @property
    def limits(self) -> Iterator[Limits]:
        """The bounds that `setting` sets."""
        return (m.metadata["limits"] for m in self.metadata if isinstance(m, Field) and "limits" in m.metadata)

    @property
    def literals(self) -> tuple[object, ...]:
        return get_args(self.type) if get_origin(self.type) is Literal else ()

    @property
    def items(self) -> tuple[Member, ...] | None:
        """What the items of a list may be; None where this is no list."""
        if (get_origin(self.type) or self.type) not in (list, tuple):
            return None
        return tuple(m for inner in get_args(self.type) if inner is not ... for m in accepts("", inner).members)

    @property
    def is_draw(self) -> bool:
        return isinstance(self.type, type) and issubclass(self.type, Draw)

    @property
    def is_marked(self) -> bool:
        return any(isinstance(mark, Bare | Extension | Variants | Reference) for mark in self.metadata)

    @property
    def is_number(self) -> bool:
        return self.type in (int, float) or any(type(v) in (int, float) for v in self.literals)

    @property
    def is_text(self) -> bool:
        return (self.type is str or self.is_path) and not self.is_marked


@dataclass(frozen=True)
class Accepts:
    """All that a field, or an item of its list, accepts. `name` is the field's name; `optional`: None, too."""

    name: str
    members: tuple[Member, ...]
    optional: bool = False

    @cached_property
    def words(self) -> tuple[str, ...]:
        """The bare words of its `Literal`s."""
        return tuple(w for m in self.members for w in m.literals if isinstance(w, str))

    @cached_property
    def extension(self) -> Extension | None:
        return self._marked(Extension)

    @cached_property
    def variants(self) -> Variants | None:
        return self._marked(Variants)

    @cached_property
    def reference(self) -> Reference | None:
        return self._marked(Reference)

    @cached_property
    def bare(self) -> Bare | None:
        return self._marked(Bare)

    @cached_property
    def unit(self) -> Unit | None:
        return self._marked(Unit)

    @cached_property
    def numbers(self) -> tuple[Member, ...]:
        return tuple(m for m in self.members if m.is_number)

    @cached_property
    def draws(self) -> tuple[type[Draw], ...]:
        return tuple(m.type for m in self.members if m.is_draw)

    @property
    def is_text(self) -> bool:
        return any(m.is_text for m in self.members)

    @property
    def is_truth(self) -> bool:
        return any(m.type is bool for m in self.members)

    @cached_property
    def items(self) -> Accepts | None:
        """What the items of the field's list accept; None where it takes no list."""
        lists = [m.items for m in self.members if m.items is not None]
        return Accepts(self.name, tuple(item for items in lists for item in items)) if lists else None

    @cached_property
    def classes(self) -> tuple[type[Settings], ...]:
        """What its extensions are instances of."""
        return tuple(m.type for m in self.members if any(isinstance(mark, Extension) for mark in m.metadata))

    @property
    def doc(self) -> str:
        """The documentation that stands in the type."""
        marks = (mark for member in self.members for mark in member.metadata if isinstance(mark, Field))
        return next((mark.metadata["doc"] for mark in marks if mark.metadata.get("doc")), "")

    @property
    def kind(self) -> str:
        """What its extensions are called, after their class: "a task source"."""
        return listed(article(re.sub(r"(?<!^)(?=[A-Z])", " ", c.__name__).lower()) for c in self.classes)

    @property
    def known(self) -> tuple[str, ...]:
        """Every word that may stand here, with or without arguments."""
        extensions = entries(self.extension.group) if self.extension else ()
        variants = self.variants.words if self.variants else ()
        return (*self.words, *variants, *extensions)

    def variant(self, word: str) -> type[Settings] | None:
        return self.variants.words.get(word) if self.variants else None

    def phrases(self, bounds: bool = False) -> list[str]:
        """Each alternative in words: "a whole number", "`sgd`", "text in quotes"."""
        return list(dict.fromkeys(self._phrases(bounds))) or ["another kind of value"]

    def _phrases(self, bounds: bool) -> Iterator[str]:
        if self.extension:
            yield self.kind
        if self.reference:
            yield f"the name of a `{self.reference.keyword}`"
        if self.bare:
            yield self.bare.kind
        yield from (quoted(word) for word in (*self.words, *(self.variants.words if self.variants else ())))
        for member in self.members:
            yield from _plain(member, bounds)
        if self.items:
            yield f"a list, each item {listed(self.items.phrases(bounds))}"

    def _marked(self, kind: type[Mark]) -> Mark | None:
        marks = (mark for member in self.members for mark in member.metadata if isinstance(mark, kind))
        return next(marks, None)


def accepts(name: str, annotation: Any, *metadata: object) -> Accepts:
    """What a field of this type accepts; `metadata` is what holds for all of it."""
    members = tuple(_members(annotation, metadata))
    some = tuple(member for member in members if member.type is not NoneType)
    return Accepts(name, some, len(some) < len(members))


def listed(words: Iterable[str], last: str = "or") -> str:
    """`a`, `b or c`: a list as a sentence has it."""
    *most, end = list(words)
    return f"{', '.join(most)} {last} {end}" if most else end


def article(noun: str) -> str:
    """`a noun` or `an noun`."""
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def quoted(word: str) -> str:
    return f"`{word}`"


def _members(annotation: Any, metadata: tuple[object, ...]) -> Iterator[Member]:
    """The alternatives of a type; what is annotated on a union holds for each of them."""
    if get_origin(annotation) is Annotated:
        inner, *more = get_args(annotation)
        yield from _members(inner, (*more, *metadata))
    elif get_origin(annotation) in (Union, UnionType):
        for member in get_args(annotation):
            yield from _members(member, metadata)
    else:
        yield Member(annotation, metadata)


def _plain(member: Member, bounds: bool) -> Iterator[str]:
    if member.is_marked:
        return
    if member.type in (int, float):
        kind = "a whole number" if member.type is int else "a number"
        yield kind + (_bounds(member) if bounds else "")
    elif member.type is bool:
        yield "`true` or `false`"
    elif member.is_text:
        yield "text in quotes"
    yield from (quoted(str(value)) for value in member.literals if type(value) in (int, float))


def _bounds(member: Member) -> str:
    said = [text for limits in member.limits for text in limits.words()]
    if member.is_foreign:
        from atnas.dsl.settings.foreign import bounds

        said += bounds(member)
    return f", {listed(said, 'and')}" if said else ""
