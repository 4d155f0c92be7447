"""`atnas export`"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from atnas.cli.files import read_text
from atnas.dsl.errors import Unable
from atnas.runtime.files import write

if TYPE_CHECKING:
    from atnas.runtime.exporting import Format


@click.command()
@click.argument("run", type=click.Path(file_okay=False))
@click.option(
    "--arch",
    default="best",
    show_default=True,
    metavar="best|ID",
    help="What the run found; else a trial by its number or the beginning of its identity, or JSON, or @FILE.",
)
@click.option(
    "--to",
    "form",
    type=click.Choice(("py", "onnx", "pt2")),
    required=True,
    help="PyTorch source, ONNX, or torch.export.",
)
@click.option("-o", "output", type=click.Path(dir_okay=False), help="The file; RUN/SPACE.py and so on if not given.")
def command(run: str, arch: str, form: Format, output: str | None) -> int:
    """Write what a run found as files that need no atnas, checked to compute what the supernet computes.

    RUN is the folder of a run. Beside the source of --to py lie its weights, as safetensors.
    """
    from atnas.runtime.exporting import export
    from atnas.runtime.trained import architecture, trained

    if form == "py" and output is not None and not output.endswith(".py"):
        raise Unable(f"{output} is no name for Python source: let it end in .py")
    found = trained(Path(run))
    genotype = architecture(found, read_text(arch[1:]).strip() if arch.startswith("@") else arch)
    target = Path(output) if output else Path(run) / f"{found.space.net.name}.{form}"
    made = export(found, genotype, form)
    for suffix, file in sorted(made.files.items(), reverse=True):  # the weights first: the source takes them
        path = target.with_suffix(suffix) if form == "py" else target
        write(path, file)
        click.echo(path)
    click.echo(f"{made.params:,} params; outputs are within {made.error:.0e} of the supernet's", err=True)
    return 0
