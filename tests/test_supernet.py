"""What a supernet promises: an owner per use of a layer, only the active path runs, a subnet is that path."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
import safetensors.torch
import torch
from torch import Tensor, nn
from torch.nn import functional

from atnas.compiler.norm import Averages, Mode, Norm, Statistics
from atnas.compiler.supernet import Supernet
from atnas.dsl.cases import apply, at, choose, leaf, member
from atnas.dsl.net import (
    Arith,
    ChoiceNode,
    Decision,
    Edge,
    Guard,
    InputNode,
    LayerNode,
    Net,
    NetNode,
    Num,
    Pick,
    evaluate,
    number,
)
from atnas.dsl.operator import Operator, Shape
from atnas.dsl.plugins import load
from atnas.dsl.source import Source, Span

HERE = Span(Source("test.atnas", ""), 0, 0)


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """Threads of such small tensors mostly wait for one another."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


class Plain:
    """An encoding of a space in which every gene always counts."""

    def canonical(self, genotype: tuple[int, ...]) -> tuple[int, ...]:
        return genotype


class Space:
    """Builds a net by hand, node by node."""

    def __init__(self, *shape: int) -> None:
        self.nodes: list[NetNode] = [InputNode("x", shape)]
        self.decisions: list[Decision] = []
        self.shapes: list[Any] = [leaf(shape)]

    def decide(self, options: int) -> int:
        name = f"d{len(self.decisions)}"
        self.decisions.append(Decision(name, "number", tuple(range(options)), True, HERE))
        return len(self.decisions) - 1

    def pick(self, *options: Num) -> Pick:
        return Pick(self.decide(len(options)), options)

    def layer(self, operator: str, place: str, *edges: int | Edge, **arguments: Num) -> int:
        taken = tuple(e if isinstance(e, Edge) else Edge(e) for e in edges)
        names = list(arguments)

        def shape(first: Shape, *values: Any) -> Shape:
            inputs = [v for v in values[: len(taken)] if v is not None]
            settings = dict(zip(names, values[len(taken) :], strict=True))
            return load("ops", operator)(**settings).shape(*inputs) if inputs else first

        along = [self._along(edge) for edge in taken]
        shapes = apply(shape, self.shapes[taken[0].node], *along, *map(number, arguments.values()))
        return self._add(LayerNode(operator, tuple(arguments.items()), taken, place, shapes, HERE), shapes)

    def choice(self, *sources: int, selector: Num = None, keys: tuple[int, ...] | None = None) -> int:
        keys = tuple(range(len(sources))) if keys is None else keys
        selector = self.pick(*keys) if selector is None else selector
        shapes = choose(number(selector), keys, [self.shapes[s] for s in sources])
        return self._add(ChoiceNode(selector, keys, sources, shapes, HERE), shapes)

    def net(self, output: int) -> Net:
        return Net("space", (0,), (("y", output),), tuple(self.nodes), tuple(self.decisions))

    def supernet(self, output: int, seed: int = 0) -> Supernet:
        return Supernet(self.net(output), Plain(), seed)

    def _along(self, edge: Edge) -> Any:
        if edge.guard is None:
            return self.shapes[edge.node]
        options = len(self.decisions[edge.guard.decision].options)
        taken = member(edge.guard.decision, options, edge.guard.allowed)
        return choose(taken, (True, False), [self.shapes[edge.node], leaf(None)])

    def _add(self, node: NetNode, shape: Any) -> int:
        self.nodes.append(node)
        self.shapes.append(shape)
        return len(self.nodes) - 1


# Of the space below: width, stem kernel, kernel and expansion twice, depth, kernel, edge, members of the sum.
SMALL = (0, 0, 0, 0, 0, 0, 1, 0, 2, 3)
MIDDLE = (1, 0, 1, 1, 2, 0, 2, 1, 2, 3)


