"""How many architectures of a space are different families of functions.

Two are the same by construction where one becomes the other by leaving out what is not needed, zeros and identities, by
other orders and brackets of sums, and by exchanging layers that are alike. Weights that are used twice stay one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final, NamedTuple

from atnas.compiler.activity import Genotype
from atnas.compiler.graph import Graph
from atnas.compiler.same.form import Forms
from atnas.compiler.same.pieces import Piece, is_constant, pieces
from atnas.compiler.same.segments import Given, Segment, segments
from atnas.compiler.same.terms import Terms
from atnas.compiler.space import Compiled

ALL: Final = 50_000
"""Architectures that are compared one by one; of more, samples are."""

SAMPLES: Final = 1_000

Key = tuple[Hashable, ...]


@dataclass(frozen=True)
class Unique:
    """Of so many architectures that were looked at, all or a uniform sample, so many are different."""

    every: bool
    looked_at: int
    different: int


def unique(space: Compiled) -> Unique:
    """Counts the different architectures of a space with at most `ALL`, or of `SAMPLES` drawn from a larger one."""
    family, encoding = Families(space.graph), space.encoding
    count, rng = encoding.count(), Random(0)
    every = count <= ALL
    ranks = range(count) if every else (rng.randrange(count) for _ in range(SAMPLES))
    genotypes = {encoding.unrank(rank) for rank in ranks}
    return Unique(every, len(genotypes), len({family(genotype) for genotype in genotypes}))


class Families:
    """Keys of architectures: equal where they are the same family of functions by construction."""

    def __init__(self, graph: Graph) -> None:
        forms, found = Forms(), segments(graph)
        different = {segment.pattern: segment for segment in reversed(found)}
        patterns: dict[Hashable, _Pattern] = {}
        for pattern, segment in reversed(different.items()):
            twin = _twin(segment, list(patterns.values()))
            others = [other for other in different.values() if other is not segment]
            patterns[pattern] = _Pattern(segment, forms, _Twin(twin, forms, segment, others) if twin else None)
        self._patterns = [patterns[segment.pattern] for segment in found]

    def __call__(self, genotype: Genotype) -> Key:
        """The key of an architecture."""
        parts: list[_Part] = []
        given: Given = "any"
        for pattern in self._patterns:
            part = pattern.part(genotype, given)
            parts = [part] if part.is_constant else [*parts, part]  # a constant needs nothing of what comes before
            given = part.gives
        found: list[Hashable] = []
        for part in reversed(parts):
            for form in part.forms:
                _append(found, form)
        return tuple(found)


class _Part(NamedTuple):
    """The forms of a segment's pieces, the last first; what is known of its output, and whether it needs an input."""

    forms: tuple[Hashable, ...]
    gives: Given
    is_constant: bool


class _Pattern:
    """A segment and all its copies."""

    def __init__(self, segment: Segment, forms: Forms, twin: _Twin | None) -> None:
        self.segment = segment
        self.twin = twin
        self._terms = Terms()
        self._forms = forms
        self._known: dict[Hashable, _Part] = {}
        self._of_term: dict[int, _Part] = {}

    def part(self, genotype: Genotype, given: Given) -> _Part:
        """What the segment is in an architecture."""
        sizes = self.segment.sizes(genotype) if given == "zeros" else ()
        key = given, sizes, tuple([genotype[d] for d in self.segment.decisions])
        found = self._known.get(key)
        if found is None:
            found = self.twin.part(genotype, given) if self.twin else self._worked_out(genotype, given)
            self._known[key] = found
        return found

    def _worked_out(self, genotype: Genotype, given: Given) -> _Part:
        term = self.segment.term(genotype, self._terms, given)
        if term not in self._of_term:
            several = len(self.segment.entries) > 1  # which of the inputs it is of matters
            cut = [Piece(term, None)] if several else pieces(self._terms, term)
            forms: list[Hashable] = [self._form(piece) for piece in cut]
            if self._terms.all[term].kind == "zero":
                forms = [Zeros(self._terms.all[term].what)]
            constant = is_constant(self._terms, term)
            self._of_term[term] = _Part((*forms, *[START] * constant), self._gives(term), constant)
        return self._of_term[term]

    def _gives(self, term: int) -> Given:
        if self._terms.all[term].kind == "zero":
            return "zeros"
        return "uniform" if self._terms.is_uniform(term) else "any"

    def _form(self, piece: Piece) -> Hashable:
        if piece.given is not None:
            parts, of = Counter(self._terms.summands(piece.term)), Counter(self._terms.summands(piece.given))
            times, rest = divmod(parts.total(), of.total() or 1)
            if not rest and parts == Counter({part: times * count for part, count in of.items()}):
                return Times(times)
        return self._forms.of(self._terms, piece)


START: Final = "zeros"
"""The form that the pieces of a constant begin with."""


@dataclass(frozen=True)
class Times:
    """A piece that is so many times its input."""

    often: int


@dataclass(frozen=True)
class Zeros:
    """A segment that gives zeros of a shape."""

    shape: Hashable


def _append(found: list[Hashable], form: Hashable) -> None:
    """Adds a form to a list; multiples of multiples are one."""
    if found and isinstance(found[-1], Times) and isinstance(form, Times):
        found[-1] = Times(found[-1].often * form.often)
    else:
        found.append(form)


class _Twin:
    """A pattern that stands for another one, which is the same but for the names of its layers."""

    def __init__(self, pattern: _Pattern, forms: Forms, segment: Segment, others: Sequence[Segment]) -> None:
        self._pattern = pattern
        self._forms = forms
        self._names = pattern.segment.names(segment)
        self._own = {layer.what for layer in segment.fixed or ()}
        known = {layer.what for other in others for layer in other.fixed or ()}
        self._elsewhere = self._own if any(other.fixed is None for other in others) else self._own & known
        self._renamed: dict[Hashable, Hashable] = {}

    def part(self, genotype: Genotype, given: Given) -> _Part:
        """What its forms stand for under the other names."""
        part = self._pattern.part(genotype, given)
        return part._replace(forms=tuple(map(self._form, part.forms)))

    def _form(self, form: Hashable) -> Hashable:
        """A form that only this pattern has needs to be told apart from its other forms alone."""
        if isinstance(form, Zeros):
            return Zeros(self._names.get(form.shape, form.shape))
        if not isinstance(form, int):
            return form
        if form not in self._renamed:
            names = {self._names.get(what) for what in self._forms.made_of(form)} & self._own
            is_elsewhere = names <= self._elsewhere
            renamed = self._forms.renamed(form, self._names) if is_elsewhere else self._forms((id(self), form))
            self._renamed[form] = renamed
        return self._renamed[form]


def _twin(segment: Segment, patterns: Iterable[_Pattern]) -> _Pattern | None:
    """A pattern whose forms say which architectures are the same in this segment."""
    return next((each for each in patterns if each.twin is None and segment.is_twin(each.segment)), None)
