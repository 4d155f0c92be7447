"""`atnas check`: all mistakes in one run, at their places; shapes for every architecture; nothing heavy loaded."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from pathlib import Path
from subprocess import run

import pytest
from hypothesis import HealthCheck, assume, given, settings
from tried import Tried, spaces

from atnas.compiler.space import Compiled, compile
from atnas.dsl.cases import values
from atnas.dsl.errors import Unable
from atnas.dsl.findings.diagnostics import Diagnostic
from atnas.dsl.net import InputNode
from atnas.dsl.source import Source
from atnas.dsl.syntax import ast
from atnas.dsl.syntax.parse import parse
from atnas.dsl.syntax.walk import parts
from atnas.runtime.checking import Checker, read_program
from atnas.runtime.program import Program

ROOT = Path(__file__).parents[1]
EXAMPLES = sorted((ROOT / "examples").glob("*.atnas")) + sorted((ROOT / "grammars" / "std").glob("*.atnas"))
QUICKSTART = (ROOT / "examples" / "quickstart.atnas").read_text(encoding="utf-8")


def program(text: str) -> Program:
    def nothing(path: str) -> str:
        raise Unable(f"{path} is not there")

    return read_program(Source("file.atnas", text), nothing)


def check(text: str) -> list[Diagnostic]:
    return program(text).findings


TEN = """\
use std.spaces (conv_cell)

op unit(c) = convv(c, 3) -> bn
op wide(c) = conv(c, kernal = 3)

