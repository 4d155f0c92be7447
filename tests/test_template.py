"""Uses that are alike are worked out once: the networks are those in which every use is worked through."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from random_programs import random_program
from sound_programs import sound_program
from texts import FILES

from atnas.dsl.cases import values
from atnas.dsl.elaborate import apply
from atnas.dsl.errors import Unable
from atnas.dsl.meter import Meter, metered
from atnas.dsl.net import ChoiceNode, Compare, InputNode, LayerNode, Net, NetNode, Num, Read
from atnas.dsl.source import Source
from atnas.runtime.checking import read_program
from atnas.runtime.program import Program

ELASTIC = """
op unit(c, k = 3 | 5) = conv(c, k) -> (bn | skip) -> relu
op pair(c, layer = unit) [x] -> [a, b] {
  a = x -> layer(c)
  b = a -> unit(c / 2) + x -> unit(c / 2, k = 3)
  require count(unit) <= 3 if c > 8
}
cell block(c, layer = relu) [a, b] -> [b, out] {
  wide = c * (1 | 2)
  out  = concat(1..2 of [a -> unit(wide) -> layer, b -> unit(wide), b -> unit(c)]) -> unit(c)
  require params <= 4k
}
space s [x: (4, 8, 8)] -> y {
  w    = 8 | 16
  p    = x -> pair(w)
  q    = p[0] -> pair(w, unit)
  last = [p[1], q[1]] -> block(8) -> block(16, gelu) -> block(8) * 1..2
  y    = last[1] -> unit(w) * 0..2 -> global_avg_pool -> linear(w)
  require w % 8 == 0
}
"""


def program(text: str, path: str = "file.atnas") -> Program:
    def nothing(path: str) -> str:
        raise Unable(f"{path} is not there")

    return read_program(Source(path, text), nothing)


def shown(net: Net) -> list[Any]:
    """All that a network is; what depends on decisions by its values."""
    constraints = [repr(constraint) for constraint in net.constraints]
    return [net.inputs, net.outputs, net.decisions, [_node(node) for node in net.nodes], constraints]


def _node(node: NetNode) -> Any:
    match node:
        case InputNode():
            return node
        case ChoiceNode():
            return repr(node.selector), node.keys, node.sources, sorted(values(node.shape)), node.span
        case LayerNode():
            arguments = [(name, _number(value)) for name, value in node.arguments]
            return node.operator, arguments, node.edges, node.place, sorted(values(node.shape)), node.span


def _number(value: Num) -> str:
    return str(sorted(values(value.cases))) if isinstance(value, Read) else repr(value)


def assert_same(text: str, monkeypatch: pytest.MonkeyPatch) -> int:
    """That every space is the same with and without copies; how many there are."""
    copied = program(text)
    with monkeypatch.context() as patch:
        patch.setattr(apply, "use", lambda *_: None)
        worked = program(text)
    assert copied.findings == worked.findings
    assert copied.spaces.keys() == worked.spaces.keys()
    nets = [(copied.spaces[name].net, worked.spaces[name].net) for name in copied.spaces]
    for first, second in nets:
        assert (first is None) == (second is None)
        assert first is None or second is None or shown(first) == shown(second)
    return sum(first is not None for first, _ in nets)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_examples_and_the_library(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert_same(path.read_text("utf-8"), monkeypatch)


@pytest.mark.parametrize("part", range(4))
def test_for_all_programs(part: int, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = 0
    for seed in range(100 * part, 100 * part + 100):
        whole += assert_same(sound_program(random.Random(seed)), monkeypatch)
        assert_same(random_program(random.Random(seed)), monkeypatch)
    assert whole == 100


def test_elastic_tied_and_conditional_uses(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [finding.code for finding in program(ELASTIC).findings] == ["W401"]
    assert assert_same(ELASTIC, monkeypatch) == 1


def test_what_is_said_of_a_body_is_said_for_each_use_where_it_stands() -> None:
    text = "op f(c) = conv(c, 3) -> max_pool(2)\nspace s [x: (3, 8, 8)] -> y { y = x -> f(8) * 2 + x -> f(8) * 1 }\n"
    (finding,) = program(text).findings
    assert (finding.code, finding.inner) == ("E301", "(8, 2, 2)")


# What depends on where a use stands


def test_alternatives_are_called_as_where_the_argument_was_decided(monkeypatch: pytest.MonkeyPatch) -> None:
    text = """