def rich() -> Space:
    """Elastic width, kernel and expansion, layers to choose, depth, guarded merges, tied decisions."""
    s = Space(3, 12, 12)
    width = s.pick(4, 6, 8)
    x = s.layer("conv", "y/stem/conv", 0, channels=width, kernel=s.pick(3, 5))
    x = s.layer("bn", "y/stem/bn", x)
    turns = [x]
    for i in range(2):
        kernel, expand = s.pick(3, 5, 7), s.pick(2, 3)
        where = f"y/stage[{i}]/mbconv"
        turns.append(s.layer("mbconv", where, turns[-1], channels=width, kernel=kernel, expand=expand, se=i == 1))
    deep = s.choice(*turns)
    options = [
        s.layer("none", "y/edge/none", deep),
        s.layer("skip", "y/edge/skip", deep),
        s.layer("sep_conv", "y/edge/sep_conv", deep, channels=width, kernel=s.pick(3, 5)),
        s.layer("avg_pool", "y/edge/avg_pool", deep, kernel=3, stride=1),
    ]
    edge = s.choice(*options)
    subset = s.decide(4)
    both = s.layer(
        "add",
        "y/add",
        Edge(deep, Guard(subset, frozenset({1, 3}))),
        Edge(edge, Guard(subset, frozenset({2, 3}))),
    )
    wide = s.layer("concat", "y/concat", both, edge)
    wide = s.layer("res_block", "y/res_block", wide, channels=Arith("*", 2, width), stride=2)
    pooled = s.layer("global_avg_pool", "y/pool", wide)
    return end(s, pooled)


def end(s: Space, node: int) -> Space:
    s.layer("linear", "y/linear", node, features=5)
    return s


def built(s: Space, seed: int = 0) -> Supernet:
    return s.supernet(len(s.nodes) - 1, seed)


def genotypes(net: Net, count: int, seed: int = 0) -> Iterator[tuple[int, ...]]:
    rng = random.Random(seed)
    for _ in range(count):
        yield tuple(rng.randrange(len(d.options)) for d in net.decisions)


def chosen(net: Net, genotype: Sequence[int]) -> dict[str, tuple[Operator, tuple[Shape, ...]]]:
    """The active layers by place with their input shapes: found from the output by recursion."""
    found: dict[str, tuple[Operator, tuple[Shape, ...]]] = {}

    def visit(index: int) -> Shape:
        node = net.nodes[index]
        if isinstance(node, InputNode):
            return node.shape
        if isinstance(node, ChoiceNode):
            return visit(node.sources[node.keys.index(evaluate(node.selector, genotype))])
        edges = [e for e in node.edges if e.guard is None or genotype[e.guard.decision] in e.guard.allowed]
        inputs = tuple(visit(e.node) for e in edges)
        operator = load("ops", node.operator)(**{n: evaluate(a, genotype) for n, a in node.arguments})
        found[node.place] = (operator, inputs)
        return operator.shape(*inputs) if inputs else at(node.shape, genotype)

    visit(net.outputs[0][1])
    return found


