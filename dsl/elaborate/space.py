"""A declared space, worked out into a net."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from atnas.dsl.cases import TRUE, Cases, apply, values
from atnas.dsl.elaborate.apply import body
from atnas.dsl.elaborate.arguments import Given, assign
from atnas.dsl.elaborate.build import Builder
from atnas.dsl.elaborate.conditions import constraint
from atnas.dsl.elaborate.context import Context
from atnas.dsl.elaborate.expressions import MOST_STEPS, Elaborator
from atnas.dsl.elaborate.limits import Outcomes, outcomes
from atnas.dsl.elaborate.mismatch import AnswerRefusal, Failure, declared, written
from atnas.dsl.elaborate.numbers import whole
from atnas.dsl.elaborate.values import UNKNOWN, ListOf, Tensor, Unknown, Value
from atnas.dsl.elaborate.verdict import settle
from atnas.dsl.findings.diagnostics import Diagnostic
from atnas.dsl.meter import Meter, TooLarge, metered
from atnas.dsl.modules import Declared, Module
from atnas.dsl.net import Asked, Constraint, Net, Nodes
from atnas.dsl.operator import Shape
from atnas.dsl.source import Span
from atnas.dsl.syntax import ast
from atnas.dsl.syntax.walk import decision, expressions, words

STAND_INS: dict[int, Shape] = {1: (8,), 2: (16, 64), 3: (3, 32, 32)}
"""Shapes for the free sizes of an input, by rank, where no tasks give them."""

STAND_IN_WAY = 5

PATIENCE = 2_000
"""Steps after the first shapes that do not fit: what comes of them may be far more than the space is."""


@dataclass(frozen=True)
class Ends:
    """What the tasks put in and want out: the input's shape, the output's width, and the place that says so."""

    shape: Shape
    outputs: int
    span: Span


@dataclass(frozen=True)
class Worked:
    """The net of a space, None where it has findings; `sizes` are the values its free sizes took.

    `limits` are what its `require` lines can be, `seen` the shapes that expressions have, by the identity of their
    syntax: also where there are findings. `steps` is how much work it was.
    """

    net: Net | None
    sizes: dict[str, int]
    findings: list[Diagnostic]
    limits: Outcomes = field(default_factory=dict)
    seen: Mapping[int, Collection[Cases[Shape]]] = field(default_factory=dict)
    steps: int = 0


def work_out(
    declared: Declared,
    call: ast.Call | ast.Name | None = None,
    home: Module | None = None,
    ends: Ends | None = None,
    most: int = MOST_STEPS,
) -> Worked:
    """The net of a space.

    `call` holds its arguments as an experiment of module `home` gives them; without, the defaults stand. `ends` are
    the tasks' shapes for its free sizes; without, stand-ins are taken. Where only fewer steps are left than a space
    may take, and it takes more, `TooLarge` is raised.
    """
    syntax = declared.syntax
    assert isinstance(syntax, ast.Layer)
    most = min(most, MOST_STEPS)
    meter = Meter(most, patience=PATIENCE)
    attempt = _attempt(Builder(declared.module.source, []), declared, call, home, ends, meter)
    spent, excuses = meter.spent, bool(attempt.too_large) and _has_conditions(declared)
    if attempt.too_large and meter.is_hurried:
        # What does not fit may be excluded by conditions; else nothing has to be made of it.
        meter = Meter(most)
        strict = Builder(declared.module.source, [], is_strict=not excuses)
        attempt = _attempt(strict, declared, call, home, ends, meter)
        spent = max(spent, meter.spent)
    if attempt.too_large and not excuses and _settled_early(attempt.builder):
        attempt.too_large = ""
    if attempt.too_large and most < MOST_STEPS and meter.spent > most:
        raise TooLarge(attempt.too_large)
    builder, result, sizes = attempt.builder, attempt.result, attempt.sizes
    if attempt.too_large:
        builder.report("E405", syntax.name.span, attempt.too_large)
    if call is not None:
        builder.findings[:] = [finding.used(call.span) for finding in builder.findings]
    outputs = result.items if isinstance(result, ListOf) else (result,)
    if _is_wrong(builder) or any(not isinstance(o, Tensor) for o in outputs):
        return Worked(None, sizes, builder.findings, {}, _seen(builder), spent)
    ports = zip(syntax.outputs, outputs, strict=True)
    net = Net(
        name=syntax.name.id,
        inputs=tuple(range(len(syntax.inputs))),
        outputs=tuple((port.name.id, out.node) for port, out in ports if isinstance(out, Tensor)),
        nodes=Nodes(len(builder.nodes), builder.whole),
        decisions=tuple(d for d in builder.decisions if d is not None),
        constraints=builder.constraints,
    )
    return Worked(net, sizes, builder.findings, attempt.limits, _seen(builder), spent)


@dataclass
class _Attempt:
    """What came of working a space out; `too_large` says what was too much."""

    builder: Builder
    result: Value = UNKNOWN
    sizes: dict[str, int] = field(default_factory=dict)
    limits: Outcomes = field(default_factory=dict)
    too_large: str = ""


def _attempt(
    builder: Builder,
    declared: Declared,
    call: ast.Call | ast.Name | None,
    home: Module | None,
    ends: Ends | None,
    meter: Meter,
) -> _Attempt:
    found, syntax = _Attempt(builder), declared.syntax
    assert isinstance(syntax, ast.Layer)
    with metered(meter):
        try:
            found.result = _result(Elaborator(builder, meter), declared, syntax, call, home, ends, found.sizes)
            if ends is not None and isinstance(found.result, Tensor):
                _answers(builder, syntax, found.result, ends)
            settle(builder, _nodes(found.result))
            found.limits = outcomes(builder.constraints)
        except TooLarge as error:
            found.too_large = str(error)
        except RecursionError:
            found.too_large = "expressions and uses nest too deep in one another"
    return found


def _nodes(result: Value) -> list[int]:
    """The outputs of a space; none where one of them is not known."""
    outputs = result.items if isinstance(result, ListOf) else (result,)
    known = [output.node for output in outputs if isinstance(output, Tensor)]
    return known if len(known) == len(outputs) else []


def _has_conditions(declared: Declared) -> bool:
    """Whether a `require` line stands in a space, or in anything that it may use."""
    found, queue = {id(declared.syntax)}, [declared]
    while queue:
        here = queue.pop()
        if not isinstance(here.syntax, ast.Layer):
            continue
        if any(isinstance(line, ast.Require) for line in here.syntax.body):
            return True
        said = {word.id for expression in expressions(here.syntax) for word in words(expression)}
        used = [here.module.names[word] for word in said if word in here.module.names]
        queue += [each for each in used if id(each.syntax) not in found]
        found |= {id(each.syntax) for each in used}
    return False


def _settled_early(builder: Builder) -> bool:
    """Tells what does not fit in a space that became too large, and whether there is any: it may well be why."""
    before = len(builder.findings)
    with metered(Meter(MOST_STEPS)), suppress(TooLarge):
        settle(builder, ())
    return len(builder.findings) > before


def _is_wrong(builder: Builder) -> bool:
    return any(finding.severity == "error" for finding in builder.findings)


def _result(
    elab: Elaborator,
    declared: Declared,
    syntax: ast.Layer,
    call: ast.Call | ast.Name | None,
    home: Module | None,
    ends: Ends | None,
    sizes: dict[str, int],
) -> Value:
    """What the body puts out."""
    scope = _arguments(elab, declared, syntax, call, home)
    if scope is None:
        return Unknown()
    tensors = _inputs(elab, syntax, scope, sizes, ends)
    if tensors is None:
        return Unknown()
    _outputs(syntax, scope, sizes, ends)
    return body(elab, syntax, tensors, Context(declared.module, scope, "", "", {}))


def _seen(builder: Builder) -> dict[int, Collection[Cases[Shape]]]:
    return {node: shapes.values() for node, shapes in builder.seen.items()}


def limits(requires: Sequence[ast.Require], module: Module) -> tuple[tuple[Constraint, ...], list[Diagnostic]]:
    """The `require` lines of a `search`: conditions over metrics alone."""
    builder = Builder(module.source, [])
    meter = Meter(MOST_STEPS)
    elab = Elaborator(builder, meter)
    cx = Context(module, {}, "", "", {})
    found: list[Asked | None] = []
    with metered(meter):
        for statement in requires:
            try:
                found.append(constraint(elab, statement, cx))
            except TooLarge as error:
                builder.report("E405", statement.span, str(error))
                break
        settle(builder, ())
    return tuple(asked.constraint for asked in found if asked is not None), builder.findings


def _arguments(
    elab: Elaborator,
    declared: Declared,
    syntax: ast.Layer,
    call: ast.Call | ast.Name | None,
    home: Module | None,
) -> dict[str, Value] | None:
    scope: dict[str, Value] = {}
    given: list[Given] = []
    if isinstance(call, ast.Call) and home is not None:
        outside = Context(home, {}, "", "", {})
        for argument in call.arguments:
            if (made := decision(argument.value)) is not None:
                cure = "choose one; decisions belong in a `space`"
                elab.builder.report("E507", made.span, "a space is run with one value, not with a choice", cure)
                return None
        given = [Given(a, elab.value(a.value, elab.inside(a.value, outside))) for a in call.arguments]
    names = [p.name.id for p in syntax.parameters]
    required = {p.name.id for p in syntax.parameters if p.default is None}
    found = assign(elab.builder, call or syntax.name, given, names, required)
    if found is None or _is_wrong(elab.builder):
        return None
    cx = Context(declared.module, scope, "", "", {})
    for parameter in syntax.parameters:
        name = parameter.name.id
        if name in found:
            scope[name] = found[name].value
        elif parameter.default is not None:
            scope[name] = elab.default(parameter, cx)
    return scope


def _inputs(
    elab: Elaborator, syntax: ast.Layer, scope: dict[str, Value], sizes: dict[str, int], ends: Ends | None
) -> list[Tensor] | None:
    tensors: list[Tensor] = []
    if ends is not None and (len(syntax.inputs), len(syntax.outputs)) != (1, 1):
        elab.builder.report(
            "E514", ends.span, f"tasks need a space of one input and one output: `{syntax.name.id}` has more"
        )
        return None
    cx = Context(Module(elab.builder.source, ast.Program(elab.builder.source, ())), scope, "", "", {})
    for port in syntax.inputs:
        if port.sizes is None:
            elab.builder.report(
                "E304", port.span, f"`{port.name.id}` needs a shape", f"write {port.name.id}: (3, 32, 32)"
            )
            return None
        outside = ends.shape if ends is not None else STAND_INS.get(len(port.sizes), (8,) * len(port.sizes))
        if len(outside) != len(port.sizes):
            assert ends is not None
            elab.builder.report(
                "E514",
                ends.span,
                f"the tasks give {written(outside)}, and `{syntax.name.id}` takes {declared(port)}",
            )
            return None
        shape: list[int] = []
        for size, actual in zip(port.sizes, outside, strict=True):
            if isinstance(size, ast.Name) and size.id not in scope:
                scope[size.id] = sizes[size.id] = actual
            value = elab.value(size, cx)
            known = whole(elab, value, size.span, "the size of an input")
            if known is None:
                return None
            if known == 0:
                elab.builder.report("E201", size.span, "a size is at least 1")
                return None
            shape.append(known)
        if ends is not None and tuple(shape) != outside:
            elab.builder.report(
                "E514",
                ends.span,
                f"the tasks give {written(outside)}, and `{syntax.name.id}` takes {written(tuple(shape))}",
                f"set size and channels of the source, or let the space take any: [{port.name.id}: (c, h, w)]",
            )
            return None
        tensors.append(Tensor(elab.builder.input(port.name.id, tuple(shape))))
    return tensors


def _outputs(syntax: ast.Layer, scope: dict[str, Value], sizes: dict[str, int], ends: Ends | None) -> None:
    """Free sizes of the outputs are the tasks' number of classes, or of targets."""
    for port in syntax.outputs:
        for size in port.sizes or ():
            if isinstance(size, ast.Name) and size.id not in scope:
                scope[size.id] = sizes[size.id] = ends.outputs if ends is not None else STAND_IN_WAY


def _answers(builder: Builder, syntax: ast.Layer, result: Tensor, ends: Ends) -> None:
    """Refuses the architectures that do not put out one number for each class or target."""

    def answer(shape: Shape) -> Shape | Failure:
        if shape == (ends.outputs,):
            return shape
        taken = written((ends.outputs,))
        return Failure(f"the tasks take {taken}, and `{syntax.name.id}` puts out {written(shape)}", (shape,))

    cases = apply(answer, builder.shapes[result.node])
    if any(isinstance(value, Failure) for value in values(cases)):
        nodes = result.node, result.node + 1
        cure = f"end the space with linear(way), and declare {syntax.outputs[0].name.id}: (way)"
        builder.refuse(AnswerRefusal(ends.span, cases, TRUE, nodes=nodes, cure=cure))
