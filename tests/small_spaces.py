"""Small spaces as text, with what `tried` has not: ports, conditions, ties through lists, sizes read off tensors.

Every tensor is an output, so that every decision is needed. Most programs do not fit in some architecture.
"""

from __future__ import annotations

from hypothesis import strategies as st

FIXED = ["4", "8", "12", "(4 | 8)"]
TIED = ["w", "w", "2 * w", "w / 2", "w / 8", "12 - w", "[4, 8][i]"]
PLAIN = ["relu", "skip", "flatten", "max_pool(2)", "gn(8)", "global_avg_pool", "transpose", "tokens"]
WIDE = ["conv({})", "conv({}, 3, stride = 2)", "linear({})", "conv({}, groups = 4)", "attention({}, heads = 3)"]
USES, WIDE_USES = ["f", "f", "r"], ["g({})", "g({})", "h({})"]
CONDITIONS = ["w == 4", "w == 8 if i == 0", "w + 4 * i <= 8", "d in [1, 2]", "d == 2 if w == 8", "w % 8 == 0"]
WITH_PORTS = [
    "op f [x: (c, h, w)] -> y {{ y = x -> conv(c, 3) -> {} + x }}",
    "op f [x: (8, h, w)] -> y {{ y = x -> {} }}",
    "op f [x: (c, h, h)] -> y {{\n  y = x -> {} -> conv(c / 4)\n  require c <= 8\n}}",
    "op f [x: (c, h, 4)] -> y: (c, 4, w) {{ y = x -> ({} | skip) }}",
    "op f [x] -> y {{\n  k = 1 | 2 | 3\n  y = x -> conv(4 * k, 3) -> {}\n  require k <= 2\n}}",
]
SEEN = {"a": ["stem"], "b": ["stem", "a"], "y": ["stem", "a", "b"]}
"""What each line of a space may use."""
FORMS = [
    *["{0}", "{0}", "{0}", "{0} + {1}", "{2} + {0}", "({0} | {1})", "concat({0}, {1}, {2})", "[{0}, {1}][i]"],
    *["add(1..2 of [{0}, {1}, {2}])", "concat([{0}, {1}])"],
]


def layers(numbers: list[str], plain: list[str], wide: list[str], depth: int = 2) -> st.SearchStrategy[str]:
    """A layer: one of the plain, or one of the wide of one of the numbers, or several."""
    sized = st.builds(str.format, st.sampled_from(wide), st.sampled_from(numbers))
    leaf = st.sampled_from(plain) | sized | sized
    if not depth:
        return leaf
    inner = layers(numbers, plain, wide, depth - 1)
    two = st.lists(inner, min_size=2, max_size=2, unique=True)
    repeated = st.builds("({} -> relu) * {}".format, inner, st.sampled_from(["2", "0..2"]))
    return leaf | two.map(lambda fs: f"({fs[0]} | {fs[1]})") | two.map(lambda fs: f"({fs[0]} -> {fs[1]})") | repeated


@st.composite
def tensors(draw: st.DrawFn, bound: list[str]) -> str:
    """Two tensors that have names, through layers, and another, merged in some form."""
    layer = layers([*FIXED, *TIED, *TIED], [*PLAIN, *USES, *USES], [*WIDE, *WIDE_USES])
    through = st.builds("{} -> {}".format, st.sampled_from(bound), layer)
    two = draw(st.lists(through, min_size=2, max_size=2, unique=True))
    return draw(st.sampled_from(FORMS)).format(*two, draw(st.sampled_from(bound)))


@st.composite
def small_spaces(draw: st.DrawFn) -> str:
    """The text of a program."""
    of_width, of_none = layers([*FIXED, "c", "c", "2 * c"], PLAIN, WIDE, 1), layers(FIXED, PLAIN, WIDE, 1)
    conditions = draw(st.lists(st.sampled_from(CONDITIONS), max_size=2, unique=True))
    lines = [
        draw(st.sampled_from(WITH_PORTS)).format(draw(st.sampled_from(["relu", "conv(8)", "(skip | max_pool(2))"]))),
        f"op g(c) = {draw(of_width)}",
        f"cell h(c) = {draw(of_width)}",
        f"op r = {draw(of_none)}",
        "space s [x: (4, 4, 4)] -> [stem, a, b, y] {",
        "  w = 4 | 8",
        "  i = 0 | 1",
        "  d = 1..2",
        "  stem = x -> conv(w, 3) -> [relu, skip][i] -> relu * d",
        *(f"  {name} = {draw(tensors(bound))}" for name, bound in SEEN.items()),
        *(f"  require {condition}" for condition in conditions),
        "}\n",
    ]
    return "\n".join(lines)
