"""A run as a folder of readable files. Nothing in it is ever half written: a file is whole or it is not there.

`program.atnasc` what was run; `run.json` versions, seed, device; `metrics.jsonl` and `trials.jsonl`, a line an event;
`checkpoints/` safetensors; `best.json` the found architecture; `result.json` the answer.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from atnas.dsl.errors import Unable

if TYPE_CHECKING:
    from torch import Tensor

KEPT = 2
"""Checkpoints that are kept, so that a damaged one has another before it."""

Json = Any


@dataclass(frozen=True)
class RunFolder:
    """The files of one run below `root`."""

    root: Path

    @property
    def program(self) -> Path:
        return self.root / "program.atnasc"

    @property
    def trials(self) -> Path:
        return self.root / "trials.jsonl"

    @property
    def metrics(self) -> Path:
        return self.root / "metrics.jsonl"

    @property
    def result(self) -> Path:
        return self.root / "result.json"

    def begin(self, program: bytes, about: Mapping[str, Json]) -> None:
        """Makes the folder; `about` becomes run.json."""
        with told(self.root):
            (self.root / "checkpoints").mkdir(parents=True, exist_ok=True)
        write(self.program, program)
        self.note("run.json", about)

    def set_aside(self) -> None:
        """Moves what is there to `<name>.old`, `<name>.old2`, ..: nothing is ever deleted."""
        if not self.root.exists():
            return
        names = (f"{self.root.name}.old{n or ''}" for n in (0, *range(2, 1_000_000)))
        target = next(t for n in names if not (t := self.root.with_name(n)).exists())
        with told(self.root):
            self.root.rename(target)

    def note(self, name: str, content: Mapping[str, Json]) -> None:
        """Writes a small JSON file whole."""
        write(self.root / name, (json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode())

    def append(self, file: Path, event: Mapping[str, Json]) -> None:
        """Adds one event to a file of them."""
        self.append_line(file, json.dumps(event, ensure_ascii=False))

    def append_line(self, file: Path, line: str) -> None:
        """Adds one line, on the disk when this returns. What is left of a line that was cut short goes first."""
        with told(file), file.open("ab+") as out:
            _cut(out)
            out.write(line.encode() + b"\n")
            out.flush()
            os.fsync(out.fileno())

    def events(self, file: Path) -> list[dict[str, Json]]:
        """The lines of a file of events; one that was cut short is left out."""
        if not file.exists():
            return []
        found: list[dict[str, Json]] = []
        for line in file.read_bytes().split(b"\n"):
            try:
                event = json.loads(line)
            except ValueError:
                continue
            if isinstance(event, dict):
                found.append(event)
        return found

    # Checkpoints

    def save(self, name: str, tensors: Mapping[str, Tensor], about: Mapping[str, Json]) -> None:
        """Writes `checkpoints/<name>.safetensors` with `about` in its header."""
        from safetensors.torch import save

        whole = {k: v.detach().contiguous() for k, v in tensors.items()}
        write(self.root / "checkpoints" / f"{name}.safetensors", save(whole, {"atnas": json.dumps(about)}))

    def save_step(self, step: int, tensors: Mapping[str, Tensor], about: Mapping[str, Json]) -> None:
        """Writes the state after a step, and drops those that are no longer wanted."""
        self.save(f"step-{step:08d}", tensors, about)
        for old in self._steps()[KEPT:]:
            old.unlink(missing_ok=True)

    def load(self, name: str) -> tuple[dict[str, Tensor], dict[str, Json]]:
        """Reads `checkpoints/<name>.safetensors`. Raises `Unable` where it is missing or damaged."""
        return _load(self.root / "checkpoints" / f"{name}.safetensors")

    def latest(self) -> tuple[dict[str, Tensor], dict[str, Json], list[str]] | None:
        """The newest checkpoint that is whole, and a sentence for each that is not; None where there is none."""
        damaged: list[str] = []
        for path in self._steps():
            try:
                tensors, about = _load(path)
            except Unable as error:
                damaged.append(str(error))
            else:
                return tensors, about, damaged
        if damaged:
            raise Unable(f"{' '.join(damaged)} No other checkpoint is left; start anew with --fresh")
        return None

    def _steps(self) -> list[Path]:
        return sorted((self.root / "checkpoints").glob("step-*.safetensors"), reverse=True)


def _cut(file: BinaryIO) -> None:
    """Drops what stands after the last line end, and goes to the end."""
    end = file.seek(0, os.SEEK_END)
    if end == 0:
        return
    file.seek(end - 1)
    if file.read(1) != b"\n":
        file.seek(0)
        file.truncate(file.read().rfind(b"\n") + 1)
        file.seek(0, os.SEEK_END)


def _load(path: Path) -> tuple[dict[str, Tensor], dict[str, Json]]:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            about = json.loads((file.metadata() or {})["atnas"])
            return {name: file.get_tensor(name) for name in file.keys()}, about  # noqa: SIM118
    except FileNotFoundError:
        raise Unable(f"{path} is not there.") from None
    except (SafetensorError, OSError, KeyError, ValueError) as error:
        raise Unable(f"{path} is damaged ({type(error).__name__}).") from error


def write(path: Path, content: bytes) -> None:
    """Replaces a file: to a temporary name, to the disk, then renamed. What was there stays until then."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with told(path):
        try:
            with temporary.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise


@contextmanager
def told(path: Path) -> Iterator[None]:
    """Turns what the disk says into one sentence."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise Unable(f"{path} could not be written: {reason}; what was saved before is whole") from error
