"""`atnas adapt`"""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("run", type=click.Path(file_okay=False))
@click.option(
    "--support", type=click.Path(), required=True, help="FOLDER/<class>/<image>: the task, a few images a class."
)
@click.option("--skip-bad", is_flag=True, help="Leave out images that cannot be read; each is named.")
@click.option("--search", "searched", is_flag=True, help="Look for an architecture for the task, too.")
@click.option(
    "-o", "output", type=click.Path(file_okay=False), help="The model's folder; RUN/adapted/FOLDER if not given."
)
def command(run: str, support: str, skip_bad: bool, searched: bool, output: str | None) -> int:
    """Adapt what a run found to a task that nobody has seen: to the images in a folder.

    RUN is the folder of a run. With one image a class nothing can be held out, so nothing tells how well it goes.
    """
    from atnas.runtime.making import make_model

    target = Path(output) if output else None
    click.echo(make_model(Path(run), Path(support), target, searched, _told, skip if skip_bad else None))
    return 0


def skip(reason: str) -> None:
    """Names an image that is left out."""
    click.echo(f"left out: {reason}", err=True)


def _told(sentence: str) -> None:
    click.echo(sentence, err=True)
