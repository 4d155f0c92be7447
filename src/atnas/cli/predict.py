"""`atnas predict`"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import click

from atnas.cli.console import printable
from atnas.dsl.errors import Unable


@click.command()
@click.argument("model", type=click.Path(file_okay=False))
@click.argument("images", metavar="IMAGE...", nargs=-1, required=True, type=click.Path())
@click.option("--json", "as_json", is_flag=True, help="For programs: every label's probability.")
@click.option("--skip-bad", is_flag=True, help="Leave out images that cannot be read; each is named.")
def command(model: str, images: Sequence[str], as_json: bool, skip_bad: bool) -> int:
    """Tell what images show: a line for each, its label and how sure the model is.

    MODEL is a folder that `atnas adapt` wrote. An IMAGE that is a folder stands for all images in it.
    """
    from atnas.cli.adapt import skip
    from atnas.runtime.model import open_model

    found = open_model(Path(model)).predict(_files(images), skip if skip_bad else None)
    if as_json:
        plain = [asdict(one) | {"probability": one.probability} for one in found]
        click.echo(json.dumps({"version": 1, "predictions": plain}, indent=2, ensure_ascii=False))
        return 0
    for one in found:
        click.echo("\t".join((printable(one.file), printable(one.label), f"{100 * one.probability:.1f} %")))
    return 0


def _files(names: Sequence[str]) -> Iterator[Path]:
    """The images that are asked about. Raises `Unable` where one is not there, or a folder has none."""
    from atnas.runtime.tasks.images import image_files

    for path in map(Path, names):
        if path.is_dir():
            inside = image_files(path)
            if not inside:
                raise Unable(f"{path} holds no images")
            yield from inside
        elif path.exists():
            yield path
        else:
            raise Unable(f"{path} is not there")
