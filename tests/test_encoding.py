"""Architectures as genotypes: counted, drawn uniformly, written as JSON and read back, against brute
force.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from random import Random

import nets
import pytest
from hypothesis import given, settings
from nets import Builder, span
from random_nets import spaces, toys, truths

from atnas.compiler import costs, depth
from atnas.compiler.encoding import Encoding
from atnas.compiler.graph import lower
from atnas.compiler.space import compile
from atnas.dsl.net import Compare, Constraint, Metric, Net


@pytest.fixture(scope="module", autouse=True)
def _toys() -> Iterator[None]:
    with toys():
        yield


def encoding(net: Net) -> Encoding:
    return compile(net).encoding


# For all spaces: every assignment is walked through and compared.


@settings(max_examples=150, deadline=None)
@given(net=spaces())
def test_every_space_agrees_with_walking_through_each_of_its_architectures(net: Net) -> None:
    space = compile(net)
    encoding = space.encoding
    known = truths(net)
    for genotype, true in known.items():
        active = encoding.active(genotype)
        assert {i for i, a in enumerate(active) if a} == true.decided
        assert space.costs.of(genotype) == true.costs
        assert encoding.allowed(genotype) == true.allowed
        canonical = encoding.canonical(genotype)
        assert canonical == tuple(g if a else 0 for g, a in zip(genotype, active, strict=True))
        assert encoding.encode(encoding.decode(genotype)) == encoding.canonical(canonical) == canonical

    # `sample` draws one number below `count` and takes the architecture of that number: it is uniform
    # because the numbers and the feasible architectures match one to one.
    feasible = {true.architecture(g) for g, true in known.items() if true.feasible}
    assert encoding.count() == len(feasible)
    ranked = [encoding.unrank(i) for i in range(encoding.count())]
    assert {known[g].architecture(g) for g in ranked} == feasible
    assert all(encoding.canonical(g) == g for g in ranked)

    keys = {(encoding.key(g), true.architecture(g)) for g, true in known.items()}
    assert len(keys) == len({key for key, _ in keys}) == len({a for _, a in keys})

    for metric in ("params", "macs", "flops", "activations", "depth"):
        for largest, best in ((False, min), (True, max)):
            if not feasible:
                with pytest.raises(ValueError, match="no architecture of `hand` meets its constraints"):
                    space.costs.extreme(metric, largest)
                continue
            value, genotype = space.costs.extreme(metric, largest)
            assert value == best(true.costs[metric] for true in known.values() if true.feasible)
            assert known[genotype].feasible and known[genotype].costs[metric] == value
            assert encoding.canonical(genotype) == genotype


@settings(max_examples=60, deadline=None)
@given(net=spaces())
def test_the_depth_of_what_is_no_chain_is_found_too(net: Net) -> None:
    feasible = [true.costs["depth"] for true in truths(net).values() if true.feasible]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(depth, "chain", lambda *_: None)
        space = compile(net)
        for largest, best in ((False, min), (True, max)) if feasible else ():
            assert space.costs.extreme("depth", largest)[0] == best(feasible)


@settings(max_examples=100, deadline=None)
@given(net=spaces())
def test_all_extremes_at_once_are_those_of_each(net: Net) -> None:
    feasible = [true.costs for true in truths(net).values() if true.feasible]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(costs, "TIED", -1)  # however little constraints tie together
        space = compile(net)
        for metric in ("params", "macs", "flops", "activations", "depth") if feasible else ():
            for largest, best in ((False, min), (True, max)):
                value, genotype = space.costs.extreme(metric, largest)
                assert value == best(each[metric] for each in feasible) == space.costs.of(genotype)[metric]


@settings(max_examples=30, deadline=None)
@given(net=spaces())
def test_samples_meet_every_constraint(net: Net) -> None:
    encoding = compile(net).encoding
    known = truths(net)
    if any(true.allowed for true in known.values()):
        rng = Random(0)
        assert all(known[encoding.sample(rng)].allowed for _ in range(20))


# Published spaces


def test_nas_bench_201_has_15625_cells() -> None:
    assert encoding(nets.nas_bench_201()).count() == 15_625


def test_darts_has_1e18_pairs_of_cells() -> None:
    assert encoding(nets.darts()).count() == 1_076_746_950_455_072_400


def test_once_for_all_has_7371_to_the_fifth() -> None:
    assert encoding(nets.once_for_all()).count() == 7371**5


def test_the_key_of_an_architecture_does_not_move_with_the_version() -> None:
    space = elastic_depth()
    key = encoding(space).key((0, 1, 0))
    # printf '{"depth": 1, "turn[0].size": 8}' | sha256sum
    assert key == "6ab03089b125c75689fc1554f31dfdb3438ddfa9eaf1dcb7f571633fb64fd230"


# A space to read: one or two linear layers of 4 or 8 numbers each


def elastic_depth(*constraints: Constraint) -> Net:
    b = Builder()
    depth = b.decide("depth", [1, 2], "depth")
    turns = [b.input(10)]
    for i in range(2):
        size = b.decide(f"turn[{i}].size", [4, 8])
        turns.append(b.layer("linear", turns[-1], features=b.pick(size, [4, 8])))
    return b.net(b.choice(b.pick(depth, [1, 2]), turns[1:], keys=[1, 2]), constraints=constraints)


def at_most(metric: str, limit: int) -> Constraint:
    return Constraint(Compare("<=", Metric(metric), limit), None, span(f"require {metric} <= {limit}"))


def test_decisions_of_turns_beyond_the_depth_do_not_count() -> None:
    shallow, deep = encoding(elastic_depth()), (1, 0, 1)
    assert shallow.count() == 2 + 4
    assert shallow.active((0, 1, 1)) == (True, True, False)
    assert shallow.canonical((0, 1, 1)) == (0, 1, 0)
    assert shallow.decode((0, 1, 1)) == {"depth": 1, "turn[0].size": 8}
    assert shallow.decode(deep) == {"depth": 2, "turn[0].size": 4, "turn[1].size": 8}
    assert shallow.key((0, 1, 1)) == shallow.key((0, 1, 0)) != shallow.key((1, 1, 0))


def test_what_is_said_of_inactive_decisions_is_not_heard() -> None:
    assert encoding(elastic_depth()).encode({"depth": 1, "turn[0].size": 8, "turn[1].size": 8}) == (0, 1, 0)


@pytest.mark.parametrize(
    ("architecture", "message"),
    [
        ({"depht": 1}, "there is no decision `depht`; did you mean `depth`?"),
        ({"colour": 1}, "there is no decision `colour`"),
        ({"depth": 3}, "`depth` cannot be 3; its options are 1, 2"),
        ({"depth": True}, "`depth` cannot be true; its options are 1, 2"),
        ({"depth": 2, "turn[0].size": 4}, "`turn[1].size` is not decided; its options are 4, 8"),
    ],
)
def test_a_wrong_architecture_is_refused_with_the_cure(architecture: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError) as caught:
        encoding(elastic_depth()).encode(architecture)
    assert str(caught.value) == message


def test_a_number_may_be_written_either_way() -> None:
    assert encoding(elastic_depth()).encode({"depth": 1.0, "turn[0].size": 8}) == (0, 1, 0)


def test_two_options_that_read_the_same_stay_two() -> None:
    b = Builder()
    x = b.input(4)
    edge = b.decide("edge", ["linear(4)", "skip", "linear(4)"], "layer")
    ways = [b.layer("linear", x, features=4), b.layer("skip", x), b.layer("linear", x, features=4)]
    space = encoding(b.net(b.either(edge, *ways)))
    assert space.count() == 3
    assert [space.decode((i,)) for i in range(3)] == [
        {"edge": "linear(4)"},
        {"edge": "skip"},
        {"edge": "linear(4) #2"},
    ]
    assert [space.encode(space.decode((i,))) for i in range(3)] == [(0,), (1,), (2,)]


def test_a_chosen_subset_is_a_list_of_positions() -> None:
    b = Builder()
    x = b.input(4)
    edge = b.decide("edge", ["skip", "relu"], "layer")
    inputs = b.decide("inputs", [[], [0], [1], [0, 1]], "subset")
    branches = [b.layer("linear", x, features=4), b.either(edge, b.layer("skip", x), b.layer("relu", x))]
    space = encoding(b.net(b.layer("add", *b.subset(inputs, branches))))
    assert space.count() == 1 + 1 + 2 + 2
    assert space.decode((1, 3)) == {"edge": "relu", "inputs": [0, 1]}
    assert space.decode((1, 1)) == {"inputs": [0]}
    assert space.encode({"edge": "relu", "inputs": [1]}) == (1, 2)


def test_a_space_without_decisions_has_one_architecture() -> None:
    b = Builder()
    space = encoding(b.net(b.layer("linear", b.input(4), features=2)))
    assert (space.count(), space.sample(Random(0)), space.decode(())) == (1, (), {})


def test_samples_are_uniform_over_architectures_not_over_coin_flips() -> None:
    space = encoding(elastic_depth())
    rng = Random(1)
    drawn = Counter(space.sample(rng) for _ in range(6_000))
    assert len(drawn) == 6
    # The 99.9 % quantile of chi-square with 5 degrees of freedom.
    assert sum((n - 1000) ** 2 / 1000 for n in drawn.values()) < 20.52


def test_a_constraint_on_decisions_is_counted_exactly() -> None:
    sizes_agree = Constraint(Compare("==", nets.Pick(1, (4, 8)), nets.Pick(2, (4, 8))), None, span("require a == b"))
    space = encoding(elastic_depth(sizes_agree))
    assert space.exact
    # At depth 1 the second size is not there, and the constraint asks nothing.
    assert space.count() == 2 + 2
    assert space.allowed((0, 1, 0)) and space.allowed((1, 1, 1)) and not space.allowed((1, 1, 0))


def test_a_constraint_on_a_metric_narrows_what_is_drawn_not_what_is_counted() -> None:
    space = encoding(elastic_depth(at_most("params", 44)))
    assert not space.exact
    assert space.count() == 6
    rng = Random(0)
    assert {space.sample(rng) for _ in range(20)} == {(0, 0, 0)}


def test_a_constraint_that_nothing_meets_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("atnas.compiler.encoding.DRAWS", 10)
    with pytest.raises(ValueError, match=r"none of 10 .* meets `require params <= 43`; loosen"):
        encoding(elastic_depth(at_most("params", 43))).sample(Random(0))
    never = Constraint(Compare("==", nets.Pick(0, (1, 2)), 3), None, span("require depth == 3"))
    with pytest.raises(ValueError, match="no architecture of `hand` meets its constraints"):
        encoding(elastic_depth(never)).sample(Random(0))


def test_a_rank_outside_of_the_space_is_refused() -> None:
    space = Encoding(lower(elastic_depth()))
    with pytest.raises(IndexError, match="there are 6 architectures; 6 is not among them"):
        space.unrank(6)
