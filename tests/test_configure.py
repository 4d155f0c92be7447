"""What `tasks`, `train`, `search` and `experiment` accept, and what is said where they do not."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atnas.dsl.errors import Unable
from atnas.dsl.findings.diagnostics import Diagnostic
from atnas.dsl.plugins import Entry, load
from atnas.dsl.settings import (
    Between,
    Draw,
    Extension,
    OneOf,
    Ref,
    Reference,
    Settings,
    Uniform,
    Unit,
    Variants,
    rule,
    setting,
)
from atnas.dsl.settings.configure import configure
from atnas.dsl.settings.describe import describe
from atnas.dsl.settings.override import override
from atnas.dsl.source import Source
from atnas.dsl.syntax import ast
from atnas.dsl.syntax.parse import parse
from atnas.runtime.learn.maml import Maml
from atnas.runtime.learn.trainer import Trainer
from atnas.runtime.search.objectives import Accuracy, Objective, Params

M = TypeVar("M", bound=Settings)


class Sgd(Settings):
    positional: ClassVar[tuple[str, ...]] = ("lr",)
    lr: float = setting(gt=0, doc="learning rate")
    nesterov: bool = False


class Adam(Settings):
    positional: ClassVar[tuple[str, ...]] = ("lr", "betas")
    lr: float = setting(1e-3, gt=0)
    betas: tuple[Annotated[float, setting(lt=1)], Annotated[float, setting(lt=1)]] = (0.9, 0.999)


class Turn(Settings):
    positional: ClassVar[tuple[str, ...]] = ("*angles",)
    angles: tuple[Literal[90, 180, 270], ...] = setting((90,), min_length=1)


Optimizer = Annotated[Sgd | Adam, Variants(sgd=Sgd, adam=Adam)]


class Lesson(Settings):
    """Every kind of field."""

    way: Annotated[int, setting(ge=2, le=100)] | Draw = setting(5, doc="classes in a task")
    scale: Annotated[float, setting(gt=0)] | Draw = 1.0
    steps: int = setting(1, ge=1)
    rate: float = 0.1
    norm: Literal["transductive", "support", "running"] = "transductive"
    title: str = ""
    folder: Path | None = None
    quiet: bool = False
    patience: Annotated[float | None, Unit("s")] = None
    cache: Annotated[int | None, Unit("B")] = None
    sizes: tuple[Annotated[int, setting(ge=1)], ...] = (28,)
    outer: Optimizer = Adam()
    turn: Annotated[Turn | None, Variants(turn=Turn)] = None
    mode: Literal["auto"] | Annotated[Sgd, Variants(sgd=Sgd)] = "auto"
    learner: Annotated[Trainer | None, Extension("trainers")] = None
    learners: tuple[Annotated[Trainer, Extension("trainers")], ...] = ()

    @staticmethod
    @rule("title")
    def _no_dots(title: str) -> None:
        if "." in title:
            raise ValueError("a title has no dots")

    def __post_init__(self) -> None:
        if self.quiet and self.steps < 3:
            raise ValueError("a quiet lesson takes at least 3 steps")


def declared(text: str) -> ast.Settings:
    program, findings = parse(Source("lesson.atnas", text))
    assert not findings
    declaration = program.declarations[0]
    assert isinstance(declaration, ast.Settings)
    return declaration


def read(body: str, model: type[M], keyword: str = "tasks") -> tuple[M | None, list[Diagnostic]]:
    return configure(model, declared(f"{keyword} mine {{\n{body}\n}}\n"))


def lesson(body: str) -> Lesson:
    found, findings = read(body, Lesson)
    assert findings == []
    assert found is not None
    return found


def only(body: str, model: type[Settings] = Lesson, keyword: str = "tasks") -> Diagnostic:
    found, findings = read(body, model, keyword)
    assert found is None
    (finding,) = findings
    return finding


# What may be written


@pytest.mark.parametrize(
    ("line", "field", "value"),
    [
        ("way = 20", "way", 20),
        ("steps = 3k", "steps", 3000),
        ("steps = 2 * (3 + 1) - 1", "steps", 7),
        ("steps = 9 / 3", "steps", 3),
        ("rate = -0.5", "rate", -0.5),
        ("rate = 1", "rate", 1.0),
        ("rate = 10%", "rate", 0.1),
        ("norm = support", "norm", "support"),
        ('title = "digits"', "title", "digits"),
        ('folder = "a/b"', "folder", Path("a/b")),
        ("patience = 30min", "patience", 1800.0),
        ("patience = 2 * 1.5min", "patience", 180.0),
        ("cache = 2GB", "cache", 2_000_000_000),
        ("sizes = [28, 2 * 28]", "sizes", (28, 56)),
        ("outer = adam", "outer", Adam()),
        ("outer = sgd(0.1, nesterov = true)", "outer", Sgd(lr=0.1, nesterov=True)),
        ("outer = adam(betas = [0.5, 0.9], lr = 1)", "outer", Adam(lr=1, betas=(0.5, 0.9))),
        ("turn = turn(90, 180)", "turn", Turn(angles=(90, 180))),
        ("turn = turn(angles = [180])", "turn", Turn(angles=(180,))),
        ("mode = auto", "mode", "auto"),
        ("mode = sgd(lr = 2)", "mode", Sgd(lr=2)),
        ("learner = maml", "learner", Maml()),
        ("learner = maml(order = 2, inner = sgd(0.1))", "learner.order", 2),
        ("learner = maml(inner = sgd(lr = 0.1))", "learner.inner.lr", 0.1),
        ("learners = [maml, maml(steps = 2)]", "learners", (Maml(), Maml(steps=2))),
        ("way ~ 1 + 1 | 5", "way", OneOf(options=(2, 5))),
        ("way ~ 5..20", "way", Between(first=5, last=20)),
        ("way ~ 5..20 step 5", "way", Between(first=5, last=20, step=5)),
        ("scale ~ uniform(0.1, 5)", "scale", Uniform(first=0.1, last=5)),
        ("scale ~ 0.5 | 2", "scale", OneOf(options=(0.5, 2.0))),
    ],
)
def test_a_line_sets_its_field(line: str, field: str, value: object) -> None:
    found: Any = lesson(line)
    for name in field.split("."):
        found = getattr(found, name)
    assert found == value
    assert type(found) is type(value)


def test_what_is_not_set_has_its_default() -> None:
    assert lesson("") == Lesson()


# What is said where it is wrong: the line, the code, the place it points at, and the sentence


@pytest.mark.parametrize(
    ("line", "code", "place", "message"),
    [
        ("wya = 5", "E501", "wya", "`tasks` has no setting `wya`"),
        ("way = 1", "E508", "1", "`way` must be at least 2, not `1`"),
        ("steps = 1e300", "E508", "1e300", "`steps` cannot be `1e300`: it is too large"),
        ("way = 2.5", "E508", "2.5", "`way` must be a whole number, not `2.5`"),
        ("way = true", "E508", "true", "`way` takes a whole number, not `true`"),
        ('way = "5"', "E508", '"5"', '`way` takes a whole number, not `"5"`'),
        ("way = five", "E508", "five", "`way` takes a whole number, not `five`"),
        ("way = [5]", "E508", "[5]", "`way` takes a whole number, not `[5]`"),
        ("way = a -> b", "E508", "a -> b", "`way` takes a whole number, not `a -> b`"),
        ("way = 5 + x", "E508", "x", "`x` is not a number"),
        ("way = 5 + 1 / 0", "E508", "1 / 0", "`1 / 0` divides by zero"),
        ("way = 20ms", "E508", "20ms", "`way` takes a whole number, not a time"),
        ("patience = 2GB", "E508", "2GB", "`patience` takes a number, not a size in bytes"),
        ("quiet = 1", "E508", "1", "`quiet` takes `true` or `false`, not `1`"),
        ("title = 5", "E508", "5", "`title` takes text in quotes, not `5`"),
        ('title = "a.b"', "E508", '"a.b"', "a title has no dots"),
        ("quiet = true", "E508", "mine", "a quiet lesson takes at least 3 steps"),
        ("sizes = [28, 0]", "E508", "0", "`sizes` must be at least 1, not `0`"),
        ("sizes = 28", "E508", "28", "`sizes` takes a list, each item a whole number, not `28`"),
        (
            "norm = suport",
            "E508",
            "suport",
            "`norm` takes `transductive`, `support` or `running`, not `suport`",
        ),
        ("norm = support(3)", "E505", "3", "`support` takes no arguments here"),
        ("outer = adan", "E508", "adan", "`outer` takes `sgd` or `adam`, not `adan`"),
        ("outer = sgd", "E505", "sgd", "`sgd` needs `lr`"),
        ("outer = sgd(lr = -1)", "E508", "-1", "`lr` must be more than 0, not `-1`"),
        ("outer = sgd(lrr = 1)", "E505", "lrr", "`sgd` has no argument `lrr`"),
        ("outer = sgd(1, 2)", "E505", "2", "`sgd` takes at most 1 argument without a name"),
        ("outer = sgd(1, lr = 2)", "E505", "lr", "`lr` is given twice"),
        ("outer = adam(betas = [0.9])", "E508", "[0.9]", "`betas` has too few items"),
        ("outer = adam(betas = [0.9, 2])", "E508", "2", "`betas` must be less than 1, not `2`"),
        ("turn = turn(90, 45)", "E508", "45", "`angles` must be 90, 180 or 270, not `45`"),
        ("learner = mmal(order = 1)", "E504", "mmal", "`mmal` is not a trainer"),
        ("learner = maml(order = 3)", "E508", "3", "`order` must be 1 or 2, not `3`"),
        ("learner = maml(inner = sgd(lr = x))", "E508", "x", "`lr` takes a number, not `x`"),
        ("learner = 3", "E508", "3", "`learner` takes a trainer, not `3`"),
        ("way = 1 | 5", "E507", "1 | 5", "`way` is set to one value, not to a choice"),
        ("way = 2 * (1 | 5)", "E507", "1 | 5", "`way` is set to one value, not to a choice"),
        ("sizes = [28 | 32]", "E507", "28 | 32", "`sizes` is set to one value, not to a choice"),
        ("steps ~ 1 | 5", "E506", "1 | 5", "`steps` is the same for all tasks and cannot be drawn"),
        ("way ~ 5", "E508", "5", "`~` draws numbers, as `1 | 5`, `5..20` and `uniform(0, 1)` do, not `5`"),
        ("way ~ 1 | 5", "E508", "1", "`way` must be at least 2, not `1`"),
        ("way ~ 5..500", "E508", "500", "`way` must be at most 100, not `500`"),
        ("way ~ 9..5", "E508", "9..5", "this range is empty: its first number is the larger"),
        ("way ~ 5..9 step 0", "E508", "0", "the step must be at least 1, not `0`"),
        ("way ~ uniform(5, 9)", "E508", "uniform(5, 9)", "`way` is a whole number"),
        ("scale ~ uniform(0, 9)", "E508", "0", "`scale` must be more than 0, not `0`"),
        ("scale ~ uniform(1)", "E505", "uniform", "`uniform` needs `last`"),
        ("maximize accuracy", "E511", "maximize accuracy", "`maximize` does not belong in a `tasks`"),
    ],
)
def test_a_mistake_is_found_at_its_place(line: str, code: str, place: str, message: str) -> None:
    finding = only(line)
    assert (finding.code, finding.span.text, finding.message) == (code, place, message)


@pytest.mark.parametrize(
    ("line", "cure"),
    [
        ("stps = 5", "did you mean `steps`?"),
        ("norm = suport", "did you mean `support`?"),
        ('norm = "support"', "write `support` without quotes"),
        ("title = digits", 'put it in quotes: `"digits"`'),
        ("sizes = 28", "put it in brackets: `[28]`"),
        ("outer = sgd(lrr = 1)", "did you mean `lr`?"),
        ("learner = mmal", "did you mean `maml`?"),
        ("way = 1 | 5", "write `way ~ 1 | 5` to draw it anew for each task"),
        ("steps = 1 | 5", "choose one; decisions belong in a `space`"),
        ("scale = uniform(1, 2)", "write `scale ~ uniform(1, 2)` to draw it anew for each task"),
        ("steps ~ 1 | 5", "write `steps = ..`"),
    ],
)
def test_the_cure_is_told(line: str, cure: str) -> None:
    assert cure in (only(line).help or "")


def test_all_mistakes_are_found_in_one_run_in_their_order() -> None:
    _, findings = read("steps = 0\nnorm = suport\nsteps = 3\nouter = sgd(lr = 0, nesterov = 2)\nwya = 3", Lesson)
    assert [(f.code, f.span.text) for f in findings] == [
        ("E508", "0"),
        ("E508", "suport"),
        ("E502", "steps"),
        ("E508", "0"),
        ("E508", "2"),
        ("E501", "wya"),
    ]
    assert findings[2].labels[0].span.start < findings[2].span.start


def test_what_is_missing_is_told_at_the_name_once() -> None:
    class Strict(Settings):
        source: str
        count: int

    _, findings = read('source = "x"', Strict)
    assert [(f.code, f.span.text, f.message) for f in findings] == [("E503", "mine", "`tasks mine` needs `count`")]
    _, findings = read('source = "x"\ncuont = 3', Strict)
    assert [f.code for f in findings] == ["E501"]


def test_settings_stand_between_braces() -> None:
    _, findings = configure(Lesson, declared("tasks mine = mix(0.5 * a)"))
    assert [(f.code, f.span.text) for f in findings] == [("E509", "mix(0.5 * a)")]


def test_what_the_parser_could_not_read_is_not_told_twice() -> None:
    program, syntax = parse(Source("lesson.atnas", "tasks mine {\n  way = = 3\n  steps = 0\n}"))
    assert syntax
    (declaration,) = program.declarations
    assert isinstance(declaration, ast.Settings)
    found, findings = configure(Lesson, declaration)
    assert found is None
    assert [f.span.text for f in findings] == ["0"]


@pytest.mark.parametrize("term", ["1e200", "1" + 20 * "0"])
def test_arithmetic_that_grows_without_end_is_refused(term: str) -> None:
    finding = only("rate = " + " * ".join(50 * [term]))
    assert finding.code == "E508"
    assert finding.message.endswith("is too large")


# Goals, constraints, references


@dataclass(frozen=True)
class Goal:
    direction: Literal["maximize", "minimize"]
    objective: Objective


class Hunt(Settings):
    goals: tuple[Goal, ...] = setting(min_length=1)
    constraints: tuple[ast.Require, ...] = ()


def test_goals_and_constraints_are_kept_in_order() -> None:
    found, findings = read("maximize accuracy(tasks = 7)\nrequire macs <= 2M\nminimize params", Hunt, "search")
    assert findings == []
    assert found is not None
    assert found.goals == (Goal("maximize", Accuracy(tasks=7)), Goal("minimize", Params()))
    assert [line.span.text for line in found.constraints] == ["require macs <= 2M"]


@pytest.mark.parametrize(
    ("body", "code", "place"),
    [
        ("require macs <= 2M", "E503", "mine"),
        ("maximize acuracy", "E504", "acuracy"),
        ("maximize accuracy(tasks = 0)", "E508", "0"),
        ("maximize accuracy(taks = 3)", "E505", "taks"),
        ("maximize 3", "E508", "3"),
        ("maximize accuracy\ngoals = 3", "E501", "goals"),
    ],
)
def test_a_goal_is_checked(body: str, code: str, place: str) -> None:
    finding = only(body, Hunt, "search")
    assert (finding.code, finding.span.text) == (code, place)


class Trip(Settings):
    space: Annotated[Ref, Reference("space", arguments=True)]
    tasks: Annotated[str, Reference("tasks")]


NAMES = {"space": ["cells"], "tasks": ["letters"], "train": ["meta"]}


def test_a_reference_holds_the_name_and_the_call() -> None:
    found, findings = configure(Trip, declared("experiment e {\n space = cells(C = 32)\n tasks = letters\n}"), NAMES)
    assert findings == []
    assert found is not None
    assert found.tasks == "letters"
    assert found.space.name == "cells"
    assert found.space.call.span.text == "cells(C = 32)"


@pytest.mark.parametrize(
    ("tasks", "message"),
    [
        ("leters", "there is no `tasks` called `leters`"),
        ("meta", "`meta` is a `train`, and a `tasks` belongs here"),
        ("letters(3)", "`letters` takes no arguments here"),
        ("3", "`tasks` takes the name of a `tasks`, not `3`"),
    ],
)
def test_a_reference_must_lead_to_a_declaration_of_its_kind(tasks: str, message: str) -> None:
    text = f"experiment e {{\n space = cells\n tasks = {tasks}\n}}"
    _, (finding,) = configure(Trip, declared(text), NAMES)
    assert finding.message == message


# Extensions that are broken


def test_an_extension_that_cannot_be_loaded_is_no_mistake_of_the_file(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(*_: str) -> Any:
        raise ImportError("no module named x")

    load.cache_clear()
    monkeypatch.setattr(Entry, "load", broken)
    with pytest.raises(Unable, match=r"`maml`, installed under atnas.trainers, cannot be loaded: no module"):
        read("learner = maml", Lesson)


# Replacing settings from outside


def replaced(body: str, path: str, value: str) -> Lesson:
    line = declared(f"tasks t {{ x = {value} }}").body[0]
    assert isinstance(line, ast.Bind)
    declaration = override(declared(f"tasks mine {{\n{body}\n}}"), path.split("."), line.value, Lesson)
    found, findings = configure(Lesson, declaration)
    assert findings == []
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("body", "path", "value", "same"),
    [
        ("steps = 2", "steps", "7", "steps = 7"),
        ("", "steps", "7", "steps = 7"),
        ("way ~ 2 | 5", "way", "7", "way = 7"),
        ("outer = adam", "outer.lr", "1", "outer = adam(lr = 1)"),
        ("outer = sgd(0.5)", "outer.lr", "1", "outer = sgd(1)"),
        ("outer = sgd(lr = 0.5)", "outer.nesterov", "true", "outer = sgd(lr = 0.5, nesterov = true)"),
        ("learner = maml(inner = sgd(0.5))", "learner.inner.lr", "1", "learner = maml(inner = sgd(lr = 1))"),
    ],
)
def test_a_setting_is_replaced_or_added(body: str, path: str, value: str, same: str) -> None:
    assert replaced(body, path, value) == lesson(same)


@pytest.mark.parametrize(
    ("body", "path", "sentence"),
    [
        ("steps = 2", "steps.x", "`steps` is `2` and has no arguments to set"),
        ("", "outer.lr", "`outer` is not set in `tasks mine`; set it as a whole"),
        ("learner = maml", "learner.inner.lr", "`inner` is not given to `maml`; set it as a whole"),
        ("", "outer.", "a name is missing"),
    ],
)
def test_a_path_that_leads_nowhere_is_refused(body: str, path: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        replaced(body, path, "1")


def test_a_replaced_value_is_checked_like_any_other() -> None:
    line = declared("tasks t { x = 0 }").body[0]
    assert isinstance(line, ast.Bind)
    _, (finding,) = configure(Lesson, override(declared("tasks mine { steps = 3 }"), ["steps"], line.value))
    assert finding.message == "`steps` must be at least 1, not `0`"


# Documentation


def test_fields_describe_themselves() -> None:
    rows = {row.name: row for row in describe(Lesson)}
    assert rows["way"].doc == "classes in a task"
    assert rows["way"].type == "a whole number, at least 2 and at most 100 or a number drawn anew for each task"
    assert rows["norm"].type == "`transductive`, `support` or `running`"
    assert rows["learner"].type == "a trainer"
    assert describe(Sgd)[0].required


@pytest.mark.parametrize("model", [Lesson, Adam, Maml, load("tasks", "sinusoid")])
def test_a_described_default_can_be_written_into_a_file(model: type[Settings]) -> None:
    """Each default, written as described, gives the default again."""
    rows = [row for row in describe(model) if row.default is not None]
    assert rows
    arguments = ", ".join(f"{row.name} = {row.default}" for row in rows)

    holder = type("Holder", (Settings,), {"__annotations__": {"inner": Annotated[model, Variants(word=model)]}})
    found, findings = read(f"inner = word({arguments})", holder)
    assert findings == []
    assert found == holder(inner=model())


# For all

WORDS = ["way", "wya", "steps", "norm", "outer", "learner", "sizes", "scale", "title", "quiet", "x"]
leaves = st.sampled_from(
    [
        "0",
        "1",
        "5",
        "-3",
        "2.5",
        "3k",
        "20ms",
        "true",
        '"a.b"',
        "support",
        "sgd",
        "adam",
        "maml",
        "x",
        "1 / 0",
    ]
)
values = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.builds("({} | {})".format, inner, inner),
        st.builds("({}..{})".format, leaves, leaves),
        st.builds("[{}, {}]".format, inner, inner),
        st.builds("{}({}, lr = {})".format, st.sampled_from(["sgd", "adam", "maml", "x"]), inner, inner),
        st.builds("uniform({}, {})".format, inner, inner),
        st.builds("2 * {}".format, inner),
    ),
    max_leaves=6,
)
lines = st.tuples(st.sampled_from(WORDS), st.sampled_from(["=", "~"]), values)


@given(st.lists(lines, max_size=5))
def test_every_finding_lies_in_a_name_or_a_value_and_no_body_breaks_it(
    body: list[tuple[str, str, str]],
) -> None:
    declaration = declared("tasks mine {\n" + "\n".join(" ".join(line) for line in body) + "\n}")
    found, findings = configure(Lesson, declaration)
    assert (found is None) == bool(findings)
    spans = [declaration.name.span]
    for line in declaration.body:
        assert isinstance(line, ast.Bind | ast.Draw)
        spans += [line.name.span, line.value.span]
    for finding in findings:
        assert any(s.start <= finding.span.start < finding.span.end <= s.end for s in spans)
