"""The automaton of the grammar at work: tokens in, the values of its rules out.

Most of a grammar of expressions are rules that hand one value on, such as `sum: pipe`. After a rule has made a value,
all of those that follow are done in one step, which is remembered for the next time.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from functools import cache
from typing import Any

from atnas.dsl.syntax.actions import Action, Actions
from atnas.dsl.syntax.grammar import tables
from atnas.dsl.syntax.lex import END, Token
from atnas.dsl.syntax.tokens import Tokens


@cache
def _steps() -> list[tuple[str, Action, int]]:
    """For each rule its symbol, what makes its value, and how many values it takes."""
    return [(r.symbol, _first if r.action is None else getattr(Actions, r.action), r.size) for r in tables().rules]


def _first(_: Actions, values: list[Any]) -> Any:
    return values[0]


@cache
def _after(below: int, symbol: str, kind: str) -> int:
    """The state over `below` after a rule made `symbol` and others handed it on, before a token of that kind."""
    row, rows, rules = tables().rows[below], tables().rows, tables().rules
    state = row[symbol]
    while (step := rows[state].get(kind)) is not None and step < 0:
        symbol, action, size = rules[~step]
        if action is not None or size > 1:
            break
        state = row[symbol]
    return state


class Machine:
    """A stack of states, and one of the values made so far: a value for each state but the first.

    What it holds can be looked at, and cut, between two tokens.
    """

    def __init__(self, actions: Actions) -> None:
        self.actions = actions
        self.states = [0]
        self.values: list[Any] = []
        self._rows, self._end, self._steps = tables().rows, tables().end, _steps()

    @property
    def row(self) -> Mapping[str, int]:
        """What the state on top does at each symbol."""
        return self._rows[self.states[-1]]

    def run(self, tokens: Tokens, i: int, stops: Container[int]) -> int:
        """Takes tokens from i on; returns the first that is among `stops` or not accepted."""
        while i not in stops and self.feed(tokens[i]):
            i += 1
        return i

    def feed(self, token: Token) -> bool:
        """Takes a token, if it may stand here."""
        state = self.reduce(token.type)
        if state is None:
            return False
        self.states.append(state)
        self.values.append(token)
        return True

    def reduce(self, kind: str) -> int | None:
        """Makes what is complete before a token of that kind; the state after the token, None if it may not stand here.

        At the end of the text it is the state that the automaton ends in.
        """
        rows, states, values = self._rows, self.states, self.values
        while (state := states[-1]) != self._end:
            step = rows[state].get(kind)
            if step is None or step >= 0:
                return step
            symbol, action, size = self._steps[~step]
            made = values[-size:] if size else []
            if size:
                del values[-size:], states[-size:]
            values.append(action(self.actions, made))
            states.append(_after(states[-1], symbol, kind))
        return self._end

    def ends(self, kind: str) -> bool:
        """Whether the text may end before a token of that kind. If so, its value is the only one left."""
        return self.reduce(kind) is not None and self.reduce(END) is not None

    def cut(self, depth: int) -> None:
        """Leaves `depth` values."""
        del self.values[depth:], self.states[depth + 1 :]

    def accepted(self) -> frozenset[str]:
        """The kinds of all tokens that may stand here."""
        return frozenset(kind for kind in self.row if (kind.isupper() or kind == END) and self._takes(kind))

    def _takes(self, kind: str) -> bool:
        rows, states = self._rows, self.states.copy()
        while states[-1] != self._end:
            step = rows[states[-1]].get(kind)
            if step is None or step >= 0:
                return step is not None
            symbol, _, size = self._steps[~step]
            if size:
                del states[-size:]
            states.append(rows[states[-1]][symbol])
        return True
