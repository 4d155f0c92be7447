"""`atnas graph`: all that is decided is in the picture, once and readable; an architecture is marked, or alone."""

from __future__ import annotations

import random
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from drawings import NAMES, SVG, WAYS, boxes, decided, drawable, drawables, titles, untidy, words
from pages import MANUAL, told
from sound_programs import sound_program

from atnas.compiler.drawing.library import Library
from atnas.compiler.drawing.picture import picture
from atnas.compiler.drawing.unfolding import Instance, Unfolding
from atnas.dsl.cases import at
from atnas.dsl.extern import layer_class
from atnas.dsl.net import LayerNode
from atnas.dsl.source import Source
from atnas.runtime.checking import read_program

# What is in a picture


@pytest.mark.parametrize("name", NAMES)
def test_every_decision_is_there_with_all_its_options(name: str) -> None:
    found = decided(drawables()[name].drawn())
    assert {d.name: d.listed for d in drawables()[name].compiled.net.decisions} == found


def test_options_and_names_are_seen_without_pointing_at_anything() -> None:
    seen = words(drawables()["nas_bench_201.nas_bench_201"].drawn())
    assert {"none", "skip", "unit(c, 1)", "unit(c, 3)", "avg_pool(3, stride = 1)"} <= set(seen)
    assert {"cell dag(c) [x0] → x3", "x1", "x2: add", "x3: add", "dag(16)", "× 5", "(64, 8, 8)"} <= set(seen)
    assert seen.count("edge(c)") == 6
    assert "width = 8 | 16 | 24" in words(drawables()["quickstart.small_net"].drawn())


def test_a_cell_is_drawn_once_and_repeats_are_counted() -> None:
    seen = words(drawables()["ofa_mobilenet_v3.ofa_mobilenet_v3"].drawn())
    assert [word for word in seen if word.startswith("op ")] == [
        "op stage(c, stride, act, se)",
        "op mb(c, act, se, stride = 1)",
    ]
    assert "× 1..3" in seen
    assert "stage(24, 2, relu, false)" in seen


def test_a_size_that_somebody_named_is_shown_by_its_name() -> None:
    assert "(width, 2, 2)" in words(drawables()["quickstart.small_net"].drawn())
    assert "(32..96)" in words(drawables()["quickstart.small_net"].drawn())


def test_subsets_choices_of_tensors_and_conditions_are_drawn() -> None:
    text = """
    space net [x: (8, 4, 4)] -> y: (8, 4, 4) {
      a = x -> conv(8, 3)
      b = x -> conv(8, 5) -> bn
      c = add(1..2 of [x, a, b])
      y = (a | c) -> chain(1 of [relu, gelu])
      require params <= 2k
    }
    """
    seen = words(drawable(text).drawn())
    assert {"c: add 1..2 of 3", "a | c", "1 of", "require params <= 2k"} <= set(seen)


@pytest.mark.parametrize("seed", range(25))
def test_every_layer_of_the_net_is_drawn_by_one_part_of_the_picture(seed: int) -> None:
    program = read_program(Source("sound.atnas", sound_program(random.Random(seed))), str)
    for name, worked in program.spaces.items():
        assert worked.net is not None
        library = Library()
        unfolded = Unfolding(worked.net, library).space(library.space(program.module.names[name]))
        places = [n for here in unfolded.walk() for n in here.nodes]
        assert sorted(places) == list(range(len(worked.net.inputs), len(worked.net.nodes)))
        assert all(_is_alike(worked.net.nodes[here.nodes[0]], here) for here in unfolded.walk() if here.nodes)


def _is_alike(node: object, here: Instance) -> bool:
    operator = getattr(here.part, "operator", None)
    return operator is None or (isinstance(node, LayerNode) and node.operator == operator)


# An architecture


@pytest.mark.parametrize("name", NAMES)
def test_what_an_architecture_takes_is_marked_and_nothing_else(name: str) -> None:
    one = drawables()[name]
    assert set(titles(one.drawn("marked"), "on", "value")) == one.architecture


