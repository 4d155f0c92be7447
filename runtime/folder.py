"""A run as a folder of readable files. Nothing in it is ever half written: a file is whole or it is not there.

`program.atnasc` what was run; `run.json` versions, seed, device; `metrics.jsonl` and `trials.jsonl`, a line an event;
`events.*` and `search/events.*` the same for TensorBoard; `checkpoints/` safetensors; `best.json` the found
architecture; `test.json` and `result.json` the answer. All but the events and `best.json`, which is nothing but an
architecture, carry checksums. A folder holds a run once `program.atnasc` is there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Final

from atnas import __version__
from atnas.dsl.errors import Unable
from atnas.runtime.artifact import Artifact, open_artifact
from atnas.runtime.files import LINES, TEMPORARY, append_line, content, told, within, write
from atnas.runtime.lock import NAME as LOCK
from atnas.runtime.lock import locked, sign
from atnas.runtime.records import Json, document_of, line_of, plain, record_of
from atnas.runtime.search.searcher import Trial, read_trials
from atnas.runtime.stored import DOCUMENTS, Checkpoint, checked
from atnas.runtime.tensors import load_tensors, save_tensors

if TYPE_CHECKING:
    from torch import Tensor

FORMAT: Final = 2
"""What kind of folder is written. Since 2 every line, document and checkpoint has a checksum; 1 is read, too."""

KEPT: Final = 3
"""Checkpoints that are kept, so that a damaged one has others before it."""

ABOUT: Final = "run.json"
PROGRAM: Final = "program.atnasc"


@dataclass(frozen=True)
class RunFolder:
    """The files of one run below `root`."""

    root: Path

    @property
    def program(self) -> Path:
        return self.root / PROGRAM

    @property
    def trials(self) -> Path:
        return self.root / "trials.jsonl"

    @property
    def metrics(self) -> Path:
        return self.root / "metrics.jsonl"

    @property
    def result(self) -> Path:
        return self.root / "result.json"

    @property
    def checkpoints(self) -> Path:
        return self.root / "checkpoints"

    @property
    def events_of_search(self) -> Path:
        """Where TensorBoard finds trials: they are counted, and steps of training are counted otherwise."""
        return self.root / "search"

    # The whole

    def artifact(self) -> Artifact:
        """The program of the run. Raises `Unable` where it is missing or damaged."""
        return open_artifact(content(self.program), str(self.program))

    def holds(self, program: bytes) -> bool:
        """Whether the run in here is one of this very program."""
        return self.program.exists() and content(self.program) == program

    def begin(self, program: bytes, about: Mapping[str, Json]) -> None:
        """Makes this the folder of a run; `about` becomes run.json. One that holds the same run stays as it is.

        Raises `Unable` where another run or anything else is in it.
        """
        self._contained()
        if self.holds(program):
            self._sweep()
            return sign(self.root)
        if self.program.exists():
            raise Unable(f"{self.root} holds another run; name another folder with --out, or start anew with --fresh")
        if self._foreign():
            raise Unable(f"{self.root} holds other files and no run; name another folder with --out")
        sign(self.root)
        with told(self.root):
            self.checkpoints.mkdir(parents=True, exist_ok=True)
        self.note(ABOUT, {"format": FORMAT, **about})
        return write(self.program, program)

    def set_aside(self) -> None:
        """Moves the run that is there to `<name>.old`, `<name>.old2`, ..: nothing is ever deleted."""
        if not self.program.exists():
            return
        root = self.root.resolve()
        names = (f"{root.name}.old{n or ''}" for n in (0, *range(2, 1_000_000)))
        target = next(t for n in names if not (t := root.with_name(n)).exists())
        with locked(self.root), told(root):
            root.rename(target)

    # Documents and events

    @property
    def sealed(self) -> bool:
        """Whether all in here has checksums. Raises `Unable` where a later atnas wrote it, or damage hides it."""
        path = self.root / ABOUT
        if not path.exists():
            return True
        try:
            about = record_of(content(path), sealed=False)
            format = about["format"]
        except (ValueError, KeyError) as error:
            raise Unable(f"{path} is damaged: what kind of folder this is cannot be told") from error
        if not isinstance(format, int) or format > FORMAT:
            raise Unable(f"{self.root} was written by a later atnas ({about.get('atnas')}); this is {__version__}")
        return format > 1

    def note(self, name: str, document: Mapping[str, Json]) -> None:
        """Writes a small JSON file whole."""
        write(self.root / name, document_of(document).encode())

    def note_plain(self, name: str, document: Mapping[str, Json]) -> None:
        """Writes a small JSON file whole that is to be nothing but the document."""
        write(self.root / name, plain(document).encode())

    def read(self, name: str) -> dict[str, Json]:
        """What `note` wrote. Raises `Unable` where it is damaged."""
        path = self.root / name
        try:
            found = record_of(content(path), self.sealed)
            if name in DOCUMENTS:
                checked(DOCUMENTS[name], found)
            return found
        except ValueError as error:
            raise Unable(f"{path} is damaged; move it away, and the same command makes it anew") from error

    def read_trials(self) -> list[Trial]:
        """The history of the search, in order. Raises `Unable` where it is damaged."""
        return read_trials(self.trials, self.sealed)

    def log(self, event: Mapping[str, Json]) -> None:
        """Adds one event to the metrics."""
        append_line(self.metrics, line_of(event))

    def rewind(self, step: int) -> int:
        """Drops the metrics of later steps, which a run that goes on from this one writes again, and damaged ones.

        Gives how many are damaged; a last line that was cut short is none.
        """
        if not self.metrics.exists():
            return 0
        lines, sealed = content(self.metrics, LINES).splitlines(keepends=True), self.sealed
        steps = [_step(line, sealed) for line in lines]
        kept = [line for line, at in zip(lines, steps, strict=True) if at <= step and line.endswith(b"\n")]
        if len(kept) < len(lines):
            write(self.metrics, b"".join(kept))
        return sum(at == inf and line.endswith(b"\n") for line, at in zip(lines, steps, strict=True))

    # Checkpoints

    def save(self, name: str, tensors: Mapping[str, Tensor], about: Mapping[str, Json]) -> None:
        """Writes `checkpoints/<name>.safetensors` with `about` in its header."""
        save_tensors(self._checkpoint(name), tensors, about)

    def save_step(self, step: int, tensors: Mapping[str, Tensor], about: Mapping[str, Json]) -> None:
        """Writes the state after a step, and drops those that are too old to be wanted."""
        name = f"step-{step:08d}"
        self.save(name, tensors, about)
        before = [path for path in self._steps() if path.stem < name]
        with told(self.checkpoints):
            for path in before[KEPT - 1 :]:
                path.unlink(missing_ok=True)

    def load(self, name: str) -> tuple[dict[str, Tensor], dict[str, Json]]:
        """Reads `checkpoints/<name>.safetensors`. Raises `Unable` where it is missing or damaged."""
        return load_tensors(self._checkpoint(name), self.sealed)

    def has(self, name: str) -> bool:
        """Whether there is a checkpoint of this name."""
        return self._checkpoint(name).exists()

    def latest(self, trials: int) -> tuple[dict[str, Tensor], dict[str, Json], list[str]] | None:
        """The newest checkpoint that is whole, and a sentence for each that is not; None where there is none.

        One that was written when there were more trials than are left is none to go on from, either. Raises `Unable`
        where there are some and none of them will do.
        """
        damaged: list[str] = []
        sealed = self.sealed
        for path in self._steps():
            try:
                tensors, about = load_tensors(path, sealed)
                checked(Checkpoint, about)
            except Unable as error:
                damaged.append(str(error))
            except ValueError:
                damaged.append(f"{path} is damaged")
            else:
                if about.get("trials", 0) <= trials:
                    return tensors, about, damaged
                damaged.append(f"{self.trials} is damaged: {path.name} knows of {about['trials']} trials, not {trials}")
        if damaged:
            raise Unable(f"{'; '.join(damaged)}; no checkpoint is left to go on from, so start anew with --fresh")
        return None

    def _checkpoint(self, name: str) -> Path:
        return self.checkpoints / f"{name}.safetensors"

    def _steps(self) -> list[Path]:
        return sorted(self.checkpoints.glob("step-*.safetensors"), reverse=True)

    # Order

    def _contained(self) -> None:
        """Raises `Unable` where what is written below would land elsewhere: a folder may come from a stranger."""
        for folder in (self.checkpoints, self.events_of_search):
            within(folder, self.root)

    def _foreign(self) -> bool:
        """Whether there is anything but what a beginning that was cut short leaves."""
        if not self.root.exists():
            return False
        with told(self.root):
            names = [path.name for path in self.root.iterdir()]
        return any(name not in (self.checkpoints.name, ABOUT, LOCK) and not name.endswith(TEMPORARY) for name in names)

    def _sweep(self) -> None:
        """Removes what a process that died left half written."""
        with told(self.root):
            for path in (*self.root.glob(f".*{TEMPORARY}"), *self.checkpoints.glob(f".*{TEMPORARY}")):
                path.unlink(missing_ok=True)


def _step(line: bytes, sealed: bool) -> float:
    """The step of an event; infinity where the line is none, so that it is dropped."""
    try:
        return int(record_of(line, sealed)["step"])
    except (ValueError, KeyError, TypeError):
        return inf
