"""What a run found as files that need no atnas: PyTorch source with its weights, torch.export, ONNX.

Nothing is handed on that was not run: its outputs are those of the supernet.
"""

from __future__ import annotations

import json
import runpy
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import torch
from torch import Tensor, fx, nn

from atnas.compiler.elastic import shapes
from atnas.compiler.encoding import Genotype
from atnas.compiler.export.graphs import onnx, pt2, run_onnx, run_pt2
from atnas.compiler.export.source import written
from atnas.compiler.extract import extract
from atnas.compiler.supernet import Supernet, Weights
from atnas.dsl.cases import at
from atnas.dsl.errors import Unable
from atnas.dsl.net import Json
from atnas.dsl.operator import Shape
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


def export(run: Trained, genotype: Genotype, to: Format) -> Exported:
    """The files of one architecture, run and compared.

    Raises `Unable` where it has no such form, `Different` where it came out wrong.
    """
    module, state = run.supernet.plain(genotype)
    made = _source(run, genotype, state) if to == "py" else _graph(run, genotype, _traced(module, state), to)
    files, function = made
    error = _compared(run, genotype, function, "running" if _is_tracked(state) else "batch")
    return Exported(files, run.space.costs.of(genotype)["params"], error)


def about(run: Trained, genotype: Genotype, tracked: bool) -> str:
    """What the source says of itself: the architecture, its input and output, where its weights come from."""
    ((_, last),) = run.space.net.outputs
    start, end = run.signature, at(shapes(run.space.net, last), genotype)
    listed = "\n".join(f"    {name} = {_word(value)}" for name, value in run.space.encoding.decode(genotype).items())
    learner = type(run.plan.train.learner).__name__
    head = (
        ""
        if run.plan.train.learner.learns_head
        else " Its last layer is made for each task: these numbers are nobody's."
    )
    norms = " Batch norms normalise by the running averages of training." if tracked else ""
    return "\n\n".join(
        (
            f"An architecture of the space `{run.space.net.name}`{':' if listed else '.'}",
            *([listed] if listed else []),
            f"It takes `{start.input}` {_batched(start.shape)} and gives `{start.output}` {_batched(end)}. `load()` "
            f"makes it with its weights, which lie beside this file: those that {learner} learned over many tasks, to "
            f"be adapted to one.{head}{norms}",
        )
    )


# Forms


def _source(run: Trained, genotype: Genotype, state: Weights) -> tuple[dict[str, bytes], Function]:
    from safetensors.torch import save

    source = written(run.space.net, genotype, state, about(run, genotype, _is_tracked(state)))
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


def _graph(run: Trained, genotype: Genotype, graph: fx.GraphModule, to: Format) -> tuple[dict[str, bytes], Function]:
    described = json.dumps({"space": run.space.net.name, "architecture": run.space.encoding.decode(genotype)})
    if to == "pt2":
        file = pt2(graph, run.signature, described)
        return {".pt2": file}, run_pt2(file)
    file = onnx(graph, run.signature, described)
    return {".onnx": file}, run_onnx(file)


def _is_tracked(state: Weights) -> bool:
    """Whether there are running averages to normalise by."""
    return any(name.endswith("running_mean") for name in state)


def _compared(run: Trained, genotype: Genotype, function: Function, statistics: Literal["running", "batch"]) -> float:
    """How far outputs are from those of the supernet at most. Raises `Different` where that is too far."""
    generator = torch.Generator().manual_seed(0)
    errors = []
    for size in SIZES:
        x = torch.randn(size, *run.signature.shape, generator=generator)
        try:
            wanted = _outputs(run.supernet, genotype, x, statistics)
        except ValueError:  # of one vector there is no variance to normalise by
            continue
        with torch.no_grad():
            errors.append(_apart(function(x), wanted))
        if not errors[-1] <= TOLERANCE:
            exact = _outputs(deepcopy(run.supernet).double(), genotype, x.double(), statistics)
            if not errors[-1] <= ROUNDINGS * _apart(wanted, exact):
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
