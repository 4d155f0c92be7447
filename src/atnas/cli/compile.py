"""`atnas compile`"""

from __future__ import annotations

import json
from pathlib import Path

import click

from atnas.cli.experiments import Findings, chosen
from atnas.runtime.folder import write


@click.command()
@click.argument("file")
@click.option("--experiment", help="Which experiment, if the file has several.")
@click.option("-o", "output", type=click.Path(dir_okay=False), help="The artifact; FILE.atnasc if not given.")
@click.option("--emit", type=click.Choice(["ir", "encoding"]), help="Print a stage of the compiler instead.")
def command(file: str, experiment: str | None, output: str | None, emit: str | None) -> int:
    """Compile an experiment into one artifact, whose bytes depend on the source alone."""
    try:
        found = chosen(file, experiment)
    except Findings:
        return 1
    if emit == "encoding":
        click.echo(json.dumps(found.artifact.space, indent=2, ensure_ascii=False))
        return 0
    if emit == "ir":
        from atnas.compiler.graph import lower, text

        click.echo(text(lower(found.plan.net)))
        return 0
    target = Path(output) if output else Path(file).with_suffix(".atnasc")
    write(target, found.artifact.bytes)
    space = found.artifact.space
    click.echo(
        f"{target}: `{found.plan.name}`, {len(space['decisions'])} decisions, "
        f"{int(space['architectures']):,} architectures",
        err=True,
    )
    return 0
