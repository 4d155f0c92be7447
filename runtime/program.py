"""What a file of the language declares: spaces worked out, experiments bound to their parts."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace

from atnas.dsl.elaborate.space import Worked, work_out
from atnas.dsl.errors import Unable
from atnas.dsl.findings.diagnostics import Diagnostic
from atnas.dsl.latency import Table
from atnas.dsl.modules import Declared, Module
from atnas.dsl.net import Constraint, Net, metrics
from atnas.dsl.settings import Settings
from atnas.dsl.source import Source
from atnas.dsl.syntax import ast
from atnas.dsl.syntax.parse import parse
from atnas.runtime.experiment import Experiment, Search, Train
from atnas.runtime.tasks.distribution import Tasks
from atnas.runtime.tasks.mixture import Distribution

MODELS: dict[str, type[Settings]] = {
    "tasks": Tasks,
    "train": Train,
    "search": Search,
    "experiment": Experiment,
}


@dataclass(frozen=True)
class Plan:
    """An experiment with everything it names: what `atnas run` runs. `tables` are those that its search asks."""

    name: str
    settings: Experiment
    tasks: Distribution
    train: Train
    search: Search | None
    net: Net
    limits: tuple[Constraint, ...]
    tables: tuple[Table, ...] = ()

    @property
    def narrowed(self) -> Net:
        """The space with what the search requires of it, measured on the devices that it asks."""
        tables = tuple(dict.fromkeys((*self.net.tables, *self.tables)))
        return replace(self.net, constraints=(*self.net.constraints, *self.limits), tables=tables)


@dataclass
class Program:
    """What a file declares. `spaces` hold a space with its defaults, `plans` an experiment where nothing is wrong.

    The free sizes of a space are those of the tasks that an experiment runs it on, else stand-ins.

    `used` are the declarations of other files that it uses, by path and name; `worked` is every space as it was worked
    out, those of experiments first.
    """

    module: Module
    findings: list[Diagnostic]
    spaces: dict[str, Worked] = field(default_factory=dict)
    tasks: dict[str, Distribution] = field(default_factory=dict)
    plans: dict[str, Plan] = field(default_factory=dict)
    experiments: list[str] = field(default_factory=list)
    used: frozenset[tuple[str, str]] = frozenset()
    worked: list[Worked] = field(default_factory=list)

    @property
    def good(self) -> bool:
        return not any(f.severity == "error" for f in self.findings)

    def every_space(self) -> dict[str, Worked]:
        """The spaces with their defaults, those of other files that it uses first: these are worked out only now."""
        used = [d for d in self.module.names.values() if d.module is not self.module and is_whole(d)]
        return {d.name: measured(work_out(d), self.module.tables) for d in used} | self.spaces


def measured(worked: Worked, tables: Mapping[str, Table]) -> Worked:
    """The same with the tables of the devices that its `require` lines name; `tables` are known by metric."""
    if worked.net is None or not tables:
        return worked
    found = _named(metrics(worked.net.constraints), tables)
    return replace(worked, net=replace(worked.net, tables=found)) if found else worked


def asked(search: Search | None, limits: Iterable[Constraint], tables: Mapping[str, Table]) -> tuple[Table, ...]:
    """The tables of the devices that the goals and `require` lines of a search name."""
    goals = {goal.objective.name for goal in search.goals} if search is not None else set()
    return _named(goals | metrics(limits), tables)


def _named(names: Collection[str], tables: Mapping[str, Table]) -> tuple[Table, ...]:
    return tuple(table for name, table in tables.items() if name in names)


def is_whole(declared: Declared) -> bool:
    """Whether this is a space that can be worked out without arguments."""
    syntax = declared.syntax
    return (
        isinstance(syntax, ast.Layer)
        and syntax.keyword == "space"
        and all(p.default is not None for p in syntax.parameters)
    )


def has_free_sizes(declared: Declared) -> bool:
    """Whether tasks give sizes of the inputs of a space."""
    syntax = declared.syntax
    assert isinstance(syntax, ast.Layer)
    own = {parameter.name.id for parameter in syntax.parameters}
    return any(isinstance(size, ast.Name) and size.id not in own for port in syntax.inputs for size in port.sizes or ())


def expression(path: str, text: str) -> ast.Expr:
    """The expression in `--set KEY=VALUE`, read as the language reads it."""
    program, findings = parse(Source(f"--set {path}", f"op value = {text}"))
    declarations = program.declarations
    if findings or len(declarations) != 1 or not isinstance(declarations[0], ast.Layer):
        raise Unable(f"--set {path}={text}: the value is not an expression of the language")
    short = declarations[0].short
    assert short is not None
    return short
