"""`atnas latency`"""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

import click

from atnas.cli.check import report
from atnas.cli.progress import watcher
from atnas.dsl.devices import devices
from atnas.dsl.errors import Unable
from atnas.dsl.latency import TABLE, UNIT, VERSION
from atnas.dsl.modules import Reader
from atnas.dsl.net import Net
from atnas.dsl.source import Source
from atnas.dsl.syntax.parse import parse
from atnas.runtime.checking import read_program
from atnas.runtime.experiments import pick
from atnas.runtime.program import Program
from atnas.runtime.project import inside
from atnas.runtime.sources import read_text, source
from atnas.runtime.spaces import none_stands, of_program
from atnas.runtime.watch import Progress, Watcher

if TYPE_CHECKING:
    from atnas.compiler.configuration import Configuration
    from atnas.runtime.latency_table import LatencyTable
    from atnas.runtime.timing import Stopwatch

EMPTY: Final = f'{{"version": {VERSION}, "device": "", "how": "", "unit": "{UNIT}", "layers": []}}'
"""A table without layers."""

KEPT: Final = 10.0
"""Seconds of measuring that may be lost where the process is killed."""


@click.command()
@click.argument("file")
@click.option("--device", required=True, metavar="NAME", help="What `latency(NAME)` calls the device.")
@click.option("--space", help="Only this space, with its defaults.")
@click.option("--experiment", help="Only the space of this experiment.")
@click.option("--on", type=click.Choice(["cpu", "cuda"]), default="cpu", show_default=True, help="Where layers run.")
@click.option("--batch", type=click.IntRange(min=1), default=1, show_default=True, help="Examples at once.")
@click.option("--repeats", type=click.IntRange(min=1), default=20, show_default=True, help="Runs of a layer, at least.")
@click.option(
    "--seconds",
    type=click.FloatRange(min=0, max=3600),
    default=0.05,
    show_default=True,
    help="Time for a layer; quick ones run more often.",
)
@click.option("--from", "networks", metavar="FILE", help="Fit layers to whole networks that were measured elsewhere.")
@click.option(
    "-o", "output", type=click.Path(dir_okay=False), help="The table; NAME.latency.json beside FILE if not given."
)
def command(
    file: str,
    device: str,
    space: str | None,
    experiment: str | None,
    on: Literal["cpu", "cuda"],
    batch: int,
    repeats: int,
    seconds: float,
    networks: str | None,
    output: str | None,
) -> int:
    """Measure every layer that a space can have, on this machine, for `latency(NAME)` in constraints and goals.

    Takes the spaces of the experiments in FILE; where there is none, its spaces with their defaults. What the table
    holds already is kept, so that an interrupted command goes on where it stopped.
    """
    if not _is_device(device):
        raise Unable(f"--device {device}: a device is one word, as in latency(phone)")
    if file == "-" and output is None:
        raise Unable("standard input has no folder for the table: name the file with -o")
    program = read_program(source(file), _without_tables(inside(file, read_text)))
    if not program.good:
        return report(program.findings)
    nets = _nets(file, program, space, experiment)
    path = Path(output) if output else Path(file).parent / f"{device}{TABLE}"
    if networks is not None:
        _fit(nets, path, device, networks)
    else:
        _measure(nets, path, device, _stopwatch(on, batch, repeats, seconds))
    return 0


def _nets(file: str, program: Program, space: str | None, experiment: str | None) -> list[Net]:
    """The spaces that were asked for. Raises `Unable` where there are none."""
    if experiment is not None:
        return [pick(program, experiment, file).net]
    if space is not None:
        return list(of_program(program, file, space).nets.values())
    nets = [plan.net for plan in program.plans.values()] or list(of_program(program, file).nets.values())
    if not nets:
        raise none_stands(file)
    return nets


# On this machine


