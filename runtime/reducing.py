"""From an architecture that fails to the smallest one that still does, and to the layer and the decisions behind it.

First each option that it takes is tried alone in the cheapest architecture. Then comes delta debugging (Zeller and
Hildebrandt, "Simplifying and isolating failure-inducing input", 2002): decisions are moved, many at once and then
fewer, to what the cheapest architecture takes, as long as it fails in the same way.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import torch
from torch import Tensor, nn

from atnas.dsl.errors import Unable
from atnas.dsl.net import Decision, Json, LayerNode
from atnas.runtime.attempt import attempt
from atnas.runtime.evaluation import Evaluation
from atnas.runtime.failures import Failed
from atnas.runtime.searching import measured
from atnas.runtime.seeds import derive
from atnas.runtime.work import Pool

if TYPE_CHECKING:
    from collections.abc import Mapping

    from atnas.compiler.encoding import Genotype
    from atnas.compiler.path import Path
    from atnas.runtime.experiment import Search
    from atnas.runtime.trained import Trained

APART: Final = ("it took longer than", "a worker process ended")
"""Failures that are not looked for within this process."""


@dataclass(frozen=True)
class Needed:
    """A decision without which there is no failure: what it takes, and with what in its place it works."""

    decision: Decision
    option: Json
    works: tuple[Json, ...]


@dataclass(frozen=True)
class Reduced:
    """The smallest architecture that was found to fail, why it does, and how many were evaluated.

    `free` says whether constraints allow others in which one decision, or two that are tied, take something else.
    `layer` is the one that raises, or the first whose output is not finite though what it takes is; None where no
    single layer does.
    """

    genotype: Genotype
    failure: str
    tried: int
    needed: tuple[Needed, ...]
    free: bool
    layer: LayerNode | None


def reduced(run: Trained, genotype: Genotype, seconds: float | None, told: Callable[[int], None]) -> Reduced:
    """What is left of an architecture that fails with the weights that are there.

    It is evaluated as the search does it, in a process of its own, for at most `seconds`, those of the search if None
    are given. `told` hears how many were evaluated so far. Raises `Unable` where it does not fail.
    """
    search = run.plan.search
    if search is None:
        raise Unable(f"{run.folder.root} has no search, so it evaluates no architectures")
    workers = Pool(run.folder.artifact().bytes, run.supernet, run.beside, 1)
    try:
        evaluation = Evaluation(run.plan, run.space, workers)
        failing = _Failing(search, evaluation, search.seconds if seconds is None else seconds, told)
        failure = failing.reason(genotype)
        if failure is None:
            raise Unable("this architecture does not fail with the weights that are there now")
        return _reduced(run, failing, genotype, failure)
    finally:
        workers.close()


class _Failing:
    """Whether and why architectures fail; each is evaluated once."""

    def __init__(
        self, search: Search, evaluation: Evaluation, seconds: float | None, told: Callable[[int], None]
    ) -> None:
        self._search, self._evaluation, self._seconds, self._told = search, evaluation, seconds, told
        self.known: dict[Genotype, str | None] = {}

    def reason(self, genotype: Genotype) -> str | None:
        """Why an architecture fails; None where it does not."""
        if genotype not in self.known:
            try:
                goals, evaluation = self._search.goals, self._evaluation
                attempt(lambda: measured(genotype, goals, evaluation), self._seconds, evaluation.workers)
                self.known[genotype] = None
            except Failed as error:
                self.known[genotype] = str(error)
            self._told(len(self.known))
        return self.known[genotype]


def _reduced(run: Trained, failing: _Failing, genotype: Genotype, failure: str) -> Reduced:
    kind = _kind(failure)

    def alike(candidate: Genotype) -> bool:
        reason = failing.reason(candidate)
        return reason is not None and _kind(reason) == kind

    alone = next(filter(alike, _alone(run, genotype)), None)
    found = _single(run, _chunks(run, genotype, alike) if alone is None else alone, alike)
    reason = failing.reason(found) or failure
    needed = tuple(_needed(run, found, failing))
    free = any(_others(run, found, i) for i in range(len(found)))
    return Reduced(found, reason, len(failing.known), needed, free, _layer(run, found, reason))


def _kind(failure: str) -> str:
    """What failures of one cause have in common: their words without numbers, which differ with sizes."""
    return re.sub(r"[0-9]+", "0", failure)


# Smaller


def _alone(run: Trained, genotype: Genotype) -> list[Genotype]:
    """The cheapest architecture with one option in it that this one takes, wherever it may stand; the smallest first.

    Where one option is the cause, that is the end of it.
    """
    _, target = run.space.costs.extreme("params", largest=False)
    decisions, active = run.space.encoding.decisions, run.space.encoding.active(genotype)
    taken = {str(decisions[i].options[genotype[i]]) for i, is_active in enumerate(active) if is_active}
    found = {
        _allowed(run, [*target[:i], option, *target[i + 1 :]])
        for i, decision in enumerate(decisions)
        for option, word in enumerate(decision.options)
        if str(word) in taken
    }
    smaller = [one for one in found if one is not None and _size(run, one) < _size(run, genotype)]
    return sorted(smaller, key=lambda one: _size(run, one))


def _chunks(run: Trained, genotype: Genotype, alike: Callable[[Genotype], bool]) -> Genotype:
    """With as many decisions as can be, halves first, as the cheapest architecture takes them."""
    _, target = run.space.costs.extreme("params", largest=False)
    found, size = genotype, len(genotype)
    while size:
        for first in range(0, len(genotype), size):
            chunk = slice(first, first + size)
            candidate = _allowed(run, [*found[:first], *target[chunk], *found[first + size :]])
            if candidate and _size(run, candidate) < _size(run, found) and alike(candidate):
                found = candidate
        size //= 2
    return found


def _single(run: Trained, genotype: Genotype, alike: Callable[[Genotype], bool]) -> Genotype:
    """With no decision left of which another option makes it smaller."""
    smaller = (c for c in _neighbours(run, genotype) if _size(run, c) < _size(run, genotype) and alike(c))
    found = next(smaller, None)
    return genotype if found is None else _single(run, found, alike)


def _neighbours(run: Trained, genotype: Genotype) -> Iterator[Genotype]:
    """Those that differ in one decision, the smallest first."""
    found = {one: None for i in range(len(genotype)) for one in _others(run, genotype, i).values()}
    return iter(sorted(found, key=lambda one: _size(run, one)))


def _others(run: Trained, genotype: Genotype, decision: int) -> dict[int, Genotype]:
    """By another option of a decision the architecture that takes it."""
    if not run.space.encoding.active(genotype)[decision]:
        return {}
    every = (o for o in range(len(run.space.encoding.decisions[decision].options)) if o != genotype[decision])
    changed = {o: _with(run, genotype, decision, o) for o in every}
    return {option: one for option, one in changed.items() if one is not None and one != genotype}


def _with(run: Trained, genotype: Genotype, decision: int, option: int) -> Genotype | None:
    """With another option; where a constraint ties it to a second decision, that one changes, too, to its first that
    will do.
    """
    genes = [*genotype[:decision], option, *genotype[decision + 1 :]]
    alone = _allowed(run, genes)
    if alone is not None:
        return alone
    for other, each in enumerate(run.space.encoding.decisions):
        if other != decision:
            pairs = ([*genes[:other], o, *genes[other + 1 :]] for o in range(len(each.options)))
            found = next(
                (one for one in (_allowed(run, pair) for pair in pairs) if one and one[decision] == option), None
            )
            if found is not None:
                return found
    return None


def _allowed(run: Trained, genes: Sequence[int]) -> Genotype | None:
    found = run.space.encoding.canonical(tuple(genes))
    return found if run.space.encoding.allowed(found) else None


def _size(run: Trained, genotype: Genotype) -> tuple[int, ...]:
    """Fewer numbers, less work, fewer decisions, options that stand earlier."""
    costs = run.space.costs.of(genotype)
    return costs["params"], costs["macs"], sum(run.space.encoding.active(genotype)), sum(genotype)


# Where


def _needed(run: Trained, genotype: Genotype, failing: _Failing) -> Iterator[Needed]:
    """Decisions that make it work if they take something else."""
    encoding = run.space.encoding
    words = encoding.decode(genotype)
    for i, decision in enumerate(encoding.decisions):
        others = {o: one for o, one in _others(run, genotype, i).items() if failing.reason(one) is None}
        if others:
            works = tuple(encoding.decode(one)[decision.name] for one in others.values())
            yield Needed(decision, words[decision.name], works)


def _layer(run: Trained, genotype: Genotype, failure: str) -> LayerNode | None:
    """The layer at fault, looked for by sending the support rows of a task through."""
    if failure.startswith(APART):
        return None
    task = run.plan.tasks.task("val", derive(run.plan.settings.seed, "fitness"), 0)
    path = run.supernet.path(genotype)
    place = None
    with _watched(path) as seen:
        try:
            path(path.weights(), task.support_x)
        except Exception:  # that it fails is known; the question is where
            place = seen.entered[-1] if seen.entered else None
    place = place or seen.broken
    layers = (node for node in run.space.net.nodes if isinstance(node, LayerNode))
    return next((node for node in layers if node.place == place), None)


class _Seen:
    """Places of layers that were entered and not left, and the first whose output is not finite by its own fault."""

    def __init__(self) -> None:
        self.entered: list[str] = []
        self.broken: str | None = None


@contextmanager
def _watched(path: Path) -> Iterator[_Seen]:
    """Sees rows go through the layers of a path."""
    seen = _Seen()
    layers: Mapping[str, nn.Module] = {place: layer for place, layer in path.module._modules.items() if layer}
    hooks = [hook for place, layer in layers.items() for hook in _hooks(place, layer, seen)]
    try:
        yield seen
    finally:
        for hook in hooks:
            hook.remove()


def _hooks(place: str, layer: nn.Module, seen: _Seen) -> Iterator[torch.utils.hooks.RemovableHandle]:
    def enter(_: nn.Module, takes: tuple[Tensor, ...]) -> None:
        del takes
        seen.entered.append(place)

    def leave(_: nn.Module, takes: tuple[Tensor, ...], gives: Tensor) -> None:
        seen.entered.pop()
        if seen.broken is None and all(map(_finite, takes)) and not _finite(gives):
            seen.broken = place

    yield layer.register_forward_pre_hook(enter)
    yield layer.register_forward_hook(leave)


def _finite(numbers: Tensor) -> bool:
    return bool(numbers.isfinite().all())
