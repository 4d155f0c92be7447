"""Many files checked at once: their spaces shared by the cores, what several of them use told once."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, partial

from atnas.dsl.errors import Unable
from atnas.dsl.findings.diagnostics import Diagnostic
from atnas.dsl.lint.unused import without
from atnas.dsl.source import Source
from atnas.runtime.checking import Check, Checker
from atnas.runtime.forks import shared
from atnas.runtime.project import inside
from atnas.runtime.sources import read_text


@dataclass(frozen=True)
class Checks:
    """What was found in so many files, and why others could not be checked."""

    findings: Sequence[Diagnostic]
    files: int
    unable: Sequence[Unable]


def check_all(files: Iterable[Source]) -> Checks:
    """Names, arguments, settings and shapes of every architecture in these files."""
    checker, read = Checker(), cache(read_text)
    checks: list[Check] = []
    unable: list[Unable] = []
    for file in files:
        try:
            checks.append(checker.begin(file, inside(file.path, read)))
        except Unable as error:
            unable.append(error)
    done = iter(shared([partial(check.outcome, job) for check in checks for job in check.jobs]))
    findings: list[Diagnostic] = []
    used: set[tuple[str, str]] = set()
    for check in checks:
        outcomes = [next(done) for _ in check.jobs]
        unable += [outcome.unable for outcome in outcomes if outcome.unable is not None]
        program = check.program(outcomes)
        findings += program.findings
        used |= program.used
    return Checks(once(without(findings, used)), len(checks), unable)


def once(findings: Iterable[Diagnostic]) -> list[Diagnostic]:
    """What was found in a file by itself and again where others use it, perhaps by another path, counts once."""
    kept: dict[tuple[object, ...], Diagnostic] = {}
    real: dict[str, str] = {}
    for f in findings:
        path = f.span.source.path
        file = real.setdefault(path, os.path.realpath(path))
        kept.setdefault((file, f.span.start, f.span.end, f.code, f.message), f)
    return list(kept.values())
