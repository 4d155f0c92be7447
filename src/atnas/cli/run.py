"""`atnas run`"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING

import click

from atnas import __version__
from atnas.cli.experiments import Chosen, Findings, chosen, resumed
from atnas.cli.progress import watcher
from atnas.cli.table import show
from atnas.dsl.errors import Unable
from atnas.runtime.device import Device, choose, keep_memory
from atnas.runtime.files import told
from atnas.runtime.folder import RunFolder
from atnas.runtime.lock import locked

if TYPE_CHECKING:
    import torch

    from atnas.runtime.memory import Memory
    from atnas.runtime.run import Run

ONE = 0.5
"""Seconds within which two signals are one."""


@click.command()
@click.argument("file")
@click.option("--experiment", help="Which experiment, if the file has several.")
@click.option("--out", type=click.Path(file_okay=False), help="The run's folder; runs/EXPERIMENT if not given.")
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="Replace a setting: train.iterations=500")
@click.option("--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", show_default=True)
@click.option("--workers", type=click.IntRange(1, 256), help="Processes that share the work; the cores if not given.")
@click.option("--fresh", is_flag=True, help="Start anew; what the folder holds is moved aside.")
@click.option("--from", "before", type=click.Path(file_okay=False), help="A run whose weights to begin with.")
def command(
    file: str,
    experiment: str | None,
    out: str | None,
    settings: tuple[str, ...],
    device: Device,
    workers: int | None,
    fresh: bool,
    before: str | None,
) -> int:
    """Meta-train a space over tasks, search it, and judge what was found on classes never seen.

    FILE is a source or an artifact. A run that was interrupted goes on where it stopped, as long as FILE means the
    same: names, comments and the order of declarations may change.
    """
    try:
        found = chosen(file, experiment, settings)
    except Findings:
        return 1
    folder = RunFolder(Path(out) if out else Path("runs") / found.plan.name)
    goes_on = not fresh and folder.program.exists()
    if goes_on:
        found = resumed(found, folder)
        if before is not None:
            _began_with(Path(before), folder)
    if goes_on and folder.holds(found.artifact.bytes) and folder.result.exists():
        show(folder.read(folder.result.name))
        click.echo(f"{folder.root} is finished; --fresh starts anew", err=True)
        return 0
    from atnas.runtime.heritage import heritage

    keep_memory()
    where = choose(device)
    found.plan.tasks.open()
    inherited = None if before is None or goes_on else heritage(RunFolder(Path(before)), found.plan)
    if fresh:
        folder.set_aside()
    with told(folder.root):
        folder.root.mkdir(parents=True, exist_ok=True)
    with locked(folder.root):
        about = _about(found, str(where))
        folder.begin(found.artifact.bytes, about if inherited is None else about | inherited.about)
        if inherited is not None:
            inherited.leave(folder)
        return _run(found, folder, where, workers)


def _began_with(before: Path, folder: RunFolder) -> None:
    """Raises `Unable` where a run that goes on did not begin with the weights of another one."""
    origin = folder.read("run.json").get("inherited", {}).get("from")
    if origin is None or Path(origin).resolve() != before.resolve():
        began = "without the weights of another" if origin is None else f"with the weights of {origin}"
        raise Unable(f"the run in {folder.root} began {began}; --out NEW or --fresh begins one with those of {before}")


def _run(found: Chosen, folder: RunFolder, device: torch.device, workers: int | None) -> int:
    from atnas.runtime.answer import answer
    from atnas.runtime.run import Interrupted, Run

    with watcher() as watching, stoppable() as stop:
        run = Run(found.plan, found.artifact, folder, device, workers, watching, stop.is_set)
        try:
            watching.note(_opening(run))
            architecture = run.train_and_search()
            folder.note_plain("best.json", run.space.encoding.decode(architecture))
            answered = answer(run, architecture)
            folder.note("test.json", answered.tests)
            folder.note("result.json", answered.result)
        except Interrupted:
            watching.note(f"stopped; everything is saved in {folder.root}, and the same command goes on from here")
            return 130
        finally:
            run.close()
    show(folder.read(folder.result.name))
    click.echo(f"{folder.root} holds the run", err=True)
    return 0


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


def _about(found: Chosen, device: str) -> dict[str, object]:
    import platform

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


@contextmanager
def stoppable() -> Iterator[threading.Event]:
    """The first Ctrl-C asks the run to stop after its step; the second ends it at once.

    What stops a process often sends its signal twice, to the process and to its group: these are one.
    """
    stop = threading.Event()
    asked = -inf

    def ask(number: int, frame: object) -> None:
        nonlocal asked
        del number, frame
        if stop.is_set():
            if time.monotonic() - asked < ONE:
                return
            raise KeyboardInterrupt
        asked = time.monotonic()
        stop.set()
        # Not through sys.stderr: the signal may have come in the middle of a line that is being written there.
        os.write(2, b"stopping after this step; once more ends at once\n")

    before = {s: signal.signal(s, ask) for s in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
