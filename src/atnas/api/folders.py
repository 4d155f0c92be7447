"""Runs and models, which are folders."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from atnas.dsl.errors import Unable
from atnas.runtime.summary import Summary
from atnas.runtime.watch import Silent

if TYPE_CHECKING:
    from torch import nn

    from atnas.runtime.model import Prediction
    from atnas.runtime.search.searcher import Trial

Location = str | Path


class Run:
    """The folder of a run, finished or not."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def summary(self) -> Summary:
        """What it is and how far it has come."""
        from atnas.runtime.summary import summary

        return summary(self.folder)

    @property
    def result(self) -> Mapping[str, Any]:
        """What it found: result.json. Raises `Unable` where it is not finished."""
        summary = self.summary
        if summary.result is None:
            why = summary.trouble or f"it is {summary.state} at meta step {summary.step:,}"
            raise Unable(f"{self.folder} has no result: {why}")
        return summary.result

    @property
    def architecture(self) -> Mapping[str, Any]:
        """The architecture that it found. Raises `Unable` where it is not finished."""
        found: Mapping[str, Any] = self.result["architecture"]
        return found

    @property
    def trials(self) -> list[Trial]:
        """Every architecture that the search evaluated, in order. Raises `Unable` where they are damaged."""
        from atnas.runtime.folder import RunFolder

        return RunFolder(self.folder).read_trials()

    def report(self, out: Location | None = None) -> Path:
        """Writes one page of what was found and how, report.html in its folder if `out` is not given."""
        from atnas.runtime.files import write
        from atnas.runtime.report.material import material
        from atnas.runtime.report.page import report

        target = Path(out) if out is not None else self.folder / "report.html"
        write(target, report([material(self.folder)]).encode())
        return target

    def adapt(
        self, support: Location, *, search: bool = False, out: Location | None = None, skip_bad: bool = False
    ) -> Model:
        """Adapts what was found to FOLDER/<class>/<image>; the model lies in `out`, or in RUN/adapted/FOLDER.

        `search` looks for an architecture for these images, too; `skip_bad` leaves out images that cannot be read.
        """
        from atnas.runtime.making import make_model

        silent = Silent().note
        target = Path(out) if out is not None else None
        return Model(make_model(self.folder, Path(support), target, search, silent, silent if skip_bad else None))

    def export(self, to: Literal["py", "onnx", "pt2"], out: Location, *, arch: str = "best") -> list[Path]:
        """Writes an architecture with the weights that it inherited, as files that need no atnas."""
        from atnas.runtime.exporting import of_run, written_to
        from atnas.runtime.trained import architecture, trained

        found = trained(self.folder)
        return written_to(of_run(found, architecture(found, arch)), to, Path(out))[0]

    def _repr_html_(self) -> str:
        from atnas.runtime.report.material import material
        from atnas.runtime.report.page import short

        return short(material(self.folder))

    def __repr__(self) -> str:
        return f"<run {self.folder}: {self.summary.state}>"


class Model:
    """A network adapted to a task, in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        from atnas.runtime.model import open_model

        self.folder = folder
        self._classifier = open_model(folder)

    @property
    def labels(self) -> tuple[str, ...]:
        """The classes that it tells apart."""
        return self._classifier.labels

    @property
    def network(self) -> nn.Module:
        """The plain PyTorch module, in evaluation mode: scaled images [N, C, H, H] to logits [N, outputs]."""
        return self._classifier.network

    def predict(self, images: Location | Iterable[Location], *, skip_bad: bool = False) -> list[Prediction]:
        """What images in files show, in order. Raises `Unable` where one cannot be read, unless it is to be skipped."""
        given: Sequence[Location] = [images] if isinstance(images, str | Path) else list(images)
        return self._classifier.predict(map(Path, given), Silent().note if skip_bad else None)

    def export(self, to: Literal["py", "onnx", "pt2"], out: Location) -> list[Path]:
        """Writes it as files that need no atnas, with its labels and how images are made ready."""
        from atnas.runtime.exporting import of_model, written_to

        return written_to(of_model(self._classifier), to, Path(out))[0]

    def _repr_markdown_(self) -> str:
        return (self.folder / "README.md").read_text()

    def __repr__(self) -> str:
        return f"<model {self.folder}: {', '.join(self.labels)}>"
