"""`atnas check`"""

from __future__ import annotations

import json
import os
import sys
from typing import TextIO

import click

from atnas.cli.files import read_text, sources
from atnas.dsl.findings.diagnostics import Diagnostic
from atnas.dsl.findings.render import as_json, concise, full
from atnas.runtime.program import read_program


@click.command()
@click.argument("paths", nargs=-1)
@click.option("--format", "form", type=click.Choice(["full", "concise", "json"]), default="full", show_default=True)
@click.option("--strict", is_flag=True, help="Warnings fail too.")
def command(paths: tuple[str, ...], form: str, strict: bool) -> int:
    """Check files and folders (this folder if none is named; - is standard input).

    Names, arguments, settings and the shapes of every architecture are checked; nothing is imported or run.
    """
    files = sources(paths or (".",))
    findings: list[Diagnostic] = []
    for file in files:
        findings += read_program(file, read_text).findings
    return report(list(dict.fromkeys(findings)), len(files), form, strict)


def report(findings: list[Diagnostic], files: int, form: str = "full", strict: bool = False, err: bool = False) -> int:
    """Prints findings and gives the exit code. `err` is for commands whose data is something else."""
    errors = sum(f.severity == "error" for f in findings)
    if form == "json":
        click.echo(json.dumps(as_json(findings, files), indent=2, ensure_ascii=False))
    elif form == "concise":
        click.echo(concise(findings), nl=bool(findings))
    elif findings:
        click.echo(full(findings, color=coloured(sys.stderr if err else sys.stdout)), err=err)
    if form != "json":
        click.echo(_summary(errors, len(findings) - errors, files), err=True)
    return 1 if errors or (strict and findings) else 0


def coloured(stream: TextIO) -> bool:
    """Colour only on a terminal whose user did not refuse it."""
    return stream.isatty() and not os.environ.get("NO_COLOR")


def _summary(errors: int, warnings: int, files: int) -> str:
    in_files = f"{files} file{'s' * (files != 1)}"
    if not errors and not warnings:
        return f"{in_files} checked: nothing to report"
    counts = [f"{n} {word}{'s' * (n != 1)}" for n, word in ((errors, "error"), (warnings, "warning")) if n]
    return f"{' and '.join(counts)} in {in_files}"
