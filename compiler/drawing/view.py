"""What of a space is drawn: all of it, or all of it with one architecture marked in it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from atnas.compiler.drawing.facts import Facts, patterns
from atnas.compiler.drawing.marks import Drawn, Run
from atnas.compiler.drawing.parts import Body, Layer, Site, Use
from atnas.dsl.net import Decision, Json

MOST_LISTED: Final = 40
"""Options that are listed one by one."""


@dataclass(frozen=True)
class View:
    """`taken` is the option of each decision in the architecture, None where it is inactive; `active` are the net's
    nodes that it needs. `within` draws the body of a group."""

    facts: Facts
    within: Callable[[Body, View], Drawn]
    taken: Sequence[int | None] | None = None
    active: frozenset[int] | None = None

    def decisions(self, site: Site) -> list[int]:
        """Those that are made at a site."""
        return self.facts.decisions.get(site, [])

    def decided(self, site: Site) -> list[tuple[int, int]]:
        """Those of them that are active, with the options that are taken."""
        taken = self.taken or [None] * len(self.facts.net.decisions)
        return [(d, option) for d in self.decisions(site) if (option := taken[d]) is not None]

    def about(self, decision: int) -> Decision:
        return self.facts.net.decisions[decision]

    def takes(self, site: Site, wanted: Callable[[Json], bool]) -> bool:
        """Whether the architecture takes such an option at a site."""
        return any(wanted(self.about(d).options[option]) for d, option in self.decided(site))

    def said(self, decision: int, option: int) -> str:
        """`dag.x1.edge = skip`"""
        return f"{self.about(decision).name} = {self.about(decision).words[option]}"

    def title(self, sites: Sequence[Site]) -> str:
        """The decisions that are made at sites, by name, with their options."""
        lines = []
        for site in sites:
            groups: dict[str, list[str]] = {}
            for decision in self.decisions(site):
                groups.setdefault(listed(self.about(decision)), []).append(self.about(decision).name)
            lines += [f"{', '.join(patterns(names))} = {options}" for options, names in groups.items()]
        return "\n".join(lines)

    def told(self, sites: Sequence[Site]) -> tuple[str, str]:
        """What to say of sites to those who point at them, and its kind: in an architecture what is taken."""
        lines = [self.said(d, option) for site in sites for d, option in self.decided(site)]
        return ("\n".join(lines), "value") if lines else (self.title(sites), "")

    def value(self, part: Layer | Use) -> list[Run]:
        """What the architecture takes where all that a use decides is one thing."""
        decisions = self.facts.leads.get(part, set()) if isinstance(part, Use) else set()
        if self.taken is None or len(decisions) != 1:
            return []
        (decision,) = decisions
        option = self.taken[decision]
        return [] if option is None else [(self.about(decision).words[option].replace("->", "→"), "taken")]


def listed(decision: Decision) -> str:
    """The options, those in the middle left out where there are many."""
    words = decision.words
    shown = words if len(words) <= MOST_LISTED else [*words[: MOST_LISTED - 1], "..", words[-1]]
    return " | ".join(shown)
