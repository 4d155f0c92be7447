"""From text to syntax tree: what is accepted, how it groups, where it stands, and what is said of what is not."""

from __future__ import annotations

import logging
import random
import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lark import Lark
from lark.exceptions import UnexpectedInput
from texts import GRAMMAR, NOWHERE, PROGRAMS, WORDS, conditions, expressions, nodes

from atnas.dsl.errors import Unable
from atnas.dsl.findings.diagnostics import Diagnostic
from atnas.dsl.modules import load
from atnas.dsl.source import Source
from atnas.dsl.syntax import ast
from atnas.dsl.syntax.ast import Bind, Call, Choice, Draw, Goal, Layer, Name, Number, Require, Settings, Use
from atnas.dsl.syntax.grammar import pattern
from atnas.dsl.syntax.parse import parse
from atnas.dsl.syntax.quantity import quantity
from atnas.dsl.syntax.tables import lark
from atnas.dsl.syntax.unparse import text
from atnas.dsl.syntax.walk import parts

LARK = lark(GRAMMAR.read_text(encoding="utf-8"))


def read(source: str) -> tuple[tuple[ast.Declaration, ...], list[Diagnostic]]:
    program, findings = parse(Source("test.atnas", source))
    return program.declarations, findings


def clean(source: str) -> tuple[ast.Declaration, ...]:
    declarations, findings = read(source)
    assert findings == [], [(f.code, f.span, f.message) for f in findings]
    return declarations


def expression(source: str) -> ast.Expr:
    (layer,) = clean(f"op f = {source}")
    assert isinstance(layer, Layer) and layer.short is not None
    return layer.short


def condition(source: str) -> Require:
    (layer,) = clean(f"op f [x] -> y {{ require {source} }}")
    assert isinstance(layer, Layer) and isinstance(layer.body[0], Require)
    return layer.body[0]


def body(source: str) -> tuple[Any, ...]:
    (layer,) = clean(f"op f [x] -> y {{\n{source}\n}}")
    assert isinstance(layer, Layer)
    return layer.body


def grouped(expr: Any) -> str:
    """The expression with every operation in brackets of its own."""
    match expr:
        case ast.Binary(_, op, left, right):
            return f"<{grouped(left)} {op} {grouped(right)}>"
        case ast.Pipe(_, left, right):
            return f"<{grouped(left)} -> {grouped(right)}>"
        case ast.Choice(_, options):
            return f"<{' | '.join(map(grouped, options))}>"
        case ast.Range(_, low, high, step):
            by = f" step {grouped(step)}" if step else ""
            return f"<{grouped(low)}..{grouped(high)}{by}>"
        case ast.Subset(_, count, items):
            return f"<{grouped(count)} of {grouped(items)}>"
        case ast.Negate(_, operand):
            return f"<-{grouped(operand)}>"
        case ast.Index(_, target, index):
            return f"<{grouped(target)}[{grouped(index)}]>"
        case _:
            return text(expr)


# The grammar


def conflicts(grammar: str, caplog: pytest.LogCaptureFixture) -> list[str]:
    with caplog.at_level(logging.DEBUG, logger="lark"):
        Lark(grammar, parser="lalr", lexer="basic")
    return [r.getMessage() for r in caplog.records if "conflict" in r.getMessage().lower()]


def test_grammar_has_no_conflicts(caplog: pytest.LogCaptureFixture) -> None:
    assert conflicts(GRAMMAR.read_text(encoding="utf-8"), caplog) == []


def test_a_conflict_would_show_in_the_log_read_above(caplog: pytest.LogCaptureFixture) -> None:
    assert conflicts('start: start "+" start | "a"', caplog)


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda p: p.stem)
def test_published_spaces_and_a_whole_experiment_parse(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    assert clean(source)
    LARK.parse(source)


def test_there_are_programs_to_parse() -> None:
    assert len(PROGRAMS) == 5


def is_told(source: str) -> bool:
    """Whether there is a finding; of a reserved word in a `use` it is that there is no such library, or name in it."""

    def nothing(path: str) -> str:
        raise Unable(f"{path} is not there")

    return bool(load(Source("test.atnas", source), nothing)[1])


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(WORDS), max_size=25), st.booleans())
def test_findings_exactly_where_larks_own_parser_refuses(words: list[str], in_body: bool) -> None:
    source = f"op f [x] -> y {{ y = {' '.join(words)} }}" if in_body else " ".join(words)
    try:
        LARK.parse(source)
    except UnexpectedInput:
        assert is_told(source)
    else:
        assert not read(source)[1]


