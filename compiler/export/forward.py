"""The forward of a block, as a person would write it.

    y = x + self.attention(x)
    return y + self.mlp(y)

Names are those of the space: what is bound to a name there is called so here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from atnas.compiler.export.functions import Function, Text
from atnas.compiler.export.groups import Piece
from atnas.compiler.export.literals import identifier
from atnas.compiler.export.parts import Block, Chain, Layer, Part, Shape, Weight
from atnas.compiler.extract import identifiers

LONG = 60
"""Characters from which on an expression gets a line and a name of its own."""

IMPORTED = ("self", "torch", "nn", "functional", "math")
"""What no tensor may be called."""

FEW = 3
"""From so many modules on that take turns, they are called in a loop."""


@dataclass(frozen=True, eq=False)
class Run:
    """Modules in a row, or one function: the nodes that it takes and gives. The inputs of the block are -1, -2, .."""

    pieces: tuple[Piece, ...]
    takes: tuple[int, ...]
    gives: tuple[int, ...]
    does: Part | Function | None

    @property
    def is_module(self) -> bool:
        """Whether it is a module or a weight, not a function."""
        return not isinstance(self.does, Function)

    @property
    def binding(self) -> str:
        """The name that the last of it is bound to, or to a part of."""
        return self.pieces[-1].use.binding


@dataclass(frozen=True)
class Names:
    """What a block is called, its inputs where they have names, how many it has, and the nodes that it gives."""

    word: str
    inputs: tuple[str, ...]
    takes: int
    gives: tuple[int, ...]


def block(names: Names, runs: Sequence[Run], parts: Mapping[Run, Part], shapes: tuple[Shape, ...]) -> Block:
    """The block of these runs; `parts` are its modules."""
    return _Forward(names, runs, parts).block(shapes)


class _Forward:
    def __init__(self, names: Names, runs: Sequence[Run], parts: Mapping[Run, Part]) -> None:
        self.names, self.runs, self.parts = names, runs, parts
        self.wanted = Counter(node for run in runs for node in run.takes)
        self.wanted.update(names.gives)
        self.bound = _bound(runs, names.gives)
        self.taken = set(IMPORTED)
        self.inputs = tuple(map(self._fresh, names.inputs)) or _inputs(names.takes, {run.binding for run in runs})
        self.texts = {-1 - i: Text(name) for i, name in enumerate(self.inputs)}
        self.sources = {**{node: text.text for node, text in self.texts.items()}, **self.bound}
        self.taken.update(self.inputs)
        self.starts: dict[int, int] = {}
        self.members: list[tuple[str, Part]] = []
        self.lines: list[str] = []

    def block(self, shapes: tuple[Shape, ...]) -> Block:
        relays = self._relays()
        self.starts = _starts(relays.values())
        looped = {run for relay in relays.values() for run in relay}
        called = self._called([run for run in self.runs if run.is_module and run not in looped])
        for run in self.runs:
            if run in relays:
                self._loop(relays[run])
            elif run not in looped:
                self._add(run, called.get(run, ""))
        self.lines.append(f"return {', '.join(str(self.texts[node]) for node in self.names.gives)}")
        gives = len(self.names.gives)
        return Block(self.names.word, self.inputs, tuple(self.members), tuple(self.lines), gives, shapes)

    # Statements

    def _add(self, run: Run, name: str) -> None:
        operands = [self.texts[node] for node in run.takes]
        if isinstance(run.does, Function):
            text = run.does.text(operands)
        elif isinstance(self.parts[run], Weight):
            text = Text(f"self.{name}")
        else:
            text = Text(f"self.{name}({', '.join(map(str, operands))})")
        if run.is_module:
            self.members.append((name, self.parts[run]))
        if len(run.gives) == 1:
            self._give(run.gives[0], text, name or run.pieces[-1].use.word)
        else:
            given = [self._fresh(f"{name}_{i}") for i in range(len(run.gives))]
            self.lines.append(f"{', '.join(given)} = {text}")
            self.texts.update(zip(run.gives, map(Text, given), strict=True))

    def _give(self, node: int, text: Text, hint: str) -> None:
        """Makes a tensor known: by a name that it is bound to, as an expression where it is wanted once."""
        once = self.wanted[node] == 1
        if self.wanted[node] == self.starts.get(node) or (
            once and (self.names.gives == (node,) or (node not in self.bound and len(text.text) <= LONG))
        ):
            self.texts[node] = text
        else:
            name = self._fresh(self.bound.get(node, hint))
            self.lines.append(f"{name} = {text}")
            self.texts[node] = Text(name)

    def _loop(self, relay: Sequence[Run]) -> None:
        """Modules of which each takes the tensors of those before it."""
        start = [self.texts[node].text for node in relay[0].takes]
        state = [self._fresh(letter) for letter in LETTERS[: len(start)]]
        words = {run.pieces[0].use.word for run in relay}
        word = self._fresh(words.pop() if len(words) == 1 else "cell")
        together = " = ".join(state) if len(set(start)) == 1 else ", ".join(state)
        self.lines.append(f"{together} = {start[0] if len(set(start)) == 1 else ', '.join(start)}")
        self.lines.append(f"for {word} in self.{word}s:")
        self.lines.append(f"    {', '.join(state)} = {', '.join(state[1:])}, {word}({', '.join(state)})")
        self.members.append((f"{word}s", Chain(tuple(self.parts[run] for run in relay), listed=True)))
        given = [run.gives[0] for run in relay][-len(state) :]
        self.texts.update(zip(given, map(Text, state), strict=True))

    def _fresh(self, hint: str) -> str:
        word = identifier(hint)
        name, count = word, 1
        while name in self.taken:
            count += 1
            name = f"{word}_{count}"
        self.taken.add(name)
        return name

    # Loops

    def _relays(self) -> dict[Run, list[Run]]:
        """Modules that take turns, by the first of them."""
        found: dict[Run, list[Run]] = {}
        waiting = list(self.runs)
        while waiting:
            relay = self._relay(waiting)
            if relay:
                found[relay[0]] = relay
            del waiting[: len(relay) or 1]
        return found

    def _relay(self, waiting: Sequence[Run]) -> list[Run]:
        state, relay = waiting[0].takes, []
        for run in waiting:
            if not run.is_module or len(run.pieces) > 1 or len(run.gives) != 1 or run.takes != state:
                break
            relay.append(run)
            state = (*state[1:], run.gives[0])
        inside = Counter(node for run in relay for node in run.takes)
        between = [run.gives[0] for run in relay[: -len(state)]]
        is_relay = len(state) > 1 and len(relay) >= FEW and all(inside[n] == self.wanted[n] for n in between)
        return relay if is_relay else []

    # Names

    def _called(self, modules: Sequence[Run]) -> dict[Run, str]:
        """A name for each module: what its tensor is bound to, else from where to where, else what it is."""
        ends = self._ends(modules)
        names: dict[Run, str] = {}
        for run in modules:
            edge = f"{self.sources[run.takes[0]]}_to_{run.binding}" if run in ends else _content(run, self.parts[run])
            is_named = len(run.gives) == 1 and not (run.gives == self.names.gives and _is_plain(self.parts[run]))
            names[run] = self.bound.get(run.gives[0], edge) if is_named else edge
        count, seen = Counter(names.values()), Counter[str]()
        for run, name in names.items():
            seen[name] += 1
            names[run] = name if count[name] == 1 else f"{name}_{seen[name]}"
        words = identifiers(names.values())
        return {run: words[name] for run, name in names.items()}

    def _ends(self, modules: Sequence[Run]) -> set[Run]:
        """The edges of a graph: modules from one named tensor to another, where several lead to the same."""
        edges = [r for r in modules if len(r.takes) == 1 and r.takes[0] in self.sources and r.binding]
        edges = [r for r in edges if r.gives[0] not in self.bound]
        ends = [{r.takes[0] for r in edges if r.binding == name} for name in {r.binding for r in edges}]
        return set(edges) if any(len(sources) > 1 for sources in ends) else set()


LETTERS = "abcdefghij"


def _starts(relays: Iterable[Sequence[Run]]) -> dict[int, int]:
    """The one tensor that a loop begins with, and how often the loop wants it."""
    alone = [(relay[0].takes[0], relay) for relay in relays if len(set(relay[0].takes)) == 1]
    return {node: sum(run.takes.count(node) for run in relay) for node, relay in alone}


def _inputs(count: int, taken: set[str]) -> tuple[str, ...]:
    """Names for so many inputs."""
    wanted = ("x", "x0", "inputs") if count == 1 else tuple(LETTERS)
    free = [name for name in wanted if name not in taken]
    return tuple(free[:count]) if len(free) >= count else tuple(f"input_{i}" for i in range(count))


def _bound(runs: Sequence[Run], gives: Sequence[int]) -> dict[int, str]:
    """Tensors by the names that they are bound to: those that are wanted outside of what makes them."""
    found: dict[int, str] = {}
    for name in {run.binding for run in runs} - {""}:
        outside = {node for run in runs if run.binding != name for node in run.takes} | set(gives)
        ends = [run.gives[0] for run in runs if run.binding == name and outside.intersection(run.gives)]
        if len(ends) == 1:
            found[ends[0]] = name
    return found


def _content(run: Run, part: Part) -> str:
    """What a module is called after what is in it."""
    if len(run.pieces) == 1:
        return run.pieces[0].use.word or "layers"
    parts = part.parts if isinstance(part, Chain) else (part,)
    weighty = [p.use.word for p, inner in zip(run.pieces, parts, strict=False) if _is_weighty(inner)]
    if not weighty:
        return run.pieces[-1].use.word
    if len(set(weighty)) > 1:
        return "layers"
    if len(weighty) == 1:
        return weighty[0]
    return "mlp" if weighty[0] == "linear" else f"{weighty[0]}s"


def _is_plain(part: Part) -> bool:
    """Whether a module is an activation or its like: it is called what it is, where it comes last."""
    return isinstance(part, Layer) and not part.weighted


def _is_weighty(part: Part) -> bool:
    """Whether a module has weights and does more than normalise."""
    if isinstance(part, Chain):
        return any(map(_is_weighty, part.parts))
    if isinstance(part, Layer):
        return part.weighted and "Norm" not in part.cls.__name__
    return True
