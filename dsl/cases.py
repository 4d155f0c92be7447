"""A value as a function of the decisions: what a shape, a number or a condition is for *every* architecture.

`Cases` is an ordered, reduced, shared decision diagram with values at its leaves (Bahar et al., "Algebraic decision
diagrams and their applications", 1993; here with many-valued variables). Decisions are numbers; along every path they
grow. Equal diagrams are one object, so equality is identity and work grows with the diagram, not with the number of
architectures. The leaf `NEVER` marks what cannot happen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, Generic, TypeVar
from weakref import WeakValueDictionary

from atnas.dsl.meter import WALKED, TooLarge, spend, steps_left

T = TypeVar("T")
R = TypeVar("R")

LEAF: Final = 1 << 60

Case = dict[int, int]
"""Options by decision; some decisions may be left open."""

LARGEST: Final = 1_000_000
"""Operands that one operation looks at before it gives up, so that a hostile program costs bounded time and memory."""


class Cases(Generic[T]):
    """A leaf (`decision == LEAF`, with `value`) or a split on `decision` with one child an option."""

    __slots__ = ("__weakref__", "children", "decision", "value")

    decision: int
    children: tuple[Cases[T], ...]
    value: T

    def __repr__(self) -> str:
        if self.decision == LEAF:
            return repr(self.value)
        return f"{self.decision}?{list(self.children)}"


class _Never:
    def __repr__(self) -> str:
        return "NEVER"


_table: WeakValueDictionary[Any, Cases[Any]] = WeakValueDictionary()


def _make(key: Any, decision: int, children: tuple[Cases[Any], ...], value: Any) -> Cases[Any]:
    found = _table.get(key)
    if found is None:
        found = Cases()
        found.decision, found.children, found.value = decision, children, value
        _table[key] = found
    return found


def leaf(value: T) -> Cases[T]:
    """The same value whatever is decided."""
    return _leaf(value)


@lru_cache(maxsize=10_000, typed=True)
def _leaf(value: Any) -> Cases[Any]:
    return _make((type(value), value), LEAF, (), value)


NEVER: Final[Cases[Any]] = leaf(_Never())
TRUE: Final = leaf(True)
FALSE: Final = leaf(False)


def split(decision: int, children: Sequence[Cases[T]]) -> Cases[T]:
    """The i-th child where `decision` takes its option i. Children may only depend on later decisions."""
    first = children[0]
    if all(child is first for child in children):
        return first
    key = (decision, *map(id, children))
    return _make(key, decision, tuple(children), None)


def cofactor(cases: Cases[T], decision: int, option: int) -> Cases[T]:
    """`cases` where `decision`, no later than the first it depends on, takes `option`."""
    return cases.children[option] if cases.decision == decision else cases


def apply(function: Callable[..., R], *operands: Cases[Any]) -> Cases[R]:
    """`function` of the operands' values, case by case; NEVER where one of them is. Raises `TooLarge`."""
    found, steps = _applied(function, *operands)
    spend(steps)
    return found


def _applied(function: Callable[..., R], *operands: Cases[Any]) -> tuple[Cases[R], int]:
    """The same with what it costs."""
    if NEVER in operands:
        return NEVER, 0
    varying = [i for i, operand in enumerate(operands) if operand.decision != LEAF]
    values = [operand.value for operand in operands]
    if not varying:
        return leaf(function(*values)), 0
    done = _Done[R](len(varying))

    def go(args: tuple[Cases[Any], ...]) -> Cases[R]:
        if NEVER in args:
            return NEVER
        key = tuple(map(id, args))
        found = done.get(key)
        if found is None:
            top = min([a.decision for a in args])
            if top == LEAF:
                for i, arg in zip(varying, args, strict=True):
                    values[i] = arg.value
                found = done.keep(key, leaf(function(*values)), 0)
            else:
                children = [go(column) for column in _columns(args, top)]
                found = done.keep(key, split(top, children), len(children))
        return found

    return go(tuple(operands[i] for i in varying)), done.steps


def _columns(args: tuple[Cases[Any], ...], decision: int) -> Iterator[tuple[Cases[Any], ...]]:
    """The arguments under each option of a decision that one of them splits on."""
    width = next(len(a.children) for a in args if a.decision == decision)
    return zip(*(a.children if a.decision == decision else (a,) * width for a in args), strict=True)


