"""`atnas sample`"""

from __future__ import annotations

import json
from random import Random

import click

from atnas.cli.check import report
from atnas.compiler.conflicts import conflict
from atnas.compiler.space import compile
from atnas.dsl.errors import Unable
from atnas.runtime.spaces import only_space


@click.command()
@click.argument("file")
@click.option("--space", help="Which space, if the file has several.")
@click.option("-n", "count", type=click.IntRange(min=1), default=1, show_default=True, help="How many.")
@click.option("--seed", type=int, default=0, show_default=True, help="The same seed gives the same architectures.")
def command(file: str, space: str | None, count: int, seed: int) -> int:
    """Draw architectures of a space, one a line as JSON: each as likely as any other that meets the constraints."""
    (net,) = only_space(file, space).nets.values()
    compiled = compile(net)
    unmet = conflict(compiled)
    if unmet is not None:
        return report([unmet])
    encoding, rng = compiled.encoding, Random(seed)
    try:
        for _ in range(count):
            click.echo(json.dumps(encoding.decode(encoding.sample(rng)), ensure_ascii=False))
    except ValueError as error:
        raise Unable(str(error)) from error
    if encoding.acceptance < 1:
        click.echo(f"{encoding.acceptance:.1%} of the draws met the constraints; the others were drawn again", err=True)
    return 0
