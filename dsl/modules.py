"""The files of a program: what each declares, and what it uses of others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import dropwhile
from pathlib import PurePosixPath
from typing import NamedTuple

from atnas import grammars
from atnas.dsl.devices import devices
from atnas.dsl.errors import Unable
from atnas.dsl.findings.diagnostics import Diagnostic, Edit, Label
from atnas.dsl.findings.names import misspelt
from atnas.dsl.findings.suggest import nearest
from atnas.dsl.latency import TABLE, Table, read_table
from atnas.dsl.source import Source, Span
from atnas.dsl.syntax import ast
from atnas.dsl.syntax.lex import MOST_TOKENS
from atnas.dsl.syntax.parse import LARGEST, parse

SUFFIX = ".atnas"
DEEPEST = 100
"""Files that may use one another in a row."""

MOST_FILES = 1_000
"""Files that a program may be made of. Together they may be as large as one, too."""

Reader = Callable[[str], str]
"""Gives the text of a path, or raises `Unable`."""


@dataclass(eq=False)
class Module:
    """One parsed file. `names` maps what can be said in it to its declaration, used ones included.

    `broken` are the places of syntax errors: what is missing around them has been told. `lost` are the names that a
    `use` was to bring and could not. `tables` are those of the devices that the program names, by metric.
    """

    source: Source
    program: ast.Program
    broken: tuple[Span, ...] = ()
    names: dict[str, Declared] = field(default_factory=dict)
    lost: set[str] = field(default_factory=set)
    tables: dict[str, Table] = field(default_factory=dict)

    def own(self) -> list[Declared]:
        return [d for d in self.names.values() if d.module is self]


@dataclass(frozen=True)
class Declared:
    """A declaration and the module in which its names have their meaning."""

    syntax: ast.Layer | ast.Extern | ast.Settings
    module: Module = field(repr=False)

    @property
    def name(self) -> str:
        return self.syntax.name.id


class Parsed:
    """The sources parsed so far, by path: what did not change is not parsed again. See `parse` for what that asks."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[Source, tuple[ast.Program, list[Diagnostic]]]] = {}

    def __call__(self, source: Source) -> tuple[ast.Program, list[Diagnostic]]:
        """See `parse`."""
        before = self._known.get(source.path)
        if before is None or before[0].text != source.text:
            self._known[source.path] = source, parse(source, before[1][0] if before else None)
        return self._known[source.path][1]


def load(source: Source, read: Reader, parsed: Parsed | None = None) -> tuple[Module, list[Diagnostic]]:
    """The module of a source with everything it uses, and the findings of all files."""
    loader = _Loader(read, parsed or Parsed(), source.path)
    module = loader.module(source, ())
    module.tables = {table.metric: table for table in loader.tables.values() if table is not None}
    return module, loader.findings


class Step(NamedTuple):
    """A file on the way to another, and where it uses the next."""

    path: str
    use: ast.Use


