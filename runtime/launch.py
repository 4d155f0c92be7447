"""A run from its first line to its answer, or from where it was left."""

from __future__ import annotations

import platform
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from atnas import __version__
from atnas.dsl.errors import Unable
from atnas.runtime.device import Device, choose, keep_memory
from atnas.runtime.experiments import Chosen, resumed
from atnas.runtime.files import told
from atnas.runtime.folder import ABOUT, RunFolder
from atnas.runtime.lock import locked
from atnas.runtime.watch import Watcher

if TYPE_CHECKING:
    import torch

    from atnas.runtime.memory import Memory
    from atnas.runtime.run import Run


def launch(
    found: Chosen,
    root: Path,
    *,
    device: Device = "auto",
    workers: int | None = None,
    fresh: bool = False,
    before: Path | None = None,
    watcher: Watcher,
    stopped: Callable[[], bool] = lambda: False,
) -> RunFolder:
    """Runs an experiment in a folder, and goes on there with one that was interrupted; its result is in the folder.

    A run that is finished stays as it is. `fresh` begins anew and moves aside what is there; `before` is a run whose
    weights to begin with. `watcher` is told of every step, `stopped` asked after each. Raises `Interrupted` where that
    says so, with everything saved; `Unable` where it cannot be done.
    """
    folder = RunFolder(root)
    goes_on = not fresh and folder.program.exists()
    if goes_on:
        found = resumed(found, folder, watcher.note)
        if before is not None:
            _began_with(before, folder)
    if goes_on and folder.holds(found.artifact.bytes) and folder.result.exists():
        folder.read(folder.result.name)  # that it is whole
        watcher.note(f"{folder.root} is finished; --fresh starts anew")
        return folder
    from atnas.runtime.heritage import heritage

    keep_memory()
    where = choose(device)
    found.plan.tasks.open()
    inherited = None if before is None or goes_on else heritage(RunFolder(before), found.plan)
    if fresh:
        folder.set_aside()
    with told(folder.root):
        folder.root.mkdir(parents=True, exist_ok=True)
    with locked(folder.root):
        about = _about(found, str(where))
        folder.begin(found.artifact.bytes, about if inherited is None else about | inherited.about)
        if inherited is not None:
            inherited.leave(folder)
        _run(found, folder, where, workers, watcher, stopped)
    watcher.note(f"{folder.root} holds the run")
    return folder


def _began_with(before: Path, folder: RunFolder) -> None:
    """Raises `Unable` where a run that goes on did not begin with the weights of another one."""
    origin = (folder.read(ABOUT).get("inherited") or {}).get("from")
    if origin is None or Path(origin).resolve() != before.resolve():
        began = "without the weights of another" if origin is None else f"with the weights of {origin}"
        raise Unable(f"the run in {folder.root} began {began}; --out NEW or --fresh begins one with those of {before}")


def _run(
    found: Chosen,
    folder: RunFolder,
    device: torch.device,
    workers: int | None,
    watcher: Watcher,
    stopped: Callable[[], bool],
) -> None:
    from atnas.runtime.answer import answer
    from atnas.runtime.run import Run

    run = Run(found.plan, found.artifact, folder, device, workers, watcher, stopped)
    try:
        watcher.note(_opening(run))
        architecture = run.train_and_search()
        folder.note_plain("best.json", run.space.encoding.decode(architecture))
        answered = answer(run, architecture)
        folder.note("test.json", answered.tests)
        folder.note(folder.result.name, answered.result)
    finally:
        run.close()


def _opening(run: Run) -> str:
    """What is about to be run, in one line."""
    low, high = (run.space.costs.extreme("params", largest=largest)[0] for largest in (False, True))
    count = run.space.encoding.count()
    space = f"{count:,} architectures" if count > 1 else "one architecture"
    params = f"{low:,} to {high:,}" if low < high else f"{high:,}"
    memory = needs(run.memory) if run.memory else ""
    return f"{run.plan.name}: {space} of {params} params, seed {run.seed}, {run.device}{memory}, in {run.folder.root}"


def needs(memory: Memory) -> str:
    """The memory that a run takes at least, and a warning where the machine has less."""
    from atnas.runtime.memory import written

    all = written(memory.together(1))
    if memory.fits(1):
        return f", {all} of memory"
    cure = "narrower widths, fewer queries or a smaller batch take less"
    if memory.workers > 1:
        cure = f"--workers 1 takes {written(replace(memory, workers=1).together(1))}"
    return f", {all} of memory, WHICH IS MORE THAN IS FREE ({cure})"


def _about(found: Chosen, device: str) -> dict[str, Any]:
    import torch

    from atnas.runtime.meaning import digest

    return {
        "experiment": found.plan.name,
        "iterations": found.plan.train.iterations,
        "goals": {g.objective.name: g.direction for g in found.plan.search.goals} if found.plan.search else {},
        "digest": digest(found.plan),
        "seed": found.plan.settings.seed,
        "device": device,
        "atnas": __version__,
        "torch": torch.__version__,
        "python": platform.python_version(),
    }
