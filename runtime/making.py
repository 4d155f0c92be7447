"""A model of what a run found and a folder of images."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from atnas.dsl.errors import Unable
from atnas.runtime.adapting import Adapted, adapt, search
from atnas.runtime.answer import drawn_from, learned_by
from atnas.runtime.card import card
from atnas.runtime.files import content, within
from atnas.runtime.meaning import digest
from atnas.runtime.model import save_model
from atnas.runtime.tasks.support import Support, read_support, scale_of
from atnas.runtime.trained import Trained, architecture, trained

OFTEN = 10
"""Architectures between two words on how many were compared."""


def make_model(
    run: Path,
    support: Path,
    target: Path | None,
    searched: bool,
    told: Callable[[str], None],
    skipped: Callable[[str], None] | None = None,
) -> Path:
    """Adapts a run to a folder of images, and writes the model into `target`, or into the run's folder.

    `searched`: looks for an architecture for the images, too. `told` hears how it goes; `skipped`, if given, why an
    image is left out. Gives the model's folder. Raises `Unable` where something is missing or in the way.
    """
    found = trained(run)
    images = read_support(support, found.plan.tasks, skipped)
    folder = target if target is not None else run / "adapted" / support.resolve().name
    if target is None:
        within(folder, run)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise Unable(f"{folder} is there and no empty folder; name another one with -o, or take it away")
    genotype = architecture(found, "best")
    made, how = adapt(found, genotype, images), "weights"
    told(_line(how, made, images))
    if searched and not images.folds():
        told("one image in a class: nothing can be held out, and the run's own choice is kept")
    elif searched:

        def compared(count: int) -> None:
            if count % OFTEN == 0:
                told(f"{count} architectures compared")

        made, how = search(found, genotype, images, compared), "architecture and weights"
        told(_line(how, made, images))
    about = _about(found, images, made, how)
    costs = found.space.costs.of(made.scored.genotype)
    result = found.folder.read(found.folder.result.name) if found.folder.result.exists() else {}
    described = card(about, {name: costs[name] for name in ("params", "macs")}, result)
    save_model(folder, content(found.folder.program), about, made.state(found), described)
    return folder


def _line(how: str, made: Adapted, images: Support) -> str:
    """What it took, and how it goes by cross-validation."""
    seconds, scored = f"{made.seconds:.1f} s", made.scored
    if scored.share is None:
        return f"{how}: adapted to {len(images.names)} classes in {seconds}"
    low, high = 100 * scored.share.low, 100 * scored.share.high
    score = f"{scored.right} of {scored.asked} right in cross-validation over {scored.parts} parts"
    tried = f"; the best of {made.tried} architectures by the same" if made.tried > 1 else ""
    return f"{how}: {score} ({low:.0f} to {high:.0f} %){tried}; {seconds}"


def _about(found: Trained, images: Support, made: Adapted, how: str) -> dict[str, Any]:
    """model.json: everything that is needed to use the weights, and how they came about."""
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
