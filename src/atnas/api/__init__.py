"""The Python API: everything that the command line does, for scripts and notebooks.

    import atnas

    program = atnas.load("net.atnas")
    space = program.space("net")
    space.count, space.sample(3, seed=1)

    run = atnas.run("net.atnas", out="runs/net", settings={"train.iterations": 500})
    run.result["score"], run.architecture
    model = run.adapt("photos")
    model.predict("photo.jpg")

A mistake in a file raises `Findings`, whose text shows every one with its cure; what the environment refuses raises
`Unable`, one sentence. Spaces, architectures, runs and models show themselves in a notebook.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from atnas.api.folders import Location, Model, Run
from atnas.api.spaces import Architecture, Program, Space
from atnas.dsl.errors import Findings, Unable
from atnas.dsl.findings.diagnostics import Diagnostic
from atnas.runtime.device import Device
from atnas.runtime.summary import Summary
from atnas.runtime.watch import Silent

__all__ = [
    "Architecture",
    "Diagnostic",
    "Findings",
    "Model",
    "Program",
    "Run",
    "Space",
    "Summary",
    "Unable",
    "check",
    "compile",
    "load",
    "open_model",
    "open_run",
    "run",
    "runs",
]


def check(*paths: Location) -> list[Diagnostic]:
    """All findings of files and folders; none where all is well. Nothing is imported or run.

    Raises `Unable` where one cannot be read.
    """
    from atnas.runtime.checks import check_all
    from atnas.runtime.sources import sources

    found = sources([str(path) for path in paths])
    checked = check_all(found.sources)
    for error in (*found.unread, *checked.unable):
        raise error
    return list(checked.findings)


def load(path: Location) -> Program:
    """The program in a file. Raises `Findings` where it has errors, `Unable` where it cannot be read."""
    from atnas.runtime.checking import read_program
    from atnas.runtime.project import inside
    from atnas.runtime.sources import read_text, source

    read = read_program(source(str(path)), inside(str(path), read_text))
    if not read.good:
        raise Findings(read.findings)
    return Program(Path(path), read)


def compile(
    path: Location,
    experiment: str | None = None,
    *,
    settings: Mapping[str, object] | None = None,
    out: Location | None = None,
) -> Path:
    """Writes an experiment as one artifact, FILE.atnasc if `out` is not given; its bytes depend on the source alone.

    Raises `Findings` or `Unable`.
    """
    from atnas.runtime.artifact import SUFFIX
    from atnas.runtime.files import write

    found = _chosen(path, experiment, settings)
    target = Path(out) if out is not None else Path(path).with_suffix(SUFFIX)
    write(target, found.artifact.bytes)
    return target


def run(
    path: Location,
    experiment: str | None = None,
    *,
    out: Location | None = None,
    settings: Mapping[str, object] | None = None,
    device: Device = "auto",
    workers: int | None = None,
    fresh: bool = False,
    before: Location | None = None,
    progress: bool = True,
) -> Run:
    """Meta-trains, searches and judges an experiment, in the folder `out` or runs/EXPERIMENT.

    A run that was interrupted goes on; one that is finished is given as it is. `settings` replace those of the file:
    `{"train.iterations": 500}`; `workers` are processes that share the work, the cores if not given; `fresh` begins
    anew and moves aside what is there; `before` is a run whose weights to begin with; `progress` tells on standard
    error how it goes. Raises `Findings`, `Unable`, or KeyboardInterrupt after everything was saved.
    """
    from contextlib import nullcontext

    from atnas.cli.progress import watcher
    from atnas.cli.run import stoppable
    from atnas.runtime.launch import launch
    from atnas.runtime.watch import Interrupted

    found = _chosen(path, experiment, settings)
    root = Path(out) if out is not None else Path("runs") / found.plan.name
    with watcher() if progress else nullcontext(Silent()) as watching, stoppable() as stop:
        try:
            folder = launch(
                found,
                root,
                device=device,
                workers=workers,
                fresh=fresh,
                before=None if before is None else Path(before),
                watcher=watching,
                stopped=stop.is_set,
            )
        except Interrupted:
            raise KeyboardInterrupt(f"everything is saved in {root}; the same call goes on from here") from None
    return Run(folder.root)


def runs(folder: Location = "runs") -> list[Summary]:
    """The runs in a folder, in short. Raises `Unable` where it is none."""
    from atnas.runtime import summary

    return summary.runs(Path(folder))


def open_run(folder: Location) -> Run:
    """The run in a folder, finished or not. Raises `Unable` where there is none."""
    from atnas.runtime.folder import RunFolder

    if not RunFolder(Path(folder)).program.exists():
        raise Unable(f"{folder} holds no run; name the folder that `atnas run` wrote")
    return Run(Path(folder))


def open_model(folder: Location) -> Model:
    """The model in a folder. Raises `Unable` where there is none, or it is damaged. Nothing in it is executed."""
    return Model(Path(folder))


def _chosen(path: Location, experiment: str | None, settings: Mapping[str, object] | None) -> Any:
    from atnas.runtime.experiments import chosen

    return chosen(str(path), experiment, [f"{key}={_word(value)}" for key, value in (settings or {}).items()])


def _word(value: object) -> str:
    """A setting as the language writes it."""
    return str(value).lower() if isinstance(value, bool) else str(value)
