"""Every pass keeps what every architecture computes: both sides are run, on generated spaces and on the library's."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import replace
from random import Random

import pytest
import torch
from hypothesis import assume, given, settings
from library import space
from sound_programs import sound_program
from test_conditions import program
from torch import nn
from tried import Tried, spaces

from atnas.compiler.configuration import Configuration
from atnas.compiler.graph import Graph, lower
from atnas.compiler.passes import PASSES
from atnas.compiler.path import network
from atnas.compiler.space import compile
from atnas.dsl.net import InputNode, LayerNode, Net

SAMPLES = 2


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """Small layers wait for each other's threads longer than they work."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def layer(node: LayerNode, configuration: Configuration) -> nn.Module:
    """The layer of a place, with the same weights whenever it is built."""
    torch.manual_seed(zlib.crc32(node.place.encode()))
    return configuration.build().eval()


def output(net: Net, graph: Graph, genotype: tuple[int, ...]) -> torch.Tensor:
    """What an architecture makes of a fixed input, with the graph's nodes in the place of the space's."""
    (start,) = (net.nodes[n] for n in net.inputs)
    assert isinstance(start, InputNode)
    seen = replace(net, nodes=graph.nodes, outputs=graph.outputs)  # type: ignore[arg-type]
    x = torch.randn(2, *start.shape, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        return network(seen, genotype, layer)(x)


def kept(net: Net) -> int:
    """Runs some architectures before and after each pass; returns how many were run."""
    graph, encoding, rng = lower(net), compile(net).encoding, Random(0)
    if encoding.count() == 0 or len(net.inputs) != 1 or len(net.outputs) != 1:
        return 0
    drawn = [encoding.unrank(rng.randrange(encoding.count())) for _ in range(SAMPLES)]
    for run in PASSES:
        after = run(graph)
        for genotype in drawn:
            before = output(net, graph, genotype)
            assert torch.equal(before, output(net, after, genotype)), run.__name__
        graph = after
    return len(drawn)


@settings(max_examples=40, deadline=None)
@given(spaces())
def test_every_pass_keeps_the_function_of_generated_spaces(tried: Tried) -> None:
    found = program(tried.text)
    assume(found.good)
    for worked in found.spaces.values():
        assert worked.net is not None
        assert kept(worked.net)


@pytest.mark.parametrize("seed", range(5))
def test_every_pass_keeps_the_function_of_larger_programs(seed: int) -> None:
    for worked in program(sound_program(Random(seed), noise=0)).spaces.values():
        if worked.net is not None:
            kept(worked.net)


@pytest.mark.parametrize(("file", "name"), [("spaces", "conv_cells"), ("mlp", "mlp_residual"), ("sequence", "")])
def test_every_pass_keeps_the_function_of_the_library(file: str, name: str) -> None:
    assert kept(space(file, name).net)
