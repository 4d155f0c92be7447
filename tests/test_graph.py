"""The graph, its passes, and what is verified after each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import networkx as nx
import pytest
from hypothesis import given, settings
from nets import Builder
from random_nets import spaces, toys

from atnas.compiler.activity import activity
from atnas.compiler.costs import Costs
from atnas.compiler.graph import Graph, lower, sources, text
from atnas.compiler.passes import PASSES
from atnas.compiler.passes.fold import fold
from atnas.compiler.passes.prune import prune
from atnas.compiler.verify import INVARIANTS, verify
from atnas.dsl.cases import NEVER, apply, at
from atnas.dsl.net import Arith, ChoiceNode, InputNode, LayerNode, Net, NetNode, Read
from atnas.dsl.operator import Shape


@pytest.fixture(scope="module", autouse=True)
def _toys() -> Iterator[None]:
    with toys():
        yield


def operators(graph: Graph) -> list[str]:
    return [node.operator if isinstance(node, LayerNode) else "-" for node in graph.nodes.values()]


def shape(node: NetNode, genotype: Sequence[int]) -> Shape:
    return node.shape if isinstance(node, InputNode) else at(node.shape, genotype)


def test_the_graph_has_an_edge_from_each_tensor_to_where_it_is_used() -> None:
    b = Builder()
    x = b.input(4)
    left, right = b.layer("relu", x), b.layer("skip", x)
    graph = lower(b.net(b.layer("add", left, right, right)))
    assert set(graph.dag.edges) == {(0, 1), (0, 2), (1, 3), (2, 3)}
    assert sources(graph.nodes[3]) == (1, 2, 2)
    assert graph.dag.nodes[1]["node"] is graph.nodes[1]


def test_a_graph_cannot_be_changed() -> None:
    b = Builder()
    with pytest.raises(nx.NetworkXError, match="Frozen"):
        lower(b.net(b.input(4))).dag.add_node(7)


def test_the_graph_can_be_read() -> None:
    b = Builder()
    size = b.decide("size", [4, 8])
    inputs = b.decide("inputs", [[0], [0, 1]], "subset")
    x = b.input(4)
    branches = [x, b.layer("relu", x)]
    both = b.layer("add", *b.subset(inputs, branches))
    first = b.layer("linear", both, features=Arith("*", 2, b.pick(size, [4, 8])))
    second = b.layer("linear", both, features=Read(apply(lambda s: s[0], b.shapes[x])))
    way = b.decide("way", ["linear(2 * size)", "linear(n)"], "layer")
    assert (
        text(lower(b.net(b.either(way, first, second))))
        == """\
