"""A file of the language as a whole, checked: spaces worked out, settings read, experiments bound to their parts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from functools import partial
from typing import Final, NamedTuple, TypeVar

from atnas.dsl.elaborate.limits import Outcomes, idle
from atnas.dsl.elaborate.space import Ends, Worked, limits, work_out
from atnas.dsl.errors import Unable
from atnas.dsl.findings.diagnostics import Diagnostic
from atnas.dsl.findings.suggest import MOST_COMPARED, compared
from atnas.dsl.lint import unused
from atnas.dsl.lint.loops import free, loops
from atnas.dsl.lint.names import scan
from atnas.dsl.lint.unused import left, said
from atnas.dsl.memo import Memo
from atnas.dsl.meter import TooLarge
from atnas.dsl.modules import Declared, Module, Parsed, Reader, load
from atnas.dsl.net import Constraint
from atnas.dsl.settings import Settings
from atnas.dsl.settings.configure import configure
from atnas.dsl.settings.mixing import is_mix, mixed
from atnas.dsl.settings.override import override
from atnas.dsl.source import Source, Span
from atnas.dsl.syntax import ast
from atnas.dsl.syntax.unparse import text
from atnas.runtime.experiment import Experiment, Search, Train
from atnas.runtime.program import MODELS, Plan, Program, asked, has_free_sizes, is_whole, measured
from atnas.runtime.tasks.distribution import Tasks
from atnas.runtime.tasks.mixture import Distribution, Mixture, disagreement

T = TypeVar("T")


MOST_FINDINGS: Final = 5_000
"""Findings that are told of one program."""

MOST_STEPS: Final = 110_000
STEPS_OF_A_WORD: Final = 10
"""How much work the spaces and experiments of a file may be together: so much, and so much for each of its words."""


def read_program(source: Source, read: Reader, settings: Sequence[tuple[str, ast.Expr]] = ()) -> Program:
    """A source with everything it uses, checked.

    `settings` are (dotted path, value) pairs that replace what stands in the file, as `--set` gives them:
    `train.iterations`, `search.algorithm.population`, or a declaration's own name in front. Raises `Unable`
    where such a path leads nowhere.
    """
    return Checker().check(source, read, settings)


class Checker:
    """Checks a program again and again, as an editor does: what did not change is not worked out anew."""

    def __init__(self) -> None:
        self._memo = Memo()
        self._parsed = Parsed()

    def check(self, source: Source, read: Reader, settings: Sequence[tuple[str, ast.Expr]] = ()) -> Program:
        """See `read_program`."""
        return self.begin(source, read, settings).program()

    def begin(self, source: Source, read: Reader, settings: Sequence[tuple[str, ast.Expr]] = ()) -> Check:
        """The check of a program before its spaces are worked out, which takes nearly all of the time."""
        self._memo.begin()
        (module, findings), _ = compared(partial(load, source, read, self._parsed), MOST_COMPARED)
        _override(module, settings)
        return Check(module, findings, self._memo)


class Outcome(NamedTuple):
    """What working one space out adds to a check, where the space itself is not wanted; `unable` where it cannot be.

    `steps` is what it took, by the space and what it was given.
    """

    findings: list[Diagnostic]
    limits: list[Outcomes]
    unable: Unable | None = None
    steps: tuple[tuple[Hashable, int], ...] = ()


class Check:
    """One round over one module. Its `jobs` are left to do, in any order."""

    def __init__(self, module: Module, findings: list[Diagnostic], memo: Memo) -> None:
        self.module = module
        self.memo = memo
        self.found = Program(module, findings)
        self.declared = _declared(module)
        names = tuple((keyword, *names) for keyword, names in self.declared.items())
        self.names: object = memo(object, also=names)
        self.known: object = memo(object, also=("known", *module.names, None, *sorted(module.lost)))
        self.compared = 0
        self.models: dict[str, Settings | None] = {}
        self.mixed: dict[str, Mixture | None] = {}
        self.limits: dict[str, tuple[Constraint, ...]] = {}
        self.worked = self.found.worked
        self.told: list[Outcomes] = []
        self.alike: dict[Hashable, Worked] = {}
        self.steps: dict[Hashable, int] = {}
        self.spent = 0
        self.most = MOST_STEPS + STEPS_OF_A_WORD * _tokens(module)
        self._begin()
        self._first = len(self.found.findings)
        experiments = [d.syntax for d in module.own() if isinstance(d.syntax, ast.Settings)]
        experiments = [syntax for syntax in experiments if syntax.keyword == "experiment"]
        self.found.experiments += [syntax.name.id for syntax in experiments]
        self.jobs: list[Callable[[], None]] = [partial(self._plan, syntax) for syntax in experiments]
        sized = {name for syntax in experiments if (name := self._sized(syntax)) is not None}
        whole = [d for d in module.own() if is_whole(d) and not (d.name in sized and has_free_sizes(d))]
        self.jobs += [partial(self._space, declared) for declared in whole]

    def program(self, outcomes: Sequence[Outcome] | None = None) -> Program:
        """The program, once its jobs are done; without spaces and plans where another process has done them."""
        if outcomes is None:
            for job in self.jobs:
                job()
        for outcome in outcomes or ():
            self.found.findings += outcome.findings
            self.told += outcome.limits
            for alike, steps in outcome.steps:
                self._spend(alike, steps)
        if self.spent > self.most:
            self._refuse()
        self.found.findings += idle([*self.told, *(worked.limits for worked in self.worked)])
        self.found.findings[:] = _once(self.found.findings)
        return self.found

    def outcome(self, job: Callable[[], None]) -> Outcome:
        """What one of the jobs adds."""
        findings, worked, steps = len(self.found.findings), len(self.worked), len(self.steps)
        try:
            job()
        except Unable as error:
            return Outcome([], [], error)
        told = [each.limits for each in self.worked[worked:]]
        return Outcome(self.found.findings[findings:], told, steps=tuple(self.steps.items())[steps:])

    def _spend(self, alike: Hashable, steps: int) -> None:
        """Counts the work that a space is, once for all experiments that give it the same."""
        if alike not in self.steps:
            self.steps[alike] = steps
            self.spent += steps

    def _refuse(self) -> None:
        """Tells that the spaces are too much work together, and nothing of each: it would depend on their order."""
        del self.found.findings[self._first :]
        for each in (self.found.spaces, self.found.plans, self.worked, self.told):
            each.clear()
        layers = (d.syntax for d in self.module.own() if isinstance(d.syntax, ast.Layer | ast.Settings))
        first = next(syntax for syntax in layers if syntax.keyword in ("space", "experiment"))
        message = f"working out the spaces of this file takes more than {self.most:,} steps"
        self.found.findings.append(Diagnostic("E405", first.name.span, message, "put some of them into another file"))

    def _begin(self) -> None:
        """Everything that is quickly done."""
        found, module = self.found, self.module
        found.used = frozenset((d.module.source.path, d.name) for d in module.names.values() if d.module is not module)
        self._read()
        for declaration in module.names.values():
            syntax = declaration.syntax
            if isinstance(syntax, ast.Settings) and syntax.keyword != "experiment" and not is_mix(syntax):
                self.models[syntax.name.id] = self._configured(syntax)
                if syntax.keyword == "search":
                    self.limits[syntax.name.id] = self._limits(syntax, declaration.module)
        plain = {name: m for name, m in self.models.items() if isinstance(m, Tasks)}
        for declaration in module.names.values():
            syntax = declaration.syntax
            if isinstance(syntax, ast.Settings) and is_mix(syntax):
                self.mixed[syntax.name.id] = self._mixture(syntax, plain)
        found.tasks = {**plain, **{name: m for name, m in self.mixed.items() if m is not None}}

    def _read(self) -> None:
        """What reading alone tells."""
        declarations = self.module.program.declarations
        for declaration in declarations:
            surroundings = [self._target(word) for word in self._words(declaration)]
            make = partial(scan, self.module, declaration)
            self.found.findings += self._sparing(make, declaration, self.known, *surroundings, also="scan")
        layers = {d.name: d.syntax for d in self.module.own() if isinstance(d.syntax, ast.Layer)}
        uses = {name: self.memo(partial(free, syntax), syntax, also="free") for name, syntax in layers.items()}
        self.found.findings += loops(uses)
        if not self.module.broken:
            self.found.findings += left(declarations, set().union(*map(self._words, declarations)))

    def _sparing(self, make: Callable[[], T], *of: object, also: Hashable = None) -> T:
        """Remembered work that suggests names, as long as not too many were compared for this file."""
        most = MOST_COMPARED if self.compared < MOST_COMPARED else 0
        found, count = self.memo(partial(compared, make, most), *of, also=(also, most))
        self.compared += count
        return found

    def _words(self, declaration: ast.Declaration) -> tuple[str, ...]:
        return self.memo(lambda: tuple(sorted(said(declaration))), declaration, also="words")

    def _target(self, word: str) -> object:
        declared = self.module.names.get(word)
        return declared and declared.syntax

    def _configured(self, syntax: ast.Settings) -> Settings | None:
        model, findings = self._read_settings(syntax)
        self.found.findings += findings
        return model

    def _read_settings(self, syntax: ast.Settings) -> tuple[Settings | None, list[Diagnostic]]:
        return self._sparing(partial(configure, MODELS[syntax.keyword], syntax, self.declared), syntax, self.names)

    def _limits(self, syntax: ast.Settings, home: Module) -> tuple[Constraint, ...]:
        """What a search requires, checked whether an experiment uses it or not."""
        found, findings = limits([line for line in syntax.body if isinstance(line, ast.Require)], home)
        self.found.findings += findings
        return found

    def _mixture(self, syntax: ast.Settings, plain: dict[str, Tasks]) -> Mixture | None:
        parts, findings = self._sparing(partial(mixed, syntax, self.declared), syntax, self.names, also="mixed")
        self.found.findings += findings
        for part in parts or ():
            if part.name not in plain and part.name not in self.models and part.name not in self.module.lost:
                message = f"`{part.name}` is a mix itself"
                self.found.findings.append(Diagnostic("E508", part.span, message, "name its parts here"))
        if parts is None or any(part.name not in plain for part in parts):
            return None
        odd = disagreement([p.name for p in parts], [plain[p.name] for p in parts])
        if odd is not None:
            which, message = odd
            cure = "the tasks of a mix agree in shape and kind: sources take `size` and `channels`"
            self.found.findings.append(Diagnostic("E514", parts[which].span, message, cure))
            return None
        return Mixture(tuple((p.name, p.weight, plain[p.name]) for p in parts))

    def _plan(self, syntax: ast.Settings) -> None:
        settings = self._configured(syntax)
        if not isinstance(settings, Experiment) or self._is_lost(settings):
            return
        tasks, train = self.found.tasks.get(settings.tasks), self.models[settings.train]
        search = self.models[settings.search] if settings.search is not None else None
        ends = Ends(tasks.shape, tasks.outputs, _setting(syntax, "tasks")) if tasks is not None else None
        space = self.module.names[settings.space.name]
        worked = self._work_out(space, settings.space.call, ends)
        if space.module is self.module and self._sized(syntax) is not None:
            self.found.spaces.setdefault(space.name, worked)
        if worked.net is None or tasks is None or not isinstance(train, Train):
            return
        if settings.search is not None and not isinstance(search, Search):
            return
        if worked.net.decisions and search is None:
            message = f"`{worked.net.name}` has decisions, and nothing searches them"
            self.found.findings.append(Diagnostic("E512", syntax.name.span, message, help="add `search = ..`"))
            return
        if isinstance(search, Search) and not self._fits(search, tasks, syntax):
            return
        assert search is None or isinstance(search, Search)
        bounds = self.limits.get(settings.search or "", ())
        tables = asked(search, bounds, self.module.tables)
        plan = Plan(syntax.name.id, settings, tasks, train, search, worked.net, bounds, tables)
        self.found.plans[syntax.name.id] = plan

    def _sized(self, syntax: ast.Settings) -> str | None:
        """The space that an experiment uses with its defaults: its free sizes are those of the tasks."""
        settings, _ = self._read_settings(syntax)
        if not isinstance(settings, Experiment) or isinstance(settings.space.call, ast.Call):
            return None
        return settings.space.name

    def _is_lost(self, settings: Experiment) -> bool:
        """Whether it names something that a `use` was to bring and could not."""
        return not self.module.lost.isdisjoint(
            (settings.space.name, settings.tasks, settings.train, settings.search or "")
        )

    def _fits(self, search: Search, tasks: Distribution, syntax: ast.Settings) -> bool:
        """Whether every goal can be measured on these tasks."""
        odd = next((g for g in search.goals if tasks.loss not in g.objective.losses), None)
        if odd is None:
            return True
        word = "regression, measured by `loss`" if tasks.loss == "mse" else "classification, measured by `accuracy`"
        message = f"the search asks for `{odd.objective.name}`, and these tasks are {word}"
        cure = f"let it `{'minimize loss' if tasks.loss == 'mse' else 'maximize accuracy'}`"
        self.found.findings.append(Diagnostic("E513", _setting(syntax, "search"), message, cure))
        return False

    def _space(self, declared: Declared) -> None:
        """A space of the file with its defaults; one that needs arguments stands only in experiments."""
        self.found.spaces[declared.name] = self._work_out(declared)

    def _work_out(self, space: Declared, call: ast.Call | ast.Name | None = None, ends: Ends | None = None) -> Worked:
        shape = None if ends is None else (ends.shape, ends.outputs)
        alike: Hashable = (space.module.source.path, space.name, "" if call is None else text(call), shape)
        most = self.most - self.spent
        if alike in self.alike or most < 0:
            return self.alike.get(alike) or Worked(None, {}, [])
        make = partial(work_out, space, call, self.module, ends, most)
        try:
            worked = self._sparing(make, *self._reached(space), call, ends and ends.span.part, also=shape)
        except TooLarge:
            self._spend((alike, most), most + 1)
            return Worked(None, {}, [])
        worked = measured(worked, self.module.tables)
        if worked.findings:  # they may stand where this experiment names it
            alike = alike, ends and ends.span.start
        self.alike[alike] = worked
        self._spend(alike, worked.steps)
        self.worked.append(worked)
        self.found.findings += worked.findings
        return worked

    def _reached(self, space: Declared) -> list[object]:
        """The declarations that a space reaches, each first use in order; of other words whether they are lost."""
        found: dict[int, Declared] = {id(space.syntax): space}
        order: list[object] = [space.syntax]
        queue = [space]
        while queue:
            here = queue.pop()
            for word in self._words(here.syntax):
                target = here.module.names.get(word)
                order += [target and target.syntax, word in here.module.lost]
                if target is not None and id(target.syntax) not in found:
                    found[id(target.syntax)] = target
                    queue.append(target)
        return order


def _tokens(module: Module) -> int:
    """The words of a file and of those whose declarations it uses."""
    modules = {id(m): m for m in (module, *(declared.module for declared in module.names.values()))}
    return sum(chunk.tokens for each in modules.values() for chunk in each.program.chunks)


def _setting(syntax: ast.Settings, name: str) -> Span:
    """Where a setting's value stands."""
    lines = (s for s in syntax.body if isinstance(s, ast.Bind) and s.name.id == name)
    return next((s.value.span for s in lines), syntax.name.span)


