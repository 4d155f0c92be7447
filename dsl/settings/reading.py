"""Values of settings: an expression and what a field accepts, to a value or to findings."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from enum import Enum
from types import MappingProxyType
from typing import Final, NamedTuple, TypeVar

from atnas.dsl.findings.calls import MOST_LISTED
from atnas.dsl.findings.diagnostics import Diagnostic, Edit, Label
from atnas.dsl.findings.suggest import nearest
from atnas.dsl.plugins import entries
from atnas.dsl.settings.accepts import Accepts, listed, quoted
from atnas.dsl.settings.constants import NotConstantError, constant, is_arithmetic
from atnas.dsl.settings.distributions import Uniform
from atnas.dsl.settings.extensions import fitting, loaded
from atnas.dsl.settings.fields import fitted, known
from atnas.dsl.settings.fit import fit
from atnas.dsl.settings.marks import Ref
from atnas.dsl.settings.misfit import MisfitError
from atnas.dsl.settings.model import Settings
from atnas.dsl.source import Span
from atnas.dsl.syntax import ast

M = TypeVar("M", bound=Settings)

Declared = Mapping[str, Collection[str]]
"""The names of the program's declarations by keyword."""

Written = ast.Expr | tuple[ast.Expr, ...]
"""What is written for a field: one value, or the arguments that a star takes."""

DECISIONS = (ast.Choice, ast.Range, ast.Subset)


class Bad(Enum):
    BAD = "bad"


BAD: Final = Bad.BAD
"""Stands where a value has a finding already."""


class Site(NamedTuple):
    """What is being built: its name in messages, its place, and the code for what is missing in it.

    `lines` are the fields that no setting of that name fills: what each is called, and its cure where it is missing.
    """

    subject: str
    span: Span
    missing: str
    lines: Mapping[str, tuple[str, str]] = MappingProxyType({})


