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
from atnas.compiler.export.graphs import Signature, onnx, pt2, run_onnx, run_pt2
from atnas.compiler.export.source import written
from atnas.compiler.extract import extract
from atnas.compiler.space import Compiled, compile
from atnas.compiler.supernet import Supernet, Weights
from atnas.dsl.cases import at
from atnas.dsl.errors import Unable
from atnas.dsl.net import InputNode, Json
from atnas.dsl.operator import Shape
from atnas.runtime.artifact import plan_of
from atnas.runtime.files import content
from atnas.runtime.folder import RunFolder
from atnas.runtime.program import Plan
from atnas.runtime.search.searcher import Trial, read_trials
from atnas.runtime.training import of_supernet

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
class Trained:
    """A run whose supernet has learned. Its weights are the best by validation, those that its answer is about."""

    folder: RunFolder
    plan: Plan
    space: Compiled
    supernet: Supernet
    trials: tuple[Trial, ...]

    @property
    def signature(self) -> Signature:
        """The input and the output of the space."""
        (start,) = (node for node in self.space.net.nodes if isinstance(node, InputNode))
        ((output, _),) = self.space.net.outputs
        return Signature(start.name, output, start.shape)


@dataclass(frozen=True)
class Exported:
    """The files by their suffixes, the parameters in them, and how far outputs are from the supernet's at most."""

    files: dict[str, bytes]
    params: int
    error: float


Function = Callable[[Tensor], Tensor]
"""What files compute."""


def trained(root: Path) -> Trained:
    """The run in a folder. Raises `Unable` where there is none, or it has not learned yet."""
    folder = RunFolder(root)
    if not folder.program.exists():
        raise Unable(f"{root} holds no run; name the folder that `atnas run` wrote")
    plan = plan_of(folder.artifact())
    if not (folder.checkpoints / "best.safetensors").exists():
        raise Unable(f"{root} has no weights yet; `atnas run` goes on with it")
    weights, _ = folder.load("best")
    space = compile(plan.narrowed)
    supernet = Supernet(space.net, space.encoding)
    try:
        supernet.load_state_dict(of_supernet(weights))
    except RuntimeError as error:
        raise Unable(f"the checkpoint is of another space: {str(error).splitlines()[0]}") from error
    return Trained(folder, plan, space, supernet.eval(), tuple(read_trials(folder.trials)))


def architecture(run: Trained, name: str) -> Genotype:
    """`best`, the number of a trial, the beginning of an identity among the trials, or an architecture as JSON.

    Raises `Unable` where it is none of the space, or several.
    """
    if name.startswith("{"):
        return _read(run, name, "the architecture")
    if name == "best":
        best = run.folder.root / "best.json"
        if not best.exists():
            raise Unable(f"{run.folder.root} has found nothing yet; `atnas run` goes on with it, or name a trial")
        return _read(run, content(best).decode(), str(best))
    if name.isdecimal() and int(name) < len(run.trials):
        return run.trials[int(name)].genotype
    return _of_identity(run, name)


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
    norms = " Batch norms normalise by the running averages of training." if tracked else ""
    return "\n\n".join(
        (
            f"An architecture of the space `{run.space.net.name}`{':' if listed else '.'}",
            *([listed] if listed else []),
            f"It takes `{start.input}` {_batched(start.shape)} and gives `{start.output}` {_batched(end)}. `load()` "
            f"makes it with its weights, which lie beside this file: those that {learner} learned over many tasks, to "
            f"be adapted to one.{norms}",
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


def _of_identity(run: Trained, name: str) -> Genotype:
    keys = {run.space.encoding.key(trial.genotype): trial.genotype for trial in run.trials}
    found = [genotype for key, genotype in keys.items() if key.startswith(name.lower())]
    if len(found) == 1:
        return found[0]
    if found:
        raise Unable(f"{len(found)} architectures among the trials have identities that begin with `{name}`: give more")
    trials = f"trials are 0 to {len(run.trials) - 1}" if run.trials else "it has no trials"
    raise Unable(f"{run.folder.root} has no trial `{name}`: {trials}, and `best` is what the run found")


def _read(run: Trained, text: str, name: str) -> Genotype:
    try:
        return run.space.encoding.read(text)
    except ValueError as error:
        raise Unable(f"{name} {error}") from error


def _word(value: Json) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _batched(shape: Shape) -> str:
    return f"[{', '.join(('N', *map(str, shape)))}]"