def _measure(nets: list[Net], path: Path, device: str, stopwatch: Stopwatch) -> None:
    """Adds to a table what it lacks of the layers of some spaces."""
    table = _table(path, device, stopwatch.about, stopwatch.how)
    layers = _layers(nets)
    missing = [configuration for configuration in layers if configuration not in table]
    unsteady = 0
    if missing:
        try:
            with watcher() as watching:
                unsteady = _add(missing, table, stopwatch, watching)
        finally:
            table.save()
    kept = f", {len(layers) - len(missing):,} were there" if len(missing) < len(layers) else ""
    click.echo(f"{path}: {_counted(len(missing))} measured{kept}", err=True)
    if unsteady:
        cure = "what else does this machine do? Remove the table to measure again"
        click.echo(f"{_counted(unsteady)} took at times twice as long as at others: {cure}", err=True)


def _add(missing: list[Configuration], table: LatencyTable, stopwatch: Stopwatch, watching: Watcher) -> int:
    """Measures layers, and says how many of them took now more and now less."""
    saved, unsteady = time.monotonic(), 0
    for i, configuration in enumerate(missing, start=1):
        timing = stopwatch.layer(configuration)
        table.add(configuration, timing.seconds, timing.spread)
        unsteady += not timing.is_steady
        watching.progress(Progress("layers", i, len(missing)))
        if time.monotonic() - saved > KEPT:
            table.save()
            saved = time.monotonic()
    return unsteady


def _layers(nets: list[Net]) -> list[Configuration]:
    """Every layer that the spaces can have, each once."""
    from atnas.compiler.latencies import distinct, layers
    from atnas.compiler.space import lowered

    return list(dict.fromkeys(found for net in nets for found in distinct(layers(lowered(net)))))


def _table(path: Path, device: str, about: str, how: str) -> LatencyTable:
    from atnas.runtime.latency_table import LatencyTable

    return LatencyTable(path, device, read_text(str(path)) if path.exists() else None, about, how)


def _stopwatch(on: Literal["cpu", "cuda"], batch: int, repeats: int, seconds: float) -> Stopwatch:
    import torch

    from atnas.runtime.timing import Stopwatch

    if on == "cuda" and not torch.cuda.is_available():
        raise Unable("PyTorch finds no CUDA device: measure --on cpu, or install PyTorch for your GPU")
    return Stopwatch(torch.device(on), batch, repeats, seconds)


# From whole networks


def _fit(nets: list[Net], path: Path, device: str, networks: str) -> None:
    """Writes a table whose sums come nearest to networks that were measured."""
    from atnas.compiler.latencies import distinct, layers
    from atnas.compiler.space import compile
    from atnas.runtime.fitting import fitted, read_networks

    if len(nets) > 1:
        raise Unable("networks of one space can be fitted: choose it with --space or --experiment")
    if path.exists():
        raise Unable(f"{path} is there already: remove it, or choose another name with --device")
    space = compile(replace(nets[0], tables=()))
    measured = read_networks(read_text(networks), space.encoding, networks)
    how = f"least squares over {len(measured):,} whole networks of `{space.net.name}`"
    table = _table(path, device, device, how)
    found = fitted(space.graph, measured)
    for configuration, seconds in found.items():
        table.add(configuration, seconds)
    table.save()
    click.echo(f"{path}: {_counted(len(found))} fitted to {len(measured):,} networks", err=True)
    unseen = len(distinct(layers(space.graph))) - len(found)
    if unseen:
        click.echo(f"{_counted(unseen)} of the space are in none of them: measure networks that have them", err=True)


def _counted(layers: int) -> str:
    return f"{layers:,} layer{'s' * (layers != 1)}"


def _is_device(word: str) -> bool:
    """Whether a word can stand in `latency(..)`."""
    program, _ = parse(Source("--device", f"search s {{ minimize latency({word}) }}"))
    return [name.id for name in devices(program)] == [word]


def _without_tables(read: Reader) -> Reader:
    """`read`, for which the tables that a program names are empty: they are yet to be measured."""
    return lambda path: EMPTY if path.endswith(TABLE) else read(path)