def test_what_is_not_taken_is_pale() -> None:
    one = drawables()["conv1d.conv1d"]
    pale = {"".join(g.itertext()).strip() for g in one.drawn("marked").iter(f"{SVG}g") if g.get("class") == "off"}
    options = set(one.compiled.net.decisions[1].words)
    taken = {line.partition(" = ")[2] for line in one.architecture}
    assert {word.replace(" → ", " -> ") for word in pale} & options == options - taken


@pytest.mark.parametrize("name", NAMES)
def test_an_architecture_alone_has_the_operators_that_it_runs(name: str) -> None:
    one = drawables()[name]
    nodes, activity = one.compiled.graph.nodes, one.compiled.costs.activity
    ran = {
        str(node.operator)
        for n, node in nodes.items()
        if isinstance(node, LayerNode) and at(activity.nodes[n], one.genotype)
    }
    said = {word for line in words(one.drawn("alone")) for word in re.findall(r"[a-z_]\w*", line)}
    layers = {operator for operator in ran if not layer_class(operator).variadic}
    operators = {str(n.operator) for n in one.compiled.net.nodes if isinstance(n, LayerNode)}
    assert layers - said == set()
    others = {word for word in operators - ran if any(_is_layer(word, line) for line in words(one.drawn("alone")))}
    assert others == set()


def _is_layer(operator: str, line: str) -> bool:
    """Whether a line of text has a layer of this operator, not an argument of that name."""
    return any(re.match(rf"{operator}(\(|$)", part) for part in line.split(" → "))


def test_alone_has_the_numbers_that_were_taken() -> None:
    text = """
    op block(c) = conv(c, 3 | 5) -> bn -> (relu | gelu)
    space net [x: (3, 8, 8)] -> y: (2) { w = 8 | 16 y = x -> block(w) * 1..3 -> global_avg_pool -> linear(2) }
    """
    one = drawable(text)
    architecture = {
        "w": 16,
        "y.block.depth": 2,
        "y.block[0].kernel": 5,
        "y.block[1].kernel": 5,
        "y.block[0]": "gelu",
        "y.block[1]": "gelu",
    }
    genotype = one.compiled.encoding.encode(architecture)
    seen = words(ElementTree.fromstring(picture(one.declared, one.compiled.net, [], genotype, alone=True)))
    assert {"conv(16, 5) → bn → gelu", "× 2", "w = 16"} <= set(seen)
    assert not {word for word in seen if "relu" in word or "|" in word}


# How it looks


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", NAMES)
def test_nothing_overlaps_or_leaves_the_canvas(name: str, way: str) -> None:
    assert untidy(drawables()[name].drawn(way)) == []


@pytest.mark.parametrize("page", MANUAL, ids=lambda page: page.stem)
def test_every_program_of_the_manual_is_drawn_as_tidily(page: Path) -> None:
    programs = [program for case in told(page) if (program := case.program()).good]
    for name, worked, program in ((n, w, p) for p in programs for n, w in p.every_space().items()):
        assert worked.net is not None
        assert untidy(ElementTree.fromstring(picture(program.module.names[name], worked.net, []))) == []


@pytest.mark.parametrize("seed", [*range(8), 51, 241])
def test_odd_programs_are_drawn_as_tidily(seed: int) -> None:
    one = drawable(sound_program(random.Random(seed)))
    for way in WAYS:
        assert untidy(one.drawn(way)) == []
    assert set(titles(one.drawn("marked"), "on", "value")) == one.architecture


@pytest.mark.parametrize("name", NAMES)
def test_a_space_of_hundreds_of_layers_is_a_small_picture_with_large_letters(name: str) -> None:
    drawn = drawables()[name].drawn()
    canvas, _, _ = boxes(drawn)
    assert canvas.right <= 760
    assert canvas.bottom <= 2000
    assert min(float(text.get("font-size", "0")) for text in drawn.iter(f"{SVG}text")) >= 10