space s [x: (3, 8, 8)] -> logits: (way) {
  a      = x -> conv(8, 3 ->
  b      = x -> conv(8, 3, stride = 1 | 2)
  c      = x -> conv(4, 3) + x -> conv(8, 3)
  logits = x -> linear(way)
  require w <= 8
}

tasks t {
  source = glyphs
  ways   = 5
}

train m {
  learner    = maml(order = 3, inner = sgd(lr = 0.1))
  iterations = 10
}
"""


def test_ten_mistakes_are_ten_findings_in_one_run() -> None:
    found = [(f.code, f.span.source.position(f.span.start).line, f.span.text) for f in check(TEN)]
    assert found == [
        ("E101", 1, "conv_cell"),
        ("E101", 3, "convv"),
        ("E203", 4, "kernal"),
        ("E001", 7, "("),
        ("E209", 8, "1 | 2"),
        ("E301", 9, "x -> conv(4, 3)"),
        ("E302", 10, "linear(way)"),
        ("E101", 11, "w"),
        ("E501", 16, "ways"),
        ("E508", 20, "3"),
    ]


@pytest.mark.parametrize(
    ("text", "cure"),
    [
        ("opp f = relu", "did you mean `op`?"),
        ("op f = rleu", "did you mean `relu`?"),
        ("op f = conv(8, kernal = 3)", "did you mean `kernel`?"),
        ("op f(width) = conv(widht, 3)", "did you mean `width`?"),
        ("op f [x] -> y { yy = x -> relu }", "did you mean `yy`?"),
        ("op unit = relu\nop f = unti", "did you mean `unit`?"),
        ("op f = chan([relu])", "did you mean `chain`?"),
        ('space s [x: (3, 8, 8)] -> y { y = x -> mbconv(8, act = "hswich") }', "did you mean `hswish`?"),
        ("space s [x: (3, 8, 8)] -> x { require parms <= 3 }", "did you mean `params`?"),
        ("use std.space5 (conv_cells)", "did you mean `std.spaces`?"),
        ("use std.spaces (conv_cels)", "did you mean `conv_cells`?"),
        ("tasks t { source = glyph }", "did you mean `glyphs`?"),
        ("tasks t { source = glyphs shots = 1 }", "did you mean `shot`?"),
        ("tasks t { source = glyphs(sise = 20) }", "did you mean `size`?"),
        ("train m { learner = maml(inner = sdg(lr = 0.1)) iterations = 1 }", "did you mean `sgd`?"),
        ("train m { learner = maml(inner = sgd(lr = 0.1)) iterations = 1 norm = suport }", "did you mean `support`?"),
        ("search s { algorithm = nsga maximize accuracy }", "did you mean `nsga2`?"),
        ("search s { algorithm = random maximize acuracy }", "did you mean `accuracy`?"),
    ],
)
def test_a_misspelt_name_gets_its_cure(text: str, cure: str) -> None:
    (finding,) = check(text)
    assert finding.help is not None and finding.help.startswith(cure)


def words(text: str) -> Iterator[ast.Name]:
    """Every use of a name: of an operator, op, binding, argument, setting, word or declaration."""
    found, _ = parse(Source("file.atnas", text))
    for declaration in found.declarations:
        if isinstance(declaration, ast.Settings):
            yield from (line.name for line in declaration.body if isinstance(line, ast.Bind | ast.Draw))
        for expression in expressions(declaration):
            for part in parts(expression):
                if isinstance(part, ast.Name):
                    yield part
                if isinstance(part, ast.Call):
                    yield from (a.name for a in part.arguments if a.name is not None)


def expressions(declaration: ast.Declaration) -> Iterator[ast.Expr]:
    if isinstance(declaration, ast.Use):
        return
    if declaration.short is not None:
        yield declaration.short
    for line in declaration.body:
        match line:
            case ast.Bind(value=value) | ast.Draw(value=value) | ast.Goal(objective=value):
                yield value
            case ast.Require(condition=condition):
                yield condition


def test_no_unknown_word_is_ever_ignored() -> None:
    uses = list(words(QUICKSTART))
    assert len(uses) > 50
    for use in uses:
        text = f"{QUICKSTART[: use.span.start]}zzqx{QUICKSTART[use.span.end :]}"
        assert any(f.span.start == use.span.start and f.span.text == "zzqx" for f in check(text)), use


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_examples_have_nothing_to_report(path: Path) -> None:
    assert check(path.read_text(encoding="utf-8")) == []


def test_checking_every_example_loads_nothing_heavy() -> None:
    script = (
        "import sys\n"
        "from atnas.cli.main import guarded\n"
        "code = guarded()\n"
        "print(*sorted({'torch', 'networkx', 'numpy', 'deap', 'pydantic'} & set(sys.modules)))\n"
        "sys.exit(code)\n"
    )
    ended = run(
        [sys.executable, "-c", script, "check", *map(str, EXAMPLES)], capture_output=True, text=True, timeout=60
    )
    assert (ended.returncode, ended.stdout.strip()) == (0, "")
    assert f"{len(EXAMPLES)} files checked: nothing to report" in ended.stderr


# Shapes, for all architectures


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
@given(spaces())
def test_shapes_are_proved_for_exactly_the_architectures_there_are(tried: Tried) -> None:
    """A shape error is reported where, and only where, torch refuses an architecture; else all shapes are known."""
    outcomes = tried.outcomes(most=120)
    assume(outcomes is not None)
    assert outcomes is not None
    shapes, refused = outcomes
    found = program(tried.text)
    codes = {f.code for f in found.findings if f.severity == "error"}
    assert codes <= {"E301", "E302"}, tried.text
    assert bool(codes) == refused, tried.text
    if not refused:
        net = found.spaces["s"].net
        assert net is not None
        last = net.nodes[net.outputs[0][1]]
        known = {last.shape} if isinstance(last, InputNode) else set(values(last.shape))
        assert known == shapes, tried.text


@pytest.mark.parametrize(
    ("name", "architectures"),
    [
        ("nas_bench_201", 5**6),
        ("darts", 1_076_746_950_455_072_400),
        ("ofa_mobilenet_v3", 7371**5),
        ("autoformer", 3 * (4**12 + 4**13 + 4**14)),
    ],
)
def test_spaces_of_the_literature_have_their_sizes(name: str, architectures: int) -> None:
    assert whole(name).encoding.count() == architectures


def test_architectures_drawn_meet_the_constraint_on_params() -> None:
    space = whole("autoformer")
    for seed in range(5):
        assert space.costs.of(space.encoding.sample(random.Random(seed)))["params"] <= 6_000_000


def whole(name: str) -> Compiled:
    """The one space of a file in spec/programs."""
    path = Path(__file__).parent / "spec" / "programs" / f"{name}.atnas"
    (worked,) = program(path.read_text(encoding="utf-8")).spaces.values()
    assert worked.net is not None
    return compile(worked.net)


# Programs made to be expensive

SPACE = "space s [x: (3, 8, 8)] -> y"
EXPENSIVE = {
    "uses": "\n".join(["op f0 = relu", *(f"op f{i + 1} = f{i} -> f{i}" for i in range(40))])
    + f"\n{SPACE} {{ y = x -> f40 }}",
    "turns": f"{SPACE} {{ y = x -> ((relu * 9999) * 9999) }}",
    "elements": f"""{SPACE} {{
        a = [[[0 for i in range(9999)] for i in range(9999)] for i in range(9999)]
        y = x
    }}""",
    "widths": f"{SPACE} {{ y = concat({', '.join(f'x -> conv(1 | {2**i + 1}, 3)' for i in range(24))}) }}",
    "products": f"""{SPACE} {{
        a = 1..9999
        b = 1..9999
        c = 1..9999
        y = x -> conv(a * b * c, 3)
    }}""",
    "depth": "\n".join(["op f0 = relu", *(f"op f{i + 1} = {'(skip | ' * 40}f{i}{')' * 40}" for i in range(90))])
    + f"\n{SPACE} {{ y = x -> f90 }}",
}


@pytest.mark.parametrize("text", EXPENSIVE.values(), ids=list(EXPENSIVE))
def test_what_cannot_be_worked_out_is_refused(text: str) -> None:
    assert [f.code for f in check(text)] == ["E405"]


def test_many_uses_of_uses_are_no_circle_and_many_circles_are_found() -> None:
    chain = "\n".join(["op f0 = relu", *(f"op f{i + 1} = f{i}" for i in range(3000))])
    assert check(chain) == []
    ring = "op a = b\nop b = a | c\nop c = c\nop d(a) = a -> e\nop e = relu"
    assert [(f.code, f.message) for f in check(ring)] == [
        ("E104", "`a` reaches itself: a -> b -> a"),
        ("E104", "`c` reaches itself: c -> c"),
    ]


KERNELS = "space s [x: (8, 16, 16)] -> y {{\n  k = 3 | 5\n  y = x -> conv(8, k)\n  require {}\n}}\n"


@pytest.mark.parametrize(
    ("condition", "place", "cure"),
    [
        ("k in 3", "3", "write a list: k in [3]"),
        ("k", "k", "write k <= .."),
        ("params >= 1 and k", "k", "write k <= .."),
    ],
)
def test_a_condition_that_compares_nothing_is_told_with_its_cure(condition: str, place: str, cure: str) -> None:
    (finding,) = check(KERNELS.format(condition))
    assert (finding.code, finding.span.text, finding.help) == ("E404", place, cure)


def test_a_truth_value_is_a_condition() -> None:
    assert not check("space s(wide = true) [x: (8, 16, 16)] -> y {\n  y = x -> conv(8)\n  require wide\n}\n")


def test_a_size_of_an_input_is_at_least_one() -> None:
    (finding,) = check("space s [x: (0, 8, 8)] -> y {\n  y = x -> conv(8)\n}\n")
    assert (finding.code, finding.span.text) == ("E201", "0")


def test_an_op_that_reaches_itself_is_told_once() -> None:
    found = check("op f = relu -> f\nspace s [x: (8, 8, 8)] -> y {\n  y = x -> f\n}\n")
    assert [f.code for f in found] == ["E104"]


def test_a_space_whose_head_cannot_be_read_is_not_told_again() -> None:
    assert {f.code for f in check("space s [] -> y {\n  y = x -> relu\n}\n")} == {"E001"}


def test_lists_in_lists_that_double_are_refused_at_once() -> None:
    """Each holds the one before twice: the last has a million elements, in a file of twenty lines."""
    lines = "".join(f"  a{i + 1} = [a{i}, a{i}]\n" for i in range(20))
    (finding,) = check(
        f"space s [x: (3, 8, 8)] -> y {{\n  a0 = [8 | 16]\n{lines}  y = x -> conv(8, 3) -> chain(a20)\n}}\n"
    )
    assert finding.code == "E405"


def test_a_cure_moves_with_the_setting_that_it_cures() -> None:
    text = "tasks letters { source = glyphs way = 1 | 2 }\n"
    checker = Checker()
    for before in ("", "# a line more\n", ""):
        source = Source("main.atnas", before + text)
        (finding,) = (f for f in checker.check(source, str).findings if f.code == "E507")
        (edit,) = finding.fix
        assert (edit.span.text, edit.text) == (" = ", " ~ ")
    (finding,) = (f for f in check(text.replace("1 | 2", "(1 | 2)")) if f.code == "E507")
    assert finding.fix == ()