@settings(max_examples=60, deadline=None)
@given(st.randoms(use_true_random=False))
def test_a_word_changed_in_a_program_is_refused_exactly_where_lark_refuses(rng: random.Random) -> None:
    tokens = [m.group().strip() for m in pattern().finditer(rng.choice(PROGRAMS).read_text(encoding="utf-8"))]
    for _ in range(rng.randint(1, 3)):
        tokens[rng.randrange(len(tokens))] = rng.choice([*WORDS, ""])
    source = " ".join(tokens)
    try:
        LARK.parse(source)
    except UnexpectedInput:
        assert is_told(source)
    else:
        assert not read(source)[1]


# How expressions group


@pytest.mark.parametrize(
    ("source", "meant"),
    [
        ("x -> f + y -> g", "<<x -> f> + <y -> g>>"),
        ("none | skip | conv(8, 3) -> bn", "<none | skip | <conv(8, 3) -> bn>>"),
        ("f -> g -> h", "<<f -> g> -> h>"),
        ("x -> f * 5 -> g", "<<x -> <f * 5>> -> g>"),
        ("f * 1..3", "<f * <1..3>>"),
        ("f * N - 1", "<<f * N> - 1>"),
        ("1..n - 1", "<<1..n> - 1>"),
        ("x + y -> f", "<x + <y -> f>>"),
        ("2 * 16..64 step 16", "<2 * <16..64 step 16>>"),
        ("0..2 of xs", "<<0..2> of xs>"),
        ("2 of [a, b]", "<2 of [a, b]>"),
        ("2 of xs * 3", "<<2 of xs> * 3>"),
        ("a - b - c", "<<a - b> - c>"),
        ("a / b % c", "<<a / b> % c>"),
        ("xs[-1]", "<xs[<-1>]>"),
        ("-xs[0]", "<-<xs[0]>>"),
        ("-1..3", "<<-1>..3>"),
        ("a * -b", "<a * <-b>>"),
        ("xs[0][1]", "<<xs[0]>[1]>"),
        ("(a + b) * c", "<<a + b> * c>"),
        ("a | b -> c | d", "<a | <b -> c> | d>"),
        ("(a | b) | c", "<<a | b> | c>"),
        ("a | (b | c)", "<a | <b | c>>"),
        ("((a))", "a"),
    ],
)
def test_precedence(source: str, meant: str) -> None:
    assert grouped(expression(source)) == meant


def test_a_choice_is_flat_and_one_in_parentheses_stays_its_own() -> None:
    flat, nested = expression("a | b | c"), expression("(a | b) | c")
    assert isinstance(flat, Choice) and len(flat.options) == 3
    assert isinstance(nested, Choice) and len(nested.options) == 2
    assert isinstance(nested.options[0], Choice)


def test_conditions() -> None:
    both = condition("kernel in [3, 5] if expand == 6 and stride == 2")
    assert grouped(both.condition) == "<kernel in [3, 5]>"
    assert grouped(both.guard) == "<<expand == 6> and <stride == 2>>"
    assert grouped(condition("d % heads == 0").condition) == "<<d % heads> == 0>"
    assert grouped(condition("edge == skip | none").condition) == "<edge == <skip | none>>"
    assert grouped(condition("(a < 1) and (b > 2 and c != 3)").condition) == "<<a < 1> and <<b > 2> and <c != 3>>>"
    assert condition("params <= 1.5M").guard is None


def test_lists_calls_and_comprehensions() -> None:
    each = expression("[f(c, s) for c, s in [[24, 2], [40, 1]]]")
    assert isinstance(each, ast.Each)
    assert [name.id for name in each.names] == ["c", "s"]
    call = expression("conv(32, 3, stride = 2,)")
    assert isinstance(call, Call) and call.function == Name(NOWHERE, "conv")
    assert [argument.name and argument.name.id for argument in call.arguments] == [None, None, "stride"]
    assert expression("f()") == Call(NOWHERE, Name(NOWHERE, "f"), ())
    assert expression("[]") == ast.List(NOWHERE, ())
    assert expression("[1, 2,]") == expression("[1, 2]")
    assert [expression("true"), expression("false")] == [ast.Bool(NOWHERE, True), ast.Bool(NOWHERE, False)]
    assert expression('"a \\ b"') == ast.String(NOWHERE, "a \\ b")