op f(i) [x] -> y {
  l = [conv(8, 3), conv(8, 5)][i]
  y = x -> l
  require l == 0
}
space s [x: (8, 8, 8)] -> y {
  i = 0 | 1
  j = 1 | 0
  k = [1, 0][j]
  y = x -> f(i) -> f(k)
}
"""
    for order in (text, text.replace("f(i) -> f(k)", "f(k) -> f(i)")):
        assert assert_same(order, monkeypatch) == 1
        (worked,) = program(order).spaces.values()
        assert worked.net is not None
        assert [(d.name, d.options) for d in worked.net.decisions] == [("i", (0, 1)), ("j", (1, 0))]
        words = {compare.left.options for c in worked.net.constraints if isinstance(compare := c.condition, Compare)}
        assert words == {("0", "1"), ("1", "0")}


def test_a_cell_behind_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    text = """
op g [t: (c, h, w)] -> y { y = t -> conv(c, 3) * (c / 8) }
cell f [x] -> y {
  w = 8 | 16
  y = concat(x, x -> conv(24 - w, 3)) -> g -> conv(w, 3)
}
space s [x: (8, 8, 8)] -> y { y = x -> f -> f }
"""
    assert assert_same(text, monkeypatch) == 1


def test_decisions_that_come_in_another_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second use of f has the cells' decisions, which are made by then, before its own."""
    count = 6
    cells = "".join(f"cell c{i} [x] -> y {{ y = x -> conv(1 | 2, 1) }}\n" for i in range(count))
    lines = "".join(f"  a{i} = x -> c{i} -> g\n" for i in range(count))
    text = (
        f"{cells}op g [t: (c, h, w)] -> y {{ y = t -> conv(c * (1 | 2), 1) }}\nop f [x] -> y {{\n{lines}"
        f"  y = concat({', '.join(f'a{i}' for i in range(count))}) -> relu -> conv(8, 1)\n}}\n"
        "space s [x: (3, 8, 8)] -> y { y = x -> f + x -> f }\n"
    )
    assert assert_same(text, monkeypatch) == 1


def test_an_operator_given_as_an_argument_stands_where_it_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "op f(ls) = ls[0] -> bn\nspace s [x: (8, 8, 8)] -> y { y = x -> f([relu]) -> f([relu]) }\n"
    assert assert_same(text, monkeypatch) == 1


def test_two_uses_of_a_cell_with_other_numbers_of_options() -> None:
    text = """
cell c(n) [x] -> y { y = x -> conv(8 * (1..n), 3) }
space s [x: (3, 8, 8)] -> y { y = concat(x -> c(2), x -> c(3), x -> c(2)) -> relu }
"""
    assert {finding.code for finding in program(text).findings} == {"E403"}


# How much it takes


def doubled(first: str, levels: int, last: str) -> str:
    """Each op is the one before it twice."""
    ops = "".join(f"op e{i} = e{i - 1} -> e{i - 1}\n" for i in range(1, levels + 1))
    return f"{first}\n{ops}space s [x: (3, 8, 8)] -> y {{ y = x -> conv(8, 3) -> e{levels} {last} }}\n"


WAYS = "op id = chain([])\nop ap(ls) = ls[0] -> ls[1]\nop e0 [x] -> z { z = x -> ap([id, id]) }"


@pytest.mark.parametrize(
    "text",
    [
        doubled("op e0 = chain([])", 40, ""),
        doubled("op e0 = chain([])", 18, "require count(relu) <= 1"),
        doubled(f"op e0 [x] -> y {{ y = x -> relu {' '.join(f'require params <= {i}' for i in range(100))} }}", 12, ""),
        doubled(
            "op id = chain([])\nop ap(ls) = ls[0] -> ls[1]\nop e0 [x] -> z { z = x -> ap([id, id]) }", 18, ""
        ).replace("op e1 = e0 -> e0", "op e1 [x] -> z {\n a = x -> e0\n z = a -> e0 }"),
    ],
    ids=["uses", "uses counted", "conditions", "ways"],
)
def test_what_doubles_is_refused(text: str) -> None:
    meter = Meter(10**9)
    with metered(meter):
        (finding,) = program(text).findings
    assert finding.code == "E405"


