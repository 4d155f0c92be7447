"""The parse tables that lark builds from the grammar, kept as data beside it, so that nobody waits for lark.

    python -m atnas.dsl.syntax.tables

writes `grammars/tables.json` anew. Where the file does not fit the grammar, as after an edit, lark is asked again.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from atnas import grammars

if TYPE_CHECKING:
    from lark import Lark
    from lark.grammar import Rule as LarkRule
    from lark.lexer import TerminalDef

GRAMMAR: Final = "atnas.lark"
FILE: Final = "tables.json"


class Terminal(NamedTuple):
    """A kind of token: `plain` ones are always spelt as `pattern`, others match it."""

    name: str
    plain: bool
    pattern: str


class Rule(NamedTuple):
    """What `size` values on the stack become: a value of `symbol`, made by `action`; without one, the first of them."""

    symbol: str
    action: str | None
    size: int


class Tables(NamedTuple):
    """An LALR(1) automaton. It begins in state 0 and is done where `$END` leads to state `end`.

    A row says what a state does at each symbol: at least 0 is the state to go to, below 0 is `~rule` to reduce by.
    """

    terminals: list[Terminal]
    rules: list[Rule]
    rows: list[dict[str, int]]
    end: int


def load() -> Tables:
    """The tables of the grammar: those in the file where they fit it, else new ones."""
    grammar = grammars.text(GRAMMAR)
    try:
        kept = json.loads(grammars.text(FILE))
    except (FileNotFoundError, ValueError):
        return build(grammar)
    return _read(kept) if kept["grammar"] == grammar.splitlines() else build(grammar)


def _read(kept: dict[str, Any]) -> Tables:
    terminals = [Terminal(*terminal) for terminal in kept["terminals"]]
    return Tables(terminals, [Rule(*rule) for rule in kept["rules"]], kept["rows"], kept["end"])


def lark(grammar: str) -> Lark:
    """The parser that lark builds from a grammar."""
    from lark import Lark

    return Lark(grammar, parser="lalr", lexer="basic", maybe_placeholders=False)


def build(grammar: str) -> Tables:
    """The tables that lark builds. States are numbered in the order in which the grammar reaches them."""
    parser = lark(grammar)
    automaton = parser.parse_interactive("").parser_state.parse_conf
    rules = {rule: n for n, rule in enumerate(parser.rules)}
    rows = {state: dict(_row(row, rules)) for state, row in automaton.states.items()}
    order = _order(rows, automaton.start_state)
    number = {state: n for n, state in enumerate(order)}
    return Tables(
        [_terminal(t) for t in parser.terminals if t.name not in parser.ignore_tokens],
        [Rule(str(rule.origin.name), _action(rule), len(rule.expansion)) for rule in rules],
        [{k: number[v] if v >= 0 else v for k, v in sorted(rows[state].items())} for state in order],
        number[automaton.end_state],
    )


def _row(row: dict[str, tuple[Any, Any]], rules: dict[LarkRule, int]) -> Iterator[tuple[str, int]]:
    for symbol, (_, target) in row.items():
        yield str(symbol), target if isinstance(target, int) else ~rules[target]


def _order(rows: dict[int, dict[str, int]], start: int) -> list[int]:
    """The states as they are reached from the first one; lark's own numbers differ from run to run."""
    reached = {start: None}
    ahead = deque(reached)
    while ahead:
        row = rows[ahead.popleft()]
        new = [target for _, target in sorted(row.items()) if target >= 0 and target not in reached]
        reached.update(dict.fromkeys(new))
        ahead.extend(dict.fromkeys(new))
    return list(reached)


def _terminal(t: TerminalDef) -> Terminal:
    plain = t.pattern.type == "str"
    return Terminal(t.name, plain, t.pattern.value if plain else t.pattern.to_regexp())


def _action(rule: LarkRule) -> str | None:
    """Rules go by their alias, then by their name; one that is marked `?` hands its first value on."""
    return rule.alias or (None if rule.options.expand1 else str(rule.origin.name))


def written(grammar: str) -> str:
    """The content of the file: a line for each terminal, rule and state, and for each of the grammar to know it by."""
    made = build(grammar)
    head = {"about": "made from atnas.lark by python -m atnas.dsl.syntax.tables", "end": made.end}
    lists: dict[str, list[Any]] = {
        "terminals": made.terminals,
        "rules": made.rules,
        "rows": made.rows,
        "grammar": grammar.splitlines(),
    }
    entries = [f"{json.dumps(key)}: {json.dumps(value)}" for key, value in head.items()]
    for key, items in lists.items():
        lines = ",\n".join(json.dumps(item, separators=(",", ":")) for item in items)
        entries.append(f"{json.dumps(key)}: [\n{lines}\n]")
    return "{\n" + ",\n".join(entries) + "\n}\n"


if __name__ == "__main__":
    grammars.path(FILE).write_text(written(grammars.text(GRAMMAR)), encoding="utf-8")
