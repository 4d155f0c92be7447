"""`atnas compile`"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from pprint import pformat

import click

from atnas.dsl.errors import Unable
from atnas.runtime.artifact import SUFFIX
from atnas.runtime.experiments import Chosen, chosen
from atnas.runtime.files import write


def _ast(found: Chosen) -> str:
    from atnas.dsl.syntax.parse import parse

    program, _ = parse(found.artifact.main)
    return "\n".join(pformat(declaration, width=110) for declaration in program.declarations)


def _ir(found: Chosen) -> str:
    from atnas.compiler.graph import text
    from atnas.compiler.space import compile

    return text(compile(found.plan.narrowed).graph)


def _encoding(found: Chosen) -> str:
    return json.dumps(found.artifact.space, indent=2, ensure_ascii=False)


def _torch(found: Chosen) -> str:
    from atnas.compiler.space import compile
    from atnas.compiler.supernet import Supernet

    space = compile(found.plan.narrowed)
    _, largest = space.costs.extreme("params", largest=True)
    return str(Supernet(space.net, space.encoding).extract(largest))


STAGES: dict[str, Callable[[Chosen], str]] = {"ast": _ast, "ir": _ir, "encoding": _encoding, "torch": _torch}


@click.command()
@click.argument("file")
@click.option("--experiment", help="Which experiment, if the file has several.")
@click.option("-o", "output", type=click.Path(dir_okay=False), help="The artifact; FILE.atnasc if not given.")
@click.option("--emit", type=click.Choice(list(STAGES)), help="Print a stage of the compiler instead.")
def command(file: str, experiment: str | None, output: str | None, emit: str | None) -> int:
    """Compile an experiment into one artifact, whose bytes depend on the source alone."""
    found = chosen(file, experiment)
    if emit is not None:
        click.echo(STAGES[emit](found))
        return 0
    if file == "-" and output is None:
        raise Unable("standard input has no name to call the artifact by: give one with -o")
    target = Path(output) if output else Path(file).with_suffix(SUFFIX)
    write(target, found.artifact.bytes)
    space = found.artifact.space
    click.echo(
        f"{target}: `{found.plan.name}`, {len(space['decisions'])} decisions, "
        f"{int(space['architectures']):,} architectures",
        err=True,
    )
    return 0