class Reader:
    """Reads values and collects what is wrong with them."""

    def __init__(self, declared: Declared | None) -> None:
        self.findings: list[Diagnostic] = []
        self.declared = declared

    def fill(
        self,
        model: type[M],
        values: Mapping[str, object],
        written: Mapping[str, Written],
        site: Site,
        meant: Collection[str] = (),
    ) -> M | Bad:
        """The model of these values; `written` tells their places.

        Of fields that are `meant` by a misspelt name nothing is said if they are missing.
        """
        required = [name for name, field in known(model).items() if field.required]
        missing = [name for name in required if name not in values and name not in meant]
        if missing:
            self._missing(missing, model, site)
        good = {name: value for name, value in values.items() if value is not BAD}
        silent = {*missing, *meant, *values} - set(good)
        try:
            if not silent:
                return model(**good)
            fitted(model, good, silent)
        except MisfitError as error:
            self._blame(error, written, site, silent)
        except ValueError as error:
            self.report("E508", site.span, str(error))
        return BAD

    def _missing(self, names: Sequence[str], model: type[Settings], site: Site) -> None:
        """One finding on all that is missing."""
        said = [site.lines.get(name) or (quoted(name), _phrase(known(model)[name].accepts)) for name in names]
        message = f"`{site.subject}` needs {listed((needed for needed, _ in said), 'and')}"
        self.report(site.missing, site.span, message, "; ".join(cure for _, cure in said))

    def _blame(
        self, error: MisfitError, written: Mapping[str, Written], site: Site, silent: Collection[object]
    ) -> None:
        for misfit in error.misfits:
            if misfit.name not in silent:
                span = _span(written[misfit.name], misfit.item) if misfit.name in written else site.span
                self.report("E508", span, misfit.sentence(short(span)))

    # Values

    def value(self, expr: ast.Expr, accept: Accepts) -> object:
        """The value that an expression stands for, or BAD."""
        match expr:
            case ast.Name(id=""):  # the parser could not read it, and said so
                return BAD
            case ast.Choice() | ast.Range() | ast.Subset():
                return self.decision(expr, accept, "choose one; decisions belong in a `space`")
            case ast.List(items=items) if accept.items:
                return self._list(items, accept.items)
            case ast.String(value=value) if accept.is_text:
                return value
            case ast.Bool(value=value) if accept.is_truth:
                return value
            case ast.Call() if accept.draws and is_uniform(expr):
                return self.uniform(expr, accept)
            case ast.Name() | ast.Call():
                return self._word(expr, accept)
            case _ if accept.numbers and is_arithmetic(expr):
                return self.number(expr, accept)
            case _:
                return self._mismatch(expr, accept)

    def decision(self, expr: ast.Expr, accept: Accepts, cure: str, fix: tuple[Edit, ...] = ()) -> Bad:
        """Reports a choice where there is none to make."""
        return self.report("E507", expr.span, f"`{accept.name}` is set to one value, not to a choice", cure, fix=fix)

    def _mismatch(self, expr: ast.Expr, accept: Accepts) -> Bad:
        cure, meant = None, ""
        if isinstance(expr, ast.String) and (accept.bare or expr.value in (*accept.known, *self._named(accept))):
            meant = expr.value
            cure = f"write `{meant}` without quotes"
        elif isinstance(expr, ast.Name) and accept.is_text:
            meant = f'"{expr.id}"'
            cure = f"put it in quotes: `{meant}`"
        elif accept.items and not isinstance(expr, ast.List):
            cure = f"put it in brackets: `[{short(expr.span)}]`"
        message = f"`{accept.name}` takes {listed(accept.phrases())}, not `{short(expr.span)}`"
        return self.report("E508", expr.span, message, cure, fix=(Edit(expr.span, meant),) if meant else ())

    def _named(self, accept: Accepts) -> Collection[str]:
        """The declarations that may be named there."""
        if accept.reference is None or self.declared is None:
            return ()
        return self.declared.get(accept.reference.keyword, ())

    def _list(self, items: Sequence[ast.Expr], accept: Accepts) -> object:
        return whole([self.value(item, accept) for item in items])

    def number(self, expr: ast.Expr, accept: Accepts) -> int | float | Bad:
        """The value of constant arithmetic, with a unit that the field takes."""
        try:
            found = constant(expr)
        except NotConstantError as error:
            if isinstance(error.part, DECISIONS):
                return self.decision(error.part, accept, "choose one; decisions belong in a `space`")
            reason = error.reason or "is not a number"
            return self.report("E508", error.part.span, f"`{short(error.part.span)}` {reason}")
        if found.unit and (accept.unit is None or accept.unit.unit != found.unit):
            wrong = "a time" if found.unit == "s" else "a size in bytes"
            message = f"`{accept.name}` takes {listed(accept.phrases())}, not {wrong}"
            return self.report("E508", expr.span, message)
        return found.value

    def uniform(self, expr: ast.Call, accept: Accepts) -> Uniform | Bad:
        """`uniform(a, b)`: any number between the two."""
        found = self.call(Uniform, expr.function, expr.arguments)
        if found is BAD:
            return BAD
        if all(member.type is not float for member in accept.numbers):
            cure = "write a range, such as `1..5`"
            return self.report("E508", expr.span, f"`{accept.name}` is a whole number", cure)
        if found.first >= found.last:
            return self.report("E508", expr.span, "the first number of `uniform` must be the smaller")
        ends = [self.end(argument.value, accept) for argument in expr.arguments]
        return BAD if BAD in ends else found

    def end(self, expr: ast.Expr, accept: Accepts) -> int | float | Bad:
        """A number that can be drawn, held to the bounds of the field."""
        if not is_arithmetic(expr):
            return self._mismatch(expr, Accepts(accept.name, accept.numbers))
        value = self.number(expr, accept)
        if value is BAD:
            return BAD
        try:
            number = fit(value, Accepts(accept.name, accept.numbers))
        except MisfitError as error:
            return self.report("E508", expr.span, error.misfits[0].sentence(short(expr.span)))
        assert isinstance(number, int | float)
        return number

    # Words, with and without arguments

    def _word(self, expr: ast.Name | ast.Call, accept: Accepts) -> object:
        word = expr if isinstance(expr, ast.Name) else expr.function
        arguments = () if isinstance(expr, ast.Name) else expr.arguments
        if word.id in accept.words:
            return word.id if isinstance(expr, ast.Name) else self._no_arguments(expr, word.id)
        variant = accept.variant(word.id)
        if variant is not None:
            return self.call(variant, word, arguments)
        if accept.extension is not None and word.id in entries(accept.extension.group):
            model = loaded(accept.extension.group, word.id)
            if issubclass(model, accept.classes):
                return self.call(model, word, arguments)
            return self._no_such(word, accept)
        if accept.reference is not None:
            return self._reference(expr, word, accept)
        if accept.bare is not None:
            return word.id if isinstance(expr, ast.Name) else self._no_arguments(expr, word.id)
        if accept.extension is not None:
            return self._no_such(word, accept)
        if accept.known:
            message = f"`{accept.name}` takes {listed(accept.phrases())}, not `{word.id}`"
            self.unknown("E508", word, accept.known, message, "")
            return BAD
        return self._mismatch(expr, accept)

    def _no_such(self, word: ast.Name, accept: Accepts) -> Bad:
        installed = fitting(accept)
        message, title = f"`{word.id}` is not {accept.kind}", f"there {_are(installed)}" if installed else ""
        self.unknown("E504", word, [*accept.words, *installed], message, title)
        return BAD

    def _no_arguments(self, expr: ast.Call, word: str) -> Bad:
        span = expr.arguments[0].span.to(expr.arguments[-1].span) if expr.arguments else expr.span
        message, fix = f"`{word}` takes no arguments here", (Edit(expr.span, word),)
        return self.report("E505", span, message, f"write `{word}`", fix=fix)

    def _reference(self, expr: ast.Name | ast.Call, word: ast.Name, accept: Accepts) -> object:
        reference = accept.reference
        assert reference is not None
        if isinstance(expr, ast.Call) and not reference.arguments:
            return self._no_arguments(expr, word.id)
        keyword = reference.keyword
        if self.declared is not None and word.id not in self.declared.get(keyword, ()):
            names = self.declared.get(keyword, ())
            other = next((k for k, among in self.declared.items() if word.id in among), None)
            message = f"there is no `{keyword}` called `{word.id}`"
            if other is not None:
                message = f"`{word.id}` is {_a(other)} `{other}`, and {_a(keyword)} `{keyword}` belongs here"
            title = f"there {_are(names)}" if names else f"declare one: `{keyword} {word.id} {{ .. }}`"
            if other is not None and not names:
                title = f"declare a `{keyword}`"
            self.unknown("E510", word, names, message, title)
            return BAD
        return Ref(word.id, expr) if reference.arguments else word.id

    def call(self, model: type[M], word: ast.Name, arguments: Sequence[ast.Argument]) -> M | Bad:
        """A `Settings` from `word(arguments)`."""
        before = len(self.findings)
        written, meant = self._arguments(model, word, arguments)
        values: dict[str, object] = {}
        for name, expr in written.items():
            accept = known(model)[name].accepts
            if isinstance(expr, tuple):
                assert accept.items is not None
                values[name] = self._list(expr, accept.items)
            else:
                values[name] = self.value(expr, accept)
        built = self.fill(model, values, written, Site(word.id, word.span, "E505"), meant)
        return built if len(self.findings) == before else BAD

    def _arguments(
        self, model: type[Settings], word: ast.Name, arguments: Sequence[ast.Argument]
    ) -> tuple[dict[str, Written], set[str]]:
        """What is written for each field, and the fields that misspelt names may have meant."""
        written: dict[str, Written] = {}
        meant: set[str] = set()
        rest: list[ast.Expr] = []
        unnamed = 0
        for argument in arguments:
            name = argument.name.id if argument.name else _positional(model, unnamed)
            unnamed += argument.name is None
            if name is None:
                self._too_many(model, word, argument)
            elif argument.name and name not in known(model):
                message = f"`{word.id}` has no argument `{name}`"
                meant |= self.unknown("E505", argument.name, known(model), message, f"`{word.id}` takes")
            elif name.startswith("*"):
                rest.append(argument.value)
            elif name in written:
                span = argument.name.span if argument.name else argument.span
                self.report("E505", span, f"`{name}` is given twice", "keep one of the two")
            else:
                written[name] = argument.value
        if rest:
            written.setdefault(model.positional[-1][1:], tuple(rest))
        return written, meant

    def _too_many(self, model: type[Settings], word: ast.Name, argument: ast.Argument) -> None:
        count = len(model.positional)
        bare = "argument without a name" if count == 1 else "arguments without a name"
        allowed = f"at most {count} {bare}" if count else f"no {bare}"
        if not known(model):
            self.report("E505", argument.span, f"`{word.id}` takes no arguments", f"write `{word.id}`")
            return
        cure = f"name it: `{word.id}` takes {listed(map(quoted, known(model)), 'and')}"
        self.report("E505", argument.span, f"`{word.id}` takes {allowed}", cure)

    # Findings

    def report(
        self,
        code: str,
        span: Span,
        message: str,
        cure: str | None = None,
        labels: tuple[Label, ...] = (),
        fix: tuple[Edit, ...] = (),
    ) -> Bad:
        """Adds a finding."""
        self.findings.append(Diagnostic(code, span, message, cure, labels=labels, fix=fix))
        return BAD

    def unknown(
        self, code: str, name: ast.Name, known: Iterable[str], message: str, title: str, taken: Collection[str] = ()
    ) -> set[str]:
        """Reports a word that does not exist; returns the one that was meant, if any. What is `taken` cures nothing."""
        words = list(known)
        meant = nearest(name.id, words)
        parts = [f"did you mean `{meant}`?"] if meant else []
        if title and words:
            more = [".."] * (len(words) > MOST_LISTED)
            parts.append(f"{title} {listed([*map(quoted, words[:MOST_LISTED]), *more], 'and')}")
        elif title:
            parts.append(title)
        fix = (Edit(name.span, meant),) if meant and meant not in taken else ()
        self.report(code, name.span, message, " ".join(parts) or None, fix=fix)
        return {meant} if meant else set()


