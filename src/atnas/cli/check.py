"""`atnas check`"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, NoReturn, TextIO

import click

from atnas.dsl.errors import Unable
from atnas.dsl.findings.diagnostics import Diagnostic
from atnas.dsl.findings.render import as_json, concise, full
from atnas.runtime.checks import check_all
from atnas.runtime.sources import sources


@dataclass(frozen=True)
class Checked:
    """What a check of so many files found, and the sentences on what it could not read."""

    findings: Sequence[Diagnostic]
    files: int = 1
    unread: Sequence[str] = ()
    color: bool = False


def _json(checked: Checked) -> str:
    return _document(as_json(checked.findings, checked.files))


def _sarif(checked: Checked) -> str:
    from atnas.dsl.findings.sarif import sarif

    return _document(sarif(checked.findings, Path.cwd(), checked.unread))


def _github(checked: Checked) -> str:
    from atnas.dsl.findings.github import github

    return github(checked.findings)


def _document(content: dict[str, Any]) -> str:
    return json.dumps(content, indent=2, ensure_ascii=False)


FORMATS: Final[dict[str, Callable[[Checked], str]]] = {
    "full": lambda checked: full(checked.findings, checked.color),
    "concise": lambda checked: concise(checked.findings),
    "json": _json,
    "sarif": _sarif,
    "github": _github,
}
DOCUMENTS: Final = ("json", "sarif")
"""Formats that say all there is to say; beside the others stands a summary on stderr."""


@click.command()
@click.argument("paths", nargs=-1)
@click.option("--format", "form", type=click.Choice(list(FORMATS)), default="full", show_default=True)
@click.option("--strict", is_flag=True, help="Warnings fail too.")
def command(paths: tuple[str, ...], form: str, strict: bool) -> int:
    """Check files and folders (this folder if none is named; - is standard input).

    Names, arguments, settings and the shapes of every architecture are checked; nothing is imported or run.
    """
    found = sources(paths or (".",))
    checks = check_all(found.sources)
    unread = [*found.unread, *checks.unable]
    checked = Checked(checks.findings, checks.files, color=coloured(sys.stdout))
    if unread and not checked.files and form not in DOCUMENTS:
        _refuse(unread)
    code = _report(replace(checked, unread=list(dict.fromkeys(map(str, unread)))), form, strict, err=False)
    if unread:
        _refuse(unread)
    return code


def report(findings: Sequence[Diagnostic]) -> int:
    """Prints the findings of one file to stderr and gives the exit code, for commands whose data is something else."""
    return _report(Checked(findings, color=coloured(sys.stderr)), "full", strict=False, err=True)


def coloured(stream: TextIO) -> bool:
    """Colour only on a terminal whose user did not refuse it."""
    return stream.isatty() and not os.environ.get("NO_COLOR")


def _report(checked: Checked, form: str, strict: bool, err: bool) -> int:
    text = FORMATS[form](checked)
    if text:
        click.echo(text, err=err)
    errors = sum(f.severity == "error" for f in checked.findings)
    if form not in DOCUMENTS:
        click.echo(_summary(errors, len(checked.findings) - errors, checked.files), err=True)
    return 1 if errors or (strict and checked.findings) else 0


def _refuse(unread: Sequence[Unable]) -> NoReturn:
    """Tells what could not be read, each sentence once. Raises the last of them."""
    *others, last = {str(error): error for error in unread}.values()
    for error in others:
        click.echo(f"atnas: {error}", err=True)
    raise last


def _summary(errors: int, warnings: int, files: int) -> str:
    in_files = f"{files} file{'s' * (files != 1)}"
    if not errors and not warnings:
        return f"{in_files} checked: nothing to report"
    counts = [f"{n} {word}{'s' * (n != 1)}" for n, word in ((errors, "error"), (warnings, "warning")) if n]
    return f"{' and '.join(counts)} in {in_files}"
