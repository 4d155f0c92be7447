"""Groups as parts: modules in a row become one chain, a group with branches becomes a block."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

from atnas.compiler.export.forward import Names, Run, block
from atnas.compiler.export.functions import Function
from atnas.compiler.export.groups import Piece, gives, is_function
from atnas.compiler.export.parts import Block, Chain, Part
from atnas.compiler.export.ports import Ports
from atnas.compiler.export.wiring import Wiring

TURN = "block"
"""What the layers of one turn of a repeat are called that are no op of the space."""


class Blocks:
    """Makes the parts of an architecture."""

    def __init__(self, whole: Wiring, ports: Ports) -> None:
        self.whole, self.ports = whole, ports

    def root(self, group: Piece, name: str, start: str) -> Part:
        """The whole network, called `name`; its input is `start`."""
        if not group.pieces:
            return Chain((), name)
        runs = self._runs(group, apart=_are_in_sequence(group.pieces))
        if len(runs) == 1 and self._is_row(group, runs):
            return self._chain(runs[0].pieces, name)
        return self._block(group, runs, name, (start,))

    def part(self, piece: Piece) -> Part:
        """The module that a piece is."""
        if piece.node is not None:
            does = self.whole.nodes[piece.node].does
            assert does is not None and not isinstance(does, Function)
            return does
        runs = self._runs(piece)
        if len(runs) == 1 and self._is_row(piece, runs):
            return self._chain(runs[0].pieces, piece.use.word)
        if _are_in_sequence(piece.pieces):
            runs = self._runs(piece, apart=True)
        return self._block(piece, runs, piece.use.word, ())

    def _is_row(self, group: Piece, runs: Sequence[Run]) -> bool:
        return len(self.ports.takes[group]) == 1 and runs[0].is_module and len(gives(group, self.whole)) == 1

    def _block(self, group: Piece, runs: Sequence[Run], word: str, inputs: tuple[str, ...]) -> Block:
        takes, given = self.ports.takes[group], gives(group, self.whole)
        parts = {run: self._chain(run.pieces) for run in runs if run.is_module}
        shapes = tuple(map(self._shape, (*takes, *given)))
        return block(Names(word, inputs, len(takes), given), runs, parts, shapes)

    def _shape(self, node: int) -> tuple[int, ...]:
        return self.whole.shapes.get(self.whole.nodes[node].place, ())

    def _runs(self, group: Piece, apart: bool = False) -> list[Run]:
        """Pieces by one another: modules of which each is the only one to take the tensor before. Where they are kept
        `apart`, what is bound to different names is not in one run."""
        wanted = Counter(node for piece in group.pieces for node in self.ports.operands[piece])
        wanted.update(gives(group, self.whole))
        runs: list[list[Piece]] = []
        for piece in group.pieces:
            before = next((r for r in runs if self._follows(piece, r, wanted)), None)
            if before is None or (apart and before[-1].use.binding != piece.use.binding):
                runs.append([piece])
            else:
                before.append(piece)
        return [self._run(pieces) for pieces in runs]

    def _run(self, pieces: Sequence[Piece]) -> Run:
        node = pieces[0].node
        return Run(
            tuple(pieces),
            self.ports.operands[pieces[0]],
            gives(pieces[-1], self.whole),
            self.whole.nodes[node].does if node is not None else None,
        )

    def _follows(self, piece: Piece, run: Sequence[Piece], wanted: Mapping[int, int]) -> bool:
        takes = self.ports.operands[piece]
        if len(takes) != 1 or len(self.ports.operands[run[0]]) != 1:
            return False
        if is_function(piece, self.whole) or is_function(run[0], self.whole):
            return False
        return gives(run[-1], self.whole) == takes and wanted[takes[0]] == 1

    def _chain(self, pieces: Sequence[Piece], word: str = "") -> Part:
        """Modules in a row; those of one turn of a repeat are a row in it."""
        turns = [list(same) for _, same in groupby(pieces, key=lambda piece: piece.use.turns)]
        repeated = [same for same in turns if same[0].use.turns and len(same) > 1]
        if len(repeated) < 2:
            parts = [self.part(piece) for piece in pieces]
            return parts[0] if len(parts) == 1 and not word else Chain(tuple(parts), word)
        nested = [
            [Chain(tuple(map(self.part, same)), TURN)] if same in repeated else [self.part(piece) for piece in same]
            for same in turns
        ]
        return Chain(tuple(part for parts in nested for part in parts), word)


def _are_in_sequence(pieces: Iterable[Piece]) -> bool:
    """Whether all that is bound to one name stands together."""
    names = [name for name, _ in groupby(piece.use.binding for piece in pieces)]
    return len(names) == len(set(names))
