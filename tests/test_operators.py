"""The standard operators: what each says about itself is what torch does, and what was published."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import replace
from math import ceil, prod
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, fx, nn
from torch.utils.flop_counter import FlopCounterMode

from atnas.compiler.space import Compiled, compile
from atnas.compiler.supernet import Supernet
from atnas.dsl.elaborate.space import work_out
from atnas.dsl.modules import load as read
from atnas.dsl.operator import Cost, Operator, Shape, ShapeError, parameters
from atnas.dsl.plugins import entries, load
from atnas.dsl.source import Source

IMAGE, SIGNAL, VECTOR, TOKENS = (8, 6, 6), (8, 7), (8,), (5, 12)

# Every operator: arguments in the language's order, and the shapes of its inputs.
SAMPLES: dict[str, list[tuple[tuple[Any, ...], tuple[Shape, ...]]]] = {
    "conv": [
        ((4,), (IMAGE,)),
        ((4, 5, 2), ((3, 7, 5),)),
        ((4, 3, 1, 2), (SIGNAL,)),
        ((12, 1, 3, 1, 2, True), (IMAGE,)),
    ],
    "dw_conv": [((), (IMAGE,)), ((5, 2, 1, True), ((3, 7, 7),)), ((3, 1, 2), (SIGNAL,))],
    "sep_conv": [((4,), (IMAGE,)), ((4, 5, 2), ((3, 7, 7),)), ((4, 3), (SIGNAL,))],
    "dil_conv": [((4,), (IMAGE,)), ((4, 5, 2), ((3, 7, 7),)), ((4, 3, 1, 3), (SIGNAL,))],
    "crossed_conv": [((4,), (IMAGE,)), ((4, 7, 2), ((3, 7, 5),)), ((8, 3, 3), (IMAGE,))],
    "mbconv": [
        ((8,), (IMAGE,)),
        ((6, 5, 1, 2, "hswish", True), ((8, 7, 7),)),
        ((8, 3, 2.5, 1, "swish", True), (IMAGE,)),
        ((8, 7, 3, 1, "gelu"), (SIGNAL,)),
        ((4, 3, 2, 1, "relu", True), (SIGNAL,)),
        ((12, 3, 1.5, 2, "relu", True, 2), (IMAGE,)),
    ],
    "res_block": [
        ((8,), (IMAGE,)),
        ((4,), (IMAGE,)),
        ((16, 2), (IMAGE,)),
        ((8, 2), ((8, 7, 5),)),
        ((4, 2), (SIGNAL,)),
    ],
    "linear": [((3,), (VECTOR,)), ((3, False), (TOKENS,))],
    "bn": [((), (x,)) for x in (IMAGE, SIGNAL, VECTOR)],
    "ln": [((), (x,)) for x in (IMAGE, TOKENS, VECTOR)],
    "gn": [((4,), (x,)) for x in (IMAGE, SIGNAL, VECTOR)],
    "relu": [((), (IMAGE,)), ((), (TOKENS,))],
    "relu6": [((), (IMAGE,))],
    "gelu": [((), (TOKENS,))],
    "hswish": [((), (IMAGE,))],
    "swish": [((), (IMAGE,))],
    "sigmoid": [((), (VECTOR,))],
    "tanh": [((), (SIGNAL,))],
    "max_pool": [((), (IMAGE,)), ((3, 1), (IMAGE,)), ((3, 2), ((8, 7, 7),)), ((2, 2, True), (SIGNAL,))],
    "avg_pool": [((), (IMAGE,)), ((3, 1), (IMAGE,)), ((3, 2), ((8, 7, 7),)), ((2, 2, True), ((8, 7, 5),))],
    "global_avg_pool": [((), (IMAGE,)), ((), (SIGNAL,))],
    "upsample": [((), (IMAGE,)), ((3,), (SIGNAL,)), ((3, "bilinear"), ((8, 4, 5),)), ((2, "bilinear"), (SIGNAL,))],
    "skip": [
        ((), (VECTOR,)),
        ((2,), (IMAGE,)),
        ((2,), ((5, 7, 1),)),
        ((2,), ((1, 7),)),
        ((1, 5), (IMAGE,)),
        ((2, 5), ((3, 7, 7),)),
    ],
    "none": [((), (VECTOR,)), ((), (TOKENS,)), ((2,), ((8, 7, 5),)), ((3,), (SIGNAL,))],
    "dropout": [((), (IMAGE,)), ((0.1,), (VECTOR,))],
    "flatten": [((), (IMAGE,)), ((), (VECTOR,))],
    "transpose": [((), (SIGNAL,)), ((), (TOKENS,))],
    "concat": [((), (IMAGE, (2, 6, 6), IMAGE)), ((), (VECTOR,)), ((), ((4, 12), TOKENS))],
    "add": [((), (IMAGE, IMAGE, IMAGE)), ((), (VECTOR,))],
    "mul": [((), (IMAGE, IMAGE, IMAGE)), ((), (VECTOR,))],
    "attention": [((12, 3), (TOKENS,)), ((8,), (TOKENS,)), ((10, 3, 4), (TOKENS,)), ((12, 3, None, True), (TOKENS,))],
    "patch_embed": [((6, 2), (IMAGE,)), ((6, 3), ((1, 6, 9),))],
    "tokens": [((), (IMAGE,)), ((), ((3, 4, 5),))],
    "pos_embed": [((), (TOKENS,))],
    "token": [((), (TOKENS,)), ((4,), (TOKENS,))],
}

CASES = [pytest.param(n, a, x, id=f"{n}{a}{x}") for n, cases in SAMPLES.items() for a, x in cases]
each_operator = pytest.mark.parametrize("name, arguments, inputs", CASES)


def operator(name: str, *arguments: Any, **named: Any) -> Operator:
    made: Operator = load("ops", name)(*arguments, **named)
    return made


def on_meta(op: Operator, *inputs: Shape) -> tuple[nn.Module, list[Tensor]]:
    """The module and a batch of two for it, without memory or arithmetic."""
    with torch.device("meta"):
        return op.build(*inputs), [torch.empty(2, *x) for x in inputs]


class Use(nn.Module):
    """One use of a layer with a fixed number of inputs, as a network has it."""

    def __init__(self, layer: nn.Module, count: int) -> None:
        super().__init__()
        self.layer, self.count = layer, count

    def forward(self, *inputs: Tensor) -> Tensor:
        y: Tensor = self.layer(*(inputs[i] for i in range(self.count)))
        return y


# What holds for every operator


def test_the_table_above_names_every_operator() -> None:
    mine = {name for name, entry in entries("ops").items() if entry.value.startswith("atnas.")}
    assert set(SAMPLES) == mine


@pytest.mark.parametrize("name", SAMPLES)
def test_each_operator_says_in_its_first_line_where_it_comes_from(name: str) -> None:
    first = (load("ops", name).__doc__ or "").splitlines()[0]
    assert re.search(r"\(.*(\d{4}\.\d{5}|\d{4}|torch\.\w+).*\)\.$", first), first


@pytest.mark.parametrize("name", SAMPLES)
def test_each_parameter_is_documented_and_its_default_lies_in_its_bounds(name: str) -> None:
    for p in parameters(load("ops", name)):
        assert p.doc, p.name
        assert p.kind in (int, float, bool, str)
        assert not p.words or p.default in p.words
        if p.kind is int:
            assert p.low is not None, p.name
        if not p.required and p.default is not None and p.low is not None:
            assert p.low <= p.default <= (p.high or p.default)


@each_operator
def test_the_shape_rule_is_what_torch_does(name: str, arguments: tuple[Any, ...], inputs: tuple[Shape, ...]) -> None:
    op = operator(name, *arguments)
    module, batch = on_meta(op, *inputs)
    assert tuple(module(*batch).shape) == (2, *op.shape(*inputs))


@each_operator
def test_the_cost_rule_counts_the_parameters_and_macs_that_torch_counts(
    name: str, arguments: tuple[Any, ...], inputs: tuple[Shape, ...]
) -> None:
    op = operator(name, *arguments)
    module, batch = on_meta(op, *inputs)
    cost = op.cost(*inputs)
    assert cost.params == sum(p.numel() for p in module.parameters())
    with FlopCounterMode(display=False) as counter:
        module(*batch)
    assert 2 * cost.macs * len(batch[0]) == counter.get_total_flops()


@each_operator
def test_activations_are_the_outputs_of_convolutions_linear_layers_and_attention_products(
    name: str, arguments: tuple[Any, ...], inputs: tuple[Shape, ...]
) -> None:
    op = operator(name, *arguments)
    module, batch = on_meta(op, *inputs)
    seen: list[int] = []

    def hook(_module: nn.Module, _inputs: Any, output: Tensor) -> None:
        seen.append(output[0].numel())

    for layer in module.modules():
        if isinstance(layer, (nn.Conv1d, nn.Conv2d, nn.Linear)):
            layer.register_forward_hook(hook)
    module(*batch)
    length = inputs[0][0]
    products = module.heads * length * (length + module.head_dim) if name == "attention" else 0
    assert op.cost(*inputs).activations == sum(seen) + products


@each_operator
def test_the_depth_is_the_longest_chain_of_convolutions_and_linear_layers(
    name: str, arguments: tuple[Any, ...], inputs: tuple[Shape, ...]
) -> None:
    op = operator(name, *arguments)
    module, _ = on_meta(op, *inputs)
    depth: dict[fx.Node, int] = {}
    traced = fx.symbolic_trace(Use(module, len(inputs)))
    for node in traced.graph.nodes:
        weighs = node.op == "call_module" and isinstance(
            traced.get_submodule(node.target), (nn.Conv1d, nn.Conv2d, nn.Linear)
        )
        depth[node] = weighs + max((depth[n] for n in node.all_input_nodes), default=0)
    assert op.layers(*inputs) == max(depth.values())


@each_operator
def test_tracing_finds_nothing_but_torch_layers_and_gives_the_same_output(
    name: str, arguments: tuple[Any, ...], inputs: tuple[Shape, ...]
) -> None:
    torch.manual_seed(0)
    module = Use(operator(name, *arguments).build(*inputs), len(inputs)).eval()
    traced = fx.symbolic_trace(module)
    leaves = [traced.get_submodule(str(n.target)) for n in traced.graph.nodes if n.op == "call_module"]
    assert all(type(leaf).__module__.startswith("torch.nn.") for leaf in leaves)
    batch = [torch.randn(2, *x) for x in inputs]
    assert torch.equal(traced(*batch), module(*batch))


@each_operator
def test_gradients_of_gradients_exist_as_second_order_maml_needs_them(
    name: str, arguments: tuple[Any, ...], inputs: tuple[Shape, ...]
) -> None:
    torch.manual_seed(0)
    module = operator(name, *arguments).build(*inputs)
    batch = [torch.randn(3, *x, requires_grad=True) for x in inputs]
    wanted = [*batch, *module.parameters()]
    first = torch.autograd.grad((module(*batch) ** 3).mean(), wanted, create_graph=True)
    second = torch.autograd.grad(sum((g**2).sum() for g in first), wanted, allow_unused=True)
    assert all(torch.isfinite(g).all() for g in second if g is not None)
    assert name == "none" or any(g is not None and g.abs().sum() > 0 for g in second)


SMALLER = {
    "channels": lambda n: n - 2,
    "features": lambda n: n - 2,
    "kernel": lambda n: max(1, n - 2),
    "expand": lambda n: n / 2 + 0.5,
    "heads": lambda n: n // 2,
    "head_dim": lambda n: n - 1,
}


@each_operator
def test_a_smaller_value_of_an_elastic_argument_fits_into_the_weights_of_a_larger_one(
    name: str, arguments: tuple[Any, ...], inputs: tuple[Shape, ...]
) -> None:
    op = operator(name, *arguments)
    large = {k: p.shape for k, p in on_meta(op, *inputs)[0].named_parameters()}
    for p in parameters(type(op)):
        if not p.elastic or getattr(op, p.name) is None:
            continue
        smaller: Any = replace(op, **{p.name: SMALLER[p.name](getattr(op, p.name))})  # type: ignore[type-var]
        for key, weight in on_meta(smaller, *inputs)[0].named_parameters():
            assert len(weight.shape) == len(large[key]), key
            assert all(a <= b for a, b in zip(weight.shape, large[key], strict=True)), (p.name, key)


# Shapes


sizes = st.integers(1, 20)


@settings(deadline=None, max_examples=60)
@given(
    st.lists(sizes, min_size=1, max_size=2),
    st.sampled_from([1, 3, 5, 7]),
    st.integers(1, 4),
    st.integers(1, 3),
)
def test_convolutions_give_the_ceiling_of_the_size_over_the_stride(
    size: list[int], kernel: int, stride: int, dilation: int
) -> None:
    x = (3, *size)
    expected = tuple(ceil(n / stride) for n in size)
    for op in (
        operator("conv", 4, kernel, stride, dilation),
        operator("dw_conv", kernel, stride, dilation),
        operator("sep_conv", 4, kernel, stride),
        operator("dil_conv", 4, kernel, stride, dilation),
        operator("mbconv", 4, kernel, 2, stride),
    ):
        module, batch = on_meta(op, x)
        assert op.shape(x)[1:] == expected
        assert tuple(module(*batch).shape) == (2, *op.shape(x))


@settings(deadline=None, max_examples=60)
@given(st.lists(sizes, min_size=1, max_size=2), st.integers(1, 6), st.integers(1, 5), st.booleans())
def test_pools_either_refuse_a_map_or_give_what_torch_gives(
    size: list[int], kernel: int, stride: int, ceil: bool
) -> None:
    x = (3, *size)
    for name in ("max_pool", "avg_pool"):
        op = operator(name, kernel, stride, ceil)
        module, batch = on_meta(op, x)
        try:
            shape = op.shape(x)
        except ShapeError:
            with pytest.raises(RuntimeError):
                module(*batch)
        else:
            assert tuple(module(*batch).shape) == (2, *shape)


def test_a_pool_of_two_halves_rounding_down_as_conv4_needs() -> None:
    size = [28]
    while size[-1] > 1:
        size.append(operator("max_pool", 2).shape((64, size[-1], size[-1]))[1])
    assert size == [28, 14, 7, 3, 1]


# What an operator cannot take, it says


@pytest.mark.parametrize(
    "name, arguments, inputs, words",
    [
        ("conv", (4,), (VECTOR,), ["conv", "(8)", "(c, h, w)", "before flatten"]),
        ("conv", (4, 4), (IMAGE,), ["(8, 6, 6)", "3 or 5"]),
        ("conv", (4, 3, 1, 1, 3), (IMAGE,), ["(8, 6, 6)", "4", "3 groups"]),
        ("dw_conv", (), (VECTOR,), ["dw_conv", "(8)", "before flatten"]),
        ("dw_conv", (2,), (IMAGE,), ["(8, 6, 6)", "1 or 3"]),
        ("sep_conv", (4,), (VECTOR,), ["sep_conv", "(8)", "before flatten"]),
        ("sep_conv", (4, 2), (IMAGE,), ["(8, 6, 6)", "1 or 3"]),
        ("dil_conv", (4,), (VECTOR,), ["dil_conv", "(8)", "before flatten"]),
        ("dil_conv", (4, 6), (IMAGE,), ["(8, 6, 6)", "5 or 7"]),
        ("mbconv", (4,), (VECTOR,), ["mbconv", "(8)", "before flatten"]),
        ("mbconv", (4, 4), (IMAGE,), ["(8, 6, 6)", "3 or 5"]),
        ("mbconv", (9, 3, 2, 1, "relu", False, 2), (IMAGE,), ["(8, 6, 6)", "16 channels inside", "own 9", "2 groups"]),
        ("crossed_conv", (4,), (SIGNAL,), ["crossed_conv", "(8, 7)", "take conv"]),
        ("crossed_conv", (4, 4), (IMAGE,), ["(8, 6, 6)", "3 or 5"]),
        ("res_block", (4,), (VECTOR,), ["res_block", "(8)", "before flatten"]),
        ("linear", (10,), (IMAGE,), ["(8, 6, 6)", "flatten or global_avg_pool"]),
        ("bn", (), ((1, 2, 3, 4),), ["bn", "(1, 2, 3, 4)", "leave the batch out"]),
        ("ln", (), ((1, 2, 3, 4),), ["ln", "(1, 2, 3, 4)", "flatten"]),
        ("gn", (3,), (IMAGE,), ["(8, 6, 6)", "3 groups", "divides 8"]),
        ("gn", (3,), ((1, 2, 3, 4),), ["gn", "(1, 2, 3, 4)", "leave the batch out"]),
        ("max_pool", (), ((64, 1, 1),), ["max_pool(2)", "(64, 1, 1)", "smaller window"]),
        ("avg_pool", (4,), ((64, 1, 9),), ["avg_pool(4)", "(64, 1, 9)", "smaller window"]),
        ("avg_pool", (), (VECTOR,), ["avg_pool", "(8)", "before flatten"]),
        ("global_avg_pool", (), (VECTOR,), ["global_avg_pool", "(8)", "before flatten"]),
        ("skip", (2,), (VECTOR,), ["skip(stride = 2)", "(8)", "before flatten"]),
        ("skip", (1, 4), (VECTOR,), ["skip(channels = 4)", "(8)", "before flatten"]),
        ("none", (2,), (VECTOR,), ["none(stride = 2)", "(8)", "before flatten"]),
        ("add", (), (IMAGE, IMAGE, (4, 6, 6)), ["(8, 6, 6)", "(4, 6, 6)", "concat"]),
        ("add", (), (), ["add of nothing"]),
        ("mul", (), (IMAGE, (8, 3, 3)), ["mul", "(8, 6, 6)", "(8, 3, 3)", "stride"]),
        ("mul", (), (), ["mul of nothing"]),
        ("concat", (), (IMAGE, (8, 3, 3)), ["(8, 6, 6)", "(8, 3, 3)", "stride"]),
        ("concat", (), (IMAGE, SIGNAL), ["(8, 6, 6)", "(8, 7)"]),
        ("concat", (), (), ["concat of nothing"]),
        ("upsample", (), (VECTOR,), ["upsample", "(8)", "before flatten"]),
        ("transpose", (), (IMAGE,), ["transpose", "(8, 6, 6)", "tokens makes tokens"]),
        ("transpose", (), (VECTOR,), ["transpose", "(8)", "before flatten"]),
        ("tokens", (), (SIGNAL,), ["tokens", "(8, 7)", "transpose makes tokens"]),
        ("tokens", (), (VECTOR,), ["tokens", "(8)", "before flatten"]),
        ("pos_embed", (), (IMAGE,), ["pos_embed", "(8, 6, 6)", "tokens or patch_embed"]),
        ("attention", (12,), (IMAGE,), ["attention", "(8, 6, 6)", "tokens or patch_embed"]),
        ("attention", (12,), (VECTOR,), ["attention", "(8)", "before flatten"]),
        ("attention", (12,), ((2, 3, 4, 5),), ["attention", "(2, 3, 4, 5)", "leave the batch out"]),
        ("attention", (12, 5), (TOKENS,), ["(5, 12)", "12 channels", "5 heads", "head_dim"]),
        ("patch_embed", (12,), (VECTOR,), ["patch_embed", "(8)", "before flatten"]),
        ("patch_embed", (12, 4), (IMAGE,), ["(8, 6, 6)", "4 x 4", "divides 6"]),
        ("token", (), (IMAGE,), ["token", "(8, 6, 6)"]),
        ("token", (5,), (TOKENS,), ["token(5)", "(5, 12)", "0 to 4"]),
    ],
)  # fmt: skip
def test_inputs_that_do_not_fit_are_refused_with_both_facts_and_the_cure(
    name: str, arguments: tuple[Any, ...], inputs: tuple[Shape, ...], words: list[str]
) -> None:
    with pytest.raises(ShapeError) as refused:
        operator(name, *arguments).shape(*inputs)
    assert [w for w in words if w not in str(refused.value)] == [], str(refused.value)


# What the layers compute


@pytest.mark.parametrize("causal", [False, True])
def test_attention_equals_torch_multihead_attention(causal: bool) -> None:
    torch.manual_seed(0)
    ours: Any = operator("attention", 12, 3, causal=causal).build(TOKENS)
    theirs = nn.MultiheadAttention(12, 3, batch_first=True)
    with torch.no_grad():
        theirs.in_proj_weight.copy_(torch.cat([ours.query.weight, ours.key.weight, ours.value.weight]))
        theirs.in_proj_bias.copy_(torch.cat([ours.query.bias, ours.key.bias, ours.value.bias]))
        theirs.out_proj.load_state_dict(ours.out.state_dict())
    x = torch.randn(4, *TOKENS)
    hidden = torch.ones(5, 5, dtype=torch.bool).triu(1) if causal else None
    torch.testing.assert_close(ours(x), theirs(x, x, x, attn_mask=hidden)[0])


def test_causal_attention_does_not_see_what_comes_later() -> None:
    torch.manual_seed(0)
    module = operator("attention", 12, 3, causal=True).build(TOKENS)
    x = torch.randn(1, *TOKENS, requires_grad=True)
    for i in range(5):
        seen = torch.autograd.grad(module(x)[0, i].sum(), x)[0][0]
        assert seen[: i + 1].any(1).all()
        assert not seen[i + 1 :].any()


def test_fewer_heads_of_the_same_width_are_the_first_heads() -> None:
    torch.manual_seed(0)
    three: Any = operator("attention", 12, 3, 4).build(TOKENS)
    two: Any = operator("attention", 12, 2, 4).build(TOKENS)
    with torch.no_grad():
        for name, weight in two.named_parameters():
            weight.copy_(three.get_parameter(name)[tuple(map(slice, weight.shape))])
        three.out.weight[:, 8:] = 0
    x = torch.randn(4, *TOKENS)
    torch.testing.assert_close(two(x), three(x))


def test_layer_norm_of_an_image_normalises_the_channels_at_each_place() -> None:
    x = torch.randn(2, *IMAGE)
    y = operator("ln").build(IMAGE)(x)
    torch.testing.assert_close(y[1, :, 2, 3], torch.nn.functional.layer_norm(x[1, :, 2, 3], (8,)))


def test_average_pooling_does_not_count_its_padding() -> None:
    ones = torch.ones(1, *IMAGE)
    assert torch.equal(operator("avg_pool", 3, 1).build(IMAGE)(ones), ones)


def test_the_factorised_reduction_sees_even_and_odd_places() -> None:
    torch.manual_seed(0)
    x = torch.rand(2, 5, 6, 6)
    module: Any = operator("skip", 2).build((5, 6, 6)).eval()
    for half, seen in ((module.first, x[:, :, ::2, ::2]), (module.second, x[:, :, 1::2, 1::2])):
        half.expected = torch.einsum("oc,nchw->nohw", half[0].weight[:, :, 0, 0], seen) / (1 + 1e-5) ** 0.5
    torch.testing.assert_close(module(x), torch.cat([module.first.expected, module.second.expected], 1))


def test_skip_passes_its_input_on_where_that_has_the_channels_asked_for() -> None:
    x = torch.randn(2, *IMAGE)
    assert torch.equal(operator("skip", 1, 8).build(IMAGE)(x), x)
    assert operator("skip", 1, 8).cost(IMAGE) == Cost()
    assert operator("skip", 1, 5).cost(IMAGE).params == 8 * 5 + 2 * 5


def test_a_crossed_convolution_sees_a_square_window() -> None:
    module = operator("crossed_conv", 1, 5).build((1, 9, 9)).eval()
    x = torch.ones(1, 1, 9, 9, requires_grad=True)
    seen = torch.autograd.grad(module(x)[0, 0, 4, 4], x)[0][0, 0].nonzero()
    assert (len(seen), seen.min().item(), seen.max().item()) == (25, 2, 6)


def test_groups_of_mbconv_do_not_see_each_other() -> None:
    module = operator("mbconv", 4, 1, 2, 1, "relu", False, 2).build(IMAGE).eval()
    x = torch.randn(1, *IMAGE, requires_grad=True)
    seen = torch.autograd.grad(module(x)[0, :2].sum(), x)[0][0]
    assert seen[:4].any()
    assert not seen[4:].any()


def test_mbconv_adds_its_input_only_where_it_fits() -> None:
    x = torch.randn(2, *IMAGE)
    for arguments, added in (((8,), True), ((8, 3, 6, 2), False), ((6,), False)):
        module: Any = operator("mbconv", *arguments).build(IMAGE).eval()
        nn.init.zeros_(module.body.project_bn.weight)
        y = module(x)
        assert torch.equal(y, x) if added else not y.any()


def test_zeros_pass_a_gradient_of_zero() -> None:
    x = torch.randn(2, *IMAGE, requires_grad=True)
    y = operator("none", 2).build(IMAGE)(x)
    assert not y.any()
    assert not torch.autograd.grad(y.sum(), x)[0].any()


@pytest.mark.parametrize("mode", ["nearest", "bilinear"])
def test_upsampling_is_that_of_torch(mode: str) -> None:
    x = torch.randn(2, *IMAGE)
    expected = nn.functional.interpolate(x, scale_factor=3, mode=mode)
    assert torch.equal(operator("upsample", 3, mode).build(IMAGE)(x), expected)


def test_upsampling_a_signal_repeats_its_numbers_or_draws_lines_between_them() -> None:
    x = torch.tensor([[[0.0, 4.0]]])
    assert operator("upsample", 2).build((1, 2))(x).tolist() == [[[0, 0, 4, 4]]]
    assert operator("upsample", 2, "bilinear").build((1, 2))(x).tolist() == [[[0, 1, 3, 4]]]


@settings(deadline=None, max_examples=60)
@given(st.lists(sizes, min_size=1, max_size=2), st.integers(1, 4), st.sampled_from(["nearest", "bilinear"]))
def test_upsampling_takes_every_size_so_many_times(size: list[int], by: int, mode: str) -> None:
    op = operator("upsample", by, mode)
    module, batch = on_meta(op, (3, *size))
    assert op.shape((3, *size)) == (3, *(n * by for n in size)) == tuple(module(*batch).shape)[1:]


def test_mul_multiplies_and_add_adds_number_by_number() -> None:
    tensors = [torch.randn(2, *IMAGE) for _ in range(3)]
    a, b, c = tensors
    assert torch.equal(operator("mul").build(IMAGE, IMAGE, IMAGE)(*tensors), a * b * c)
    assert torch.equal(operator("add").build(IMAGE, IMAGE, IMAGE)(*tensors), a + b + c)


def test_the_tokens_of_an_image_are_its_places_row_by_row() -> None:
    image = torch.randn(2, 3, 4, 5)
    tokens = operator("tokens").build((3, 4, 5))(image)
    assert torch.equal(tokens, torch.stack([image[:, :, i, j] for i in range(4) for j in range(5)], 1))


def test_transpose_makes_tokens_of_a_signal_and_a_signal_of_tokens() -> None:
    x = torch.randn(2, *SIGNAL)
    tokens = operator("transpose").build(SIGNAL)(x)
    assert torch.equal(tokens[:, 3], x[:, :, 3])
    assert torch.equal(operator("transpose").build((7, 8))(tokens), x)


def test_each_position_has_a_vector_of_its_own() -> None:
    module: Any = operator("pos_embed").build(TOKENS)
    x = torch.randn(2, *TOKENS)
    y = module(x)
    assert all(torch.equal(y[n, i], x[n, i] + module.positions[i]) for n in range(2) for i in range(5))
    assert len(module.positions.unique()) == 5 * 12


def test_patch_embed_reads_patches_row_by_row_after_the_class_token() -> None:
    module: Any = operator("patch_embed", 3, 2).build((1, 4, 6)).eval()
    with torch.no_grad():
        module.patches.weight.fill_(0.25)
        module.patches.bias.zero_()
        module.positions.zero_()
    image = torch.arange(24.0).reshape(1, 1, 4, 6)
    tokens = module(image)
    assert torch.equal(tokens[0, 0], module.token)
    means = [image[0, 0, i : i + 2, j : j + 2].mean().item() for i in (0, 2) for j in (0, 2, 4)]
    assert tokens[0, 1:, 0].tolist() == means


# In the language


def compiled(text: str) -> Compiled:
    """The space `s` of a program."""
    module, findings = read(Source("test.atnas", text), str)
    worked = work_out(module.names["s"])
    assert (findings, worked.findings) == ([], [])
    assert worked.net is not None
    return compile(worked.net)


def test_mul_stands_wherever_add_stands() -> None:
    program = """