def test_words_of_settings_may_name_arguments_and_settings() -> None:
    call = expression("run(space = 1, search = 2)")
    assert isinstance(call, Call)
    assert [argument.name and argument.name.id for argument in call.arguments] == ["space", "search"]
    (whole,) = clean("experiment e { space = a tasks = b train = c search = d experiment = e }")
    assert isinstance(whole, Settings)
    assert [line.name.id for line in whole.body] == ["space", "tasks", "train", "search", "experiment"]  # type: ignore[union-attr]


# Numbers


@pytest.mark.parametrize(
    ("written", "value", "unit"),
    [
        ("0", 0, ""),
        ("16", 16, ""),
        ("0.5", 0.5, ""),
        ("1.0", 1.0, ""),
        ("1e-3", 0.001, ""),
        ("1e3", 1000.0, ""),
        ("60k", 60_000, ""),
        ("1.5M", 1_500_000, ""),
        ("1.1M", 1_100_000, ""),
        ("0.0001k", 0.1, ""),
        ("2G", 2 * 10**9, ""),
        ("20ms", 0.02, "s"),
        ("30min", 1800, "s"),
        ("1h", 3600, "s"),
        ("2GB", 2 * 10**9, "B"),
        ("10%", 0.1, "%"),
        ("100%", 1.0, "%"),
    ],
)
def test_quantities(written: str, value: float, unit: str) -> None:
    number = expression(written)
    assert number == Number(NOWHERE, value, written, unit)
    assert isinstance(number, Number) and type(number.value) is type(value)


def test_a_range_of_integers_is_not_a_decimal() -> None:
    assert grouped(expression("1..3")) == "<1..3>"
    assert grouped(expression("0.5..1.5")) == "<0.5..1.5>"


def test_a_percent_sign_is_a_unit_where_it_touches_a_number_only() -> None:
    assert grouped(expression("10 % 3")) == "<10 % 3>"
    assert grouped(expression("10%3")) == "<10 % 3>"
    assert grouped(expression("d%2")) == "<d % 2>"
    assert grouped(expression("10% * 3")) == "<10% * 3>"


@given(st.integers(0, 10**15), st.sampled_from(["", "k", "M", "G"]))
def test_units_of_whole_numbers_are_exact(n: int, unit: str) -> None:
    assert quantity(f"{n}{unit}") == (n * {"": 1, "k": 10**3, "M": 10**6, "G": 10**9}[unit], "")


@given(st.floats(1e-6, 1e9))
def test_plain_decimals_are_read_as_python_reads_them(value: float) -> None:
    written = f"{value:.9f}"
    assert quantity(written) == (float(written), "")


# Declarations


def test_long_form() -> None:
    (layer,) = clean("cell dag(c, k = 3,) [a, b: (c, 3)] -> [b, out: (way)] { y = a require c > 1 out = y }")
    assert isinstance(layer, Layer)
    assert (layer.keyword, layer.name.id, layer.short) == ("cell", "dag", None)
    assert [(p.name.id, p.default and text(p.default)) for p in layer.parameters] == [("c", None), ("k", "3")]
    assert [p.name.id for p in layer.inputs] == ["a", "b"]
    assert layer.inputs[0].sizes is None
    assert [text(size) for size in layer.inputs[1].sizes or ()] == ["c", "3"]
    assert [p.name.id for p in layer.outputs] == ["b", "out"]
    assert [type(line) for line in layer.body] == [Bind, Require, Bind]


def test_short_form_and_one_bare_output() -> None:
    short, long = clean("op unit = relu -> bn space s [x: (3, 32, 32)] -> logits: (10) { logits = x }")
    assert isinstance(short, Layer) and isinstance(long, Layer)
    assert short.short is not None and (short.inputs, short.outputs, short.body) == ((), (), ())
    assert [port.name.id for port in long.outputs] == ["logits"]