def _declared(module: Module) -> dict[str, list[str]]:
    """The names of all declarations by keyword; what could not be had may be anything."""
    found: dict[str, list[str]] = defaultdict(list)
    for keyword in ("space", "tasks", "train", "search", "experiment"):
        found[keyword] += sorted(module.lost)
    for declaration in module.names.values():
        found[declaration.syntax.keyword].append(declaration.name)
    return dict(found)


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

    An op that reaches itself is too large to work out; that it reaches itself says it all. An alternative that is
    written twice may be a number that is: once is enough. What is unused may be so because of an error: it is told
    of files without any. A word of the language is no name that could be missing. Of a setting that does not exist
    the value does not matter.
    """
    kept: dict[tuple[str, str, int, int], Diagnostic] = {}
    same = {f.span for f in findings if f.code == "E406"}
    wrong = {f.span.source.path for f in findings if f.severity == "error"}
    endless = any(f.code == "E104" for f in findings)
    reserved = {f.span for f in findings if f.code == "E005"}
    settings = {(f.span.source.path, f.span.source.position(f.span.start)[0]) for f in findings if f.code == "E501"}
    for finding in findings:
        span = finding.span
        if (endless and finding.code == "E405") or (finding.code == "W202" and span in same):
            continue
        if finding.code in unused.CODES and span.source.path in wrong:
            continue
        if finding.code == "E101" and span in reserved:
            continue
        if finding.code == "E005" and (span.source.path, span.source.position(span.start)[0]) in settings:
            continue
        kept.setdefault((finding.code, span.source.path, span.start, span.end), finding)
    found = sorted(kept.values(), key=lambda f: (f.span.source.path, f.span.start, f.span.end, f.code))
    if len(found) <= MOST_FINDINGS:
        return found
    message = f"more than {MOST_FINDINGS:,} findings: the rest is left out"
    return [*found[:MOST_FINDINGS], Diagnostic("E009", found[MOST_FINDINGS].span, message)]
