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
from atnas.dsl.net import ChoiceNode, InputNode, LayerNode, Net, NetNode, Num, Read
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


def test_a_mistake_in_a_large_space_is_told_and_not_that_it_is_too_large() -> None:
    """Shapes that differ by each choice make far more of a space than it is."""
    library = next(path for path in FILES if path.stem == "darts" and path.parent.name == "std").read_text("utf-8")
    wrong = library.replace("max_pool(3, s)", "max_pool(2, s)")
    assert wrong != library
    findings = program(wrong).findings
    assert {finding.code for finding in findings} == {"E301"}
    assert findings[0].when is not None
    assert "max_pool(2, s)" in findings[0].when