def test_settings() -> None:
    both, search = clean("tasks both = mix(0.7 * a, 0.3 * b) search s { shot ~ 1 | 5 minimize params require a < 2 }")
    assert isinstance(both, Settings) and isinstance(search, Settings)
    assert both.short is not None and both.keyword == "tasks"
    assert [type(line) for line in search.body] == [Draw, Goal, Require]
    assert isinstance(search.body[1], Goal) and search.body[1].direction == "minimize"


def test_use() -> None:
    library, file = clean('use std.spaces (conv_cells, darts) use "blocks.atnas" (mb)')
    assert isinstance(library, Use) and isinstance(file, Use)
    assert library.path == Name(NOWHERE, "std.spaces")
    assert [name.id for name in library.names] == ["conv_cells", "darts"]
    assert file.path == ast.String(NOWHERE, "blocks.atnas")


def test_doc_comments_belong_to_the_declaration_after_them() -> None:
    source = "# plain\n## One,\n##  two.\n\nop f = a  ## not this\n# nor this\nop g = b\n## Last.\nuse x (y)"
    assert [d.doc for d in clean(source)] == ["One,\ntwo.", "", "Last."]


def test_a_head_may_go_over_several_lines() -> None:
    clean("op f\n(c)\n[x]\n-> y\n{\ny = x\n}\nuse std.spaces\n(a)\nop g = f(\n(a | b),\n[c]\n)")


# Places


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda p: p.stem)
def test_the_text_of_a_span_alone_reads_as_the_same_node(path: Path) -> None:
    program, _ = parse(Source(path.name, path.read_text(encoding="utf-8")))
    for node in nodes(program.declarations):
        written = node.span.text
        assert written == written.strip() and written
        for child in nodes(tuple(getattr(node, f.name) for f in fields(node))):
            assert node.span.start <= child.span.start <= child.span.end <= node.span.end
        if isinstance(node, Layer | Settings | Use):
            assert clean(written) == (node,)
        elif isinstance(node, Bind):
            assert written.startswith(node.name.id)
        elif isinstance(node, Name):
            assert written == node.id
        elif isinstance(node, ast.Expr) and not (isinstance(node, ast.Binary) and node.op in ("==", "<=")):
            assert expression(written) == node


def test_parentheses_belong_to_what_stands_around_them() -> None:
    product = expression("(a + b) * (c)")
    assert isinstance(product, ast.Binary)
    assert product.span.text == "(a + b) * (c)"
    assert product.left.span.text == "a + b"
    assert product.right.span.text == "c"


# The canonical spelling


@settings(max_examples=150, deadline=None)
@given(expressions)
def test_parsing_the_canonical_spelling_gives_the_expression_back(expr: ast.Expr) -> None:
    assert expression(text(expr)) == expr


@settings(max_examples=60, deadline=None)
@given(conditions)
def test_parsing_the_canonical_spelling_gives_the_condition_back(expr: ast.Expr) -> None:
    assert condition(text(expr)).condition == expr


def without(written: str, opening: int) -> str:
    """The text less one pair of parentheses."""
    depth = 0
    for i in range(opening, len(written)):
        depth += {"(": 1, ")": -1}.get(written[i], 0)
        if depth == 0:
            return f"{written[:opening]} {written[opening + 1 : i]} {written[i + 1 :]}"
    raise AssertionError(written)


def plain(expr: ast.Expr) -> bool:
    """Whether an expression has no string, and no range left of an operator: `(1..3) + n` keeps its parentheses, since
    `1..3 + n` is a finding (E214)."""
    early = any(isinstance(p, ast.Binary) and isinstance(p.left, ast.Range) for p in parts(expr))
    return '"' not in text(expr) and not early


@settings(max_examples=80, deadline=None)
@given(expressions.filter(plain))
def test_no_parentheses_of_the_canonical_spelling_could_be_left_out(expr: ast.Expr) -> None:
    written = text(expr)
    for match in re.finditer(r"(?<!\w)\(", written):
        declarations, findings = read(f"op f = {without(written, match.start())}")
        assert findings or declarations[0].short != expr  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "spelling",
    [
        "unit(c, 3)",
        "a | b",
        "x -> f + y",
        "1..4",
        "2 of [a, b]",
        "16..64 step 16",
        "xs[-1]",
        "f(k = 3 | 5)",
        "a - (b - c)",
    ],
)
def test_canonical_spelling(spelling: str) -> None:
    assert text(expression(spelling)) == spelling
    assert text(expression(f"( {spelling.replace(' ', '  ')} )")) == spelling


