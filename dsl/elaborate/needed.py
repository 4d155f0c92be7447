"""Where layers and decisions are needed by an output, for every architecture, in one walk back from the outputs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from operator import eq

from atnas.dsl.cases import FALSE, TRUE, Cases, apply, both, either, member, otherwise
from atnas.dsl.net import Arith, ChoiceNode, Decision, InputNode, LayerNode, NetNode, Num, Pick, number


@dataclass(frozen=True)
class Needed:
    """Where each node is needed, and each decision: where a node that is asks for it."""

    nodes: Sequence[Cases[bool]]
    decisions: Sequence[Cases[bool]]


def needed(nodes: Sequence[NetNode], outputs: Iterable[int], decisions: Sequence[Decision]) -> Needed:
    """Where the outputs need them. What hangs on a number that is not there is needed by nothing."""
    active, decided = [FALSE] * len(nodes), [FALSE] * len(decisions)
    for output in outputs:
        active[output] = TRUE
    for n in reversed(range(len(nodes))):
        if active[n] is FALSE:
            continue
        for source, where in takes(nodes[n], lambda decision: len(decisions[decision].options)):
            active[source] = either(active[source], both(active[n], where))
        for decision, where in asks(nodes[n], active[n]):
            decided[decision] = either(decided[decision], where)
    return Needed(active, decided)


def takes(node: NetNode, options: Callable[[int], int]) -> Iterator[tuple[int, Cases[bool]]]:
    """The tensors that a node takes, and where it does; `options` says how many a decision has."""
    match node:
        case LayerNode(edges=edges):
            for edge in edges:
                if edge.guard is None:
                    yield edge.node, TRUE
                else:
                    decision, allowed = edge.guard.decision, edge.guard.allowed
                    yield edge.node, member(decision, options(decision), allowed)
        case ChoiceNode(selector=selector, keys=keys, sources=among):
            by = number(selector)
            for key, source in zip(keys, among, strict=True):
                yield source, otherwise(apply(partial(eq, key), by), False)
        case InputNode():
            return


def asks(node: NetNode, where: Cases[bool]) -> Iterator[tuple[int, Cases[bool]]]:
    """The decisions that a node, needed in these cases, asks for, and where."""
    match node:
        case LayerNode(arguments=arguments, edges=edges):
            for decision in {edge.guard.decision for edge in edges if edge.guard is not None}:
                yield decision, where
            for _, argument in arguments:
                yield from demands(argument, where)
        case ChoiceNode(selector=selector):
            yield from demands(selector, where)
        case InputNode():
            return


def demands(num: Num, where: Cases[bool]) -> Iterator[tuple[int, Cases[bool]]]:
    """The decisions that a number, wanted in these cases, asks for, and where: of a choice what is taken alone."""
    match num:
        case Pick(decision, options):
            yield decision, where
            for i, option in enumerate(options):
                if isinstance(option, Pick | Arith):
                    yield from demands(option, both(where, member(decision, len(options), frozenset({i}))))
        case Arith(_, left, right):
            yield from demands(left, where)
            yield from demands(right, where)
