"""What is fed to the language: programs whole, torn and made to hurt; each is known by its name alone.

A name is a seed, such as `1234`, or that of a text of `tests/hostile.py` with its size: `turns:1000000000`.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Final

from hostile import DEEP, MOST, TEXTS
from pages import cases
from random_programs import random_program
from sound_programs import sound_program
from texts import FILES, WORDS

from atnas.dsl.syntax.tokens import DEEPEST

TESTS: Final = Path(__file__).resolve().parents[2] / "tests"
TOKENS: Final = re.compile(r'\s+|\w+|"[^"\n]*"|#[^\n]*|->|\.\.|[=!<>]=|.', re.DOTALL)
NUMBER: Final = re.compile(r"\d")
NUMBERS: Final = [
    *("0", "1", "2", "3", "7", "12", "100", "1000", "9999", "10000", "10001", "1000000000", "9" * 24, "9" * 25),
    *("1e300", "1e-300", "0.1", "0.30000000000000004", "1k", "1G", "1us", "2GB", "100%", "- 1", "(1 | 2)", "(1..4)"),
    *("(0..100)", "(1 | 2 | 2)", "true", '"w"', "range(3)", "[1, 2][0]", "x", "(0 / 0)", "(1e300 * 1e300)"),
]
WRAPPERS: Final = [
    *("({} | {})", "({}) * 2", "({}) * 1..3", "({}) * (0 | 2)", "[{}]", "[{}][0]", "({} -> relu)", "({} + {})", "-{}"),
    *("chain([{}, {}])", "add(1 of [{}, {}])", "add(0..2 of [{}, {}])", "concat([{} for i in range(3)])", "{}({})"),
    *("{}[-1]", "({})..({})", "({} | skip)", "({} | x)", "1..2 of [{}, {}]", "({} % {})", "({} / {})", "{}[0 | 1]"),
]
ODD: Final = [
    *("\0", "\x1b[2J", "\f", "\v", "\x1c", "\ufeff", "\N{RIGHT-TO-LEFT OVERRIDE}", "\N{ZERO WIDTH SPACE}"),
    *("\N{NO-BREAK SPACE}", "\N{GRINNING FACE}", "\N{LINE SEPARATOR}", "\N{NEXT LINE}", "\N{COMBINING ACUTE ACCENT}"),
    *("\N{EN DASH}", "\N{RIGHTWARDS ARROW}", "\N{MULTIPLICATION SIGN}", "\N{SUPERSCRIPT TWO}"),
    *("\N{LATIN SMALL LETTER E WITH ACUTE}", "\N{ARABIC-INDIC DIGIT THREE}"),
    *("\N{LATIN CAPITAL LETTER I WITH DOT ABOVE}", "\N{FULLWIDTH LEFT PARENTHESIS}"),
]
USED: Final = [
    *("a.atnas", "b.atnas", "c/d.atnas", "../e.atnas", "./a.atnas", "c/../b.atnas", "/etc/passwd", "/a.atnas", ""),
    *("a", "a.py", "c//d.atnas", "../../x.atnas", "missing.atnas", ".atnas", "a.atnas/", "~/a.atnas", "main.atnas"),
]


@dataclass(frozen=True)
class Input:
    """The bytes of a file, and the files beside it, by path."""

    name: str
    source: str
    content: bytes
    files: Mapping[str, str] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """What it is told by where it fails: its hostile text, or where it comes from."""
        return self.name.partition(":")[0] if ":" in self.name else self.source

    @property
    def rng(self) -> random.Random:
        """Chance for what is done with it, always the same."""
        return random.Random(f"{self.name} tried")


@dataclass(frozen=True)
class Program:
    text: str
    files: Mapping[str, str] = field(default_factory=dict)


def made(name: str) -> Input:
    """The input of a name."""
    kind, _, size = name.partition(":")
    if size:
        return Input(name, "hostile, large", TEXTS[kind](int(size)).encode())
    rng = random.Random(int(name))
    source = rng.choices(list(SHARES), list(SHARES.values()))[0]
    program = SOURCES[source](rng)
    content = program if isinstance(program, bytes) else program.text.encode("utf-8", "surrogatepass")
    files = {} if isinstance(program, bytes) else program.files
    return Input(name, source, content, files)


def largest() -> list[str]:
    """Every hostile text at its largest and at sizes below, some of which fit limits that the largest exceeds."""
    sizes = {name: {most // part for part in (1, 8, 60)} for name, most in MOST.items()}
    for name in DEEP:
        sizes[name] |= {DEEPEST - 2, DEEPEST}
    return [f"{name}:{size}" for name in reversed(TEXTS) for size in sorted(sizes[name], reverse=True)]


@cache
def corpus() -> list[Program]:
    """Every program of the repository: examples, library, manual and the corpus of mistakes."""
    pages = sorted(TESTS.glob("spec/**/*.md"))
    told = [Program(case.text, case.files) for page in pages for case in cases(page.read_text("utf-8"))]
    return [*(Program(path.read_text("utf-8")) for path in FILES), *told, *told]


# Sources


def generated(rng: random.Random) -> Program:
    return Program(random_program(rng, noise=rng.choice([0, 0.1, 0.5]), declarations=rng.choice([1, 2, 3, 5])))


def sound(rng: random.Random) -> Program:
    return Program(sound_program(rng, noise=rng.choice([0, 0, 0.3])))


def some(rng: random.Random) -> Program:
    kind = rng.randrange(10)
    return generated(rng) if kind < 2 else sound(rng) if kind < 3 else rng.choice(corpus())


def mutated(rng: random.Random) -> Program:
    """A program with a few of its words changed."""
    program = some(rng)
    words = TOKENS.findall(program.text)
    for _ in range(rng.choice([1, 1, 2, 3, 5, 10, 30])):
        words = rng.choice(MUTATIONS)(words, rng)
    return replace(program, text="".join(words)[:200_000])


def blown_up(rng: random.Random) -> Program:
    """A program with large numbers in it, and choices, lists and repeats around what stands there."""
    program = sound(rng) if rng.random() < 0.5 else some(rng)
    words = TOKENS.findall(program.text)
    for _ in range(rng.choice([1, 2, 4, 8])):
        words = rng.choice([_number, _number, _wrapped])(words, rng)
    return replace(program, text="".join(words)[:200_000])


def spliced(rng: random.Random) -> Program:
    """Halves of programs, and programs within one another."""
    first, second = some(rng), some(rng)
    a, b = rng.randint(0, len(first.text)), rng.randint(0, len(second.text))
    text = rng.choice([first.text[:a] + second.text[b:], first.text[:a] + second.text + first.text[a:]])
    return Program(text, {**first.files, **second.files})


def torn(rng: random.Random) -> bytes:
    """A program cut short, with bytes of it changed."""
    content = bytearray(some(rng).text.encode())
    if rng.random() < 0.4:
        del content[rng.randint(0, len(content)) :]
    for _ in range(rng.choice([0, 1, 1, 2, 8])):
        place = rng.randint(0, len(content))
        kind = rng.randrange(4)
        if kind == 0 and place < len(content):
            content[place] ^= 1 << rng.randrange(8)
        elif kind == 1:
            content[place:place] = rng.randbytes(rng.randint(1, 4))
        elif kind == 2:
            content[place:place] = rng.choice(ODD).encode()
        else:
            del content[place : place + rng.randint(1, 9)]
    return bytes(content)


def noise(rng: random.Random) -> bytes:
    """Bytes, characters and words at random."""
    size = rng.choice([0, 1, 5, 20, 100, 1000])
    kind = rng.randrange(4)
    if kind == 0:
        return rng.randbytes(size)
    if kind == 1:
        return "".join(chr(rng.choice([rng.randrange(32, 127), rng.randrange(0xD800)])) for _ in range(size)).encode()
    if kind == 2:
        return "".join(rng.choices("()[]{}|=->.,:~\"'#*+%/\n \t0123abx", k=size)).encode()
    return " ".join(rng.choices([*WORDS, *ODD, *NUMBERS, "\n", "conv(", "relu", "x ->"], k=size)).encode()


def hostile(rng: random.Random) -> Program:
    """Texts that are made to hurt, of small sizes, several in one file."""
    names = rng.choices(list(TEXTS), k=rng.choice([1, 1, 2, 4]))
    return Program("\n".join(TEXTS[name](_size(rng, min(MOST[name], 300))) for name in names))


def _size(rng: random.Random, most: int) -> int:
    """Small sizes are as likely as large ones."""
    return int(most ** rng.random())


def several_files(rng: random.Random) -> Program:
    """Programs that use one another: in rows, rings, rhombs, and in ways that lead nowhere."""
    names = ["main.atnas", *rng.sample(["a.atnas", "b.atnas", "c/d.atnas", "../e.atnas"], rng.randint(1, 4))]
    texts: dict[str, str] = {}
    for name in names:
        used = rng.choices([*USED, *names], k=rng.choice([0, 1, 1, 2, 4]))
        lines = [f'use "{path}" ({", ".join(rng.choices("fghs", k=rng.randint(1, 3)))})' for path in used]
        op = f"op {rng.choice('fgh')}(c = 8) = {rng.choice(['conv(c, 3)', 'relu', 'f', 'g -> h', 'none -> )'])}"
        lines += [op, f"space {rng.choice('st')} [x: (3, 8, 8)] -> y {{ y = x -> {rng.choice('fgh')} }}"]
        rng.shuffle(lines)
        texts[name] = rng.choice([some(rng).text + "\n", "", "", ""]) + "\n".join(lines)
    return Program(texts.pop("main.atnas"), texts)


# Mutations of words

Words = list[str]


def _stretch(words: Words, rng: random.Random) -> tuple[int, int]:
    start = rng.randint(0, len(words))
    return start, min(len(words), start + rng.choice([1, 1, 2, 5, 20]))


def _deleted(words: Words, rng: random.Random) -> Words:
    start, end = _stretch(words, rng)
    return words[:start] + words[end:]


def _doubled(words: Words, rng: random.Random) -> Words:
    start, end = _stretch(words, rng)
    return words[:end] + words[start:end] * rng.choice([1, 1, 2, 20]) + words[end:]


def _swapped(words: Words, rng: random.Random) -> Words:
    (a, b), (c, d) = sorted((_stretch(words, rng), _stretch(words, rng)))
    return words if b > c else words[:a] + words[c:d] + words[b:c] + words[a:b] + words[d:]


def _taken(words: Words, rng: random.Random) -> Words:
    """With a stretch of another program."""
    other = TOKENS.findall(some(rng).text)
    start, end = _stretch(other, rng)
    place = rng.randint(0, len(words))
    return words[:place] + other[start:end] + words[place:]


def _renamed(words: Words, rng: random.Random) -> Words:
    """A word in the place of another of the same program."""
    named = [i for i, word in enumerate(words) if word[0].isalpha()]
    if not named:
        return words
    return _with(words, rng.choice(named), words[rng.choice(named)])


def _inserted(words: Words, rng: random.Random) -> Words:
    place = rng.randint(0, len(words))
    return [*words[:place], " ", rng.choice(WORDS), " ", *words[place:]]


def _made_odd(words: Words, rng: random.Random) -> Words:
    place = rng.randint(0, len(words))
    return [*words[:place], rng.choice(ODD), *words[place:]]


def _bracketed(words: Words, rng: random.Random) -> Words:
    place = rng.randint(0, len(words))
    return [*words[:place], rng.choice("()[]{}") * rng.choice([1, 3, 120]), *words[place:]]


def _number(words: Words, rng: random.Random) -> Words:
    found = [i for i, word in enumerate(words) if NUMBER.match(word)]
    return _with(words, rng.choice(found), rng.choice(NUMBERS)) if found else words


def _wrapped(words: Words, rng: random.Random) -> Words:
    found = [i for i, word in enumerate(words) if word[0].isalnum()]
    if not found:
        return words
    place = rng.choice(found)
    return _with(words, place, rng.choice(WRAPPERS).replace("{}", words[place]))


def _with(words: Words, place: int, word: str) -> Words:
    return [*words[:place], word, *words[place + 1 :]]


MUTATIONS: Final[list[Callable[[Words, random.Random], Words]]] = [
    *(_deleted, _doubled, _swapped, _taken, _renamed, _renamed, _inserted, _made_odd, _bracketed, _number, _wrapped),
]
SOURCES: Final[dict[str, Callable[[random.Random], Program | bytes]]] = {
    "grammar": generated,
    "grammar, without errors": sound,
    "mutated": mutated,
    "blown up": blown_up,
    "spliced": spliced,
    "torn bytes": torn,
    "random bytes and words": noise,
    "hostile": hostile,
    "several files": several_files,
}
SHARES: Final = dict(zip(SOURCES, (20, 5, 35, 5, 8, 12, 8, 2, 5), strict=True))
"""How much of a hundred inputs comes from where."""