def is_uniform(expr: ast.Expr) -> bool:
    """Whether this is `uniform(..)`."""
    return isinstance(expr, ast.Call) and expr.function.id == "uniform"


def _phrase(accept: Accepts) -> str:
    """What a field is, for one who left it out."""
    words = f": {listed(map(quoted, fitting(accept)))}" if accept.extension is not None else ""
    return f"`{accept.name}` is {listed(accept.phrases())}{words}"


def _positional(model: type[Settings], index: int) -> str | None:
    """The field that argument `index` without a name fills, with its star where it takes all the rest."""
    names = model.positional
    if index < len(names):
        return names[index]
    return names[-1] if names and names[-1].startswith("*") else None


def whole(values: Sequence[object]) -> object:
    """The values as a tuple, or BAD where one of them is."""
    return BAD if any(value is BAD for value in values) else tuple(values)


def _span(value: Written, item: int | None) -> Span:
    """The place of a value, or of one of its items."""
    items = value.items if isinstance(value, ast.List) else value if isinstance(value, tuple) else ()
    if item is not None and item < len(items):
        return items[item].span
    return items[0].span.to(items[-1].span) if isinstance(value, tuple) else value.span


def short(span: Span) -> str:
    """What is written there, on one line and not too long."""
    text = " ".join(span.text.split())
    return text if len(text) <= 40 else f"{text[:37]}..."


def _a(keyword: str) -> str:
    return "an" if keyword[0] in "aeiou" else "a"


def _are(words: Collection[str]) -> str:
    return "is" if len(words) == 1 else "are"
