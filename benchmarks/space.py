"""What the compiler knows of a space, and how fast: beside pyglove, neural-pipeline-search and PyTorch by hand.

    python benchmarks/space.py --rounds 5

The peers get virtual environments of their own under `benchmarks/peers`, made when they are first needed. Every rate is
a median over rounds with its spread, in seconds of the processor; what is compared is measured in turns. Memory is what
tensors hold at once, counted at every operation. Exits with 1 where a goal is not met.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
import venv
import weakref
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from random import Random
from typing import Any

import torch
from lines import Line, printed
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

ROOT = Path(__file__).resolve().parent.parent
PEERS = ROOT / "benchmarks" / "peers"
sys.path[:0] = [str(ROOT / "tests"), *(str(ROOT / "benchmarks" / folder) for folder in ("by_hand", "beside"))]

from darts import Darts  # noqa: E402
from library import CIFAR, space  # noqa: E402
from nas_bench_201 import NasBench201  # noqa: E402
from rates import rate  # noqa: E402
from test_library_cells import DARTS_V2, DARTS_WORDS  # noqa: E402
from test_library_cells import cells as published  # noqa: E402

from atnas.compiler.encoding import Encoding  # noqa: E402
from atnas.compiler.path import network  # noqa: E402
from atnas.compiler.same.unique import unique  # noqa: E402
from atnas.compiler.space import Compiled, compile  # noqa: E402
from atnas.compiler.supernet import Supernet  # noqa: E402
from atnas.dsl.source import Source  # noqa: E402
from atnas.runtime.checking import read_program  # noqa: E402
from atnas.runtime.search.operators import mutate  # noqa: E402

BESIDE = {"pyglove": ("pyglove", "pyglove_space.py", 100), "neps": ("neural-pipeline-search", "neps_space.py", 20)}
"""What is installed, what runs in it, and how many times its rate is to be reached."""

RESIDUAL = ("unit(c, 3)", "none", "unit(c, 3)", "skip", "none", "skip")
"""The cell of network 11472 of NAS-Bench-201, in the order of its decisions."""

DECISIONS = 2_000


def main() -> int:
    """Measures everything and prints a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.5, help="of the processor, for one rate")
    options = parser.parse_args()
    torch.set_num_threads(1)
    rounds = options.rounds
    return printed(chain(drawing(options), counting(rounds), checking(rounds), building(rounds), running(rounds)))


# Samples and mutants


def drawing(options: argparse.Namespace) -> Iterator[Line]:
    """Ours and the peers' in turns, a process for each round of a peer."""
    ours: dict[str, list[float]] = {}
    theirs: dict[str, dict[str, list[float]]] = {peer: {} for peer in BESIDE}
    for _ in range(options.rounds):
        for what, mine in _own_rates(options.seconds):
            ours.setdefault(what, []).append(mine)
        for peer, rates in theirs.items():
            for what, found in _rates_of(peer, options.seconds).items():
                rates.setdefault(what, []).append(found)
    for what, rates in ours.items():
        for peer, (_, _, times) in BESIDE.items():
            ratios = [mine / other for mine, other in zip(rates, theirs[peer][what], strict=True)]
            told = f"{statistics.median(rates):,.0f} a second, {_spread(ratios, '{:,.0f}')} times {peer}'s"
            yield Line(what, told, f"{times} times", statistics.median(ratios) >= times)


def _own_rates(seconds: float) -> Iterator[tuple[str, float]]:
    for name, file in (("nas_bench_201", "nas_bench_201"), ("once_for_all", "ofa_mobilenet_v3")):
        encoding, rng = space(file).encoding, Random(0)
        parent = encoding.sample(rng)
        yield f"{name}, samples", rate(lambda e=encoding, r=rng: e.sample(r), seconds)
        yield f"{name}, mutants", rate(lambda p=parent, e=encoding, r=rng: mutate(p, e, None, r), seconds)


def _rates_of(peer: str, seconds: float) -> dict[str, float]:
    package, script, _ = BESIDE[peer]
    python = PEERS / peer / "bin" / "python"
    if not python.exists():
        venv.create(PEERS / peer, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "-q", package], check=True)
    command = [python, ROOT / "benchmarks" / "beside" / script, "1", str(seconds)]
    found = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[-1])
    return {what: rates[0] for what, rates in found.items() if isinstance(rates, list)}


# Counting and checking


def counting(rounds: int) -> Iterator[Line]:
    """How long it takes to count, and to count what is different."""
    net = space("ofa_mobilenet_v3").net
    times = [_timed(lambda: _counted(compile(net))) for _ in range(rounds)]
    yield Line("count of once-for-all, 7371^5", _spread(times, "{:.3f}", " s"), "0.1 s", statistics.median(times) < 0.1)
    cells = space("nas_bench_201")
    times = [_timed(lambda: unique(cells)) for _ in range(rounds)]
    told = f"{_spread(times, '{:.2f}', ' s')}, {unique(cells).different:,} of 15,625"
    yield Line("different functions of NAS-Bench-201", told, "3 s", statistics.median(times) < 3)


def _counted(compiled: Compiled) -> None:
    assert Encoding(compiled.graph).count() == 7371**5