class _Loader:
    def __init__(self, read: Reader, parsed: Parsed, program: str) -> None:
        self.read = read
        self.parsed = parsed
        self.program = program
        self.findings: list[Diagnostic] = []
        self.done: dict[str, Module] = {}
        self.tables: dict[str, Table | None] = {}
        self.places: dict[tuple[str, str], Span] = {}
        self.characters = 0
        self.tokens = 0

    def module(self, source: Source, above: tuple[Step, ...]) -> Module:
        program, findings = self.parsed(source)
        self.findings += findings
        module = Module(source, program, tuple(f.span for f in findings))
        self.done[source.path] = module
        self.characters += len(source.text)
        self.tokens += sum(chunk.tokens for chunk in program.chunks)
        for declaration in program.declarations:
            if isinstance(declaration, ast.Use):
                self._use(module, declaration, (*above, Step(source.path, declaration)))
            else:
                self._add(module, declaration.name, Declared(declaration, module))
        for name in devices(program):
            if name.id not in self.tables:
                self.tables[name.id] = self._table(name)
        return module

    def _use(self, module: Module, use: ast.Use, above: tuple[Step, ...]) -> None:
        other = self._other(module, use, above)
        for name in use.names:
            target = other.names.get(name.id) if other is not None else None
            if target is not None:
                self._add(module, name, target)
                continue
            module.lost.add(name.id)
            if other is not None and name.id not in other.lost and not other.broken:
                self._missing(name, other)

    def _other(self, module: Module, use: ast.Use, above: tuple[Step, ...]) -> Module | None:
        """The module that a `use` names; None with a finding where there is none."""
        source = self._find(module, use)
        if source is None:
            return None
        circle = list(dropwhile(lambda step: step.path != source.path, above))
        if circle:
            self._circle(circle)
            return None
        if len(above) > DEEPEST:
            self._report("E105", use, f"more than {DEEPEST} files use one another")
            return None
        known = self.done.get(source.path)
        if known is None and self._is_full():
            self._report("E105", use, "the files that are used are too many, or too large together")
            return None
        return known or self.module(source, above)

    def _circle(self, circle: list[Step]) -> None:
        """Reports files that use each other, in the same words and place whichever of them was read first."""
        first = min(range(len(circle)), key=lambda i: circle[i].path)
        turned = [*circle[first:], *circle[: first + 1]]
        names = " -> ".join(_shown(step.path) for step in turned)
        self._report("E103", turned[0].use, f"these files use each other: {names}")

    def _table(self, name: ast.Name) -> Table | None:
        """The table of a device, which lies beside the program; None with a finding where there is none."""
        measuring = f"atnas latency {self.program} --device {name.id}"
        cure = f"measure it: {measuring}"
        try:
            if self._is_full():
                raise Unable("the files of this program are too many, or too large together")
            text = self.read(_normal(PurePosixPath(self.program).parent / f"{name.id}{TABLE}"))
            cure = f"mend it, or remove it and measure anew: {measuring}"
            self.characters += len(text)
            return read_table(name.id, text)
        except Unable as error:
            self.findings.append(Diagnostic("E409", name.span, str(error), cure))
            return None

    def _is_full(self) -> bool:
        return len(self.done) + len(self.tables) > MOST_FILES or self.tokens > MOST_TOKENS or self.characters > LARGEST

    def _missing(self, name: ast.Name, other: Module) -> None:
        message = f"`{_shown(other.source.path)}` has no `{name.id}`"
        self.findings.append(misspelt("E101", name, other.names, message))

    def _find(self, module: Module, use: ast.Use) -> Source | None:
        """The source that a `use` names."""
        if isinstance(use.path, ast.Name):
            return self._standard(use, use.path.id)
        path = PurePosixPath(use.path.value)
        if path.is_absolute():
            self._report("E105", use, "a file is used by its path from this one, not from the root")
            return None
        if path.suffix != SUFFIX:
            meant = "" if path.suffix else f'"{use.path.value}{SUFFIX}"'
            self._meant(use, f"a file that is used has a name that ends in {SUFFIX}", meant)
            return None
        full = _normal(PurePosixPath(module.source.path).parent / path)
        if full in self.done:
            return self.done[full].source
        try:
            return Source(full, self.read(full))
        except Unable as error:
            self._report("E105", use, str(error))
            return None

    def _meant(self, use: ast.Use, message: str, written: str) -> None:
        """Reports a path that is to be written in another way, where that is known."""
        cure, fix = (f"write {written}", (Edit(use.path.span, written),)) if written else (None, ())
        self._report("E105", use, message, cure, fix)

    def _standard(self, use: ast.Use, dotted: str) -> Source | None:
        library = grammars.path("std")
        first, _, rest = dotted.partition(".")
        file = library / f"{rest}.atnas"
        if first == "std" and rest.isidentifier() and file.is_file():
            path = f"<{dotted}>"
            return self.done[path].source if path in self.done else Source(path, file.read_text("utf-8"))
        if first != "std" and rest == SUFFIX[1:]:
            self._meant(use, "a file stands in quotes", f'"{dotted}"')
            return None
        known = sorted("std." + f.name.removesuffix(".atnas") for f in library.iterdir() if f.name.endswith(".atnas"))
        close = nearest(dotted, known)
        cure = f"did you mean `{close}`?" if close else f"the standard library has {', '.join(known)}"
        fix = (Edit(use.path.span, close),) if close else ()
        self._report("E105", use, f"there is no library `{dotted}`", cure, fix)
        return None

    def _add(self, module: Module, name: ast.Name, declared: Declared) -> None:
        if not name.id:
            return
        before = module.names.get(name.id)
        if before is None:
            module.names[name.id] = declared
            self.places[module.source.path, name.id] = name.span
            return
        self.findings.append(
            Diagnostic(
                "E102",
                name.span,
                f"`{name.id}` is declared twice",
                help="give one of them another name",
                labels=(Label(self.places[module.source.path, name.id], "first here"),),
            )
        )

    def _report(
        self, code: str, use: ast.Use, message: str, cure: str | None = None, fix: tuple[Edit, ...] = ()
    ) -> None:
        self.findings.append(Diagnostic(code, use.path.span, message, cure, fix=fix))


def _shown(path: str) -> str:
    """A file as it is used: those of the library by their dotted names."""
    return path.strip("<>")


def _normal(path: PurePosixPath) -> str:
    """The path with `.` and `..` worked out, so that one file has one name."""
    parts: list[str] = []
    for part in path.parts:
        if part == ".." and parts and parts[-1] != "..":
            parts.pop()
        elif part != ".":
            parts.append(part)
    return str(PurePosixPath(*parts))
