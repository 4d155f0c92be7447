"""`atnas adapt`"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from atnas.dsl.errors import Unable
from atnas.runtime.files import content

if TYPE_CHECKING:
    from atnas.runtime.adapting import Adapted
    from atnas.runtime.tasks.support import Support
    from atnas.runtime.trained import Trained


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
    from atnas.runtime.adapting import adapt, search
    from atnas.runtime.card import card
    from atnas.runtime.model import save_model
    from atnas.runtime.tasks.support import read_support
    from atnas.runtime.trained import architecture, trained

    found = trained(Path(run))
    images = read_support(Path(support), found.plan.tasks, skip if skip_bad else None)
    folder = Path(output) if output else Path(run) / "adapted" / Path(support).resolve().name
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise Unable(f"{folder} is there and no empty folder; name another one with -o, or take it away")
    genotype = architecture(found, "best")
    made = adapt(found, genotype, images)
    click.echo(_line("weights", made, images), err=True)
    how = "weights"
    if searched:
        if not images.folds():
            click.echo("one image in a class: nothing can be held out, and the run's own choice is kept", err=True)
        else:
            made, how = search(found, genotype, images, _told), "architecture and weights"
            click.echo(_line(how, made, images), err=True)
    about = _about(found, images, made, how)
    costs = found.space.costs.of(made.scored.genotype)
    result = found.folder.read(found.folder.result.name) if found.folder.result.exists() else {}
    described = card(about, {name: costs[name] for name in ("params", "macs")}, result)
    save_model(folder, content(found.folder.program), about, made.state(found), described)
    click.echo(folder)
    return 0


def skip(reason: str) -> None:
    """Names an image that is left out."""
    click.echo(f"left out: {reason}", err=True)


def _line(how: str, made: Adapted, images: Support) -> str:
    """What it took, and how it goes by cross-validation."""
    seconds, scored = f"{made.seconds:.1f} s", made.scored
    if scored.share is None:
        return f"{how}: adapted to {len(images.names)} classes in {seconds}"
    low, high = 100 * scored.share.low, 100 * scored.share.high
    score = f"{scored.right} of {scored.asked} right in cross-validation over {scored.parts} parts"
    tried = f"; the best of {made.tried} architectures by the same" if made.tried > 1 else ""
    return f"{how}: {score} ({low:.0f} to {high:.0f} %){tried}; {seconds}"


def _told(count: int) -> None:
    if count % 10 == 0:
        click.echo(f"{count} architectures compared", err=True)


def _about(found: Trained, images: Support, made: Adapted, how: str) -> dict[str, Any]:
    """model.json: everything that is needed to use the weights, and how they came about."""
    from atnas.runtime.answer import drawn_from, learned_by
    from atnas.runtime.meaning import digest
    from atnas.runtime.tasks.support import scale_of

    scale = scale_of(found.plan.tasks)
    return {
        "labels": list(images.names),
        "space": found.space.net.name,
        "architecture": found.space.encoding.decode(made.scored.genotype),
        "adapted": how,
        "cross_validation": {
            "right": made.scored.right,
            "asked": made.scored.asked,
            "parts": made.scored.parts,
            "architectures": made.tried,
        },
        "seconds": round(made.seconds, 2),
        "images": {"shape": list(found.plan.tasks.shape), "mean": list(scale.mean), "std": list(scale.std)},
        "norm": "running" if found.plan.train.norm == "running" else "support",
        "support": {name: len(each) for name, each in zip(images.names, images.examples, strict=True)},
        "run": {"digest": digest(found.plan), **drawn_from(found.plan.tasks), **learned_by(found.plan.train.learner)},
    }
