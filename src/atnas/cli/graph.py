"""`atnas graph`"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from atnas.compiler.drawing.picture import picture
from atnas.compiler.encoding import Genotype
from atnas.compiler.space import Compiled, compile
from atnas.dsl.errors import Unable
from atnas.runtime.files import write
from atnas.runtime.sources import read_text
from atnas.runtime.spaces import ASIDE, only_space

SUFFIX = ".svg"
MOST_DIGITS = 21
"""Of a count that is written in full."""


@click.command()
@click.argument("file")
@click.option("--space", help="Which space, if the file has several.")
@click.option("--arch", metavar="JSON|@FILE", help="An architecture to mark in the space.")
@click.option("--alone", is_flag=True, help="Only the architecture, without the rest of the space.")
@click.option("-o", "output", type=click.Path(dir_okay=False), help="The picture; if not given, FILE.svg or a pipe.")
def command(file: str, space: str | None, arch: str | None, alone: bool, output: str | None) -> int:
    """Draw a space, or an architecture of it, as SVG for a paper or a page."""
    if alone and arch is None:
        raise Unable("--alone draws an architecture: give one with --arch")
    found = only_space(file, space)
    ((name, worked),) = ((n, w) for n, w in found.worked.items() if w.net is not None)
    assert worked.net is not None
    compiled = compile(worked.net)
    genotype = None if arch is None else chosen(compiled, arch)
    remarks = [*_measured(compiled, genotype), *_sizes(worked.sizes)]
    drawn = picture(found.program.module.names[name], worked.net, remarks, genotype, alone)
    if output is None and not sys.stdout.isatty():
        click.echo(drawn, nl=False)
        return 0
    if output is None and file == "-":
        raise Unable("standard input has no name to call the picture by: give one with -o")
    target = Path(output) if output else Path(file).with_suffix(SUFFIX)
    write(target, drawn.encode("ascii"))
    click.echo(f"{target}: `{name}`, {len(worked.net.decisions)} decisions", err=True)
    return 0


def chosen(space: Compiled, arch: str) -> Genotype:
    """The architecture in a JSON object, or in a file that holds one. Raises `Unable`."""
    try:
        return space.encoding.read(read_text(arch[1:]) if arch.startswith("@") else arch)
    except ValueError as error:
        raise Unable(f"--arch {error}") from error


def _measured(space: Compiled, genotype: Genotype | None) -> Iterator[str]:
    """How many architectures there are and what they cost, or what one does."""
    if genotype is not None:
        cost = space.costs.of(genotype)
        yield f"one architecture, {cost['params']:,} params, {cost['macs']:,} macs"
        return
    count = space.encoding.count()
    aside = "" if space.encoding.exact else ASIDE
    if not count:
        yield f"no architecture meets the constraints{aside}"
        return
    least, most = (space.costs.extreme("params", largest)[0] for largest in (False, True))
    params = f"{least:,} params" if least == most else f"{least:,} to {most:,} params"
    yield f"{_counted(count)}, {params}{aside}"


def _counted(count: int) -> str:
    digits = str(count)
    shown = f"{count:,}" if len(digits) <= MOST_DIGITS else f"about {digits[0]}.{digits[1:3]}e{len(digits) - 1}"
    return f"{shown} architecture{'s' * (count != 1)}"


def _sizes(sizes: dict[str, int]) -> Iterator[str]:
    if sizes:
        yield "shown for " + ", ".join(f"{name} = {size}" for name, size in sizes.items())
