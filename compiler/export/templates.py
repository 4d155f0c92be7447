"""Parts of one structure as one class or function; what differs among them is given to it.

    nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.ReLU())          unit(1, 8, kernel=3)
    nn.Sequential(nn.Conv2d(8, 8, 5, padding=2), nn.ReLU())          unit(8, 8, kernel=5)

There is one where that makes the source shorter, and for every block, which needs a forward.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

from atnas.compiler.export.calls import SIZE, Argument, Names, Row, Values, settings, text
from atnas.compiler.export.literals import identifier
from atnas.compiler.export.naming import Namer, Parameter
from atnas.compiler.export.parts import Block, Chain, Key, Part, key, kind

OTHERS = ("load", "load_file", "WEIGHTS", "Path", "Tensor", "functional", "math", "nn", "partial", "torch")
"""Names that the file has for other things."""

FEW = 5
"""Parameters that a function has at most."""

FUNCTION = 60
"""Characters of the head of a function, about: what it has to save."""


@dataclass(eq=False)
class Template:
    """A class for blocks, or a function for chains. `names` are how values are written inside."""

    name: str
    uses: list[Part]
    parameters: list[Parameter] = field(default_factory=list)
    names: Names = field(default_factory=dict)

    @cached_property
    def index(self) -> dict[Part, int]:
        """The number of each use."""
        return {part: i for i, part in enumerate(self.uses)}

    @cached_property
    def members(self) -> list[tuple[str, Row]]:
        """The members of a block by name, or the chain: each as it is in all uses."""
        first = self.uses[0]
        if not isinstance(first, Block):
            return [("", tuple(self.uses))]
        columns = zip(*((part for _, part in use.members) for use in self.uses if isinstance(use, Block)), strict=True)
        return list(zip((name for name, _ in first.members), columns, strict=True))

    @cached_property
    def given(self) -> frozenset[str]:
        """The members that differ in structure: they are given as modules."""
        return frozenset(name for name, row in self.members if len(set(map(key, row))) > 1)

    @property
    def inside(self) -> list[tuple[str, Row]]:
        """The members that are made inside."""
        return [(name, row) for name, row in self.members if name not in self.given]


class Found:
    """The classes and functions of a network, which is called `name`. `of` says what a part is a use of."""

    def __init__(self, root: Part, taken: Iterable[str]) -> None:
        self.root = root
        self.of: dict[Part, Template] = {}
        self.order: list[Template] = []
        """Each after those that it makes modules of."""
        self._taken = {*taken, *OTHERS}
        self.name = self._free(camel(root.word)) if isinstance(root, Chain) else ""
        self._classes()
        self.name = self.name or self.of[root].name
        self._functions()
        for template in list(dict.fromkeys(self.of.values())):
            self._name(template)

    # Which there are

    def _classes(self) -> None:
        """One class for blocks of one kind."""
        kinds: dict[Key, list[Part]] = defaultdict(list)
        words: dict[Key, str] = {}
        for part in _every(self.root):
            if isinstance(part, Block):
                kinds[kind(part)].append(part)
                words[kind(part)] = part.word
        for shape, uses in kinds.items():
            template = Template(self._free(camel(words[shape])), uses)
            self.of.update((use, template) for use in uses)

    def _functions(self) -> None:
        """One function for chains of one structure, where that makes the source shorter; small ones first."""
        kinds: dict[Key, list[Part]] = defaultdict(list)
        for part in _every(self.root):
            if isinstance(part, Chain) and part.word and part is not self.root:
                kinds[key(part)].append(part)
        places = Counter(key(part) for part in self._written(self.root, set()) if isinstance(part, Chain) and part.word)
        for shape, uses in sorted(kinds.items(), key=lambda item: len(str(item[0]))):
            if places[shape] > 1:
                self._try(uses, places[shape])

    def _try(self, uses: list[Part], places: int) -> None:
        words = Counter(part.word for part in uses if isinstance(part, Chain))
        ((word, _),) = words.most_common(1)
        trial = Template(word, uses)
        self._parametrise(trial)
        (first, *_) = uses
        row = tuple(uses)
        call = len(word) + sum(len(p.name) + CALL for p in trial.parameters)
        saved = len(text((first,), {}, self.of)) - call
        if len(trial.parameters) <= FEW and places * saved > len(text(row, trial.names, self.of)) + FUNCTION:
            template = Template(self._free(identifier(word)), uses)
            self.of.update((use, template) for use in uses)

    def _written(self, part: Part, seen: set[Template]) -> Iterator[Part]:
        """The parts that the source spells out."""
        yield part
        if isinstance(part, Chain):
            for inner in part.parts:
                yield from self._written(inner, seen)
        elif isinstance(part, Block):
            template = self.of[part]
            for name, member in part.members:
                if name in template.given or template not in seen:
                    yield from self._written(member, seen)
            seen.add(template)

    # What they are given

    def _name(self, template: Template) -> None:
        if template in self.order:
            return
        for _, row in template.inside:
            for part in row:
                for inner in self._needed(part):
                    if inner is not template:
                        self._name(inner)
        self._parametrise(template)
        self.order.append(template)

    def _needed(self, part: Part) -> Iterator[Template]:
        """The templates that the text of a part speaks of."""
        if part in self.of and not isinstance(part, Chain):
            yield self.of[part]
        match part:
            case Chain(parts=parts):
                if part in self.of:
                    yield self.of[part]
                for inner in parts:
                    yield from self._needed(inner)
            case Block(members=members):
                for name, member in members:
                    if name in self.of[part].given:
                        yield from self._needed(member)

    def _parametrise(self, template: Template) -> None:
        if len(template.uses) == 1:
            return
        wanted = [(name, a) for name, row in template.inside for a in self._settings(template, row)]
        sizes = [argument for _, argument in wanted if argument.role == SIZE]
        inputs, outputs = _ends(template.uses, [argument.values for argument in sizes])
        namer = Namer(inputs, outputs, template.given)
        namer.sizes(sizes)
        found: dict[tuple[str, Values], list[str]] = defaultdict(list)
        for name, argument in wanted:
            found[argument.role, argument.values].append(name)
        namer.settings(found)
        for name, row in template.members:
            if name in template.given:
                namer.parts(name, row)
        template.parameters, template.names = namer.whole(), namer.names

    def _settings(self, template: Template, row: Row) -> list[Argument]:
        """The numbers in a member; in a chain that is to be a function, it is none yet."""
        outside = {part: other for part, other in self.of.items() if other is not template}
        return list(settings(row, outside))

    def _free(self, name: str) -> str:
        free, count = name, 1
        while free in self._taken:
            count += 1
            free = f"{name}{count}"
        self._taken.add(free)
        return free


CALL = 6
"""Characters of an argument besides its name, about."""


def camel(word: str) -> str:
    """A name for a class: `small_net` is `SmallNet`."""
    return identifier("".join(part[:1].upper() + part[1:] for part in re.split(r"\W|_", word or "block")))


def _every(part: Part) -> Iterator[Part]:
    yield part
    inside = part.parts if isinstance(part, Chain) else [m for _, m in part.members] if isinstance(part, Block) else ()
    for inner in inside:
        yield from _every(inner)


def _ends(uses: list[Part], sizes: list[Values]) -> tuple[dict[str, list[Values]], list[Values]]:
    """The widths that come in, by input, and those that go out."""
    first = uses[0]
    if not isinstance(first, Block):
        return ({"x": sizes[:1]}, sizes[-1:])
    shapes = list(zip(*(use.shapes for use in uses if isinstance(use, Block)), strict=True))
    ends = [[values for values in (_dims(column, 0), _dims(column, -1)) if values] for column in shapes]
    inputs = dict(zip(first.inputs, ends, strict=False))
    return inputs, [values for column in ends[len(first.inputs) :] for values in column]


def _dims(shapes: tuple[tuple[int, ...], ...], which: int) -> Values:
    return tuple(shape[which] for shape in shapes) if all(shapes) else ()