def rows(count: int, *shape: int, seed: int = 0, dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.randn(count, *shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


# Layouts


@pytest.mark.parametrize("channels", [2, 4, 7, 8, 12])
def test_gradients_of_narrow_strided_convolutions_are_right_in_any_layout(channels: int) -> None:
    """In channels-last, oneDNN's gradient of a few channels writes past its memory on processors without AVX-512."""
    s = Space(1, 16, 16)
    wide = s.layer("conv", "y/conv", 0, channels=channels, kernel=3)
    narrow = s.layer("conv", "y/narrow", wide, channels=3, kernel=1, stride=2)
    path = built(end(s, s.layer("flatten", "y/flatten", narrow))).path(())
    x = rows(5, 1, 16, 16)
    weights = {name: weight.requires_grad_() for name, weight in path.weights().items()}
    for _ in range(20):
        loss = path(weights, x.as_strided(x.shape, (256, 1, 16, 1))).square().sum()
        found = torch.autograd.grad(loss, list(weights.values()))
    first, second, weight, bias = exact = [weight.detach().double().requires_grad_() for weight in weights.values()]
    by_hand = functional.conv2d(functional.conv2d(x.double(), first, padding=1), second, stride=2)
    by_hand = functional.linear(by_hand.flatten(1), weight, bias)
    for mine, right in zip(found, torch.autograd.grad(by_hand.square().sum(), exact), strict=True):
        assert torch.allclose(mine.double(), right, rtol=1e-3, atol=1e-3)


# Whose weights


def test_names_are_those_of_places_and_the_same_everywhere() -> None:
    supernet = built(rich())
    owned = dict(supernet.named_parameters())
    assert {"y/stem/conv.weight", "y/stage[1]/mbconv.body.depthwise.weight", "y/linear.bias"} <= set(owned)
    for genotype in genotypes(supernet.net, 20):
        path = supernet.path(genotype)
        weights = path.weights()
        assert list(weights) == [name for name, _ in path.module.named_parameters()] == list(path.regions)
        assert set(weights) <= set(owned)
        for name, held in path.module.named_parameters():
            where = path.regions[name]
            assert held.is_meta and held.shape == weights[name].shape
            assert torch.equal(weights[name], owned[name] if where is None else owned[name][where])
            assert weights[name].untyped_storage().data_ptr() == owned[name].untyped_storage().data_ptr()
            assert not weights[name].requires_grad


def test_each_alternative_and_each_use_has_weights_of_its_own_even_where_decisions_are_tied() -> None:
    s = Space(4, 6, 6)
    tied = s.pick(0, 1)
    x = 0
    for turn in range(2):
        a = s.layer("conv", f"y/unit[{turn}]/conv[0]", x, channels=4, kernel=3)
        b = s.layer("conv", f"y/unit[{turn}]/conv[1]", x, channels=4, kernel=3)
        x = s.choice(a, b, selector=tied)
    supernet = s.supernet(x)
    weights = dict(supernet.named_parameters())
    assert list(weights) == [f"y/unit[{t}]/conv[{i}].weight" for t in (0, 1) for i in (0, 1)]
    assert len({w.data_ptr() for w in weights.values()}) == 4
    assert not torch.equal(weights["y/unit[0]/conv[0].weight"], weights["y/unit[1]/conv[0].weight"])
    assert list(supernet.path((1,)).weights()) == ["y/unit[0]/conv[1].weight", "y/unit[1]/conv[1].weight"]


def test_a_smaller_layer_is_the_leading_channels_and_the_centre_of_the_kernel() -> None:
    s = Space(3, 9, 9)
    x = s.layer("conv", "y/a", 0, channels=s.pick(4, 6, 8), kernel=7)
    s.layer("conv", "y/b", x, channels=s.pick(5, 10), kernel=s.pick(3, 5, 7), bias=True)
    supernet = built(s)
    a, b, bias = (supernet.state_dict()[name] for name in ("y/a.weight", "y/b.weight", "y/b.bias"))
    assert (a.shape, b.shape, bias.shape) == ((8, 3, 7, 7), (10, 8, 7, 7), (10,))
    x = rows(2, 3, 9, 9)
    by_hand = functional.conv2d(
        functional.conv2d(x, a[:6], padding=3), b[:5, :6, 1:6, 1:6].contiguous(), bias[:5], padding=2
    )
    assert torch.equal(supernet(x, (1, 0, 1)), by_hand)
    by_hand = functional.conv2d(functional.conv2d(x, a, padding=3), b[:, :, 2:5, 2:5].contiguous(), bias, padding=1)
    assert torch.equal(supernet(x, (2, 1, 0)), by_hand)


def test_the_largest_is_the_union_where_no_size_is_largest_in_all() -> None:
    s = Space(3, 8, 8)
    d = s.decide(2)
    x = s.layer("conv", "y/a", 0, channels=Pick(d, (4, 8)), kernel=3)
    s.layer("conv", "y/b", x, channels=Pick(d, (6, 2)), kernel=3)
    supernet = built(s)
    b = supernet.state_dict()["y/b.weight"]
    assert b.shape == (6, 8, 3, 3)
    # Each size has values as its own module draws them: uniform up to 1 / sqrt(fan in).
    for part, fan_in in ((b[:2, 4:], 8 * 9), (b[:, :4], 4 * 9)):
        assert 0.8 / fan_in**0.5 < part.abs().max() <= 1 / fan_in**0.5
    assert not b[2:, 4:].any()


def test_a_layer_of_very_many_sizes_still_has_room_for_all() -> None:
    s = Space(2, 6, 6)
    x = s.layer("conv", "y/a", 0, channels=s.pick(*range(1, 41)), kernel=3)
    x = s.layer("conv", "y/b", x, channels=s.pick(*range(1, 41)), kernel=s.pick(1, 3, 5))
    s.layer("conv", "y/c", x, channels=s.pick(*range(1, 401)), kernel=s.pick(*range(1, 21, 2)))
    supernet = built(s)
    sizes = {name: tuple(p.shape) for name, p in supernet.named_parameters()}
    assert sizes == {
        "y/a.weight": (40, 2, 3, 3),
        "y/b.weight": (40, 40, 5, 5),
        "y/c.weight": (400, 40, 19, 19),
    }


def test_the_seed_alone_decides_the_weights_as_torch_draws_them() -> None:
    torch.manual_seed(5)
    before = torch.get_rng_state()
    first, again, other = built(rich(), 1), built(rich(), 1), built(rich(), 2)
    assert torch.equal(torch.get_rng_state(), before)
    for name, weight in first.state_dict().items():
        assert torch.equal(weight, again.state_dict()[name])
    assert not torch.equal(first.state_dict()["y/linear.weight"], other.state_dict()["y/linear.weight"])
    s = Space(3, 4, 4)
    s.layer("conv", "y/conv", 0, channels=s.pick(2, 6), kernel=s.pick(3, 5), bias=True)
    torch.manual_seed(7)
    by_torch = nn.Conv2d(3, 6, 5)
    assert torch.equal(built(s, 7).state_dict()["y/conv.weight"], by_torch.weight)
    assert torch.equal(built(s, 7).state_dict()["y/conv.bias"], by_torch.bias)


# What runs


def test_only_the_active_layers_run_each_once() -> None:
    supernet = built(rich())
    x = rows(2, 3, 12, 12)
    for genotype in genotypes(supernet.net, 20):
        ran: list[str] = []
        path = supernet.path(genotype)
        handles = [
            layer.register_forward_hook(lambda *_, place=place, ran=ran: ran.append(place))
            for place, layer in path.module.named_children()
        ]
        path(path.weights(), x)
        for handle in handles:
            handle.remove()
        assert sorted(ran) == sorted(chosen(supernet.net, genotype))


def test_depth_is_the_first_layers_of_the_deepest() -> None:
    s = Space(4, 6, 6)
    turns = [0]
    for i in range(3):
        turns.append(s.layer("conv", f"y/conv[{i}]", turns[-1], channels=4, kernel=3))
    supernet = s.supernet(s.choice(*turns))
    x = by_hand = rows(2, 4, 6, 6)
    for depth in range(4):
        if depth:
            by_hand = functional.conv2d(by_hand, supernet.state_dict()[f"y/conv[{depth - 1}].weight"], padding=1)
        assert torch.equal(supernet(x, (depth,)), by_hand)


def test_a_merge_takes_the_members_of_its_subset_and_nothing_is_zero() -> None:
    s = Space(4, 6, 6)
    parts = [s.layer("conv", f"y/conv[{i}]", 0, channels=4, kernel=3) for i in range(2)]
    subset = s.decide(4)
    edges = [Edge(p, Guard(subset, frozenset({i + 1, 3}))) for i, p in enumerate(parts)]
    supernet = s.supernet(s.layer("add", "y/add", *edges))
    x = rows(2, 4, 6, 6, dtype=torch.float64)
    supernet.double()
    a, b = (functional.conv2d(x, w, padding=1) for w in supernet.state_dict().values())
    for option, sum_by_hand in enumerate((torch.zeros_like(a), a, b, a + b)):
        assert torch.equal(supernet(x, (option,)), sum_by_hand)
        assert torch.equal(supernet.extract((option,))(x), sum_by_hand)
    assert not supernet.path((0,)).weights()


def test_gradients_off_the_path_are_none_and_off_the_slice_exactly_zero() -> None:
    supernet = built(rich())
    supernet(rows(4, 3, 12, 12), SMALL).square().sum().backward()
    path = supernet.path(SMALL)
    unsliced = 0
    for name, parameter in supernet.named_parameters():
        if name not in path.regions:
            assert parameter.grad is None
            continue
        assert parameter.grad is not None
        where = path.regions[name]
        outside = torch.ones_like(parameter)
        if where is None:
            unsliced += 1
            continue
        outside[where] = 0
        assert parameter.grad.mul(outside).count_nonzero() == 0
        assert parameter.grad[where].count_nonzero() > 0
    assert 0 < unsliced < len(path.regions) < len(list(supernet.parameters()))


def test_a_path_is_a_function_of_the_weights_it_is_given() -> None:
    supernet = built(rich()).double()
    path = supernet.path(MIDDLE)
    x = rows(3, 3, 12, 12, dtype=torch.float64)

    def loss(weights: dict[str, Tensor]) -> Tensor:
        return path(weights, x).square().mean()

    weights = path.weights()
    by_functional = torch.func.grad(loss)(weights)
    supernet(x, path.genotype).square().mean().backward()
    for name, parameter in supernet.named_parameters():
        if name in weights:
            where = path.regions[name]
            assert parameter.grad is not None
            part = parameter.grad if where is None else parameter.grad[where]
            torch.testing.assert_close(part, by_functional[name])
    assert all(p.is_meta for p in path.module.parameters())
    with pytest.raises(KeyError, match=r"y/stem/conv\.weight"):
        path({}, x)
    assert all(p.is_meta for p in path.module.parameters())


def test_many_tasks_at_once_through_vmap() -> None:
    supernet = built(rich())
    path = supernet.path(MIDDLE)
    x = rows(6, 3, 12, 12).unflatten(0, (2, 3))
    weights = {name: torch.stack([w, 1.1 * w]) for name, w in path.weights().items()}
    together = torch.func.vmap(path)(weights, x)
    for task in range(2):
        alone = path({name: w[task] for name, w in weights.items()}, x[task])
        torch.testing.assert_close(together[task], alone, rtol=1e-4, atol=1e-5)


def test_paths_are_kept_and_inactive_genes_do_not_matter() -> None:
    class FirstOnly:
        def canonical(self, genotype: tuple[int, ...]) -> tuple[int, ...]:
            return genotype if genotype[0] else (0, 0)

    s = Space(2, 4, 4)
    selector = s.pick(0, 1)
    conv = s.layer("conv", "y/conv", 0, channels=2, kernel=s.pick(1, 3))
    supernet = Supernet(s.net(s.choice(0, conv, selector=selector)), FirstOnly())
    assert supernet.path((0, 0)) is supernet.path((0, 1))
    assert supernet.path((1, 0)) is not supernet.path((1, 1))


def test_dropout_follows_train_and_eval() -> None:
    s = Space(64)
    s.layer("dropout", "y/dropout", 0, p=0.5)
    supernet = built(s)
    x = torch.ones(8, 64)
    path = supernet.path(())
    assert not torch.equal(path({}, x), x)
    supernet.eval()
    assert torch.equal(path({}, x), x)
    assert torch.equal(supernet.extract(())(x), x)


def test_a_space_of_two_outputs_is_refused() -> None:
    with pytest.raises(ValueError, match="one input and one output"):
        Supernet(Net("two", (0,), (("a", 0), ("b", 0)), (InputNode("x", (1,)),), ()), Plain())


@dataclass(frozen=True)
class Tilt(Operator):
    """A layer with a weight and a table that is none."""

    def shape(self, *inputs: Shape) -> Shape:
        return inputs[0]

    def build(self, *inputs: Shape) -> nn.Module:
        return Tilting(inputs[0][0])


class Tilting(nn.Module):
    table: Tensor

    def __init__(self, size: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.rand(size))
        self.register_buffer("table", torch.arange(size) / 4)

    def forward(self, x: Tensor) -> Tensor:
        return x * self.weight + self.table


def test_a_layer_may_have_tables_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("atnas.dsl.plugins.load", lambda group, name: Tilt if name == "tilt" else load(group, name))
    s = Space(4)
    x = s.layer("linear", "y/linear", 0, features=s.pick(2, 3))
    s._add(LayerNode("tilt", (), (Edge(x),), "y/tilt", s.shapes[x], HERE), s.shapes[x])
    supernet = built(s).double()
    x = rows(2, 4, dtype=torch.float64)
    weights = supernet.path((0,)).weights()
    by_hand = functional.linear(x, weights["y/linear.weight"], weights["y/linear.bias"])
    by_hand = by_hand * weights["y/tilt.weight"] + torch.tensor([0, 0.25])
    assert torch.equal(supernet(x, (0,)), by_hand)
    assert torch.equal(supernet.extract((0,))(x), by_hand)


def test_a_place_may_have_any_name() -> None:
    s = Space(4)
    x = s.layer("linear", "forward", 0, features=3)
    s.layer("linear", "training", x, features=2)
    supernet = built(s)
    x = rows(2, 4)
    assert torch.equal(supernet.extract(())(x), supernet(x, ()))


# Subnets


@pytest.mark.parametrize("seed", range(30))
def test_an_extracted_network_equals_its_path_bit_for_bit_and_is_plain_torch(seed: int) -> None:
    supernet = built(rich(), seed)
    (genotype,) = genotypes(supernet.net, 1, seed)
    x = rows(4, 3, 12, 12, seed=seed)
    path = supernet.path(genotype)
    plain = supernet.extract(genotype)
    assert torch.equal(plain(x), path(path.weights(), x))
    assert not [m for m in plain.modules() if type(m).__module__.split(".")[0] == "atnas"]
    assert not [n for n in plain.graph.nodes if "atnas" in getattr(n.target, "__module__", "")]
    assert all(name.isidentifier() for name, _ in plain.named_children())
    layers = chosen(supernet.net, genotype).values()
    params = sum(operator.cost(*inputs).params for operator, inputs in layers if inputs)
    assert sum(p.numel() for p in plain.parameters()) == params
    with torch.no_grad():
        before = supernet(x, genotype)
        for parameter in plain.parameters():
            parameter.zero_()
        assert torch.equal(supernet(x, genotype), before)


def test_an_extracted_network_reads_like_one_written_by_hand() -> None:
    code = built(rich()).extract(SMALL).code
    assert "y_stem_conv = self.y_stem_conv(x)" in code
    assert "self.y_edge_sep_conv_0_depthwise(" in code
    assert "getattr" not in code


def test_an_extracted_network_keeps_tracked_averages_and_is_a_copy() -> None:
    supernet = built(rich())
    genotype = MIDDLE
    path = supernet.path(genotype)
    x = rows(4, 3, 12, 12)
    for step in range(3):
        path(path.weights(), rows(4, 3, 12, 12, seed=step), "track")
    for statistics in ("running", "batch"):
        plain = supernet.extract(genotype, statistics)
        assert torch.equal(plain(x), path(path.weights(), x, statistics))
    plain = supernet.extract(genotype)
    expected = plain(x)
    assert torch.equal(expected, path(path.weights(), x, "running"))
    path(path.weights(), x, "track")
    assert torch.equal(plain(x), expected)
    wider = (2, *genotype[1:])
    assert torch.equal(supernet.extract(wider)(x), supernet(x, wider, "batch"))


def test_a_state_goes_through_a_file_and_another_precision(tmp_path: Any) -> None:
    supernet = built(rich(), 3)
    genotype = MIDDLE
    x = rows(4, 3, 12, 12)
    supernet(x, genotype, "track")
    safetensors.torch.save_file(supernet.state_dict(), tmp_path / "weights.safetensors")
    other = built(rich(), 4)
    other.load_state_dict(safetensors.torch.load_file(tmp_path / "weights.safetensors"))
    assert torch.equal(other(x, genotype, "running"), supernet(x, genotype, "running"))
    twice = copy.deepcopy(supernet).double()
    assert twice(x.double(), genotype).dtype == torch.float64
    torch.testing.assert_close(twice(x.double(), genotype).float(), supernet(x, genotype), rtol=1e-3, atol=1e-4)


def test_attention_slices_heads_and_width() -> None:
    s = Space(3, 8, 8)
    width, heads = s.pick(8, 12), s.pick(1, 2, 3)
    x = s.layer("patch_embed", "y/patches", 0, channels=width, patch=4)
    y = s.layer("attention", "y/attention", s.layer("ln", "y/ln", x), channels=width, heads=heads, head_dim=4)
    s.layer("token", "y/token", s.layer("add", "y/add", x, y), index=0)
    supernet = built(s)
    for genotype in ((0, 0), (1, 1), (1, 2)):
        path, image = supernet.path(genotype), rows(2, 3, 8, 8)
        assert torch.equal(supernet.extract(genotype)(image), path(path.weights(), image))


# Batch norm


def norm_like(plain: nn.BatchNorm1d | nn.BatchNorm2d, statistics: Statistics) -> Norm:
    """With the parameters of torch's own layer and running averages of its own."""
    with torch.no_grad():
        plain.weight.copy_(rows(3, seed=8))
        plain.bias.copy_(rows(3, seed=9))
    norm = Norm(plain, Mode(statistics))
    norm.averages = Averages(torch.zeros(3), torch.ones(3), torch.zeros(3, dtype=torch.long))
    return norm


LAYERS = pytest.mark.parametrize(
    ("layer", "shape"), [(nn.BatchNorm1d, (3,)), (nn.BatchNorm1d, (3, 5)), (nn.BatchNorm2d, (3, 4, 5))]
)


@LAYERS
def test_batch_and_running_statistics_are_those_of_torchs_layer(layer: Any, shape: tuple[int, ...]) -> None:
    plain = layer(3, eps=1e-3)
    norm = norm_like(plain, "track")
    for step in range(3):
        x = rows(6, *shape, seed=step)
        assert torch.equal(norm(x), plain(x))
    for name, average in norm.averages._asdict().items():
        assert torch.equal(average, plain.get_buffer(name).expand(3))
    plain.eval()
    norm.mode.statistics = "running"
    assert torch.equal(norm(x), plain(x))
    before = norm.averages.running_mean.clone()
    norm.mode.statistics = "batch"
    assert torch.equal(norm(x), plain.train()(x))
    assert torch.equal(norm.averages.running_mean, before)


@LAYERS
def test_statistics_of_the_first_rows_normalise_all(layer: Any, shape: tuple[int, ...]) -> None:
    plain = layer(3, eps=1e-3)
    norm = norm_like(plain, 4)
    x = rows(7, *shape)
    by_torch = plain(x[:4])
    torch.testing.assert_close(norm(x)[:4], by_torch)
    other = torch.cat([x[:4], rows(3, *shape, seed=1)])
    torch.testing.assert_close(norm(other)[:4], by_torch)
    # A row that is among the first is normalised as the same row behind them.
    torch.testing.assert_close(norm(torch.cat([x[:4], x[2:3]]))[4], by_torch[2])
    norm.mode.statistics = 7
    assert torch.equal(norm(x), plain(x))
    norm.mode.statistics = 0
    with pytest.raises(ValueError, match="at least one row"):
        norm(x)


@pytest.mark.parametrize("statistics", ["batch", 3])
def test_gradients_of_first_and_second_order_agree_with_finite_differences(statistics: Statistics) -> None:
    norm = norm_like(nn.BatchNorm2d(3), statistics).double()
    x = rows(4, 3, 2, 2, dtype=torch.float64).requires_grad_()
    weight, bias = (rows(3, seed=s, dtype=torch.float64).requires_grad_() for s in (1, 2))

    def run(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        output: Tensor = torch.func.functional_call(norm, {"weight": weight, "bias": bias}, (x,))
        return output

    assert torch.autograd.gradcheck(run, (x, weight, bias))
    assert torch.autograd.gradgradcheck(run, (x, weight, bias))


def test_an_elastic_norm_tracks_only_the_channels_it_has() -> None:
    s = Space(3, 6, 6)
    s.layer("bn", "y/bn", s.layer("conv", "y/conv", 0, channels=s.pick(2, 4), kernel=3))
    supernet = built(s)
    supernet(rows(4, 3, 6, 6), (0,), "track")
    assert supernet.state_dict()["y/bn.num_batches_tracked"].tolist() == [1, 1, 0, 0]
    assert supernet.state_dict()["y/bn.running_mean"][2:].tolist() == [0, 0]
    (averages,) = supernet.path((0,)).averages().values()
    assert torch.equal(averages.running_mean, supernet.state_dict()["y/bn.running_mean"][:2])
    assert averages.running_mean.abs().min() > 0
