"""Settings from the body of a declaration; every problem is a finding at the smallest place in the file.

E501  a setting that does not exist           E507  a choice after `=`
E502  a setting that is set twice             E508  a value that does not fit
E503  a setting that is missing               E509  `train t = ..` where braces belong
E504  an extension that does not exist        E510  a declaration that does not exist
E505  arguments that do not fit               E511  a line that does not belong here
E506  a number that cannot be drawn
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeVar, get_type_hints

from atnas.dsl.findings.diagnostics import Diagnostic, Edit, Label
from atnas.dsl.settings.accepts import Accepts, accepts
from atnas.dsl.settings.describe import describe as describe
from atnas.dsl.settings.drawing import drawn
from atnas.dsl.settings.fields import known
from atnas.dsl.settings.marks import Extension
from atnas.dsl.settings.model import Settings
from atnas.dsl.settings.override import override as override
from atnas.dsl.settings.reading import BAD, DECISIONS, Declared, Reader, Site, Written, is_uniform, short
from atnas.dsl.source import Span
from atnas.dsl.syntax import ast

M = TypeVar("M", bound=Settings)

GOALS, CONSTRAINTS = "goals", "constraints"
"""The fields that hold `maximize` and `minimize` lines, and `require` lines."""

LINES: Final = {GOALS: ("a goal", "say what is searched for, such as `maximize accuracy`")}
"""What is said where such a field is missing: what it is called, and the cure."""


def configure(
    model: type[M], declaration: ast.Settings, declared: Declared | None = None
) -> tuple[M | None, list[Diagnostic]]:
    """A declaration as its model, or None where anything is wrong with it, and the findings in source order.

    `declared` are the names that a `Reference` may take; where it is None they are not checked. Raises
    `Unable` where an extension is installed and cannot be loaded.
    """
    reader = Reader(declared)
    site = Site(f"{declaration.keyword} {declaration.name.id}", declaration.name.span, "E503", LINES)
    if declaration.short is not None:
        message = f"a `{declaration.keyword}` takes its settings between braces"
        if declaration.short == ast.Name(declaration.short.span, ""):  # reported by the parser
            return None, []
        reader.report("E509", declaration.short.span, message, f"write `{site.subject} {{ .. }}`")
        return None, reader.findings
    lines, meant = _settings(reader, model, declaration)
    values = {name: _value(reader, line, known(model)[name].accepts) for name, line in lines.items()}
    values |= _keyword_lines(reader, model, declaration)
    written: dict[str, Written] = {name: line.value for name, line in lines.items()}
    if GOALS in values:
        written[GOALS] = tuple(line.objective for line in declaration.body if isinstance(line, ast.Goal))
    built = reader.fill(model, values, written, site, meant)
    findings = sorted(reader.findings, key=lambda f: (f.span.start, f.span.end))
    return (None if built is BAD or findings else built), findings


def settable(model: type[Settings]) -> list[str]:
    """The fields that `name = value` sets."""
    return [name for name in known(model) if name not in (GOALS, CONSTRAINTS)]


def _settings(
    reader: Reader, model: type[Settings], declaration: ast.Settings
) -> tuple[dict[str, ast.Bind | ast.Draw], set[str]]:
    """The line that sets each field, and the fields that misspelt names may have meant."""
    keyword, known = declaration.keyword, settable(model)
    found: dict[str, ast.Bind | ast.Draw] = {}
    meant: set[str] = set()
    taken = {line.name.id for line in declaration.body if isinstance(line, ast.Bind | ast.Draw)}
    for line in declaration.body:
        if not isinstance(line, ast.Bind | ast.Draw):
            continue
        name = line.name
        if name.id not in known:
            message = f"`{keyword}` has no setting `{name.id}`"
            meant |= reader.unknown("E501", name, known, message, f"the settings of `{keyword}` are", taken)
        elif name.id in found:
            first = (Label(found[name.id].name.span, "first set here"),)
            reader.report("E502", name.span, f"`{name.id}` is set twice", "keep one of the two", first)
        else:
            found[name.id] = line
    return found, meant


def _value(reader: Reader, line: ast.Bind | ast.Draw, accept: Accepts) -> object:
    if isinstance(line, ast.Draw):
        return drawn(reader, line.value, accept)
    if accept.draws and (isinstance(line.value, DECISIONS) or is_uniform(line.value)):
        cure = f"write `{accept.name} ~ {short(line.value.span)}` to draw it anew for each task"
        between = Span(line.span.part, line.name.span.last, line.value.span.first)
        # What stands in parentheses, or behind a comment, is for the author to change.
        fix = (Edit(between, " ~ "),) if between.text.strip() == "=" else ()
        return reader.decision(line.value, accept, cure, fix=fix)
    return reader.value(line.value, accept)


def _keyword_lines(reader: Reader, model: type[Settings], declaration: ast.Settings) -> dict[str, object]:
    """The fields of the lines that begin with a keyword."""
    goals = [line for line in declaration.body if isinstance(line, ast.Goal)]
    constraints = [line for line in declaration.body if isinstance(line, ast.Require)]
    found: dict[str, object] = {}
    if goals and GOALS in known(model):
        found[GOALS] = _goals(reader, model, goals)
    elif goals:
        _misplaced(reader, goals, declaration.keyword)
    if constraints and CONSTRAINTS in known(model):
        found[CONSTRAINTS] = tuple(constraints)
    elif constraints:
        _misplaced(reader, constraints, declaration.keyword)
    return found


def _misplaced(reader: Reader, lines: Sequence[ast.Goal | ast.Require], keyword: str) -> None:
    for line in lines:
        word = line.direction if isinstance(line, ast.Goal) else "require"
        reader.report("E511", line.span, f"`{word}` does not belong in a `{keyword}`", "move it to a `search`")


def _goals(reader: Reader, model: type[Settings], lines: Sequence[ast.Goal]) -> object:
    """Each line as an item of `goals`, made from its direction and objective."""
    items = known(model)[GOALS].accepts.items
    assert items is not None
    goal = items.members[0].type
    objective = get_type_hints(goal)["objective"]
    values = [
        reader.value(line.objective, accepts(line.direction, objective, Extension("objectives"))) for line in lines
    ]
    if any(value is BAD for value in values):
        return BAD
    return tuple(goal(direction=line.direction, objective=value) for line, value in zip(lines, values, strict=True))
