"""Random architectures of every space, exported as PyTorch source and run by an interpreter without atnas; and
architectures that papers found, beside the same networks written by hand.

    python benchmarks/export.py [ARCHITECTURES]

Prints two Markdown tables. Lines are those of code: without blank lines, docstrings and comments. The networks by hand
are loaded with the exported weights, and their outputs compared.
"""

from __future__ import annotations

import ast
import random
import runpy
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import torch
from safetensors.torch import load_file

ROOT = Path(__file__).resolve().parent.parent
HAND = ROOT / "benchmarks" / "by_hand"
sys.path.insert(0, str(ROOT / "tests"))

from exports import SPACES, errors, library, supernet, track, write_down  # noqa: E402
from library import CIFAR, IMAGENET, Architecture, named, space  # noqa: E402
from test_library_cells import DARTS_V2, DARTS_WORDS, EDGES, cells  # noqa: E402

from atnas.compiler.space import Compiled, compile  # noqa: E402
from atnas.dsl.source import Source  # noqa: E402
from atnas.runtime.checking import read_program  # noqa: E402

DEEPEST = 1e-5
"""How far outputs may be apart."""


def main(count: int) -> None:
    """Both tables. Exits with 1 where outputs differ."""
    torch.set_num_threads(1)
    worst = max(at_random(count), by_hand())
    if not worst <= DEEPEST:
        raise SystemExit(f"outputs are {worst} apart")


def at_random(count: int) -> float:
    """So many random architectures, spread over all spaces; the largest error."""
    spaces = dict(every())
    began, worst, total = time.monotonic(), 0.0, 0
    print("| space | architectures | lines of code | largest error |\n| --- | ---: | ---: | ---: |")
    for i, (name, of) in enumerate(spaces.items()):
        share = count * (i + 1) // len(spaces) - count * i // len(spaces)
        lines, error = exported(of, share)
        print(f"| {name} | {share} | {min(lines)} to {max(lines)} | {error:.0e} |", flush=True)
        worst, total = max(worst, error), total + share
    print(f"| all | {total} | | {worst:.0e} |\n\n{time.monotonic() - began:.0f} seconds\n")
    return worst


def every() -> Iterator[tuple[str, Compiled]]:
    """The spaces of the examples, as their experiments use them, and those of the library."""
    for path in sorted((ROOT / "examples").glob("*.atnas")):
        program = read_program(Source(str(path), path.read_text()), lambda name: Path(name).read_text())
        for plan in program.plans.values():
            yield f"examples/{path.stem}", compile(plan.narrowed)
    for name in SPACES:
        yield name, library(name)


def exported(of: Compiled, count: int) -> tuple[list[int], float]:
    """The lines of so many architectures, every second with running averages, and the largest error."""
    network, rng, lines = supernet(of), random.Random(of.net.name), []
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as elsewhere:
        for i in range(count):
            genotype = of.encoding.sample(rng)
            if i % 2:
                track(network, genotype)
            lines.append(code(write_down(Path(folder), f"network_{i}", network, genotype).text))
        return lines, max(errors(Path(folder), Path(elsewhere)).values())


def by_hand() -> float:
    """The networks that are written by hand, too; the largest error."""
    worst = 0.0
    print("| network | params | lines exported | lines by hand | largest error |\n| --- | ---: | ---: | ---: | ---: |")
    for name, (of, chosen) in published().items():
        network, genotype = supernet(of), of.encoding.encode(chosen)
        track(network, genotype)
        with tempfile.TemporaryDirectory() as folder:
            source = write_down(Path(folder), name, network, genotype)
            error = apart(HAND / f"{name}.py", Path(folder) / f"{name}.batches", list(source.weights.values()))
        params, other = of.costs.of(genotype)["params"], code((HAND / f"{name}.py").read_text())
        print(f"| {name} | {params:,} | {code(source.text)} | {other} | {error:.0e} |", flush=True)
        worst = max(worst, error)
    return worst


def published() -> dict[str, tuple[Compiled, Architecture]]:
    """Conv4, network 11472 of NAS-Bench-201, DARTS of the second order, DeiT-Ti and ResNet-50-D."""
    residual = ["unit(c, 3)", "none", "unit(c, 3)", "skip", "none", "skip"]
    vit: Architecture = {"d": 192, "logits.block.depth": 12}
    vit |= {f"logits.heads[{i}]": 3 for i in range(12)} | {f"logits.ratio[{i}]": 4 for i in range(12)}
    of = space("ofa_resnet50", ends=IMAGENET)
    resnet: Architecture = {"c0": 32, "c1": 64, "w1": 256, "w2": 512, "w3": 1024, "w4": 2048, "stem.again.depth": 1}
    resnet |= {f"body.keep[{i}].depth": blocks - 1 for i, blocks in enumerate((3, 4, 6, 3))}
    resnet |= dict.fromkeys(named(of, ".e"), 5)
    return {
        "conv4": (space("conv4", ends=CIFAR), {}),
        "nas_bench_201": (space("nas_bench_201", ends=CIFAR), dict(zip(EDGES, residual, strict=True))),
        "darts": (space("darts", ends=CIFAR), cells(DARTS_V2, DARTS_WORDS)),
        "autoformer": (space("autoformer", "autoformer_tiny", IMAGENET), vit),
        "ofa_resnet50": (of, resnet),
    }


def apart(file: Path, batches: Path, weights: list[torch.Tensor]) -> float:
    """How far a network by hand is from the supernet, with the same weights in the same order."""
    classes = [v for v in runpy.run_path(str(file)).values() if callable(v)]
    network = next(v for v in reversed(classes) if getattr(v, "__name__", "") != "load")()
    own = network.state_dict()
    network.load_state_dict(dict(zip(own, weights, strict=True)))
    tensors = load_file(batches)
    with torch.no_grad():
        return float((network.eval()(tensors["x4"]) - tensors["y4"]).abs().max())


def code(text: str) -> int:
    """Lines with code in them."""
    tree = ast.parse(text)
    documented = [n for n in ast.walk(tree) if isinstance(n, ast.Module | ast.ClassDef | ast.FunctionDef)]
    docs = [n.body[0] for n in documented if ast.get_docstring(n) is not None]
    prose = {line for doc in docs for line in range(doc.lineno, (doc.end_lineno or 0) + 1)}
    lines = enumerate(text.splitlines(), start=1)
    return sum(1 for i, line in lines if line.strip() and not line.lstrip().startswith("#") and i not in prose)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100)
