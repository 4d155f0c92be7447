"""Random programs in which nothing is wrong: layers that keep the shape (8, h, w), numbers where numbers belong.

Beside `random_programs`, whose programs have every construct and mostly mean something wrong, these are worked out to
networks and experiments. What is drawn depends on the generator alone.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from random_programs import GLUE, Words, spaced

LAYERS = ["relu", "gelu", "bn", "skip", "conv ~( 8 , 3 )", "sep_conv ~( 8 , 5 )", "max_pool ~( 3 , stride = 1 )"]
ELASTIC = ["conv ~( 8 , 3 | 5 )", "conv ~( 8 , kernel = 1 | 3 )", "mbconv ~( 8 , 3 , expand = 3 | 4 , act = hswish , )"]
NUMBERS = ["16 | 24", "8 .. 32 step 8", "2 * ( 8 | 12 )", "[ 8 , 16 , 24 ] ~[ 0 .. 2 ]", "( 40 - 8 ) / 4 | 64 % 40"]
EXPERIMENT = """
tasks letters {{ source = glyphs ~( size = 16 ) way = 5 shot ~ {shot} query = 10 }}
train meta {{ learner = maml ~( order = {order} , inner = sgd ~( lr = 0.1 ) ) iterations = 2k }}
search evolve {{ algorithm = evolution ~( population = 8 , ) maximize accuracy minimize params require macs <= 900M }}
experiment run {{ space = {space} tasks = letters train = meta search = evolve seed = 1 }}
"""


def sound_program(rng: random.Random, noise: float = 0.3) -> str:
    """The text of a program without errors; `noise` is the share of odd gaps between its words."""
    return spaced(_Sound(rng).words(), rng, noise)


def _words(text: str) -> Words:
    """The words of a text; before one that is marked by `~` no line ends."""
    return [part for word in text.split() for part in ([GLUE, word[1]] if word[0] == "~" and word != "~" else [word])]


class _Sound:
    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.layers = list(LAYERS)
        self.pairs: list[str] = []
        self.tensors: list[str] = []
        self.numbers: list[str] = []

    def words(self) -> Words:
        lines = [self._op(i) for i in range(self.rng.randint(0, 4))]
        space = self._space()
        lines += [space, *self._experiment()]
        self.rng.shuffle(lines)
        return [word for line in lines for word in _words(line)]

    def _several(self, made: Sequence[str], between: str) -> str:
        return f" {between} ".join(made)

    # Declarations

    def _op(self, i: int) -> str:
        kind = self.rng.randrange(4)
        self.numbers = []
        name = f"f{i}" + "_long" * self.rng.choice([0, 0, 1, 6])
        if kind == 0:
            line = (
                f"op {name} ( k = 3 | 5 , c = {self.rng.choice(NUMBERS)} ) = conv ~( c , k ) -> bn -> conv ~( 8 , 1 )"
            )
        elif kind == 1:
            line = f"{self.rng.choice(['op', 'cell'])} {name} = {self._layer(3)}"
        elif kind == 2:
            line = f"op {name} [ a , b ] -> [ b , out ] {{ out = a -> {self._layer(1)} + b }}"
            self.pairs.append(name)
            return line
        else:
            self.tensors = ["x"]
            body = self._body("y", self._tensor(2))
            line = f"{self.rng.choice(['op', 'cell'])} {name} [ x : ( c , h , w ) ] -> y {body}"
        self.layers.append(name)
        return line

    def _space(self) -> str:
        self.tensors, self.numbers = ["stem"], []
        body = self._body("logits", "", "stem = image -> conv ~( C , 3 ) -> conv ~( 8 , 1 )")
        return f"space net ( C = {self.rng.choice(NUMBERS)} ) [ image : ( c , h , w ) ] -> logits : ( way ) {body}"

    def _body(self, last: str, value: str, *first: str) -> str:
        lines = list(first)
        for i in range(self.rng.randint(0, 4)):
            if self.rng.random() < 0.3:
                lines.append(f"n{i} = {self.rng.choice(NUMBERS)}")
                self.numbers.append(f"n{i}")
                if self.rng.random() < 0.5:
                    lines.append(f"require n{i} <= 24 and n{i} in [ 8 , 16 , 24 ] if ( n{i} % 16 ) == 8")
            else:
                lines.append(f"t{'_' * 3 * (i % 3)}{i} = {self._tensor(3)}")
                self.tensors.append(lines[-1].split()[0])
        lines.append(f"{last} = {value or self._tensor(3) + ' -> flatten -> linear ~( way )'}")
        return f"{{ {' '.join(lines)} }}"

    def _experiment(self) -> list[str]:
        if self.rng.random() < 0.3:
            return []
        chosen = {"shot": self.rng.choice(["1 | 5", "1 .. 5"]), "order": self.rng.choice("12"), "space": "net"}
        return EXPERIMENT.format(**chosen).strip().splitlines()

    # Expressions

    def _width(self) -> str:
        return self.rng.choice([*self.numbers, "16", "16 | 32"])

    def _layer(self, depth: int) -> str:
        kind = self.rng.randrange(8) if depth > 0 else 0
        if kind in (1, 2):
            return f"{self._layer(depth - 1)} -> {self._layer(depth - 1)}"
        if kind == 3:
            options = self.rng.sample(self.layers, self.rng.randint(2, 4))
            return f"( {self._several(options, '|')} )"
        if kind == 4:
            return f"{self.rng.choice(self.layers + ELASTIC)} * {self.rng.choice(['2', '1 .. 2', '( 0 | 2 )'])}"
        if kind == 5:
            return f"chain ~( [ {self._several([self._layer(depth - 2) for _ in range(2)], ',')} , ] )"
        if kind == 6:
            return f"chain ~( [ conv ~( w , 3 ) for w in [ 16 , {self._width()} ] ] ) -> conv ~( 8 , 1 )"
        return self.rng.choice(self.layers + ELASTIC)

    def _tensor(self, depth: int) -> str:
        kind = self.rng.randrange(9) if depth > 0 else 0
        some = [self._tensor(depth - 1) for _ in range(self.rng.randint(2, 3))] if kind > 3 else []
        if kind == 4:
            return f"( {self._several(some, '+')} )"
        if kind == 5:
            return f"( {self._several(some, '|')} )"
        if kind == 6:
            return f"add ~( {self.rng.choice(['2', '1 .. 2'])} of [ {self._several(some, ',')} ] )"
        if kind == 7:
            return f"concat ~( {self._several(some, ',')} , ) -> conv ~( 8 , 1 )"
        if kind == 8:
            return f"add ~( [ t -> {self._layer(1)} for t in [ {self._several(some, ',')} ] ] )"
        if kind == 3 and self.pairs:
            return f"( [ {self._tensor(0)} , {self._tensor(0)} ] -> {self.rng.choice(self.pairs)} ) ~[ - 1 ]"
        if kind in (1, 2):
            return f"( {self._tensor(depth - 1)} -> {self._layer(2)} )"
        return self.rng.choice(self.tensors)
