"""How well latencies that are added up layer by layer tell the latencies of whole networks.

    python benchmarks/latency.py machine
    python benchmarks/latency.py published

`machine` measures every layer of some spaces on this machine, and then whole networks that are drawn from them: by one
thread and its own clock, so that what else the machine does weighs little. `published` fits layers to 200 cells of
NAS-Bench-201 on each device of HELP (Lee et al., NeurIPS 2021), and compares the sums with what was published of all
others; the folder of its data lies in `ATNAS_DATA`. Both print a Markdown table.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from time import process_time
from typing import Any

import numpy as np
import torch

from atnas.compiler.latencies import distinct, key, layers
from atnas.compiler.space import Compiled, compile
from atnas.compiler.supernet import Supernet
from atnas.dsl.cases import at
from atnas.dsl.source import Source
from atnas.runtime.checking import read_program
from atnas.runtime.fitting import fitted
from atnas.runtime.timing import Stopwatch

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("ATNAS_DATA", ROOT.parent / "shared" / "data")) / "nasbench201"

SPACES = ("nas_bench_201", "ofa_mobilenet_v3", "ofa_resnet50")
NETWORKS = 40
CELLS = 200


def main(what: list[str]) -> None:
    """Measures or reads what is asked for and prints its table."""
    tables = {"machine": machine, "published": published}
    if len(what) != 1 or what[0] not in tables:
        raise SystemExit(f"name one of {', '.join(tables)}")
    for cells in tables[what[0]]():
        print(f"| {' | '.join(cells)} |", flush=True)


def machine() -> Iterator[tuple[str, ...]]:
    """For each space: how networks are ranked by sums, by macs and by measuring them again, and how sums compare."""
    yield "space", "layers", "networks", "sums rank", "macs rank", "again rank", "sum / network"
    yield ("---",) * 7
    torch.set_num_threads(1)
    for name in SPACES:
        space, watch = library(name), Stopwatch(torch.device("cpu"), seconds=0.1, clock=process_time)
        seconds = {key(layer): watch.layer(layer).seconds for layer in distinct(layers(space.graph))}
        rng = Random(0)
        drawn = [space.encoding.sample(rng) for _ in range(NETWORKS)]
        once, again = (networks(space, drawn, watch) for _ in range(2))
        sums, whole = added(space, drawn, seconds), (once + again) / 2
        ranked = (
            rank_correlation(whole, sums),
            rank_correlation(whole, macs(space, drawn)),
            rank_correlation(once, again),
        )
        ratio = f"{np.median(sums / whole):.2f}"
        yield name, str(len(seconds)), str(NETWORKS), *(f"{r:.3f}" for r in ranked), ratio


def published() -> Iterator[tuple[str, ...]]:
    """For each device: how fitted sums and macs rank the cells that they were not fitted to, and how sums compare."""
    yield "device", "fitted to", "compared with", "sums rank", "macs rank", "median error"
    yield ("---",) * 6
    space = library("nas_bench_201")
    cells = [tuple(cell) for cell in np.load(DATA / "nasbench201.npz")["ops"].tolist()]
    hardware = np.load(DATA / "nasbench201_hardware.npz")
    chosen = np.random.default_rng(0).permutation(len(cells))
    mine, rest = chosen[:CELLS], chosen[CELLS:]
    others = [cells[i] for i in rest]
    by_macs = macs(space, others)
    for device, times in zip(hardware["help_devices"], hardware["help_latency_ms"].T.astype(float) / 1e3, strict=True):
        found = fitted(space.graph, [(cells[i], times[i]) for i in mine])
        sums = added(space, others, {key(layer): s for layer, s in found.items()})
        ranked = (rank_correlation(times[rest], sums), rank_correlation(times[rest], by_macs))
        error = np.median(np.abs(sums - times[rest]) / times[rest])
        yield str(device), f"{len(mine):,}", f"{len(rest):,}", *(f"{r:.3f}" for r in ranked), f"{100 * error:.1f} %"


def networks(space: Compiled, genotypes: Sequence[Any], watch: Stopwatch) -> Any:
    """The seconds of whole networks on this machine."""
    supernet = Supernet(space.net, space.encoding)
    inputs = (space.net.nodes[space.net.inputs[0]].shape,)
    return np.array([watch.module(supernet.extract(g, "running"), inputs).seconds for g in genotypes])


def macs(space: Compiled, genotypes: Sequence[Any]) -> Any:
    """The multiply-accumulates of architectures."""
    return np.array([space.costs.of(genotype)["macs"] for genotype in genotypes])


def library(name: str) -> Compiled:
    """A space of the standard library."""
    program = read_program(Source("latency.atnas", f"use std.{name} ({name})\n"), str)
    net = program.every_space()[name].net
    assert net is not None
    return compile(net)


def added(space: Compiled, genotypes: Sequence[Any], seconds: dict[Any, float]) -> Any:
    """The seconds of the layers of each architecture, added up."""
    found = layers(space.graph).values()
    present = ([at(cases, genotype) for cases in found] for genotype in genotypes)
    return np.array([sum(seconds[key(layer)] for layer in one if layer is not None) for one in present])


def rank_correlation(a: Any, b: Any) -> float:
    """Spearman's: the correlation of ranks, equals sharing theirs."""
    return float(np.corrcoef(ranks(a), ranks(b))[0, 1])


def ranks(values: Any) -> Any:
    """The rank of each value."""
    _, group, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts + 1) / 2)[group]


if __name__ == "__main__":
    main(sys.argv[1:])
