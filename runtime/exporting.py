"""What a run found, or a model, as files that need no atnas: PyTorch source with its weights, torch.export, ONNX.

Nothing is handed on that was not run: its outputs are those of the supernet, or of the model.
"""

from __future__ import annotations

import json
import runpy
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import torch
from torch import Tensor, fx, nn

from atnas.compiler.elastic import shapes
from atnas.compiler.encoding import Genotype
from atnas.compiler.export.graphs import onnx, pt2, run_onnx, run_pt2, signature
from atnas.compiler.export.source import written
from atnas.compiler.extract import extract
from atnas.compiler.space import Compiled
from atnas.compiler.supernet import Supernet, Weights, unfilled
from atnas.dsl.cases import at
from atnas.dsl.errors import Unable
from atnas.dsl.net import Json, Net
from atnas.dsl.operator import Shape
from atnas.runtime.files import write
from atnas.runtime.model import Classifier
from atnas.runtime.trained import Trained

Format = Literal["py", "onnx", "pt2"]

WEIGHTS = ".safetensors"

SIZES = (1, 4)
"""Batches that are compared."""

TOLERANCE = 1e-5
"""How far outputs in single precision may be apart, as a part of the largest where that is over 1."""

ROUNDINGS = 10
"""Or so many times what the supernet's own are off by: a norm by few numbers makes much of their last digits."""


class Different(Exception):
    """A fault of ours: what was to be written computes something else than the supernet."""


@dataclass(frozen=True)
class Exported:
    """The files by their suffixes, the parameters in them, and how far outputs are from the supernet's at most."""

    files: dict[str, bytes]
    params: int
    error: float


Function = Callable[[Tensor], Tensor]
"""What files compute."""


@dataclass(frozen=True)
class Subject:
    """What is exported: an architecture with its numbers.

    `told` is what the source says of its weights, `described` what stands in the metadata of graphs; `outputs` is what
    files are compared with, `exact` the same in double precision.
    """

    space: Compiled
    genotype: Genotype
    module: nn.Module
    state: Weights
    told: str
    described: Mapping[str, Any]
    outputs: Function
    exact: Function

    @property
    def net(self) -> Net:
        return self.space.net


def of_run(run: Trained, genotype: Genotype) -> Subject:
    """An architecture of a run, with the weights that it learned."""
    module, state = run.supernet.plain(genotype)
    statistics: Literal["running", "batch"] = "running" if _is_tracked(state) else "batch"
    learner = run.plan.train.learner
    head = "" if learner.learns_head else " Its last layer is made for each task: these numbers are nobody's."
    norms = " Batch norms normalise by the running averages of training." if _is_tracked(state) else ""
    told = f"those that {type(learner).__name__} learned over many tasks, to be adapted to one.{head}{norms}"
    described = {"space": run.space.net.name, "architecture": run.space.encoding.decode(genotype)}

    def outputs(x: Tensor) -> Tensor:
        return _outputs(run.supernet, genotype, x, statistics)

    def exact(x: Tensor) -> Tensor:
        return _outputs(deepcopy(run.supernet).double(), genotype, x, statistics)

    return Subject(run.space, genotype, module, state, told, described, outputs, exact)


def of_model(model: Classifier) -> Subject:
    """A model: a network that was adapted to a task."""
    labels = "\n".join(f"    {number} = {label}" for number, label in enumerate(model.labels))
    mean, std = (", ".join(f"{number:.6g}" for number in numbers) for numbers in (model.mean, model.std))
    told = (
        f"adapted to a task. The outputs are logits of\n\n{labels}\n\nImages are cut to the square in the middle, "
        f"resized, numbers from 0 to 1, less ({mean}), over ({std})."
    )
    described = {
        "space": model.space.net.name,
        "architecture": model.about["architecture"],
        "labels": list(model.labels),
        "images": model.about["images"],
    }
    module = unfilled(model.space.net, model.genotype, running=True)

    @torch.no_grad()
    def outputs(x: Tensor) -> Tensor:
        found: Tensor = model.network(x)
        return found

    @torch.no_grad()
    def exact(x: Tensor) -> Tensor:
        found: Tensor = deepcopy(model.network).double()(x)
        return found

    return Subject(model.space, model.genotype, module, dict(model.state), told, described, outputs, exact)