def checking(rounds: int) -> Iterator[Line]:
    """A space of very many decisions, written out, and one in which a few lines are used over and over."""
    written = [f"  x{i + 1} = x{i} -> (relu | conv(8, 3) | conv(8, {1 + 2 * (i % 4)}))" for i in range(DECISIONS)]
    texts = {
        "written out": "space s [x0: (8, 8, 8)] -> x2000 {\n" + "\n".join(written) + "\n}\n",
        "of one op in a row": "op f = relu | conv(8, 1) | conv(8, 3)\n"
        f"space s [x: (8, 8, 8)] -> y {{\n  y = x -> f * {DECISIONS}\n}}\n",
    }
    for how, text in texts.items():
        times = [_timed(lambda text=text: _checked(text)) for _ in range(rounds)]
        told = _spread(times, "{:.2f}", " s")
        yield Line(f"check of {DECISIONS:,} decisions {how}", told, "2 s", statistics.median(times) < 2)


def _checked(text: str) -> None:
    program = read_program(Source("large.atnas", text), str)
    (worked,) = program.spaces.values()
    assert program.good and worked.net is not None and len(worked.net.decisions) == DECISIONS


def _timed(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


# Modules


def building(rounds: int) -> Iterator[Line]:
    """A module from a genotype, beside the same network written by hand."""
    cells, genotype = residual()

    def ours() -> nn.Module:
        return network(cells.net, genotype, lambda _, layer: layer.build())

    assert _numbers(ours()) == _numbers(NasBench201())
    ratios = [_quickest(ours) / _quickest(NasBench201) for _ in range(rounds)]
    told = f"{_spread(ratios, '{:.2f}')} of by hand"
    yield Line("module of a genotype, NAS-Bench-201", told, "1.5", statistics.median(ratios) <= 1.5)


def residual() -> tuple[Compiled, tuple[int, ...]]:
    """NAS-Bench-201 and the genotype of network 11472."""
    cells = space("nas_bench_201", ends=CIFAR)
    names = (decision.name for decision in cells.net.decisions)
    return cells, cells.encoding.encode(dict(zip(names, RESIDUAL, strict=True)))


def _numbers(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def _quickest(work: Callable[[], object], times: int = 9) -> float:
    return min(_timed(work) for _ in range(times))


def running(rounds: int) -> Iterator[Line]:
    """A supernet's forward of one path beside the extracted module, in time and in what tensors hold at once."""
    cells, genotype = residual()
    chains, darts = space("spaces", "conv_cells", ends=((1, 28, 28), 5)), space("darts", ends=CIFAR)
    for name, of, genes, shape, hand in (
        ("NAS-Bench-201", cells, genotype, (16, 3, 32, 32), NasBench201()),
        ("DARTS", darts, darts.encoding.encode(published(DARTS_V2, DARTS_WORDS)), (2, 3, 32, 32), Darts()),
        ("conv_cells", chains, chains.costs.extreme("macs", largest=True)[1], (25, 1, 28, 28), None),
    ):
        supernet = Supernet(of.net, of.encoding)
        path, plain, x = supernet.path(genes), supernet.extract(genes, "batch"), torch.randn(shape)
        weights = path.weights()
        with torch.no_grad():
            ratios = [_pair(lambda: path(weights, x), lambda: plain(x)) for _ in range(3 * rounds)]  # noqa: B023
            held = _most_held(lambda: path(weights, x))  # noqa: B023
            others = _most_held(lambda: (hand or plain)(x))  # noqa: B023
        told = f"{_spread(ratios, '{:.3f}')} of the extracted module"
        yield Line(f"a path forward, {name}", told, "1.05", statistics.median(ratios) <= 1.05)
        told = f"{held / 1e6:.2f} MB, {'by hand' if hand else 'extracted'} {others / 1e6:.2f} MB"
        yield Line(f"memory of a path, {name}", told, "no more", held <= others)


def _pair(ours: Callable[[], object], theirs: Callable[[], object]) -> float:
    return _quickest(ours, 3) / _quickest(theirs, 3)


class Held(TorchDispatchMode):
    """Counts the bytes of the storages that operations made and that are still there; `most` is the peak."""

    def __init__(self) -> None:
        super().__init__()
        self.now = self.most = 0
        self.seen: set[int] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        given = {t.untyped_storage().data_ptr() for t in tree_leaves((args, kwargs)) if isinstance(t, Tensor)}
        for tensor in tree_leaves(out):
            if isinstance(tensor, Tensor) and tensor.untyped_storage().data_ptr() not in given | self.seen:
                self._note(tensor)
        return out

    def _note(self, tensor: Tensor) -> None:
        storage = tensor.untyped_storage()
        place, size = storage.data_ptr(), storage.nbytes()
        self.seen.add(place)
        self.now += size
        self.most = max(self.most, self.now)
        weakref.finalize(storage, self._gone, place, size)

    def _gone(self, place: int, size: int) -> None:
        self.seen.discard(place)
        self.now -= size


def _most_held(work: Callable[[], object]) -> int:
    with Held() as held:
        work()
    return held.most


def _spread(values: Sequence[float], form: str, unit: str = "") -> str:
    least, most = form.format(min(values)), form.format(max(values))
    return f"{form.format(statistics.median(values))}{unit} ({least} to {most})"


if __name__ == "__main__":
    sys.exit(main())
