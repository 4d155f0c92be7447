"""A file of the language as a whole: its spaces worked out, its experiments checked and bound to their parts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from atnas.dsl.elaborate.space import Ends, Worked, limits, work_out
from atnas.dsl.errors import Unable
from atnas.dsl.findings.diagnostics import Diagnostic
from atnas.dsl.modules import Declared, Module, Reader, load
from atnas.dsl.net import Constraint, Net
from atnas.dsl.scan import scan
from atnas.dsl.settings import Settings
from atnas.dsl.settings.configure import configure
from atnas.dsl.settings.override import override
from atnas.dsl.source import Source, Span
from atnas.dsl.syntax import ast
from atnas.dsl.syntax.parse import parse
from atnas.runtime.experiment import Experiment, Search, Train
from atnas.runtime.tasks.distribution import Tasks

MODELS: dict[str, type[Settings]] = {
    "tasks": Tasks,
    "train": Train,
    "search": Search,
    "experiment": Experiment,
}


@dataclass(frozen=True)
class Plan:
    """An experiment with everything it names: what `atnas run` runs."""

    name: str
    settings: Experiment
    tasks: Tasks
    train: Train
    search: Search | None
    net: Net
    limits: tuple[Constraint, ...]

    @property
    def narrowed(self) -> Net:
        """The space with what the search requires of it."""
        return replace(self.net, constraints=(*self.net.constraints, *self.limits))


@dataclass
class Program:
    """What a file declares. `spaces` hold a space with its defaults, `plans` an experiment where nothing is wrong."""

    module: Module
    findings: list[Diagnostic]
    spaces: dict[str, Worked] = field(default_factory=dict)
    tasks: dict[str, Tasks] = field(default_factory=dict)
    plans: dict[str, Plan] = field(default_factory=dict)
    experiments: list[str] = field(default_factory=list)

    @property
    def good(self) -> bool:
        return not any(f.severity == "error" for f in self.findings)


def read_program(source: Source, read: Reader, settings: Sequence[tuple[str, ast.Expr]] = ()) -> Program:
    """A source with everything it uses, checked.

    `settings` are (dotted path, value) pairs that replace what stands in the file, as `--set` gives them:
    `train.iterations`, `search.algorithm.population`, or a declaration's own name in front. Raises `Unable`
    where such a path leads nowhere.
    """
    module, findings = load(source, read)
    program = Program(module, findings)
    _override(module, settings)
    findings += scan(module)
    declared = _declared(module)
    models: dict[str, Settings | None] = {}
    for declaration in module.names.values():
        syntax = declaration.syntax
        if isinstance(syntax, ast.Settings) and syntax.keyword != "experiment":
            models[syntax.name.id] = _configured(program, syntax, declared)
    program.tasks = {name: m for name, m in models.items() if isinstance(m, Tasks)}
    for declaration in module.own():
        syntax = declaration.syntax
        if isinstance(syntax, ast.Settings) and syntax.keyword == "experiment":
            program.experiments.append(syntax.name.id)
            _plan(program, syntax, declared, models)
    _spaces(program)
    program.findings[:] = _once(program.findings)
    return program


def _configured(program: Program, syntax: ast.Settings, declared: dict[str, list[str]]) -> Settings | None:
    model, findings = configure(MODELS[syntax.keyword], syntax, declared)
    program.findings += findings
    return model


def _plan(
    program: Program,
    syntax: ast.Settings,
    declared: dict[str, list[str]],
    models: dict[str, Settings | None],
) -> None:
    settings, findings = configure(Experiment, syntax, declared)
    program.findings += findings
    if settings is None:
        return
    tasks, train = models[settings.tasks], models[settings.train]
    search = models[settings.search] if settings.search is not None else None
    ends = None
    if isinstance(tasks, Tasks):
        ends = Ends(tasks.shape, tasks.outputs, _setting(syntax, "tasks"))
    space = program.module.names[settings.space.name]
    worked = work_out(space, settings.space.call, program.module, ends)
    program.findings += worked.findings
    bounds: tuple[Constraint, ...] = ()
    if isinstance(search, Search):
        bounds, findings = limits(search.constraints, program.module)
        program.findings += findings
    if worked.net is None or not isinstance(tasks, Tasks) or not isinstance(train, Train):
        return
    if settings.search is not None and not isinstance(search, Search):
        return
    if worked.net.decisions and search is None:
        program.findings.append(
            Diagnostic(
                "E512",
                syntax.name.span,
                f"`{worked.net.name}` has decisions, and nothing searches them",
                help="add `search = ..`",
            )
        )
        return
    if isinstance(search, Search) and not _fits(program, search, tasks, syntax):
        return
    assert search is None or isinstance(search, Search)
    plan = Plan(syntax.name.id, settings, tasks, train, search, worked.net, bounds)
    program.plans[syntax.name.id] = plan


def _fits(program: Program, search: Search, tasks: Tasks, syntax: ast.Settings) -> bool:
    """Whether every goal can be measured on these tasks."""
    odd = next((g for g in search.goals if tasks.loss not in g.objective.losses), None)
    if odd is None:
        return True
    word = "regression, measured by `loss`" if tasks.loss == "mse" else "classification, measured by `accuracy`"
    program.findings.append(
        Diagnostic(
            "E513",
            _setting(syntax, "search"),
            f"the search asks for `{odd.objective.name}`, and these tasks are {word}",
        )
    )
    return False


def _setting(syntax: ast.Settings, name: str) -> Span:
    """Where a setting's value stands."""
    lines = (s for s in syntax.body if isinstance(s, ast.Bind) and s.name.id == name)
    return next((s.value.span for s in lines), syntax.name.span)


