"""How decisions are named: by the way to them, as it is written.

A *site* is a place in one expression that makes a decision or leads to some: `|`, a range, `of`, the use of an op.
Its step is the op's name as written there, the argument it is given to, `depth` for the count of a repeat, or nothing.
Sites of one expression with the same step are told apart by `[0]`, `[1]`, .. in reading order.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain, count

from atnas.dsl.syntax import ast
from atnas.dsl.syntax.walk import children

Steps = dict[int, str]
"""The step of each site of an expression, by `id` of its syntax."""


@dataclass(frozen=True)
class Names:
    """What the naming must know of the words in an expression.

    `leads(name)`: is it an op, cell or parameter, so that its use leads to decisions of its own?
    `argument(function, position)`: what the callee calls the argument at that position.
    `numeric(node)`: is it a number, so that `*` multiplies it?
    """

    leads: Callable[[str], bool]
    argument: Callable[[str, int], str]
    numeric: Callable[[ast.Expr], bool]


class Unique:
    """Names that one thing has each: a second thing gets `name[1]`."""

    def __init__(self) -> None:
        self._given: dict[tuple[str, int], str] = {}
        self._taken: set[str] = set()

    def __call__(self, name: str, thing: object) -> str:
        """The name of a thing, the same whenever it is asked for. The thing must outlive this."""
        key = name, id(thing)
        if key not in self._given:
            names = chain([name], (f"{name}[{i}]" for i in count(1)))
            self._given[key] = next(n for n in names if n not in self._taken)
            self._taken.add(self._given[key])
        return self._given[key]


def steps(expression: ast.Expr, names: Names) -> Steps:
    """The step of every site under an expression; a repeat's own step stands under the id of its count."""
    groups: dict[str, list[int]] = defaultdict(list)
    suffixes: dict[int, tuple[int, str]] = {}
    for node, step, of in _sites(expression, "", names):
        if of is None:
            groups[step].append(id(node))
        else:
            suffixes[id(node)] = (id(of), step)
    found: Steps = {}
    for step, ids in groups.items():
        for i, key in enumerate(ids):
            found[key] = step if len(ids) == 1 else f"{step}[{i}]"
    for key, (of_id, step) in suffixes.items():
        found[key] = f"{found[of_id]}.{step}"
    return found


def _sites(node: ast.Expr, argument: str, names: Names) -> Iterator[tuple[ast.Expr, str, ast.Expr | None]]:
    """(site, step, the site whose step comes before it or None) in reading order."""
    match node:
        case ast.Choice():
            yield node, argument, None
        case ast.Range() | ast.Subset():
            yield node, argument, None
        case ast.Call(function=function) if names.leads(function.id):
            yield node, function.id, None
        case ast.Name(id=word) if names.leads(word):
            yield node, word, None
        case _:
            pass
    match node:
        case ast.Choice(options=options):
            for option in options:
                yield from _sites(option, "", names)
        case ast.Call(function=function, arguments=arguments):
            for i, given in enumerate(arguments):
                name = given.name.id if given.name else names.argument(function.id, i)
                if not isinstance(given.value, ast.Name):
                    yield from _sites(given.value, name, names)
        case ast.Binary(op="*", left=left, right=ast.Range() | ast.Choice() as times) if not names.numeric(left):
            yield from _sites(left, argument, names)
            leads = isinstance(left, ast.Call | ast.Name) and names.leads(_word(left))
            yield times, "depth", left if leads else None
            for child in children(times):
                yield from _sites(child, "", names)
        case ast.Subset(count=size, items=items):
            # A range here counts members: it is no decision beside the subset.
            for child in (*children(size), items) if isinstance(size, ast.Range) else (size, items):
                yield from _sites(child, "", names)
        case ast.Each(item=item, source=source):
            yield from _sites(item, argument, names)
            yield from _sites(source, "", names)
        case _:
            for child in children(node):
                yield from _sites(child, argument, names)


def _word(node: ast.Call | ast.Name) -> str:
    return node.id if isinstance(node, ast.Name) else node.function.id
