"""Texts that are made to hurt: deep, long, wide or costly in one way each, of any size.

`TEXTS[name](n)` is a program of about n parts; `MOST[name]` is how large it gets at most. None of them may cost more
than a check should: see `benchmarks/fuzz.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

Make = Callable[[int], str]

SPACE: Final = "space s [x: (3, 8, 8)] -> y"


def space(*lines: str, last: str = "y = x") -> str:
    """A space with these lines in its body."""
    body = "".join(f"  {line}\n" for line in (*lines, last))
    return f"{SPACE} {{\n{body}}}\n"


def listed(n: int, item: str, between: str = ", ") -> str:
    """So many items, each with its number in the place of `@`."""
    return between.join(item.replace("@", str(i)) for i in range(n))


# Deep

OPENERS: Final = {
    "parentheses": ("(", ")"),
    "lists": ("[", "]"),
    "calls": ("f(", ")"),
    "named arguments": ("f(a = ", ")"),
    "elements": ("x[", "]"),
    "pairs": ("(a | ", ")"),
    "loops": ("[", " for i in x]"),
    "sources": ("[i for i in ", "]"),
    "signs": ("-", ""),
    "braces": ("{", "}"),
    "bodies": ("op f [x] -> y {", "}"),
}
LINKS: Final = {
    "pipes": " -> x",
    "sums": " + x",
    "differences": " - 1",
    "products": " * 2",
    "quotients": " / 2",
    "choices": " | x",
    "ranges": "..2",
    "steps": " step 2",
    "subsets": " of x",
    "indices": "[0]",
    "uses": "(x)",
    "comparisons": " == x",
    "conjunctions": " and x == x",
    "conditions": " if x == x",
    "dots": ".x",
    "words": " x",
    "equal signs": " = x",
    "drawn": " ~ x",
    "commas": ", x",
    "colons": ": x",
}


def _nested(opener: str, closer: str, n: int) -> str:
    return f"op f = {opener * n}x{closer * n}\n"


def _opened(opener: str, n: int) -> str:
    return f"op f = {opener * n}"


def _closed(closer: str, n: int) -> str:
    return f"op f = x{closer * n}\n"


def _linked(link: str, n: int) -> str:
    return f"op f = x{link * n}\n"


def _required(link: str, n: int) -> str:
    return space(f"require x{link * n}")


def _set(link: str, n: int) -> str:
    return f"search s {{\n  minimize x{link * n}\n  require x{link * n}\n  a = x{link * n}\n}}\n"


DEEP: Final[dict[str, Make]] = {
    **{f"nested {name}": partial(_nested, *pair) for name, pair in OPENERS.items()},
    **{f"open {name}": partial(_opened, pair[0]) for name, pair in OPENERS.items()},
    **{f"closed {name}": partial(_closed, pair[1].strip()) for name, pair in OPENERS.items() if pair[1]},
    **{f"linked {name}": partial(_linked, link) for name, link in LINKS.items()},
    **{f"required {name}": partial(_required, link) for name, link in LINKS.items()},
    **{f"set {name}": partial(_set, link) for name, link in LINKS.items()},
}

# Long

LONG: Final[dict[str, Make]] = {
    "a name": lambda n: "x" * n,
    "an op's name": lambda n: "op F = relu\n@".replace("@", space(last="y = x -> F -> F * 3")).replace("F", "f" * n),
    "a binding's name": lambda n: space(f"{'w' * n} = 1 | 2", last=f"y = x -> conv({'w' * n}, 3) * 40"),
    "names": lambda n: space(last=f"y = x -> ({listed(20, 'f' * (n // 20) + '@', ' -> ')})"),
    "an unknown word": lambda n: space(last=f"y = x -> conv(8, {'k' * n} = 3) -> {'r' * n}"),
    "an option": lambda n: space(last=f"y = x -> (conv(8, {'(' * 20}3{' ' * n}{')' * 20}) | relu)"),
    "a string": lambda n: 'extern op f(c: int) [x: (n)] -> (c) = "' + "m" * n + ':F"\n',
    "a string of a choice": lambda n: space(
        last='y = x -> mbconv(8, act = "A" | "B")'.replace("A", "a" * n).replace("B", "b" * n)
    ),
    "an open string": lambda n: 'op f = "' + "m" * n,
    "a number": lambda n: space(last=f"y = x -> conv({'9' * n}, 3)"),
    "a fraction": lambda n: space(last=f"y = x -> dropout(0.{'1' * n})"),
    "an exponent": lambda n: space(last=f"y = x -> conv(1e{'9' * n}, 3)"),
    "a unit": lambda n: space(last=f"y = x -> conv(1{'k' * n}, 3)"),
    "underscores": lambda n: space(last=f"y = x -> conv(1{'_0' * n}, 3)"),
    "a comment": lambda n: f"# {'a' * n}\nop f = relu\n",
    "a document": lambda n: "## all of it\n" * n + "op f = relu\n",
    "comments": lambda n: "#\n" * n + "op f = relu",
    "comments in a list": lambda n: f"op f = concat([\n{listed(n, '# @', chr(10))}\n])\n",
    "lines": lambda n: "\n" * n,
    "lines of Windows": lambda n: "\r\n" * n + "op f = )",
    "old lines": lambda n: "\r" * n + "op f = )",
    "spaces": lambda n: " " * n + ")",
    "tabs": lambda n: "op f = relu" + "\t" * n + ")",
    "marks": lambda n: "|" * n,
    "arrows": lambda n: "->" * n,
    "quotes": lambda n: '"' * n,
    "single quotes": lambda n: "'" * n,
    "semicolons": lambda n: "op f = relu;" * n,
    "wide letters": lambda n: "op f = " + "\N{GRINNING FACE}" * n,
    "accents": lambda n: "op f = e" + "\N{COMBINING ACUTE ACCENT}" * n,
    "from right to left": lambda n: "op f = \N{RIGHT-TO-LEFT OVERRIDE}" * n,
    "a path": lambda n: 'use "' + "a" * n + '.atnas" (b)\n',
    "a path of folders": lambda n: 'use "' + "a/" * n + 'b.atnas" (b)\n',
    "a path upwards": lambda n: 'use "' + "../" * n + 'b.atnas" (b)\n',
    "a library": lambda n: f"use {listed(n, 'std', '.')} (b)\n",
    "a port's name": lambda n: f"space s [{'x' * n}: (3, 8, 8)] -> {'y' * n} {{ {'y' * n} = {'x' * n} }}\n",
}

# Wide: many of a kind

WIDE: Final[dict[str, Make]] = {
    "declarations": lambda n: listed(n, "op f@ = relu", "\n"),
    "declarations of one name": lambda n: "op f = relu\n" * n,
    "unused spaces": lambda n: listed(n, "space s@ [x: (3, 8, 8)] -> y { y = x -> conv(8 | 16, 3) }", "\n"),
    "uses of one file": lambda n: "use std.spaces (conv_cells)\n" * n,
    "names of a use": lambda n: f"use std.spaces ({listed(n, 'conv_cell@')})\n",
    "unknown names": lambda n: space(f"a = [{listed(n, 'nam@')}]"),
    "unknown layers": lambda n: space(*(f"a{i} = x -> con{i}" for i in range(n))),
    "unknown arguments": lambda n: space(last=f"y = x -> conv({listed(n, 'a@ = 1')})"),
    "unknown settings": lambda n: f"tasks t {{ {listed(n, 'wai@ = 1', ' ')} }}",
    "equal settings": lambda n: f"tasks t {{ {'way = 5 ' * n} }}",
    "arguments": lambda n: space(last=f"y = x -> conv({listed(n, '@')})"),
    "tensors": lambda n: space(last=f"y = concat({listed(n, 'x')})"),
    "parameters": lambda n: f"op f({listed(n, 'a@')}) = relu\n" + space(last=f"y = x -> f({listed(n, '@')})"),
    "parameters missing": lambda n: f"op f({listed(n, 'a@')}) = relu\n{space(last='y = x -> f()')}",
    "equal parameters": lambda n: f"op f({listed(n, 'a')}) = relu\n",
    "inputs": lambda n: f"space s [{listed(n, 'x@: (3, 8, 8)')}] -> y {{ y = add({listed(n, 'x@')}) }}\n",
    "outputs": lambda n: f"space s [x: (3, 8, 8)] -> [{listed(n, 'y@')}] {{ {listed(n, 'y@ = x', ' ')} }}\n",
    "sizes": lambda n: f"space s [x: ({listed(n, '8')})] -> y {{ y = x -> relu -> flatten }}\n",
    "free sizes": lambda n: f"space s [x: ({listed(n, 'a@')})] -> y {{ y = x -> relu }}\n",
    "bindings": lambda n: space(*(f"a{i} = x -> relu" for i in range(n))),
    "bindings of numbers": lambda n: space(*(f"a{i} = 1 | 2" for i in range(n))),
    "bindings of one name": lambda n: space(*(["a = x"] * n)),
    "layers": lambda n: space(*(f"a{i} = {'x' if not i else f'a{i - 1}'} -> conv(8, 3)" for i in range(n))),
    "alternatives": lambda n: space(last=f"y = x -> ({listed(n, 'conv(8, @)', ' | ')})"),
    "equal alternatives": lambda n: space(last=f"y = x -> ({listed(n, 'relu', ' | ')})"),
    "numbers to choose": lambda n: space(last=f"y = x -> conv({listed(n, '@', ' | ')}, 3)"),
    "words to choose": lambda n: space(last=f"y = x -> mbconv(8, act = {listed(n, 'w@', ' | ')})"),
    "tensors to choose": lambda n: space(last=f"y = {listed(n, 'x', ' | ')}"),
    "lists": lambda n: space(f"a = [{listed(n, '[@]')}]", last="y = x -> conv(a[1][0], 3)"),
    "elements": lambda n: space(f"a = [{listed(n, '@')}]", last=f"y = x -> conv(a[0..{n - 1}], 3)"),
    "require lines": lambda n: space("w = 1 | 2", *(f"require w <= {i}" for i in range(n)), last="y = x -> conv(w, 3)"),
    "require of metrics": lambda n: space("require params <= 5" + " + macs" * min(n, 90), *(["require macs <= 5"] * n)),
    "names for one list": lambda n: space(f"a = [x for {listed(n, 'i@')} in [[1]]]"),
    "mistakes on a line": lambda n: space(f"a = [{listed(n, 'x -> conv(8, 3) + x')}]"),
    "syntax errors": lambda n: "op f = )\n" * n,
    "odd characters": lambda n: "op f = \N{SNOWMAN}\n" * n,
    "bodies": lambda n: "op f [x] -> y {\n" * n,
    "externs": lambda n: listed(n, 'extern op f@(c: int) [x: (n)] -> (c) = "m:F"', "\n"),
    "parts of a mix": lambda n: f"tasks a {{ source = glyphs }}\ntasks t = mix({listed(n, '0.1 * a')})\n",
    "sums of tasks": lambda n: f"tasks t {{ source = glyphs(size = {listed(n, '@', ' | ')}) }}\n",
    "experiments": lambda n: listed(n, "experiment e@ { space = s tasks = t train = u }", "\n"),
    "goals": lambda n: f"search s {{ algorithm = nsga2 {'maximize accuracy ' * n} }}\n",
    "rotations": lambda n: f"tasks t {{ source = glyphs augment = rotate_classes({listed(n, '90')}) }}\n",
    "loops of uses": lambda n: listed(n, "op f@ = f@", "\n"),
    "a ring of uses": lambda n: listed(n, "op f@ = relu -> f@0", "\n"),
}

# Costly


def _doubled(use: str, n: int) -> str:
    """Each op uses the one before it twice."""
    ops = [f"op f{i + 1} = {use.replace('@', f'f{i}')}" for i in range(n)]
    return "\n".join(["op f0 = relu | gelu", *ops, space(last=f"y = x -> f{n}")])


def _opposite(n: int, join: str) -> str:
    """2n decisions, each tied to the one that is as far from the end as it is from the beginning."""
    names = [f"w{i} = {i + 2} | {i + 3}" for i in range(2 * n)]
    ties = [f"t{i} = {join.replace('@', f'w{i}').replace('$', f'w{2 * n - 1 - i}')}" for i in range(n)]
    total = " + ".join(f"t{i}" for i in range(min(n, 90)))
    return space(*names, *ties, f"all = {total}", last="y = x -> conv(all, 3)")


def _tied(n: int) -> str:
    """Equalities between decisions in the order that makes their diagram largest."""
    names = [f"w{i} = 1 | 2" for i in range(2 * n)]
    return space(*names, *(f"require w{i} == w{i + n}" for i in range(n)), last=f"y = concat({_convs(2 * n, 'w@')})")


def _convs(n: int, width: str) -> str:
    return listed(n, f"x -> conv({width}, 3)")


def _powers(n: int, last: str) -> str:
    return space(*(f"w{i} = 1 | {2**i + 1}" for i in range(n)), last=last)


def _sum_of(n: int, item: str) -> str:
    return " + ".join(item.replace("@", str(i)) for i in range(n))


COSTLY: Final[dict[str, Make]] = {
    "uses in a row": lambda n: _doubled("@ -> @", n),
    "uses to choose": lambda n: _doubled("@ | @", n),
    "uses in lists": lambda n: _doubled("chain([@, @])", n),
    "uses repeated": lambda n: _doubled("@ * 1..3", n),
    "uses added": lambda n: "\n".join(
        [
            "op f0 = relu | gelu",
            *(f"op f{i + 1} [x] -> y {{ y = x -> f{i} + x -> f{i} }}" for i in range(n)),
            space(last=f"y = x -> f{n}"),
        ]
    ),
    "cells in cells": lambda n: "\n".join(
        [
            "cell f0 = relu | gelu",
            *(f"cell f{i + 1}(a = {i}) = f{i}(a) -> f{i}(a + 1)" for i in range(n)),
            space(last=f"y = x -> f{n}(3)"),
        ]
    ),
    "turns": lambda n: space(last=f"y = x -> relu * {n}"),
    "turns of turns": lambda n: space(last=f"y = x -> relu{' * 100' * min(n, 50)}"),
    "turns to choose": lambda n: space(last=f"y = x -> (conv(8, 3) | conv(8, 5)) * 1..{n}"),
    "turns of nothing": lambda n: space(last=f"y = x -> skip * {n} * {n}"),
    "a range": lambda n: space(last=f"y = x -> conv(1..{n}, 3)"),
    "a range of fractions": lambda n: space(last=f"y = x -> dropout(0..1 step 1e-{min(n, 300)})"),
    "a list of numbers": lambda n: space(f"a = range({n})", "b = [i * j for i in a for j in a]", "c = [a for i in a]"),
    "lists of lists": lambda n: space(f"a = [[[0 for i in range({n})] for i in range({n})] for i in range({n})]"),
    "a subset": lambda n: space(f"a = [x -> relu for i in range({n})]", last=f"y = add({n // 2} of a)"),
    "all subsets": lambda n: space(f"a = [x -> conv(8, 3) for i in range({n})]", last=f"y = add(1..{n} of a)"),
    "subsets of subsets": lambda n: space(
        "a = [x -> conv(8 | 8, 3) for i in range(8)]", *(f"b{i} = add(1..8 of a)" for i in range(n))
    ),
    "chosen lists": lambda n: space("a = 1..12 of [relu for i in range(12)]", last=f"y = x -> chain(a) * {n}"),
    "widths": lambda n: _powers(n, f"y = concat({_convs(n, 'w@')})"),
    "widths in pairs": lambda n: _powers(n, f"y = concat({_convs(n, 'w@')}) + concat({_convs(n, 'w@')})"),
    "a sum of numbers": lambda n: _powers(n, f"y = x -> conv({_sum_of(n, 'w@')}, 3)"),
    "a product of numbers": lambda n: _powers(n, f"y = x -> conv({_sum_of(n, 'w@').replace('+', '*')}, 3)"),
    "sums in rows": lambda n: _powers(18, f"y = concat([x -> conv({_sum_of(18, 'w@')} + i, 3) for i in range({n})])"),
    "products of ranges": lambda n: space(
        f"a = 1..{n}", f"b = 1..{n}", f"c = 1..{n}", last="y = x -> conv(a * b * c, 3)"
    ),
    "many products": lambda n: space("a = 1..700", "b = 1..700", *(f"c{i} = a * b + {i}" for i in range(n))),
    "sums tied oppositely": lambda n: _opposite(n, "@ * $"),
    "remainders tied oppositely": lambda n: _opposite(n, "@ % $"),
    "equalities tied oppositely": _tied,
    "require of sums": lambda n: _powers(16, "y = x").replace(
        "  y =", f"  require {_sum_of(16, 'w@')} <= 9\n" * n + "  y ="
    ),
    "require of products": lambda n: _powers(n, "y = x").replace(
        "  y =", f"  require {_sum_of(n, 'w@').replace('+', '*')} <= 9\n" + "  y ="
    ),
    "require of counts": lambda n: (
        "op f = relu | gelu\n"
        + space(f"a = x -> f * 1..{n}", "require count(f) <= 3", "require count(f) == count(f) * 2", last="y = a")
    ),
    "counts in ops": lambda n: (
        "op f = relu | gelu\nop g [x] -> y { y = x -> f * 1..4 require count(f) <= 3 }\n"
        + space(last=f"y = x -> g * {n}")
    ),
    "errors in turns": lambda n: space(last=f"y = x -> (conv(8 | 16, 3) + conv(4, 3)) * {n}"),
    "branches that differ": lambda n: space(*(f"a{i} = x -> conv({i} | 9, 3) + x" for i in range(n))),
    "branches tied that differ": lambda n: _powers(n, f"y = concat({_convs(n, 'w@')}) + concat({_convs(n, 'w@ + 1')})"),
    "elastic depth in depth": lambda n: "\n".join(
        [
            "op f0 = conv(8 | 16, 3)",
            *(f"op f{i + 1} = f{i} * 1..4" for i in range(n)),
            space(last=f"y = x -> f{n}"),
        ]
    ),
    "costly spaces": lambda n: listed(
        n, "space s@ [x: (3, 8, 8)] -> y { y = x -> (conv(8, 3) | conv(8, 5)) * 1..900 }", "\n"
    ),
    "costly experiments": lambda n: "\n".join(
        [
            "space s(n = 1) [x: (c, h, w)] -> y: (way) {",
            "  y = x -> (conv(8, 3) | relu) * 1..(900 + n) -> flatten -> linear(way)",
            "}",
            "tasks t { source = glyphs(size = 8) }",
            "train u { learner = reptile(inner = sgd(lr = 0.1)) iterations = 1 }",
            "search v { algorithm = random maximize accuracy }",
            listed(n, "experiment e@ { space = s(n = @) tasks = t train = u search = v }", "\n"),
        ]
    ),
    "large shapes": lambda n: f"space s [x: ({n}, {n}, {n})] -> y {{ y = x -> flatten -> linear({n}) }}\n",
    "large layers": lambda n: space(
        last=f"y = x -> conv({n}, {n}) -> mbconv({n}, {n}, expand = {n}) -> attention({n})"
    ),
    "large settings": lambda n: (
        f"""\