# Syntax errors. In the programs below a comment `# E001 conv` says which finding its line gives, and on what text.

LAYERS = """
op unit(c, k = ) = relu                 # E001 )
op edge(c) = none | | skip              # E001 |
op head = relu conv(3)                  # E001 conv
opp foot = relu                         # E001 opp
op step(c) = relu                       # E005 step
op wide(c [x] -> y {                    # E001 (
  y = x -> )                            # E001 )
  z = x
}
cell dag(c) [x0] -> x3 {
  x1 = x0 -> edge(c                     # E001 (
  x2 = x0 -> ? edge(c)                  # E002 ?
  x3 = x0 ->                            # E001 ->
  x4 = x1 conv(3)                       # E001 conv
  step = 4                              # E005 step
  x5 = 1..3
  of = 3                                # E005 of
  x6 = a
  [x1, x2] -> f                         # E006 [
  x7 = [[1, 2]
    [3, 4]]                             # E006 [
  x1 -> conv(3)                         # E001 x1
  require a = 3                         # E001 =
  require a < b < c                     # E001 <
  require a == 1 or b == 2              # E001 or
  requires a == 1                       # E001 requires
  x8 = a == b                           # E001 ==
  shot ~ 1 | 5                          # E001 ~
  maximize accuracy                     # E001 maximize
  space = 3                             # E005 space
  x9 = 3x                               # E003 3x
  x10 = 1_000                           # E003 1_000
  x11 = 1.                              # E003 1.
  x12 = "abc                            # E004 "abc
  x13 = f(a b, c = 3,                   # E001 b
    d = 4)
  x14 = [x for x in xs if x]            # E001 if
  x15 = conv(op)                        # E005 op
  x16 = f(a)(b)                         # E001 (
  x17 = f(a]                            # E001 ]
  café = 2                              # E002 café
  x18 = 2;                              # E002 ;
  x19 = 'same'                          # E002 'same'
  x20 = x1 → bn                         # E002 →
  x21 = relu
}
"""

SETTINGS_ = """
train meta = { learner = maml }         # E001 =
train {                                 # E001 {
  a = 1
  c = 3 d                               # E001 d
  b =                                   # E001 =
}
search s(size = 3) {                    # E001 (
  maximize accuracy minimise params     # E001 minimise
  require macs <= 20Mb                  # E003 20Mb
}
x = 3                                   # E001 x
experiment e { space = a b = 1 ) }      # E001 )
}                                       # E001 }
"""


@pytest.mark.parametrize("source", [LAYERS, SETTINGS_])
def test_every_mistake_is_one_finding_at_its_place(source: str) -> None:
    expected = [
        (number, code, written.rstrip())
        for number, line in enumerate(source.splitlines(), start=1)
        for code, written in re.findall(r"# (E\d+) (.*)", line)
    ]
    bare = re.sub(r" *# E.*", "", source)
    _, findings = read(bare)
    assert [(f.span.source.position(f.span.start).line, f.code, f.span.text) for f in findings] == expected


def test_what_is_right_around_mistakes_is_read() -> None:
    declarations, findings = read(
        "op a = relu\nop b = ->\nop c [x] -> y {\n p = x\n q = (x\n r = x\n}\ntasks d { e = 1 f = f ) g = 2 }"
    )
    assert len(findings) == 3
    a, b, c, d = declarations
    assert isinstance(a, Layer) and a.short == Name(NOWHERE, "relu")
    assert isinstance(b, Layer) and b.short == Name(NOWHERE, "")
    assert isinstance(c, Layer) and [(line.name.id, text(line.value)) for line in c.body] == [  # type: ignore[union-attr]
        ("p", "x"),
        ("q", ""),
        ("r", "x"),
    ]
    assert isinstance(d, Settings) and [line.name.id for line in d.body] == ["e", "f", "g"]  # type: ignore[union-attr]


def test_a_layer_with_a_broken_head_keeps_its_name() -> None:
    (layer,), findings = read("op f(c [x] -> y { y = x }")
    assert len(findings) == 1
    assert isinstance(layer, Layer) and (layer.name.id, layer.short, layer.body) == ("f", Name(NOWHERE, ""), ())


