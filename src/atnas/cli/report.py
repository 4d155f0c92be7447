"""`atnas report`"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from atnas.runtime.files import told, write
from atnas.runtime.report.material import Material, material


@click.command()
@click.argument("roots", metavar="RUN...", nargs=-1, required=True, type=click.Path(file_okay=False))
@click.option(
    "-o", "output", type=click.Path(dir_okay=False), help="The page; RUN/report.html or report.html if not given."
)
@click.option(
    "--plots", "folder", type=click.Path(file_okay=False), help="Writes the figures as SVG and PNG into DIR, too."
)
def command(roots: Sequence[str], output: str | None, folder: str | None) -> int:
    """What a run found and how, as one page that opens anywhere, offline; several runs stand side by side."""
    from atnas.runtime.report.page import report

    runs = [material(Path(root)) for root in dict.fromkeys(roots)]
    target = Path(output) if output else (Path(roots[0]) / "report.html" if len(runs) == 1 else Path("report.html"))
    write(target, report(runs).encode())
    click.echo(target)
    if folder is not None:
        _write_plots(runs, Path(folder))
    return 0


def _write_plots(runs: Sequence[Material], folder: Path) -> None:
    from atnas.runtime.report.plots import plots
    from atnas.runtime.report.style import png, svg

    with told(folder):
        folder.mkdir(parents=True, exist_ok=True)
    for run in runs:
        for plot in plots(run):
            name = plot.name if len(runs) == 1 else f"{run.name}-{plot.name}"
            write(folder / f"{name}.svg", svg(plot.figure).encode())
            write(folder / f"{name}.png", png(plot.figure))
            click.echo(folder / f"{name}.svg")
