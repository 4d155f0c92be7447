"""When each decision is active, in words: `stage.depth >= 2`."""

from __future__ import annotations

from atnas.compiler.activity import activity
from atnas.compiler.graph import Graph
from atnas.dsl.cases import FALSE, LEAF, TRUE, Cases, both, member, nodes, support
from atnas.dsl.net import Decision


def conditions(graph: Graph) -> list[str | None]:
    """One for each decision: None where it is always active, `never` where no output can need it."""
    return [_words(cases, graph.decisions) for cases in activity(graph).decisions]


def _words(cases: Cases[bool], decisions: tuple[Decision, ...]) -> str | None:
    if cases is TRUE:
        return None
    if cases is FALSE:
        return "never"
    parts = {d: _allowed(cases, d) for d in sorted(support(cases))}
    product = TRUE
    for decision, allowed in parts.items():
        product = both(product, member(decision, len(decisions[decision].options), allowed))
    if product is not cases:
        return "it depends on " + ", ".join(decisions[d].name for d in parts)
    return " and ".join(_part(decisions[d], allowed) for d, allowed in parts.items())


def _allowed(cases: Cases[bool], decision: int) -> frozenset[int]:
    """The options of a decision under which the condition can hold."""
    return frozenset(
        i
        for node in nodes(cases)
        if node.decision == decision
        for i, child in enumerate(node.children)
        if any(n is TRUE for n in nodes(child) if n.decision == LEAF)
    )


def _part(decision: Decision, allowed: frozenset[int]) -> str:
    last = len(decision.options) - 1
    values = [str(decision.options[i]) for i in sorted(allowed)]
    if len(values) == 1:
        return f"{decision.name} = {values[0]}"
    if decision.ordered and max(allowed) == last and len(allowed) == last - min(allowed) + 1:
        return f"{decision.name} >= {values[0]}"
    return f"{decision.name} in {', '.join(values)}"
