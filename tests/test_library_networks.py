"""The library's chains, residual networks, transformers and baselines: as many, and as large, as was published.

A docstring names the source of each figure. MACs here are those of convolutions, linear layers and attention products;
where a source counts more than that, the test says what.
"""

from __future__ import annotations

from itertools import product
from math import prod

import pytest
from library import IMAGENET, Architecture, Task, costs, millions, named, space

# Mobile chains


def test_once_for_all_has_7371_to_the_fifth_networks() -> None:
    """Cai et al., ICLR 2020, abstract: more than 10^19. Five stages of 2 to 4 blocks, nine settings for each block."""
    assert space("ofa_mobilenet_v3").encoding.count() == (9**2 + 9**3 + 9**4) ** 5 == 7371**5


def test_a_network_of_once_for_all_has_its_published_size() -> None:
    """mit-han-lab/once-for-all, README.md: ofa-note8-31 has 4.6M params and 101M MACs.

    Kernels and expansions from open-mmlab/mmrazor, configs/nas/mmcls/onceforall/OFA_SUBNET_NOTE8_LAT31.yaml, which
    was converted from it, at 152 x 152; there it has 4.6M params and 105.4M flops.
    """
    stages = [
        [(5, 3), (3, 3)],
        [(5, 4), (5, 3)],
        [(3, 4), (3, 4), (5, 4)],
        [(3, 4), (5, 3), (7, 4)],
        [(3, 6), (3, 3), (5, 3), (5, 3)],
    ]
    chosen: Architecture = {}
    for i, ((kernel, expand), *more) in enumerate(stages):
        first, rest = f"logits.stage[{i}].mb[0]", f"logits.stage[{i}].mb[1]"
        chosen |= {f"{first}.kernel": kernel, f"{first}.expand": expand, f"{rest}.depth": len(more)}
        for j, (kernel, expand) in enumerate(more):
            chosen |= {f"{rest}[{j}].kernel": kernel, f"{rest}[{j}].expand": expand}
    found = costs(space("ofa_mobilenet_v3", ends=((3, 152, 152), 1000)), chosen)
    assert (millions(found["params"]), millions(found["macs"], 0)) == (4.6, 101)


Block = tuple[int, int]

PROXYLESS: dict[str, tuple[list[int], list[list[Block | None]]]] = {
    "mobile": (
        [32, 16, 32, 40, 80, 96, 192, 320, 1280],
        [
            [(5, 3), (3, 3), None, None],
            [(7, 3), (3, 3), (5, 3), (5, 3)],
            [(7, 6), (5, 3), (5, 3), (5, 3)],
            [(5, 6), (5, 3), (5, 3), (5, 3)],
            [(7, 6), (7, 6), (7, 3), (7, 3)],
            [(7, 6)],
        ],
    ),
    "gpu": (
        [40, 24, 32, 56, 112, 128, 256, 432, 1728],
        [
            [(5, 3), None, None, None],
            [(7, 3), None, None, (3, 3)],
            [(7, 6), None, None, (5, 3)],
            [(5, 6), None, (3, 3), (5, 3)],
            [(7, 6), (7, 6), (7, 6), (5, 6)],
            [(7, 6)],
        ],
    ),
    "cpu": (
        [40, 24, 32, 48, 88, 104, 216, 360, 1432],
        [
            [(3, 6), (3, 3), (3, 3), (3, 3)],
            [(3, 6), (3, 3), (3, 3), (5, 3)],
            [(3, 6), None, None, (3, 3)],
            [(5, 6), (3, 3), (3, 3), (3, 3)],
            [(5, 6), (5, 3), (5, 3), (3, 3)],
            [(5, 6)],
        ],
    ),
}
"""Widths, and kernel and expansion of each block, None for a block left out: osmr/imgclsmob, proxylessnas.py."""


def test_proxylessnas_chooses_of_seven_where_a_block_may_be_left_out_and_of_six_elsewhere() -> None:
    """mit-han-lab/proxylessnas, search/models/super_nets/super_proxyless.py: 21 blocks, six change the shape."""
    assert space("proxylessnas").encoding.count() == 6**6 * 7**15