@pytest.mark.parametrize("way", WAYS)
def test_it_is_one_document_that_needs_nothing_else(way: str) -> None:
    drawn = drawables()["darts.darts"].drawn(way)
    assert {element.tag.removeprefix(SVG) for element in drawn.iter()} <= {
        *("svg", "title", "desc", "style", "g", "rect", "path", "circle", "text", "tspan"),
    }
    assert not [key for element in drawn.iter() for key in element.attrib if "href" in key or key.startswith("on")]
    style = drawn.findtext(f"{SVG}style") or ""
    assert "url(" not in style and "@import" not in style
    assert "prefers-color-scheme: dark" in style


def test_it_tells_those_who_do_not_see_it_what_it_shows() -> None:
    one = drawables()["nas_bench_201.nas_bench_201"]
    assert one.drawn().get("role") == "img"
    assert one.drawn().findtext(f"{SVG}title") == "The space nas_bench_201"
    about = one.drawn().findtext(f"{SVG}desc") or ""
    assert "dag.x1.edge, dag.x2.edge[0..1], dag.x3.edge[0..2] = none | skip |" in about
    assert one.architecture <= set((one.drawn("marked").findtext(f"{SVG}desc") or "").split("\n"))


def luminance(color: str) -> float:
    """Of WCAG 2, between 0 and 1."""
    parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a: str, b: str) -> float:
    dark, light = sorted((luminance(a), luminance(b)))
    return (light + 0.05) / (dark + 0.05)


def test_text_is_readable_in_light_and_in_dark() -> None:
    style = drawables()["darts.darts"].drawn().findtext(f"{SVG}style") or ""
    light, _, dark = style.partition("@media (prefers-color-scheme: dark) {\n")
    colors: dict[str, str] = {}
    for part in (light, dark):
        for selectors, color in re.findall(r"^\s*([^{@]+?) \{[^}]*\bfill: (#\w{6})", part, re.MULTILINE):
            colors.update(dict.fromkeys(selectors.split(", "), color))
        grounds = [colors[f".{kind}"] for kind in ("ground", "layer", "use", "choice", "merge", "tensor", "times")]
        inks = [colors[kind] for kind in ("text", ".number", "text .taken", ".choice-text", ".use-text")]
        assert min(contrast(ink, ground) for ink in inks for ground in grounds) >= 4.5
        assert contrast(colors[".faint"], colors[".ground"]) >= 4.5


# Hostile and odd programs


def test_text_of_the_author_is_text_whatever_it_says() -> None:
    nasty = "</text><script>alert(1)</script>&amp;<![CDATA[é漢\u0007"
    text = f"""
    op f(s) = relu
    space net [x: (3, 8, 8)] -> y: (2) {{ y = x -> f("{nasty}") * 0..1 -> flatten -> linear(2) }}
    """
    one = drawable(text)
    drawn = one.drawn()
    assert drawn.find(f".//{SVG}script") is None
    assert any(nasty.replace("\u0007", "\ufffd") in word for word in words(drawn))
    assert picture(one.declared, one.compiled.net, []).isascii()


def test_a_decision_of_very_many_options_is_told_by_its_ends() -> None:
    one = drawable("space net [x: (3)] -> y: (2) { w = 1..900 y = x -> linear(w) -> linear(2) }")
    assert decided(one.drawn())["w"].endswith("| 39 | .. | 900")
    assert len(picture(one.declared, one.compiled.net, [])) < 20_000
    assert set(titles(one.drawn("marked"), "value")) == one.architecture


def test_a_decision_that_is_made_very_often_is_counted() -> None:
    text = """
    op f = relu | gelu
    space net [x: (3)] -> y: (2) { y = x -> f * 60 -> linear(2) }
    """
    one = drawable(text)
    assert set(titles(one.drawn("marked"), "value")) == one.architecture
    relus = sum(line.endswith("= relu") for line in one.architecture)
    assert f"{relus} of 60" in words(one.drawn("marked"))
