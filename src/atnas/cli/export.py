"""`atnas export`"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from atnas.dsl.errors import Unable
from atnas.runtime.sources import read_text

if TYPE_CHECKING:
    from atnas.runtime.exporting import Format, Subject


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

    RUN is the folder of a run, or of a model that `atnas adapt` made; of that, labels and how images are made ready
    stand in the file. Beside the source of --to py lie its weights, as safetensors.
    """
    from atnas.runtime.exporting import written_to

    subject = _subject(Path(run), arch)
    target = Path(output) if output else Path(run) / f"{subject.net.name}.{form}"
    paths, made = written_to(subject, form, target)
    for path in paths:
        click.echo(path)
    click.echo(f"{made.params:,} params; outputs are within {made.error:.0e} of the original's", err=True)
    return 0


def _subject(folder: Path, arch: str) -> Subject:
    """An architecture of a run, or a model. Raises `Unable` where the folder holds neither."""
    from atnas.runtime.exporting import of_model, of_run
    from atnas.runtime.model import is_model, open_model
    from atnas.runtime.trained import architecture, trained

    if is_model(folder):
        if arch != "best":
            raise Unable(f"{folder} is a model of one architecture: --arch goes with the folder of a run")
        return of_model(open_model(folder))
    found = trained(folder)
    return of_run(found, architecture(found, read_text(arch[1:]).strip() if arch.startswith("@") else arch))