@pytest.mark.parametrize(
    ("device", "params", "macs"), [("mobile", 4_080_512, 320.4), ("gpu", 7_119_848, 465.3), ("cpu", 4_361_648, 439.2)]
)
def test_the_networks_of_proxylessnas_have_their_published_sizes(device: str, params: int, macs: float) -> None:
    """Params: osmr/imgclsmob, pytorch/pytorchcv/models/proxylessnas.py. Millions of MACs: mit-han-lab/proxylessnas,
    logs/imagenet_mobile_log.txt and its like, where they are called FLOPs."""
    widths, stages = PROXYLESS[device]
    chosen: Architecture = {}
    for i, (first, *more) in enumerate(stages):
        at = f"body.stage[{i}]" if i < 5 else "body"
        chosen |= {f"{at}.mb": mb(first)}
        for j, block in enumerate(more):
            chosen |= (
                {f"{at}.keep[{j}]": "mb(c)", f"{at}.keep[{j}].mb": mb(block)} if block else {f"{at}.keep[{j}]": "skip"}
            )
    found = costs(space("proxylessnas", ends=IMAGENET, arguments=f"widths = {widths}"), chosen)
    assert (found["params"], millions(found["macs"])) == (params, macs)


def mb(block: Block | None) -> str:
    assert block is not None
    return f"mbconv(c, {block[0]}, {block[1]}, s)"


FBNET = {
    "a": (1504, "-- 33 31 -- -- 56 33 51 33 56 53 51g 56 36 51g 53 31g 56 56 53 56 56", (4_270_290, 244_526_360)),
    "b": (1984, "31 36 51 31 31 56 53 36 56 56 56 -- 53 56 31 51 53 56 51 56 56 36", (4_766_670, 291_101_640)),
    "c": (1984, "31 36 -- 31 31 56 53 56 36 56 53 56 56 56 56 56 53 56 56 56 56 36", (5_525_420, 378_233_440)),
}
"""facebookresearch/mobile-vision, fbnet_modeldef_cls_fbnet.py and model_info_fbnet.json: channels of the head; kernel,
expansion and g for grouped of 22 layers; params and flops."""

FBNET_WIDTHS = [16, *[24] * 4, *[32] * 4, *[64] * 4, *[112] * 4, *[184] * 4, 352]


def test_fbnet_chooses_of_nine_for_each_of_22_layers() -> None:
    """Wu et al., CVPR 2019, section 3.1: 22 layers, 9 candidate blocks each, 9^22, about 10^21, architectures."""
    assert space("fbnet").encoding.count() == 9**22


@pytest.mark.parametrize("name", FBNET)
def test_the_networks_of_fbnet_have_their_published_sizes(name: str) -> None:
    """Those of FBNET above, to ten. Its params are the weights of convolutions alone, without batch norms and the
    biases of the head; its flops count the mean over the 7 x 7 places of the head."""
    head, layers, (params, flops) = FBNET[name]
    of = space("fbnet", ends=IMAGENET, arguments=f"head = {head}")
    chosen: Architecture = {}
    for i, layer in enumerate(layers.split()):
        stage, turn = divmod(i - 1, 4)
        places = [f"logits.stage[{stage}].change", *(f"logits.stage[{stage}].keep[{j}]" for j in range(3))]
        at = "logits.keep" if i == 0 else "logits.change" if i == 21 else places[turn]
        chosen[at] = "skip" if layer == "--" else f"block(c, {'s' if at.endswith('change') else 1})"
        if layer != "--":
            chosen[f"{at}.block"] = f"mb(c, s, {layer[0]}, {layer[1]}{', 2' * layer.endswith('g')})"
    found = costs(of, chosen)
    norms = sum(
        normed(before, c, layer)
        for before, c, layer in zip([16, *FBNET_WIDTHS[:-1]], FBNET_WIDTHS, layers.split(), strict=True)
    )
    assert abs(found["params"] - 2 * (16 + norms + head) - 1000 - params) <= 5
    assert abs(found["macs"] + 49 * head - flops) <= 5


