"""Architectures as PyTorch source, for tests: written down, and run by an interpreter in which atnas is not there."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import torch
from library import CIFAR, Task, space
from safetensors.torch import save_file

from atnas.compiler.encoding import Genotype
from atnas.compiler.export.source import Source, written
from atnas.compiler.space import Compiled
from atnas.compiler.supernet import Supernet

SIZES = (1, 4)

IMAGES: Task = (3, 16, 16), 5
SIGNALS: Task = (3, 32), 5
VECTORS: Task = (4,), 5

SPACES: dict[str, tuple[str, Task | None, str]] = {
    "autoformer_tiny": ("autoformer", IMAGES, ""),
    "conv1d": ("conv1d", SIGNALS, "C = 8"),
    "conv1d_residual": ("conv1d", SIGNALS, "C = 8"),
    "conv4": ("conv4", CIFAR, "C = 8"),
    "conv4_strided": ("conv4", CIFAR, "C = 8"),
    "darts": ("darts", IMAGES, "C = 4, N = 1"),
    "darts_imagenet": ("darts", CIFAR, "C = 4, N = 2"),
    "darts_fewshot": ("darts_fewshot", IMAGES, "C = 4"),
    "fbnet": ("fbnet", CIFAR, "head = 32"),
    "mlp": ("mlp", VECTORS, ""),
    "mlp_residual": ("mlp", VECTORS, "W = 32"),
    "nas_bench_101": ("nas_bench_101", IMAGES, "C = 8, N = 2"),
    "nas_bench_201": ("nas_bench_201", IMAGES, "C = 4, N = 5"),
    "nats_bench_size": ("nats_bench_size", IMAGES, ""),
    "ofa_mobilenet_v3": ("ofa_mobilenet_v3", CIFAR, ""),
    "ofa_resnet50": ("ofa_resnet50", CIFAR, ""),
    "proxylessnas": ("proxylessnas", CIFAR, "widths = [8, 8, 8, 16, 16, 24, 24, 32, 64]"),
    "sequence": ("sequence", SIGNALS, "D = 32"),
    "conv_cells": ("spaces", CIFAR, "C = 8"),
    "conv_chain": ("spaces", CIFAR, "C = 8"),
    "unet": ("unet", None, "C = 8"),
}
"""The spaces of the library, small: the file, the tasks, the arguments."""


def library(name: str) -> Compiled:
    """A space of the library, small."""
    file, ends, arguments = SPACES[name]
    return space(file, name, ends, arguments)


def supernet(of: Compiled) -> Supernet:
    """With weights none of which are alike, as those of norms are at the beginning."""
    made = Supernet(of.net, of.encoding).eval()
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=generator))
    return made


def track(network: Supernet, genotype: Genotype) -> None:
    """Gives the batch norms of an architecture running averages."""
    path = network.path(genotype)
    for seed in range(2):
        path(path.weights(), rows(network, 8, seed), "track")


def rows(network: Supernet, count: int, seed: int = 0) -> torch.Tensor:
    shape: Any = network.net.nodes[network.net.inputs[0]]
    return torch.randn(count, *shape.shape, generator=torch.Generator().manual_seed(seed))


def write_down(folder: Path, name: str, network: Supernet, genotype: Genotype) -> Source:
    """Writes NAME.py with its weights, and NAME.batches: inputs `x4`, and outputs of the supernet, `y4`."""
    _, state = network.plain(genotype)
    source = written(network.net, genotype, state, f"An architecture of {network.net.name}.")
    (folder / f"{name}.py").write_text(source.text)
    save_file(dict(source.weights), folder / f"{name}.safetensors")
    path, batches = network.path(genotype), {}
    statistics: Any = "running" if any(key.endswith("running_mean") for key in state) else "batch"
    for size in SIZES:
        batches[f"x{size}"] = x = rows(network, size)
        try:
            batches[f"y{size}"] = path(path.weights(), x, statistics).clone()
        except ValueError:  # a batch norm by the batch refuses one vector
            del batches[f"x{size}"]
    save_file(batches, folder / f"{name}.batches")
    return source


ALONE = """
import json, pathlib, runpy, sys
sys.modules["atnas"] = None  # whoever imports it fails
import torch
from safetensors.torch import load_file

torch.set_num_threads(1)
errors = {}
for path in sorted(pathlib.Path(sys.argv[1]).glob("*.py")):
    network, batches = runpy.run_path(str(path))["load"](), load_file(path.with_suffix(".batches"))
    for name, x in batches.items():
        if name.startswith("x"):
            with torch.no_grad():
                error = float((network(x) - batches["y" + name[1:]]).abs().max())
            errors[path.stem] = max(errors.get(path.stem, 0.0), error)
assert not any(name.startswith("atnas.") for name in sys.modules)
print(json.dumps(errors))
"""


def errors(folder: Path, elsewhere: Path) -> dict[str, float]:
    """How far the outputs of each file are from the supernet's, by an interpreter without atnas, run elsewhere."""
    command = [sys.executable, "-I", "-c", ALONE, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=elsewhere, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, float] = json.loads(done.stdout)
    return found
