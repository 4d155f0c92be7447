"""How many architectures of a space are different families of functions.

Two are the same by construction where one becomes the other by leaving out what is not needed, zeros and identities, by
other orders and brackets of sums, and by exchanging layers that are alike. Weights that are used twice stay one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable
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
        self._forms = Forms()
        patterns: dict[Hashable, _Pattern] = {}
        self._patterns = []
        for segment in segments(graph):
            if segment.pattern not in patterns:
                twin = _twin(segment, list(patterns.values()))
                patterns[segment.pattern] = _Pattern(segment, self._forms, twin)
            self._patterns.append(patterns[segment.pattern])

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

    def __init__(self, segment: Segment, forms: Forms, twin: _Pattern | None) -> None:
        self.segment = segment
        self.twin = twin
        self._terms = Terms()
        self._forms = forms
        self._known: dict[tuple[Given, tuple[int, ...]], _Part] = {}
        self._of_term: dict[int, _Part] = {}

    def part(self, genotype: Genotype, given: Given) -> _Part:
        """What the segment is in an architecture."""
        key = given, tuple([genotype[d] for d in self.segment.decisions])
        found = self._known.get(key)
        if found is None:
            found = self._of_twin(genotype, given) if self.twin else self._worked_out(genotype, given)
            self._known[key] = found
        return found

    def _worked_out(self, genotype: Genotype, given: Given) -> _Part:
        term = self.segment.term(genotype, self._terms, given)
        if term not in self._of_term:
            several = len(self.segment.entries) > 1  # which of the inputs it is of matters
            cut = [Piece(term, None)] if several else pieces(self._terms, term)
            forms = [self._form(piece) for piece in cut]
            constant = is_constant(self._terms, term)
            self._of_term[term] = _Part((*forms, *[START] * constant), self._gives(term), constant)
        return self._of_term[term]

    def _of_twin(self, genotype: Genotype, given: Given) -> _Part:
        """What a twin's forms stand for here."""
        assert self.twin is not None
        part = self.twin.part(genotype, given)
        bare = (
            form if isinstance(form, Times) or form == START else self._forms((id(self), form)) for form in part.forms
        )
        return part._replace(forms=tuple(bare))

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


def _append(found: list[Hashable], form: Hashable) -> None:
    """Adds a form to a list; multiples of multiples are one."""
    if found and isinstance(found[-1], Times) and isinstance(form, Times):
        found[-1] = Times(found[-1].often * form.often)
    else:
        found.append(form)


def _twin(segment: Segment, patterns: list[_Pattern]) -> _Pattern | None:
    """A pattern whose forms say which architectures are the same in this segment, where they share no layer."""
    if segment.fixed is None:
        return None
    whats = {layer.what for layer in segment.fixed}
    for pattern in patterns:
        others = pattern.segment.fixed
        if pattern.twin is None and others is not None and segment.is_twin(pattern.segment):
            return pattern if whats.isdisjoint(layer.what for layer in others) else None
    return None