def normed(before: int, c: int, layer: str) -> int:
    """Channels of the batch norms of a layer: of the expansion, the depthwise convolution and the output."""
    if layer == "--":
        return 0
    expand = int(layer[1])
    return before * expand * (2 if expand > 1 else 1) + c


# Residual networks and vision transformers


def test_ofa_resnet50_has_as_many_networks_as_its_ranges_make() -> None:
    """mit-han-lab/once-for-all, ofa_resnets.py: a layer of the stem that may be left out, three widths for the stem and
    the stages (two of them the same for the first), and 2 to 4, or 4 to 6, blocks of three bottlenecks."""
    stages = [sum(3**n for n in range(least, least + 3)) for least in (2, 2, 4, 2)]
    assert space("ofa_resnet50").encoding.count() == 2 * 2 * 3**5 * prod(stages)


def test_resnet_50_d_is_among_them_with_its_published_size() -> None:
    """osmr/imgclsmob, README of PyTorch models, ResNet(A)-50b, another name for ResNet-50-D: 25,576,264 params."""
    of = space("ofa_resnet50", ends=IMAGENET)
    chosen: Architecture = {"c0": 32, "c1": 64, "w1": 256, "w2": 512, "w3": 1024, "w4": 2048, "stem.again.depth": 1}
    chosen |= {f"body.keep[{i}].depth": blocks - 1 for i, blocks in enumerate((3, 4, 6, 3))}
    chosen |= dict.fromkeys(named(of, ".e"), 5)
    assert costs(of, chosen)["params"] == 25_576_264