space hand
  %0 = input in0 : (4)
  %1 = relu() [%0] : (4)
  %2 = add() [%0 if inputs in [[0], [0, 1]], %1 if inputs in [[0, 1]]] : (4)
  %3 = linear(features = (2 * size(4 | 8))) [%2] : (8) | (16)
  %4 = linear(features = 4) [%2] : (4)
  %5 = choose way(0 | 1) [0: %3, 1: %4] : (8) | (4) | (16)
  out0 = %5"""
    )


# Passes


@pytest.mark.parametrize("run", PASSES)
@settings(max_examples=60, deadline=None)
@given(net=spaces(constrained=False))
def test_a_pass_keeps_costs_shapes_and_active_decisions(run: Callable[[Graph], Graph], net: Net) -> None:
    before = prune(lower(net))
    after = verify(run(before), run.__name__)
    assert activity(after).decisions == activity(before).decisions == activity(lower(net)).decisions
    for option in range(3):
        genotype = [min(option, len(d.options) - 1) for d in net.decisions]
        assert Costs(after).of(genotype) == Costs(lower(net)).of(genotype)
        shapes = [shape(after.nodes[n], genotype) for _, n in after.outputs]
        assert shapes == [shape(net.nodes[n], genotype) for _, n in net.outputs]


def test_prune_removes_what_no_output_needs() -> None:
    b = Builder()
    x = b.input(4)
    b.layer("relu", x)
    graph = prune(lower(b.net(b.layer("skip", x))))
    assert operators(graph) == ["-", "skip"]


def test_prune_removes_alternatives_that_are_never_taken() -> None:
    b = Builder()
    edge = b.decide("edge", ["a", "b"], "layer")
    x = b.input(4)
    inner = b.either(edge, b.layer("relu", x), b.layer("gelu", x))
    graph = prune(lower(b.net(b.either(edge, inner, b.layer("skip", x)))))
    # Inside the first alternative `edge` is already decided.
    assert operators(graph) == ["-", "relu", "-", "skip", "-"]
    assert sources(graph.nodes[inner]) == (1,)


def test_prune_keeps_inputs() -> None:
    b = Builder()
    x, y = b.input(4), b.input(4)
    graph = prune(lower(b.net(b.layer("relu", y))))
    assert graph.inputs == (x, y)
    assert set(graph.nodes) == {0, 1, 2}


def test_fold_puts_the_only_source_in_place_of_its_choice() -> None:
    b = Builder()
    edge = b.decide("edge", ["a", "b"], "layer")
    x = b.input(4)
    inner = b.either(edge, b.layer("relu", x), b.layer("gelu", x))
    graph = fold(prune(lower(b.net(b.either(edge, inner, b.layer("skip", x))))))
    assert operators(graph) == ["-", "relu", "skip", "-"]
    assert sources(graph.nodes[graph.outputs[0][1]]) == (1, 4)


def test_fold_keeps_a_choice_that_alone_asks_for_a_decision() -> None:
    b = Builder()
    only = b.decide("only", ["relu"], "layer")
    graph = lower(b.net(b.either(only, b.layer("relu", b.input(4)))))
    assert fold(graph) is graph


# Invariants


def broken(name: str) -> Graph:
    """A graph that breaks one invariant."""
    b = Builder()
    edge = b.decide("edge", ["a", "b"], "layer")
    x = b.input(4)
    relu, skip = b.layer("relu", x), b.layer("skip", x)
    choice = b.either(edge, relu, skip)
    graph = lower(b.net(choice))
    nodes, outputs = dict(graph.nodes), graph.outputs
    chosen, layer = nodes[choice], nodes[relu]
    assert isinstance(chosen, ChoiceNode) and isinstance(layer, LayerNode)
    match name:
        case "the graph has no cycle":
            nodes[relu] = replace(layer, edges=(replace(layer.edges[0], node=choice),))
        case "every node refers to earlier nodes that are there":
            nodes[relu] = replace(layer, edges=(replace(layer.edges[0], node=9),))
        case "the edges of the graph are those of its nodes":
            return replace(graph, dag=graph.dag.subgraph(graph.dag.nodes).copy(as_view=False).reverse())
        case "inputs and outputs are there":
            outputs = (("out", 9),)
        case "no two decisions have the same name":
            return replace(graph, decisions=graph.decisions * 2)
        case "no two layers have the same place":
            nodes[skip] = replace(layer, edges=layer.edges)
        case "every choice has one source for each of its keys":
            nodes[choice] = replace(chosen, keys=(0, 0))
        case "every pick has as many options as its decision":
            return replace(graph, decisions=(replace(graph.decisions[0], options=("a", "b", "c")),))
        case "only a merge takes more tensors than its operator says, or some of them at times":
            nodes[relu] = replace(layer, edges=layer.edges * 2)
        case "every node has a shape wherever it is active in an architecture that the constraints on decisions allow":
            nodes[relu] = replace(layer, shape=NEVER)
    return graph.rebuilt(nodes, outputs)


@pytest.mark.parametrize("name", INVARIANTS)
def test_a_broken_invariant_is_named(name: str) -> None:
    with pytest.raises(AssertionError, match="after surgery: it is not so that ") as caught:
        verify(broken(name), "surgery")
    assert str(caught.value).endswith(name)
