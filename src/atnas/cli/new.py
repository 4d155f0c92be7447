"""`atnas new`"""

from __future__ import annotations

import shlex
from importlib.resources import files
from pathlib import Path
from typing import Final

import click

from atnas.dsl.errors import Unable
from atnas.runtime.files import told, write

PLACES: Final = {
    "main.atnas": "main.atnas",
    "README.md": "README.md",
    "gitignore": ".gitignore",
    "pre-commit-config.yaml": ".pre-commit-config.yaml",
    "atnas.yml": ".github/workflows/atnas.yml",
}
"""The files of `grammars/new` and where a project has them."""

GO_ON: Final = ("atnas check", "atnas run main.atnas")


@click.command()
@click.argument("folder", type=click.Path(path_type=Path), default=Path())
def command(folder: Path) -> int:
    """Begin a project in a folder, this one if none is named.

    Writes a commented experiment, a workflow for GitHub, hooks for pre-commit. What is there already is kept.
    """
    if folder.exists() and not folder.is_dir():
        raise Unable(f"{folder} is a file; name a folder")
    for name, place in PLACES.items():
        path = folder / place
        if path.exists() or path.is_symlink():
            click.echo(f"kept   {path}, which is there already")
            continue
        with told(path):
            path.parent.mkdir(parents=True, exist_ok=True)
        write(path, template(name))
        click.echo(f"wrote  {path}")
    inside = [] if folder == Path() else [f"cd {shlex.quote(str(folder))}"]
    click.echo("\n".join(["", "Go on with", "", *(f"  {line}" for line in (*inside, *GO_ON))]), err=True)
    return 0


def template(name: str) -> bytes:
    """A file of `grammars/new`."""
    return files("atnas.grammars").joinpath("new", name).read_bytes()