def test_widths_of_ofa_resnet50_are_rounded_as_published() -> None:
    """mit-han-lab/once-for-all, make_divisible: to a multiple of 8, and not below nine tenths."""

    def divisible(v: float) -> int:
        rounded = max(8, int(v + 4) // 8 * 8)
        return rounded + 8 * (rounded < 0.9 * v)

    of = space("ofa_resnet50", ends=IMAGENET)
    options = {d.name: d.options for d in of.net.decisions}
    for name, width in {"c1": 64, "w1": 256, "w2": 512, "w3": 1024, "w4": 2048}.items():
        assert options[name] == tuple(divisible(width * part) for part in (0.65, 0.8, 1))
    assert options["c0"] == tuple(sorted({divisible(int(c) // 2) for c in options["c1"]}))  # type: ignore[call-overload]
    for name, e in product(("w1", "w2", "w3", "w4"), (4, 5, 7)):
        for c in map(int, options[name]):  # type: ignore[call-overload]
            inner = c * e + 80 - (c * e + 80) % 160
            assert inner / 20 == divisible(round(c * {4: 0.2, 5: 0.25, 7: 0.35}[e]))


AUTOFORMER: dict[str, tuple[int, str, str, float]] = {
    "autoformer_small": (384, "6 6 5 7 5 5 5 6 6 7 7 6 7", "3 3.5 3 3.5 4 4 4 4 4 4 4 3.5 4", 22.9),
    "autoformer_base": (576, "9 9 9 9 9 10 9 9 10 9 10 9 9 10", "3.5 3.5 4 3.5 4 3.5 3.5 3 4 4 3 4 3 3.5", 53.7),
}
"""microsoft/Cream, AutoFormer/experiments/subnet: width, heads, MLP ratios; README.md: millions of params."""


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("autoformer_tiny", sum(3 * 4**n for n in (12, 13, 14))),
        ("autoformer_small", sum(3 * 9**n for n in (12, 13, 14))),
        ("autoformer_base", sum(3 * 6**n for n in (14, 15, 16))),
    ],
)
def test_autoformer_has_as_many_transformers_as_its_supernets(name: str, count: int) -> None:
    """microsoft/Cream, AutoFormer/experiments/supernet: three widths and depths; heads and MLP ratio for each block."""
    assert space("autoformer", name).encoding.count() == count


def test_deit_tiny_is_a_member_of_autoformer_tiny() -> None:
    """DeiT-Ti (Touvron et al., ICML 2021): 192 wide, 12 blocks of three heads, MLP ratio 4; 5,717,416 params in timm.

    The published AutoFormer-T has MLP ratios of 3 and is no member of its own supernet.
    """
    of = space("autoformer", "autoformer_tiny", IMAGENET)
    chosen: Architecture = {"d": 192, "logits.block.depth": 12}
    chosen |= {f"logits.heads[{i}]": 3 for i in range(12)} | {f"logits.ratio[{i}]": 4 for i in range(12)}
    assert costs(of, chosen)["params"] == 5_717_416


@pytest.mark.parametrize("name", AUTOFORMER)
def test_autoformer_s_and_b_have_their_published_sizes(name: str) -> None:
    """Those of AUTOFORMER above. They have relative positions, which ours have not: in each block, for keys and for
    values, a row and a column table of 30 vectors of 64."""
    d, heads, ratios, published = AUTOFORMER[name]
    chosen: Architecture = {"d": d, "logits.block.depth": len(heads.split())}
    chosen |= {f"logits.heads[{i}]": int(h) for i, h in enumerate(heads.split())}
    chosen |= {f"logits.ratio[{i}]": float(r) for i, r in enumerate(ratios.split())}
    params = costs(space("autoformer", name, IMAGENET), chosen)["params"]
    assert millions(params + len(heads.split()) * 2 * 2 * 30 * 64) == published


# Few-shot baselines, vectors, signals


@pytest.mark.parametrize(
    ("name", "arguments", "ends", "params"),
    [
        ("conv4", "", ((1, 28, 28), 5), 112_261),
        ("conv4_strided", "", ((1, 28, 28), 5), 112_261),
        ("conv4", "C = 32", ((3, 84, 84), 5), 32_901),
    ],
)
def test_conv4_is_one_network_of_its_known_size(name: str, arguments: str, ends: Task, params: int) -> None:
    """Finn et al., ICML 2017: 64 filters for Omniglot, 32 for mini-ImageNet. The latter has 32.9K params in table 3 of
    Lian et al., ICLR 2020."""
    of = space("conv4", name, ends, arguments)
    assert of.encoding.count() == 1
    assert of.costs.of(())["params"] == params


def test_the_network_of_maml_for_sine_waves_is_a_member_of_mlp() -> None:
    """Finn et al., ICML 2017, section 5.1: two hidden layers of 40 with ReLU, from one number to one."""
    of = space("mlp", ends=((1,), 1))
    assert of.encoding.count() == 3 * sum(4**n for n in range(1, 5))
    found = costs(of, {"act": "relu", "y.depth": 2, "y.features[0]": 40, "y.features[1]": 40})
    assert found["params"] == (40 + 40) + (40 * 40 + 40) + (40 + 1)


def test_the_residual_perceptrons_are_as_many_and_as_large_as_they_say() -> None:
    of = space("mlp", "mlp_residual", ((10,), 3), "D = 2, W = 8")
    assert of.encoding.count() == 3 * (3 + 3**2)
    block = 2 * 8 + (8 * 24 + 24) + (24 * 8 + 8)
    assert of.costs.extreme("params", largest=True)[0] == (10 * 8 + 8) + 2 * block + 2 * 8 + (8 * 3 + 3)


def test_the_convolutions_over_signals_are_as_many_and_as_large_as_they_say() -> None:
    assert space("conv1d").encoding.count() == 3 * (5 * 2 * 2) ** 4
    of = space("conv1d", "conv1d_residual", ((2, 64), 3), "C = 4")
    assert of.encoding.count() == 2 * 4**3 * sum(4 ** (3 * n) for n in (1, 2, 3))

    def block(before: int, c: int) -> int:
        return (before * c + 2 * c) + (9 * before * c + 2 * c) + 2 * (9 * c * c + 2 * c)

    largest = block(2, 4) + block(4, 8) + 2 * block(8, 8) + (8 * 3 + 3)
    assert of.costs.extreme("params", largest=True)[0] == largest
