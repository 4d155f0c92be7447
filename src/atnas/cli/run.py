"""`atnas run`"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from math import inf
from pathlib import Path

import click

from atnas.cli.progress import watcher
from atnas.cli.table import show
from atnas.runtime.device import Device
from atnas.runtime.experiments import chosen

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
    from atnas.runtime.launch import launch
    from atnas.runtime.watch import Interrupted

    found = chosen(file, experiment, settings)
    root = Path(out) if out else Path("runs") / found.plan.name
    with watcher() as watching, stoppable() as stop:
        try:
            folder = launch(
                found,
                root,
                device=device,
                workers=workers,
                fresh=fresh,
                before=Path(before) if before else None,
                watcher=watching,
                stopped=stop.is_set,
            )
        except Interrupted:
            watching.note(f"stopped; everything is saved in {root}, and the same command goes on from here")
            return 130
    result = folder.read(folder.result.name)
    show(result)
    if failed := result["search"]["failed"]:
        click.echo(f"{failed} of {result['search']['trials']} trials failed: `atnas reduce {root}` shows why", err=True)
    return 0


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