@pytest.mark.parametrize("order", ["f59 -> g59", "g59 -> f59"])
def test_uses_nest_as_deep_in_whatever_order_they_come(order: str) -> None:
    ops = "".join(f"op {name}{i} = {name}{i - 1} -> relu\n" for name in "fg" for i in range(1, 60))
    text = f"op f0 = relu\nop g0 = f59 -> relu\n{ops}space s [x: (3, 8, 8)] -> y {{ y = x -> {order} }}\n"
    (finding,) = program(text).findings
    assert (finding.code, "more than 100 deep" in finding.message) == ("E405", True)


PICK = """
op pick [x] -> y {
  l = conv(8, 3) | conv(8, 3, stride = 2)
  y = x -> conv(8, 3) + x -> l
  require l == conv(8, 3)
}
"""


CHECK = """
op check(w) [x] -> y {
  y = x -> relu
  require w == 8
}
"""


@pytest.mark.parametrize(
    "space",
    [
        "space s [x: (3, 8, 8)] -> y {\n  y = x -> pick -> relu * 900\n}\n",
        "space s [x: (3, 8, 8)] -> y {\n  y = x -> relu * 2000 -> pick -> relu * 3000\n}\n",
        "space s [x: (3, 8, 8)] -> y {\n  w = 8 | 16\n  a = x -> relu * 9500\n  b = a -> relu * 6500\n"
        "  c = b -> conv(8, 3) + b -> conv(w, 3)\n  y = c -> relu * 9500\n  require w == 8\n}\n",
        "op f0 = pick\n"
        + "".join(f"op f{i} [x] -> y {{ y = x -> {' -> '.join(['relu'] * 40)} -> f{i - 1} }}\n" for i in range(1, 46))
        + "space s [x: (3, 8, 8)] -> y {\n  y = x -> f45\n}\n",
        CHECK + "space s [x: (3, 8, 8)] -> y {\n  w = 8 | 16\n  b = x -> check(w)\n"
        "  a = b -> conv(8, 3) + b -> conv(w, 3)\n  y = a -> relu * 3000\n}\n",
        CHECK + "space s [x: (3, 8, 8)] -> y {\n  w = 8 | 16\n"
        "  a = x -> conv(8, 3) + x -> conv(w, 3)\n  y = a -> relu * 3000 -> check(w)\n}\n",
    ],
    ids=["much after it", "much before it", "much around it", "deep in it", "before", "after"],
)
def test_what_conditions_exclude_does_not_matter(space: str) -> None:
    found = program(PICK + space)
    assert {finding.code for finding in found.findings} <= {"W104"}
    assert found.spaces["s"].net is not None


WRONG = "  a = x -> conv(8, 3) + x -> conv(9, 3)\n"


@pytest.mark.parametrize(
    ("lines", "codes"),
    [
        ("  y = concat(x -> c(9), x -> c(8)) -> relu * 3000\n", ["E301"]),
        (f"{WRONG}  l = [a, x -> relu]\n  b = l[0 | 1]\n  y = b -> relu * 3000\n", ["E301"]),
        (WRONG + "".join(f"  t{i} = x -> relu * 9000\n" for i in range(13)) + "  y = a -> relu\n", ["E301"]),
    ],
    ids=["uses of a cell", "elements", "too large as well"],
)
def test_nothing_but_mistakes_is_told(lines: str, codes: list[str]) -> None:
    cell = "cell c(w) [x] -> y { y = (x -> conv(8, 3) + x -> conv(w, 3)) | x -> relu }\n"
    found = program(f"{cell}space s [x: (8, 8, 8)] -> y {{\n{lines}}}\n").findings
    assert [finding.code for finding in found if finding.severity == "error"] == codes


def test_all_mistakes_of_a_large_space_are_told() -> None:
    text = """
space s [x: (3, 8, 8)] -> y {
  a = x -> conv(8, 3) + x -> conv(8, 3, stride = 2)
  b = x -> relu * 2500
  c = b -> conv(8, 3) + b -> conv(9, 3)
  y = a -> conv(0, 3)
}
"""
    assert [finding.code for finding in program(text).findings] == ["E301", "E301", "E201"]


def test_a_mistake_in_a_large_space_is_told_and_not_that_it_is_too_large() -> None:
    """Shapes that differ by each choice make far more of a space than it is."""
    library = next(path for path in FILES if path.stem == "darts" and path.parent.name == "std").read_text("utf-8")
    wrong = library.replace("max_pool(3, s)", "max_pool(2, s)")
    assert wrong != library
    findings = program(wrong).findings
    assert {finding.code for finding in findings} == {"E301"}
    assert findings[0].when is not None
    assert "max_pool(2, s)" in findings[0].when
