"""Variation that stays inside the space: mutation and crossover of genotypes with conditional decisions.

Every gene always holds one of its decision's options, so that each result is an architecture of the space. A
gene that is inactive says nothing; where a change makes one active, it is drawn.
"""

from __future__ import annotations

import random
from collections.abc import Collection
from typing import TYPE_CHECKING

from deap import tools

from atnas.dsl.net import Decision
from atnas.runtime.search.domain import Encoding
from atnas.runtime.search.selection import lend

if TYPE_CHECKING:
    from atnas.compiler.encoding import Genotype

NEIGHBOUR = 0.5
"""How often an ordered decision moves to an option next to it rather than to any other."""


def mutate(genotype: Genotype, encoding: Encoding, rate: float | None, rng: random.Random) -> Genotype:
    """Each active gene changes with chance `rate`, 1 / their number if None; at least one does if any can."""
    inherited = _active(genotype, encoding)
    movable = [gene for gene in inherited if len(encoding.decisions[gene].options) > 1]
    if not movable:
        return genotype
    chance = 1 / len(movable) if rate is None else rate
    moving = [gene for gene in movable if rng.random() < chance] or [rng.choice(movable)]
    child = list(genotype)
    for gene in moving:
        child[gene] = _other(encoding.decisions[gene], child[gene], rng)
    return _settle(child, inherited, encoding, rng)


def mate(mother: Genotype, father: Genotype, encoding: Encoding, rng: random.Random) -> Genotype:
    """Uniform crossover: each gene from either parent, or from the only one in which it is active."""
    hers, his = set(_active(mother, encoding)), set(_active(father, encoding))
    genes = range(len(mother))
    child = [father[g] if g in his - hers else mother[g] for g in genes]
    other = [mother[g] if g in hers - his else father[g] for g in genes]
    with lend(rng):
        tools.cxUniform(child, other, 0.5)
    return _settle(child, hers | his, encoding, rng)


def _settle(child: list[int], inherited: Collection[int], encoding: Encoding, rng: random.Random) -> Genotype:
    """Draws the genes that became active and that no parent says anything about."""
    known = set(inherited)
    while new := [gene for gene in _active(tuple(child), encoding) if gene not in known]:
        for gene in new:
            child[gene] = rng.randrange(len(encoding.decisions[gene].options))
        known.update(new)
    return encoding.canonical(tuple(child))


def _other(decision: Decision, option: int, rng: random.Random) -> int:
    """An option other than this one."""
    last = len(decision.options) - 1
    if decision.ordered and rng.random() < NEIGHBOUR:
        return rng.choice([near for near in (option - 1, option + 1) if 0 <= near <= last])
    drawn = rng.randrange(last)
    return drawn + (drawn >= option)


def _active(genotype: Genotype, encoding: Encoding) -> list[int]:
    return [gene for gene, active in enumerate(encoding.active(genotype)) if active]