op unit(c) = conv(c, 1 | 3) -> tanh
space s [x: (2, 5, 5)] -> y {
  a = add(x -> unit(4), x -> unit(4))
  b = [a, a -> sigmoid] -> add -> (skip | unit(4))
  y = add(1..2 of [x -> unit(4), a -> unit(4), b])
  require count(add) >= 2
}
"""
    sums, products = (compiled(program.replace("add", word)) for word in ("add", "mul"))
    assert sums.encoding.count() == products.encoding.count()
    assert [(d.name, d.options) for d in sums.net.decisions] == [(d.name, d.options) for d in products.net.decisions]
    net, x = Supernet(products.net, products.encoding), torch.randn(2, 2, 5, 5)
    for genotype in map(products.encoding.unrank, range(0, products.encoding.count(), 5)):
        assert torch.equal(net.extract(genotype)(x), net(x, genotype))
        assert products.costs.of(genotype) == sums.costs.of(genotype)


def test_positions_of_fewer_or_narrower_tokens_are_the_first_of_all() -> None:
    of = compiled("""
space s [x: (3, 12)] -> y {
  d = 4 | 6
  y = x -> (skip | max_pool(3, stride = 2)) -> conv(d, 1) -> transpose -> pos_embed -> token(0)
}
""")
    net = Supernet(of.net, of.encoding)
    for genotype, length, d in (((0, 0), 12, 4), ((0, 1), 6, 4), ((1, 0), 12, 6), ((1, 1), 6, 6)):
        found = net.path(genotype).weights()["y/pos_embed.positions"]
        assert torch.equal(found, net.get_parameter("y/pos_embed.positions")[:length, :d])


# Published numbers


def chain(x: Shape, *layers: Operator) -> tuple[Shape, Cost]:
    """Output shape and cost of layers in a row."""
    total = Cost()
    for layer in layers:
        total += layer.cost(x)
        x = layer.shape(x)
    return x, total


def conv_bn(c: int, kernel: int, stride: int = 1, act: str = "relu") -> list[Operator]:
    return [operator("conv", c, kernel, stride), operator("bn"), operator(act)]


@pytest.mark.parametrize("width, image, params", [(64, (1, 28, 28), 112_261), (32, (3, 84, 84), 32_901)])
def test_conv4_has_the_parameters_of_the_few_shot_literature(width: int, image: Shape, params: int) -> None:
    block = [operator("conv", width, 3, bias=True), operator("bn"), operator("relu"), operator("max_pool", 2)]
    shape, cost = chain(image, *block * 4, operator("flatten"), operator("linear", 5))
    assert (shape, cost.params) == ((5,), params)


def test_mobilenet_v2_has_3_504_872_parameters_and_300_million_macs() -> None:
    table = [
        (1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2),
        (6, 320, 1, 1),
    ]  # fmt: skip
    blocks = [operator("mbconv", c, 3, t, s if turn == 0 else 1) for t, c, n, s in table for turn in range(n)]
    head = [operator("global_avg_pool"), operator("linear", 1000)]
    _, cost = chain((3, 224, 224), *conv_bn(32, 3, 2), *blocks, *conv_bn(1280, 1), *head)
    assert cost.params == 3_504_872
    assert round(cost.macs / 1e6) == 301


def test_mobilenet_v3_large_has_5_483_032_parameters() -> None:
    table = [
        (3, 16, 16, 0, "relu", 1), (3, 64, 24, 0, "relu", 2), (3, 72, 24, 0, "relu", 1),
        (5, 72, 40, 1, "relu", 2), (5, 120, 40, 1, "relu", 1), (5, 120, 40, 1, "relu", 1),
        (3, 240, 80, 0, "hswish", 2),
        (3, 200, 80, 0, "hswish", 1), (3, 184, 80, 0, "hswish", 1), (3, 184, 80, 0, "hswish", 1),
        (3, 480, 112, 1, "hswish", 1), (3, 672, 112, 1, "hswish", 1), (5, 672, 160, 1, "hswish", 2),
        (5, 960, 160, 1, "hswish", 1), (5, 960, 160, 1, "hswish", 1),
    ]  # fmt: skip
    before = [16, *(row[2] for row in table)]
    blocks = [
        operator("mbconv", c, k, width / c_in, stride, act, bool(se))
        for c_in, (k, width, c, se, act, stride) in zip(before, table, strict=False)
    ]
    head = [operator("global_avg_pool"), operator("linear", 1280), operator("linear", 1000)]
    _, cost = chain((3, 224, 224), *conv_bn(16, 3, 2), *blocks, *conv_bn(960, 1), *head)
    assert cost.params == 5_483_032


def test_the_smallest_deit_has_5_717_416_parameters() -> None:
    ln = operator("ln")
    mlp = [operator("linear", 768), operator("gelu"), operator("linear", 192)]
    block = [ln, operator("attention", 192, 3, 64), ln, *mlp]
    shape, cost = chain(
        (3, 224, 224),
        operator("patch_embed", 192, 16),
        *block * 12,
        ln,
        operator("token"),
        operator("linear", 1000),
    )
    assert (shape, cost.params) == ((1000,), 5_717_416)


def test_the_network_of_the_darts_paper_has_3_349_342_parameters() -> None:
    normal = [
        ("sep", 0),
        ("sep", 1),
        ("sep", 0),
        ("sep", 1),
        ("sep", 1),
        ("skip", 0),
        ("skip", 0),
        ("dil", 2),
    ]
    reduce = [
        ("max", 0),
        ("max", 1),
        ("skip", 2),
        ("max", 1),
        ("max", 0),
        ("skip", 2),
        ("skip", 2),
        ("max", 1),
    ]
    c, stem = 36, 108
    params = chain((3, 32, 32), operator("conv", stem, 3), operator("bn"))[1].params
    a, b, size, halved = stem, stem, 32, False
    for cell in range(20):
        reduces = cell in (6, 13)
        c = 2 * c if reduces else c
        for width, stride in ((a, 1 + halved), (b, 1)):
            fit = chain((width, size * stride, size * stride), *conv_bn(c, 1, stride))
            params += fit[1].params
        for kind, source in reduce if reduces else normal:
            stride = 2 if reduces and source < 2 else 1
            made = {
                "sep": operator("sep_conv", c, 3, stride),
                "dil": operator("dil_conv", c, 3, stride),
                "skip": operator("skip", stride),
                "max": operator("max_pool", 3, stride),
            }
            params += made[kind].cost((c, size, size)).params
        a, b, halved = b, 4 * c, reduces
        size = size // 2 if reduces else size
    assert params + operator("linear", 10).cost((b,)).params == 3_349_342


def nasbench201() -> Path:
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    return Path(os.environ.get("ATNAS_DATA", beside)) / "nasbench201" / "nasbench201.npz"


@pytest.mark.skipif(
    not nasbench201().is_file(), reason="no nasbench201/nasbench201.npz in $ATNAS_DATA or ../shared/data"
)
def test_nas_bench_201_networks_have_the_published_parameters() -> None:
    table = np.load(nasbench201())
    ops = list(table["op_names"])
    uses = {k: (table["ops"] == ops.index(f"nor_conv_{k}x{k}")).sum(1) for k in (1, 3)}
    params = np.zeros(len(table["ops"]), dtype=np.int64)
    x, total = chain((3, 32, 32), operator("conv", 16, 3), operator("bn"))
    for stage in range(3):
        if stage:
            x, block = chain(x, operator("res_block", 2 * x[0], 2))
            total += block
        for k, times in uses.items():
            unit = [operator("relu"), operator("conv", x[0], k), operator("bn")]
            params += 5 * times * chain(x, *unit)[1].params
    _, tail = chain(x, operator("bn"), operator("relu"), operator("global_avg_pool"))
    for column, classes in enumerate((10, 100, 120)):
        head = operator("linear", classes).cost((x[0],))
        ours = (params + (total + tail + head).params) / 1e6
        published = table["params_m"][:, column]
        # The table averages over training runs, and 204 of its rows average over runs of different networks.
        # Numbers of 1x1 and 3x3 convolutions alone decide a count, so these stand out from their like.
        assert (abs(ours - published) < 1e-6).sum() == len(ours) - 204
        for kind in {*zip(uses[1], uses[3], strict=True)}:
            same = (uses[1] == kind[0]) & (uses[3] == kind[1])
            assert abs(np.median(published[same]) - ours[same][0]) < 1e-6


# Without torch


def test_checking_loads_no_numerics_for_any_operator() -> None:
    script = (
        "import sys\n"
        "from atnas.dsl.operator import parameters\n"
        "from atnas.dsl.plugins import entries, load\n"
        "for name, entry in entries('ops').items():\n"
        "    if entry.value.startswith('atnas.'): parameters(load('ops', name))\n"
        "c = load('ops', 'conv')(8)\n"
        "c.shape((3, 9, 9)), c.cost((3, 9, 9))\n"
        "print(*sorted({'torch', 'numpy', 'networkx', 'deap'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_flatten_keeps_every_number() -> None:
    assert operator("flatten").shape((64, 3, 3)) == (prod((64, 3, 3)),)