def export(subject: Subject, to: Format) -> Exported:
    """The files of one architecture, run and compared.

    Raises `Unable` where it has no such form, `Different` where it came out wrong.
    """
    made = _source(subject) if to == "py" else _graph(subject, _traced(subject.module, subject.state), to)
    files, function = made
    return Exported(files, subject.space.costs.of(subject.genotype)["params"], _compared(subject, function))


def written_to(subject: Subject, to: Format, target: Path) -> tuple[list[Path], Exported]:
    """Exports into a file; the weights of source lie beside it. Raises as `export` does."""
    if to == "py" and target.suffix != ".py":
        raise Unable(f"{target} is no name for Python source: let it end in .py")
    made = export(subject, to)
    paths = []
    for suffix, file in sorted(made.files.items(), reverse=True):  # the weights first: the source takes them
        paths.append(target.with_suffix(suffix) if to == "py" else target)
        write(paths[-1], file)
    return paths, made


def about(subject: Subject) -> str:
    """What the source says of itself: the architecture, its input and output, where its weights come from."""
    ((_, last),) = subject.net.outputs
    start, end = signature(subject.net), at(shapes(subject.net, last), subject.genotype)
    taken = subject.space.encoding.decode(subject.genotype)
    listed = "\n".join(f"    {name} = {_word(value)}" for name, value in taken.items())
    return "\n\n".join(
        (
            f"An architecture of the space `{subject.net.name}`{':' if listed else '.'}",
            *([listed] if listed else []),
            f"It takes `{start.input}` {_batched(start.shape)} and gives `{start.output}` {_batched(end)}. `load()` "
            f"makes it with its weights, which lie beside this file: {subject.told}",
        )
    )


# Forms


def _source(subject: Subject) -> tuple[dict[str, bytes], Function]:
    from safetensors.torch import save

    source = written(subject.net, subject.genotype, subject.state, about(subject))
    files = {".py": source.text.encode(), WEIGHTS: save(dict(source.weights))}
    with TemporaryDirectory() as folder:
        for suffix, file in files.items():
            (Path(folder) / f"network{suffix}").write_bytes(file)
        network: Function = runpy.run_path(str(Path(folder) / "network.py"))["load"]()
    return files, network


def _traced(module: nn.Module, state: Weights) -> fx.GraphModule:
    try:
        return extract(module, state)
    except fx.proxy.TraceError as error:
        raise Unable(f"a layer decides by its tensors, which no graph can; export to py ({error})") from error


def _graph(subject: Subject, graph: fx.GraphModule, to: Format) -> tuple[dict[str, bytes], Function]:
    described = json.dumps(subject.described)
    if to == "pt2":
        file = pt2(graph, signature(subject.net), described)
        return {".pt2": file}, run_pt2(file)
    file = onnx(graph, signature(subject.net), described)
    return {".onnx": file}, run_onnx(file)


def _is_tracked(state: Weights) -> bool:
    """Whether there are running averages to normalise by."""
    return any(name.endswith("running_mean") for name in state)


def _compared(subject: Subject, function: Function) -> float:
    """How far outputs are from the subject's own at most. Raises `Different` where that is too far."""
    generator = torch.Generator().manual_seed(0)
    errors = []
    for size in SIZES:
        x = torch.randn(size, *signature(subject.net).shape, generator=generator)
        try:
            wanted = subject.outputs(x)
        except ValueError:  # of one vector there is no variance to normalise by
            continue
        with torch.no_grad():
            errors.append(_apart(function(x), wanted))
        near = errors[-1] <= TOLERANCE or errors[-1] <= ROUNDINGS * _apart(wanted, subject.exact(x.double()))
        if not near:
            raise Different(f"outputs for a batch of {size} are {errors[-1]} apart")
    return max(errors)


def _outputs(supernet: Supernet, genotype: Genotype, x: Tensor, statistics: Literal["running", "batch"]) -> Tensor:
    path = supernet.path(genotype)
    with torch.no_grad():
        return path(path.weights(), x, statistics)


def _apart(one: Tensor, other: Tensor) -> float:
    """The largest difference, as a part of the largest number where that is over 1."""
    return float((one - other).abs().max()) / max(1.0, float(other.abs().max()))


# Words


def _word(value: Json) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _batched(shape: Shape) -> str:
    return f"[{', '.join(('N', *map(str, shape)))}]"