class _Done(dict[tuple[int, ...], Cases[R]]):
    """What an operation on so many operands has made, by the operands' nodes, and the steps that it took."""

    def __init__(self, operands: int) -> None:
        left = steps_left()
        self.steps = 0
        self._price = 1 + operands // 4
        self._most = LARGEST // operands
        self._room = LARGEST * self._price if left is None else left

    def keep(self, key: tuple[int, ...], made: Cases[R], children: int) -> Cases[R]:
        """The same, kept; it was made of so many children. Raises `TooLarge`."""
        self.steps += self._price + children // WALKED
        if self.steps > self._room:
            spend(self.steps)
        if self.steps > self._room or len(self) >= self._most:
            raise TooLarge(f"a shape or number depends on the decisions in more than {len(self):,} ways")
        self[key] = made
        return made


def choose(selector: Cases[Any], keys: Sequence[Any], options: Sequence[Cases[T]]) -> Cases[T]:
    """The option whose key is the selector's value, case by case; NEVER where no key is."""
    at = {key: i for i, key in enumerate(keys)}
    done = _Done[T](1 + len(options))

    def go(args: tuple[Cases[Any], ...]) -> Cases[T]:
        by = args[0]
        if by.decision == LEAF:
            return args[at[by.value] + 1] if by.value in at else NEVER
        key = tuple(map(id, args))
        found = done.get(key)
        if found is None:
            top = min([a.decision for a in args])
            children = [go(column) for column in _columns(args, top)]
            found = done.keep(key, split(top, children), len(children))
        return found

    chosen = go((selector, *options))
    spend(done.steps)
    return chosen


def only(guard: Cases[bool], cases: Cases[T]) -> Cases[T]:
    """`cases` where the guard holds, NEVER elsewhere."""
    if guard is TRUE:
        return cases
    found, steps = _only(guard, cases)
    spend(steps)
    return found


@lru_cache(maxsize=10_000)
def _only(guard: Cases[bool], cases: Cases[Any]) -> tuple[Cases[Any], int]:
    done = _Done[Any](2)

    def go(holds: Cases[bool], value: Cases[Any]) -> Cases[Any]:
        if holds is FALSE or holds is NEVER or value is NEVER:
            return NEVER
        if holds is TRUE:
            return value
        key = (id(holds), id(value))
        found = done.get(key)
        if found is None:
            top = min(holds.decision, value.decision)
            width = len((holds if holds.decision == top else value).children)
            parts = [go(cofactor(holds, top, i), cofactor(value, top, i)) for i in range(width)]
            found = done.keep(key, split(top, parts), width)
        return found

    return go(guard, cases), done.steps


def both(a: Cases[bool], b: Cases[bool]) -> Cases[bool]:
    """Conjunction; false where one side is, even if the other is NEVER."""
    if a is TRUE or b is FALSE:
        return b
    if b is TRUE or a is FALSE:
        return a
    found, steps = _both(a, b)
    spend(steps)
    return found


@lru_cache(maxsize=10_000)
def _both(a: Cases[bool], b: Cases[bool]) -> tuple[Cases[bool], int]:
    done = _Done[bool](2)

    def go(x: Cases[bool], y: Cases[bool]) -> Cases[bool]:
        if x is FALSE or y is FALSE or x is y:
            return FALSE if x is FALSE else y
        if x is TRUE or y is TRUE:
            return x if y is TRUE else y
        key = (id(x), id(y))
        found = done.get(key)
        if found is None:
            top = min(x.decision, y.decision)
            width = len((x if x.decision == top else y).children)
            parts = [go(cofactor(x, top, i), cofactor(y, top, i)) for i in range(width)]
            found = done.keep(key, split(top, parts), width)
        return found

    return go(a, b), done.steps


def either(a: Cases[bool], b: Cases[bool]) -> Cases[bool]:
    """Disjunction."""
    if a is FALSE or b is TRUE:
        return b
    if b is FALSE or a is TRUE:
        return a
    return apply(lambda x, y: x or y, a, b)