@pytest.mark.parametrize(
    ("source", "message", "cure"),
    [
        ("op f = x ->", "expected an expression after `->`", None),
        ("op f = conv(3", "this `(` is never closed", None),
        ("op f [x] -> y { y = x", "this `{` is never closed", None),
        (
            "op f [x] -> y { x -> g }",
            "a body holds `name = expression` and `require` lines only",
            "give the expression a name: `y = ..`",
        ),
        ("train t { minimise a }", None, "did you mean `minimize`?"),
        ("sapce s [x] -> y { y = x }", None, "did you mean `space`?"),
        ("op f = a(b c)", "expected an operator, `,` or `)` before `c`", None),
        ("op f = [1, 2", "this `[` is never closed", None),
        ("op f(1) = a", "expected a name or `)` after `(`, found `1`", None),
        ("train t { a = 5 sec }", None, None),
        ("op f = 5kk", "`kk` is not a unit", "did you mean `5k`?"),
    ],
)
def test_wording(source: str, message: str | None, cure: str | None) -> None:
    _, findings = read(source)
    (finding,) = findings
    assert message is None or finding.message == message
    assert cure is None or finding.help == cure


def test_an_unclosed_bracket_points_at_itself_and_at_the_end() -> None:
    source = "op f [x] -> y {\n  y = x\nop g = x\n"
    _, findings = read(source)
    (finding,) = findings
    assert finding.span.text == "{"
    assert [label.span.text for label in finding.labels] == ["op"]


# Hostile text


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("op f = " + "(" * 20_000 + "x" + ")" * 20_000, "E007"),
        ("op f = " + "[" * 20_000, "E007"),
        ("op f = " + "-" * 20_000 + "x", "E007"),
        ("op f = x" + "[0]" * 20_000, "E007"),
        ("op f = x" + " -> x" * 20_000, "E007"),
        ("op f = " + "g(" * 20_000 + ")" * 20_000, "E007"),
        ("(" * 20_000, "E001"),
        ("}" * 20_000, "E001"),
        ("{" * 20_000, "E001"),
        ("\0" * 20_000, "E002"),
        ("op f = \ud800 x", "E002"),
        ("op f = " + "9" * 20_000, "E003"),
        ("op f = 1e999999999", "E003"),
        ("op f [x] -> y {" + "a = )\n" * 1_000 + "}", "E009"),
        ("x\0" * 1_000, "E009"),
        ("op f = [" + "3x, " * 1_000 + "]", "E009"),
        (" " * 5_000_001, "E008"),
    ],
    ids=lambda value: value[:12] if isinstance(value, str) else None,
)
def test_hostile_text_is_a_finding(source: str, code: str) -> None:
    _, findings = read(source)
    assert code in {f.code for f in findings}
    assert len(findings) <= 101


def test_what_is_not_too_deep_can_be_walked() -> None:
    deepest = expression("(" * 99 + "x" + ")" * 99)
    assert deepest == Name(NOWHERE, "x")
    chain = expression("x" + " -> x" * 100)
    assert text(chain) == "x" + " -> x" * 100
    assert read("op f = x" + " -> x" * 101)[1][0].code == "E007"
    assert isinstance(expression(" | ".join(["f(x -> y)"] * 500)), Choice)


def test_an_empty_file_is_a_program() -> None:
    assert clean("") == () == clean("# nothing\n\n") == clean("\N{ZERO WIDTH NO-BREAK SPACE}")


def test_windows_line_ends() -> None:
    (layer,) = clean("op f [x] -> y {\r\n  y = x\r\n  z = y\r\n}\r\n")
    assert isinstance(layer, Layer) and len(layer.body) == 2


@settings(max_examples=100, deadline=None)
@given(st.text(st.characters(), max_size=60))
def test_any_text_gives_findings_or_declarations(source: str) -> None:
    declarations, findings = read(source)
    assert declarations or findings or not re.sub(r"#.*|\s|\ufeff", "", source)
    assert findings == sorted(findings, key=lambda f: f.span.start)


@settings(max_examples=60, deadline=None)
@given(st.randoms(use_true_random=False))
def test_a_program_cut_anywhere_gives_few_findings(rng: random.Random) -> None:
    source = rng.choice(PROGRAMS).read_text(encoding="utf-8")
    _, findings = read(source[: rng.randrange(len(source))])
    assert len(findings) <= 2
