"""Random programs, whole and in the grammar: every construct, odd spacing, comments between any two words.

    text = random_program(random.Random(7))          # always the same program for the same seed
    text = random_program(rng, noise=0)              # one space between words, no comments

Most of what stands in them means something: numbers, layers and tensors stand mostly where they belong, so that many
programs are checked down to their shapes. `programs` is the hypothesis strategy. What is drawn depends on the
generator alone.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from hypothesis import strategies as st

seeds = st.integers(0, 2**32 - 1)
GLUE = "\0"
"""Between two words between which no line may end: a bracket after it would belong to the line before."""

LAYERS = (
    ["relu"],
    ["bn"],
    ["skip"],
    ["none"],
    ["gelu"],
    ["conv", GLUE, "(", "8", ",", "3", ")"],
    ["conv", GLUE, "(", "c", ",", "kernel", "=", "3", "|", "5", ")"],
    ["max_pool", GLUE, "(", "2", ",", ")"],
    ["mbconv", GLUE, "(", "8", ",", "act", "=", "relu", ",", "se", "=", "true", ")"],
    ["linear", GLUE, "(", "way", ")"],
)
NUMBERS = ["0", "1", "2", "3", "8", "16", "0.5", "1e-3", "60k", "1.5M", "10%", "20ms", "2GB"]
WORDS = ["relu", "cosine", "after", "maml", "sinusoid", "glyphs", "evolution", "accuracy", "params", "true", "false"]
STRINGS = ['""', '"text"', '"a # b"', '"(["', '"é"']
COMPARISONS = ["==", "!=", "<", "<=", ">", ">=", "in"]
METRICS = ["params", "macs", "flops", "activations", "depth"]
SETTINGS = [
    "source",
    "way",
    "shot",
    "query",
    "learner",
    "outer",
    "batch",
    "algorithm",
    "seed",
    "space",
    "tasks",
    "search",
]
NAMES = ["a", "b", "c", "x1", "stem", "width", "_n", "a_rather_long_name_of_a_binding", "steps", "or_"]
COMMENTS = [
    "#",
    "##",
    "# plain",
    "## documented",
    "#!odd",
    '# "quoted',
    "# (",
    "# }",
    "# trailing   ",
    "# é -> |",
    "#\t#",
]

Words = list[str]


def random_program(rng: random.Random, noise: float = 0.3, declarations: int = 5) -> str:
    """The text of a program of at most so many declarations; `noise` is the share of odd gaps between words."""
    return spaced(_Program(rng).words(rng.randint(1, declarations)), rng, noise)


def programs(noise: float = 0.3) -> st.SearchStrategy[str]:
    """Programs for hypothesis, each from a seed: nothing shrinks, and what failed is made again from its number."""
    return seeds.map(lambda seed: random_program(random.Random(seed), noise))


def spaced(words: Sequence[str], rng: random.Random, noise: float) -> str:
    """Words with gaps between them."""
    parts = [_gap("", "x", rng, noise)]
    for i, word in enumerate(words):
        if word == GLUE:
            parts.append(rng.choice(["", " ", "\t"]) if rng.random() < noise else "")
            continue
        after = words[i + 1] if i + 1 < len(words) else "x"
        parts.append(word)
        parts.append("" if after == GLUE else _gap(word, after, rng, noise))
    return "".join(parts)


def _gap(before: str, after: str, rng: random.Random, noise: float) -> str:
    """What stands between two words: nothing only where they do not run together."""
    if rng.random() >= noise:
        return " "
    kind = rng.randrange(8)
    if kind < 2:
        return " " if _runs_together(before, after) else ""
    if kind < 5:
        return rng.choice(["  ", "\t", "\n", "\r\n", "\n\n", " \n \n\n\t"])
    lines = [rng.choice(COMMENTS) + rng.choice(["\n", "\n\n", "\r\n", "\n  "]) for _ in range(rng.randint(1, 2))]
    return rng.choice(["", " ", "\n", "\n\n\n"]) + "".join(lines)


def _runs_together(before: str, after: str) -> bool:
    if not before:
        return False
    wordy = (before[-1].isalnum() or before[-1] in "_%") and (after[0].isalnum() or after[0] in "_%(")
    return wordy or (before[-1], after[0]) in {("-", ">"), ("-", "-"), (".", ".")}


class _Program:
    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.ops: list[str] = []
        self.scope: dict[str, list[str]] = {"number": ["c"], "tensor": [], "list": []}

    def words(self, declarations: int) -> Words:
        kinds = [self._use, self._extern, self._short, self._long, self._space, self._settings, self._short_settings]
        weights = [1, 1, 4, 3, 4, 4, 1]
        chosen = self.rng.choices(kinds, weights, k=declarations)
        return [word for make in chosen for word in make()]

    # Choosing

    def _chance(self, share: float) -> bool:
        return self.rng.random() < share

    def _several(self, make: Callable[[], Words], low: int, high: int, between: str = ",") -> Words:
        """So many, with a comma at the end at times."""
        words: Words = []
        for i in range(self.rng.randint(low, high)):
            words += [between] * (i > 0 and between != "") + make()
        return [*words, ","] if words and between == "," and self._chance(0.2) else words

    def _name(self) -> Words:
        return [self.rng.choice(NAMES)]

    def _new(self, prefix: str) -> str:
        return f"{prefix}{self.rng.randrange(100)}" + "_long" * self.rng.choice([0, 0, 0, 1, 5])

    # Declarations

    def _use(self) -> Words:
        path = self.rng.choice([["std", ".", "spaces"], ['"blocks.atnas"'], ["std", ".", "a", ".", "b"]])
        return ["use", *path, "(", *self._several(self._name, 1, 4), ")"]

    def _extern(self) -> Words:
        name = self._new("swirl")
        self.ops.append(name)
        kinds = ["int", "float", "bool", "str"]

        def typed() -> Words:
            default = ["=", *self._number(1, 2)] if self._chance(0.5) else []
            return [*self._name(), ":", self.rng.choice(kinds), *default]

        parameters = ["(", *self._several(typed, 0, 3), ")"] if self._chance(0.8) else []
        sizes = self._several(lambda: self._number(1, 2), 1, 3)
        ports = ["[", *self._several(self._port, 1, 2), "]"]
        return ["extern", "op", name, *parameters, *ports, "->", "(", *sizes, ")", "=", '"package.layers:Class"']

    def _head(self, keyword: str, prefix: str) -> Words:
        name = self._new(prefix)
        names = self.rng.sample(NAMES[:6], self.rng.randint(0, 3))
        self.scope = {"number": [*names, "c"], "tensor": [], "list": []}
        words: Words = []
        for given in names:
            default = ["=", *self._number(1, 2)] if self._chance(0.4 if keyword != "space" else 0.9) else []
            words += [*([","] if words else []), given, *default]
        if words or self._chance(0.1):
            words = ["(", *words, *([","] if words and self._chance(0.2) else []), ")"]
        if keyword != "space":
            self.ops.append(name)
        return [keyword, name, *words]

    def _short(self) -> Words:
        return [*self._head(self.rng.choice(["op", "op", "cell"]), "f"), "=", *self._layer(4, 2)]

    def _long(self) -> Words:
        head = self._head(self.rng.choice(["op", "op", "cell"]), "g")
        ports = self.rng.sample(["x", "y0", "z"], self.rng.randint(1, 2))
        self.scope["tensor"] = list(ports)
        inputs: Words = []
        for port in ports:
            shape = [":", "(", "c", ",", "h", ",", "w", ")"] if self._chance(0.3) else []
            inputs += [*([","] if inputs else []), port, *shape]
        outs = self.rng.choice(
            [["out"], ["[", "out", "]"], ["[", "out", ",", ports[0], ",", "]"], ["out", ":", "(", "8", ")"]]
        )
        return [*head, "[", *inputs, "]", "->", *outs, *self._body("out")]

    def _space(self) -> Words:
        head = self._head("space", "s")
        self.scope["tensor"] = ["image"]
        return [*head, "[", "image", ":", "(", "3", ",", "16", ",", "w", ")", "]", "->", "out", *self._body("out")]

    def _port(self) -> Words:
        return [*self._name(), *([":", "(", "c", ",", "3", ")"] if self._chance(0.5) else [])]

    def _body(self, last: str) -> Words:
        words = ["{"]
        for _ in range(self.rng.randint(0, 4)):
            if self._chance(0.2):
                words += self._require()
            else:
                kind = self.rng.choice(["number", "tensor", "tensor", "list"])
                name = self._new(self.rng.choice(["t", "width"]))
                words += [name, "=", *self._expr(kind, 4, 2)]
                self.scope[kind].append(name)
        return [*words, last, "=", *self._tensor(4, 2), "}"]

    def _settings(self) -> Words:
        self.scope = {"number": ["c"], "tensor": [], "list": []}
        keyword = self.rng.choice(["tasks", "train", "search", "experiment"])
        return [keyword, self._new("e"), "{", *self._several(self._entry, 0, 5, between=""), "}"]

    def _short_settings(self) -> Words:
        self.scope = {"number": ["c"], "tensor": [], "list": []}
        return [self.rng.choice(["tasks", "train", "search"]), self._new("e"), "=", *self._setting(3, 2)]

    def _entry(self) -> Words:
        kind = self.rng.randrange(8)
        if kind == 0:
            return self._require()
        if kind == 1:
            return [self.rng.choice(["maximize", "minimize"]), *self._setting(2, 2)]
        return [self.rng.choice(SETTINGS), "~" if kind == 2 else "=", *self._setting(3, 2)]

    # Conditions

    def _require(self) -> Words:
        guard = ["if", *self._condition(2)] if self._chance(0.3) else []
        return ["require", *self._condition(2), *guard]

    def _condition(self, depth: int) -> Words:
        words = self._clause(depth)
        while self._chance(0.3):
            words = [*words, "and", *self._clause(depth)]
        return words

    def _clause(self, depth: int) -> Words:
        if depth and self._chance(0.15):
            both = [*self._relation(depth), "and", *self._condition(depth - 1)]
            return ["(", *self.rng.choice([both, self._relation(depth)]), ")"]
        return self._relation(depth)

    def _relation(self, depth: int) -> Words:
        comparison = self.rng.choice(COMPARISONS)
        left = [self.rng.choice(METRICS)] if self._chance(0.4) else self._number(depth, 2)
        return [*left, comparison, *(self._list(1, 2) if comparison == "in" else self._number(depth, 2))]

    # Expressions. `level` is how tightly one must bind to go without parentheses, as in the table of the reference.

    def _expr(self, kind: str, depth: int, level: int) -> Words:
        makers = {"number": self._number, "tensor": self._tensor, "list": self._list, "layer": self._layer}
        if self._chance(0.04):
            kind = self.rng.choice(list(makers))
        return makers[kind](depth, level)

    def _bind(self, own: int, level: int, words: Words) -> Words:
        """In parentheses where they are needed, and at times where they are not."""
        odd = self._chance(0.04)
        return ["(", *words, ")"] if own < level or odd else words

    def _infix(self, kinds: Sequence[str], ops: Sequence[str], own: int, depth: int, level: int) -> Words:
        """`left op right`, grouped from the left."""
        left, right = self._expr(kinds[0], depth - 1, own), self._expr(kinds[1], depth - 1, own + 1)
        return self._bind(own, level, [*left, self.rng.choice(ops), *right])

    def _options(self, kind: str, depth: int, level: int) -> Words:
        options = self._several(lambda: self._expr(kind, depth - 1, 3), 2, 4, between="|")
        return self._bind(2, level, options)

    def _number(self, depth: int, level: int) -> Words:
        kind = self.rng.randrange(10) if depth > 0 else 0
        if kind == 4:
            return self._options("number", depth, level)
        if kind == 5:
            return self._infix(("number", "number"), ["*", "/", "%"], 5, depth, level)
        if kind == 6:
            return self._infix(("number", "number"), ["+", "-"], 3, depth, level)
        if kind == 7:
            ends = [*self._number(depth - 1, 8), "..", *self._number(depth - 1, 8)]
            step = ["step", *self._number(0, 8)] if self._chance(0.3) else []
            return self._bind(7, level, [*ends, *step])
        if kind == 8:
            return self._bind(8, level, ["-", *self._number(depth - 1, 8)])
        if kind == 9:
            return self._element(depth, level)
        return [self.rng.choice(NUMBERS + self.scope["number"])]

    def _element(self, depth: int, level: int) -> Words:
        return self._bind(9, level, [*self._list(depth - 1, 9), GLUE, "[", *self._number(depth - 1, 2), "]"])

    def _layer(self, depth: int, level: int) -> Words:
        kind = self.rng.randrange(8) if depth > 0 else 0
        if kind in (2, 3):
            return self._infix(("layer", "layer"), ["->"], 4, depth, level)
        if kind == 4:
            return self._options("layer", depth, level)
        if kind == 5:
            return self._infix(("layer", "number"), ["*"], 5, depth, level)
        if kind == 6 and self.ops:
            return self._call([self.rng.choice(self.ops)], depth)
        if kind == 7:
            return ["chain", GLUE, "(", *self._list(depth - 1, 2), ")"]
        return list(self.rng.choice(LAYERS))

    def _tensor(self, depth: int, level: int) -> Words:
        kind = self.rng.randrange(8) if depth > 0 and self.scope["tensor"] else 0
        if kind in (1, 2, 3, 4):
            return self._infix(("tensor", "layer"), ["->"], 4, depth, level)
        if kind == 5:
            return self._infix(("tensor", "tensor"), ["+"], 3, depth, level)
        if kind == 6:
            return self._options("tensor", depth, level)
        if kind == 7:
            return [self.rng.choice(["add", "concat"]), GLUE, "(", *self._list(depth - 1, 2), ")"]
        return [self.rng.choice(self.scope["tensor"] or ["x"])]

    def _list(self, depth: int, level: int) -> Words:
        kind = self.rng.randrange(5)
        items = "tensor" if self.scope["tensor"] and self._chance(0.5) else self.rng.choice(["layer", "number"])
        if kind == 0 and depth > 0:
            count = self.rng.choice([["2"], ["1", "..", "2"], self._number(1, 7)])
            return self._bind(6, level, [*count, "of", *self._list(depth - 1, 7)])
        if kind == 1 and depth > 0:
            return self._each(items, depth)
        if kind == 2 and depth > 0 and self.scope["list"]:
            return [self.rng.choice(self.scope["list"])]
        return ["[", *self._several(lambda: self._expr(items, depth - 1, 2), 0, 5), "]"]

    def _each(self, items: str, depth: int) -> Words:
        names = self.rng.sample(["i", "j", "t"], self.rng.randint(1, 2))
        source = self._list(depth - 1, 2)
        self.scope["number"] += names
        item = self._expr(items, depth - 1, 2)
        del self.scope["number"][-len(names) :]
        listed = [word for name in names for word in (",", name)][1:]
        return ["[", *item, "for", *listed, "in", *source, "]"]

    def _call(self, name: Words, depth: int) -> Words:
        def argument() -> Words:
            named = [*self._name(), "="] if self._chance(0.3) else []
            return [*named, *self._expr(self.rng.choice(["number", "number", "layer", "list"]), depth - 1, 2)]

        return [*name, GLUE, "(", *self._several(argument, 0, 4), ")"]

    def _setting(self, depth: int, level: int) -> Words:
        kind = self.rng.randrange(5)
        if kind == 0:
            return [self.rng.choice(STRINGS)]
        if kind == 1:
            return self._number(depth, level)
        if kind == 2 and depth > 0:
            named = lambda: [self.rng.choice(["lr", "steps", "space", "order"]), "=", *self._setting(depth - 1, 2)]  # noqa: E731
            return [self.rng.choice(WORDS[:9]), GLUE, "(", *self._several(named, 0, 3), ")"]
        return [self.rng.choice(WORDS)]