def member(decision: int, options: int, allowed: frozenset[int]) -> Cases[bool]:
    """True where `decision`, of so many options, takes one of the allowed."""
    spend(options // WALKED)
    return _member(decision, options, allowed)


@lru_cache(maxsize=10_000)
def _member(decision: int, options: int, allowed: frozenset[int]) -> Cases[bool]:
    return split(decision, [TRUE if i in allowed else FALSE for i in range(options)])


def renamed(cases: Cases[T], names: Mapping[int, int]) -> Cases[T]:
    """The same of other decisions: what depends on decision i depends on `names[i]`, with as many options."""
    if cases.decision == LEAF:
        return cases
    done: dict[Cases[T], Cases[T]] = {}

    def go(node: Cases[T]) -> Cases[T]:
        if node.decision == LEAF:
            return node
        if node not in done:
            decision, children = names[node.decision], [go(child) for child in node.children]
            if all(decision < child.decision for child in children):
                done[node] = split(decision, children)
            else:  # the new names come in another order
                options = range(len(children))
                done[node] = choose(split(decision, [leaf(i) for i in options]), options, children)
        return done[node]

    found = go(cases)
    spend(len(done) // 2)
    return found


def values(cases: Cases[T]) -> list[T]:
    """Every value that can occur, each once, in order of the options. NEVER is left out."""
    return [node.value for node in nodes(cases) if node.decision == LEAF and node is not NEVER]


def nodes(cases: Cases[T]) -> Iterator[Cases[T]]:
    """Every node of the diagram once, the root first."""
    count = 0
    for node in _walked(cases):
        count += 1
        yield node
    spend(count // WALKED)


def _walked(cases: Cases[T]) -> Iterator[Cases[T]]:
    seen = {id(cases)}
    stack = [cases]
    while stack:
        node = stack.pop()
        yield node
        for child in reversed(node.children):
            if id(child) not in seen:
                seen.add(id(child))
                stack.append(child)


def size(cases: Cases[Any]) -> int:
    """How many nodes the diagram has."""
    found = _size(cases)
    spend(found // WALKED)
    return found


@lru_cache(maxsize=10_000)
def _size(cases: Cases[Any]) -> int:
    return sum(1 for _ in _walked(cases))


def support(cases: Cases[Any]) -> set[int]:
    """The decisions that the value depends on."""
    return {node.decision for node in nodes(cases) if node.decision != LEAF}


def fixed(cases: Cases[T], case: Case) -> Cases[T]:
    """`cases` where these decisions take these options."""
    done: dict[Cases[T], Cases[T]] = {}

    def go(node: Cases[T]) -> Cases[T]:
        if node.decision == LEAF:
            return node
        if node not in done:
            option = case.get(node.decision)
            children = node.children if option is None else node.children[option : option + 1]
            done[node] = split(node.decision, [go(child) for child in children])
        return done[node]

    found = go(cases)
    spend(len(done) // WALKED)
    return found


def otherwise(cases: Cases[T], value: R) -> Cases[T | R]:
    """`cases`, and a value where they are NEVER."""
    done: dict[Cases[Any], Cases[Any]] = {NEVER: leaf(value)}

    def go(node: Cases[Any]) -> Cases[Any]:
        if node not in done:
            done[node] = split(node.decision, [go(child) for child in node.children]) if node.children else node
        return done[node]

    found = go(cases)
    spend(len(done) // WALKED)
    return found


def at(cases: Cases[T], genotype: Sequence[int]) -> T:
    """The value for one assignment: option numbers by decision."""
    while cases.decision != LEAF:
        cases = cases.children[genotype[cases.decision]]
    return cases.value


def under(cases: Cases[T], case: Case) -> Cases[T]:
    """The leaf that an assignment comes to, where what it leaves open is the first option."""
    while cases.decision != LEAF:
        cases = cases.children[case.get(cases.decision, 0)]
    return cases


def witness(cases: Cases[T], wanted: Callable[[T], bool]) -> Case | None:
    """The shortest way through the diagram to a wanted value, as an assignment; None if it never occurs."""
    if cases.decision == LEAF:
        return {} if cases is not NEVER and wanted(cases.value) else None
    memo: dict[int, tuple[int, int] | None] = {}

    def go(node: Cases[T]) -> int | None:
        """How many decisions the shortest way takes."""
        if node is NEVER:
            return None
        if node.decision == LEAF:
            return 0 if wanted(node.value) else None
        if id(node) not in memo:
            ways = [(length, i) for i, child in enumerate(node.children) if (length := go(child)) is not None]
            memo[id(node)] = min(ways, default=None)
        best = memo[id(node)]
        return None if best is None else 1 + best[0]

    go(cases)
    spend(len(memo) // WALKED)
    found: Case = {}
    while (best := memo.get(id(cases))) is not None:
        found[cases.decision] = best[1]
        cases = cases.children[best[1]]
    return found or None