def _spaces(program: Program) -> None:
    """Every space with its defaults; one that needs arguments stands only in experiments."""
    for declaration in program.module.names.values():
        syntax = declaration.syntax
        if not isinstance(syntax, ast.Layer) or syntax.keyword != "space":
            continue
        if any(p.default is None for p in syntax.parameters):
            continue
        worked = work_out(declaration)
        program.findings += worked.findings
        program.spaces[syntax.name.id] = worked


def _declared(module: Module) -> dict[str, list[str]]:
    """The names of all declarations by keyword."""
    found: dict[str, list[str]] = defaultdict(list)
    for declaration in module.names.values():
        found[declaration.syntax.keyword].append(declaration.name)
    return {keyword: found[keyword] for keyword in ("space", "tasks", "train", "search", "experiment")}


def _override(module: Module, settings: Sequence[tuple[str, ast.Expr]]) -> None:
    declared = {name: d for name, d in module.names.items() if isinstance(d.syntax, ast.Settings)}
    words = sorted({word for d in declared.values() for word in (d.name, d.syntax.keyword)})
    for path, value in settings:
        first, *rest = path.split(".")
        targets = [name for name, d in declared.items() if first in (name, d.syntax.keyword)]
        if not targets or not rest:
            raise Unable(f"--set {path}: write DECLARATION.SETTING, where DECLARATION is one of {', '.join(words)}")
        for name in targets:
            syntax = module.names[name].syntax
            assert isinstance(syntax, ast.Settings)
            try:
                new = override(syntax, rest, value, MODELS[syntax.keyword])
            except ValueError as error:
                raise Unable(f"--set {path}: {error}") from error
            module.names[name] = Declared(new, module.names[name].module)


def _once(findings: Sequence[Diagnostic]) -> list[Diagnostic]:
    """Findings in source order, one for each code and place, errors that two passes saw counted once.

    An op that reaches itself is too large to work out; that it reaches itself says it all.
    """
    kept: dict[tuple[str, str, int, int], Diagnostic] = {}
    endless = any(f.code == "E104" for f in findings)
    for finding in findings:
        if endless and finding.code == "E405":
            continue
        span = finding.span
        kept.setdefault((finding.code, span.source.path, span.start, span.end), finding)
    return sorted(kept.values(), key=lambda f: (f.span.source.path, f.span.start, f.span.end, f.code))


def expression(path: str, text: str) -> ast.Expr:
    """The expression in `--set KEY=VALUE`, read as the language reads it."""
    program, findings = parse(Source(f"--set {path}", f"op value = {text}"))
    declarations = program.declarations
    if findings or len(declarations) != 1 or not isinstance(declarations[0], ast.Layer):
        raise Unable(f"--set {path}={text}: the value is not an expression of the language")
    short = declarations[0].short
    assert short is not None
    return short