tasks t {{ source = glyphs(size = {n}) way ~ 1..{n} shot ~ 1..{n} query = {n} }}
train u {{ learner = maml(inner = sgd(lr = {n}), steps = {n}) iterations = {n} batch = {n} }}
search v {{ algorithm = nsga2(population = {n}, generations = {n}) maximize accuracy(tasks = {n}) }}
"""
    ),
    "powers": lambda n: space(
        "a0 = 10", *(f"a{i + 1} = a{i} * a{i}" for i in range(n)), last=f"y = x -> conv(a{n}, 3)"
    ),
    "strides": lambda n: space(last=f"y = x -> (conv(8, 3, stride = {n}) | max_pool({n}, {n}) | avg_pool({n}))"),
    "flat choices in choices": lambda n: space(last=f"y = x -> {'(skip | ' * min(n, 90)}relu{')' * min(n, 90)}"),
}

TEXTS: Final[dict[str, Make]] = {**DEEP, **LONG, **WIDE, **COSTLY}
MOST: Final[dict[str, int]] = {
    **dict.fromkeys(DEEP, 1_000_000),
    **dict.fromkeys(LONG, 1_000_000),
    **dict.fromkeys(WIDE, 30_000),
    **dict.fromkeys(COSTLY, 60),
    "turns": 10**9,
    "turns of nothing": 10**9,
    "turns to choose": 9_999,
    "a range": 10**9,
    "a range of fractions": 300,
    "a list of numbers": 10**9,
    "lists of lists": 9_999,
    "a subset": 10**9,
    "all subsets": 10**9,
    "chosen lists": 2_000,
    "products of ranges": 10_000,
    "require of counts": 9_999,
    "counts in ops": 2_000,
    "errors in turns": 9_999,
    "branches that differ": 2_000,
    "costly spaces": 500,
    "costly experiments": 500,
    "large shapes": 10**300,
    "large layers": 10**18,
    "large settings": 10**18,
    "strides": 10**18,
    "subsets of subsets": 500,
    "many products": 500,
    "require of sums": 500,
    "sums in rows": 2_000,
}
